//! Errors with the lines they are about, in the form ansible-core 2.19 prints them.

use std::fs;

use crate::{Error, Pos};

/// The message with all its causes, then each with its place.
pub fn describe(error: &Error) -> String {
    let mut text = error.to_string();
    if chain(error).iter().all(|part| part.pos.is_none()) {
        if let Some(help) = help(error) {
            text.push_str(&format!("\n\n{help}"));
        }
        return text;
    }
    let parts = chain(error);
    let alone = parts.len() == 1;
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            text.push_str("\n\n<<< caused by >>>\n\n");
        }
        if !alone {
            if i == 0 {
                text.push_str("\n\n");
            }
            let last = i + 1 == parts.len();
            text.push_str(&part.message);
            if !last && !part.message.ends_with('.') {
                text.push('.');
            }
        }
        if let Some(help) = &part.help {
            text.push_str(&format!(" {help}"));
        }
        if let Some(pos) = &part.pos {
            if !alone || i == 0 {
                text.push('\n');
            }
            text.push_str(&format!("Origin: {pos}"));
            if let Some(lines) = excerpt(pos) {
                text.push_str(&format!("\n\n{lines}"));
            }
        }
    }
    if let Some(help) = help(error).filter(|_| parts.iter().all(|part| part.help.is_none())) {
        text.push_str(&format!("\n\n{help}"));
    }
    text
}

struct Part {
    message: String,
    pos: Option<Pos>,
    /// What can be done, where it stands behind the message.
    help: Option<String>,
}

/// The error and its causes; a cause without a place of its own belongs to what it caused, unless it says what to do.
fn chain(error: &Error) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        match parts.last_mut() {
            Some(_) if error.pos().is_none() && error.help().is_some() => parts.push(Part {
                message: error.message().to_owned(),
                pos: None,
                help: error.help().map(str::to_owned),
            }),
            Some(last) if error.pos().is_none() || error.pos() == last.pos.as_ref() => {
                last.message = format!("{}: {}", last.message, error.message());
            }
            _ => parts.push(Part {
                message: error.message().to_owned(),
                pos: error.pos().cloned(),
                help: None,
            }),
        }
        next = error.cause();
    }
    parts
}

fn help(error: &Error) -> Option<&str> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(help) = error.help() {
            return Some(help);
        }
        next = error.cause();
    }
    None
}

/// Characters of a line that are shown.
const WIDEST: usize = 400;

/// The line with two lines before it, and a caret under the column.
fn excerpt(pos: &Pos) -> Option<String> {
    let text = fs::read_to_string(&pos.file).ok()?;
    let line = pos.line as usize;
    let lines: Vec<&str> = text.lines().collect();
    if line == 0 || line > lines.len() {
        return None;
    }
    let first = line.saturating_sub(2).max(1);
    let width = line.to_string().len();
    let column = pos.column.max(1) as usize;
    // Of a line without end the part around the column is enough.
    let skipped = column.saturating_sub(WIDEST / 2);
    let mut out = String::new();
    for number in first..=line {
        let shown: String = lines[number - 1].chars().skip(skipped).take(WIDEST).collect();
        let text = format!("{number:>width$} {}", shown.replace('\t', " "));
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out.push_str(&format!("{}^ column {column}", " ".repeat(width + column - skipped)));
    Some(out)
}
