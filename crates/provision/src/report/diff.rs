//! Differences, as `--diff` shows them.

use protocol::Diff;
use similar::{ChangeTag, TextDiff};

use super::{Colour, Style};

/// All differences of a result, with a line end behind each.
pub fn render(diffs: &[Diff], style: Style) -> String {
    let mut out = String::new();
    for diff in diffs {
        for (note, text) in [
            ("dst_binary", "diff skipped: destination file appears to be binary\n"),
            ("src_binary", "diff skipped: source file appears to be binary\n"),
        ] {
            if diff.notes.contains_key(note) {
                out.push_str(text);
            }
        }
        for (note, which) in [("dst_larger", "destination"), ("src_larger", "source")] {
            if let Some(size) = diff.notes.get(note) {
                out.push_str(&format!("diff skipped: {which} file size is greater than {size}\n"));
            }
        }
        if diff.before.is_some() && diff.after.is_some() {
            out.push_str(&unified(diff, style));
        }
        if let Some(prepared) = &diff.prepared {
            out.push_str(prepared);
        }
    }
    out
}

fn text_of(value: Option<&serde_json::Value>) -> String {
    match value {
        None | Some(serde_json::Value::Null) => String::new(),
        Some(serde_json::Value::String(text)) => text.clone(),
        // Objects are compared as JSON with sorted keys and a line for each.
        Some(other) => format!("{}\n", super::dump::json(&lang::Value::from_json(other), Some(4))),
    }
}

fn unified(diff: &Diff, style: Style) -> String {
    let before = text_of(diff.before.as_ref());
    let after = text_of(diff.after.as_ref());
    let header = |name: &str, header: &Option<String>| match header {
        Some(header) => format!("{name}: {header}"),
        None => name.to_owned(),
    };
    let compared = TextDiff::from_lines(&before, &after);
    let mut lines: Vec<(Colour, String)> = Vec::new();
    for hunk in compared.unified_diff().context_radius(3).iter_hunks() {
        lines.push((Colour::DiffLines, hunk.header().to_string().trim_end().to_owned()));
        for change in hunk.iter_changes() {
            let (sign, colour) = match change.tag() {
                ChangeTag::Equal => (' ', Colour::None),
                ChangeTag::Insert => ('+', Colour::DiffAdd),
                ChangeTag::Delete => ('-', Colour::DiffRemove),
            };
            let text = change.value();
            lines.push((colour, format!("{sign}{}", text.strip_suffix('\n').unwrap_or(text))));
            if change.missing_newline() {
                lines.push((Colour::None, "\\ No newline at end of file".to_owned()));
            }
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    let mut out = String::new();
    let mut push = |colour, text: &str| {
        out.push_str(&style.paint(text, colour));
        out.push('\n');
    };
    push(Colour::DiffRemove, &format!("--- {}", header("before", &diff.before_header)));
    push(Colour::DiffAdd, &format!("+++ {}", header("after", &diff.after_header)));
    for (colour, line) in &lines {
        push(*colour, line);
    }
    out.push('\n');
    out
}
