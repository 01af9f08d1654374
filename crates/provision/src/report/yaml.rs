//! Results as YAML (`result_format: yaml`), the way Ansible's default callback prints them.

use lang::yaml::{DumpOptions, to_yaml};
use lang::{Key, Map, Value};

use super::dump;

/// A result as YAML, indented below the line it belongs to.
///
/// `everything` shows `invocation` and `diff`, too. With `lossy`, what is hard to read is left out: the lines of an output
/// that is there as text, and in texts of several lines what a terminal would not show.
pub fn yaml(result: &Map, everything: bool, lossy: bool) -> String {
    let mut shown = dump::visible(result, everything);
    if lossy {
        for (text, lines) in [("stdout", "stdout_lines"), ("stderr", "stderr_lines")] {
            if shown.contains_key(text) && shown.contains_key(lines) {
                shown.insert(Key::from(lines), Value::str("<omitted>"));
            }
        }
        shown = shown.into_iter().map(|(key, value)| (key, readable(value))).collect();
    }
    let options = DumpOptions {
        width: Some(1000),
        aliases: false,
        literal_lines: true,
        indent: if lossy { Some(4) } else { None },
        ..DumpOptions::to_nice_yaml()
    };
    let shown = Value::map(shown);
    // What YAML cannot hold (an undefined value deep inside) is still JSON.
    let text = to_yaml(&shown, &options).unwrap_or_else(|_| dump::json(&shown, Some(4)));
    let mut out = String::new();
    for line in text.trim_end().lines() {
        out.push('\n');
        if !line.is_empty() {
            out.push_str("    ");
            out.push_str(line);
        }
    }
    out
}

/// Texts of several lines without control characters, tabs and blanks at the ends of lines.
fn readable(value: Value) -> Value {
    match value {
        Value::Str(text) if text.as_str().contains('\n') => Value::str(clean(text.as_str())),
        Value::List(items) => Value::list(items.iter().cloned().map(readable).collect()),
        Value::Map(map) => Value::map(map.iter().map(|(k, v)| (k.clone(), readable(v.clone()))).collect()),
        other => other,
    }
}

fn clean(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let mut out = String::new();
        let mut column = 0;
        for c in line.chars() {
            if c == '\t' {
                let width = 8 - column % 8;
                out.extend(std::iter::repeat_n(' ', width));
                column += width;
            } else if !c.is_control() {
                out.push(c);
                column += 1;
            }
        }
        out.truncate(out.trim_end().len());
        out
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    text.trim_end().to_owned()
}
