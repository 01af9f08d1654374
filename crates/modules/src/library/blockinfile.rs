//! `blockinfile`: lines between two markers.

use crate::args::Expanded;
use crate::files::{Edit, FileAttrs};
use crate::python_regex::{Flags, Kind, PythonRegex, from_bytes, to_bytes};
use crate::{Effects, Host, Module, Plan, Resource, Result, args, fail, result};

args! {
    pub struct BlockinfileArgs {
        /// The file.
        path: Expanded = required(), aliases(&["dest", "destfile", "name"]);
        /// Whether the block shall be there.
        state: String = choices(&["absent", "present"]), default("present");
        /// The lines; none removes the block.
        block: String = aliases(&["content"]), default("");
        /// The lines around it; `{mark}` becomes `marker_begin` and `marker_end`.
        marker: String = default("# {mark} ANSIBLE MANAGED BLOCK");
        /// What `{mark}` is before the block.
        marker_begin: String = default("BEGIN");
        /// What `{mark}` is after the block.
        marker_end: String = default("END");
        /// Where to put a new block: after the last line that matches, or `EOF`.
        insertafter: Option<String>;
        /// Where to put a new block: before the last line that matches, or `BOF`.
        insertbefore: Option<String>;
        /// Make the file if it is missing.
        create: bool = default("no");
        /// Keep the old file under a name with the time.
        backup: bool = default("no");
        /// A blank line after the block.
        append_newline: bool = default("no");
        /// A blank line before the block.
        prepend_newline: bool = default("no");
        /// A command that has to accept the new file; `%s` is its place.
        validate: Option<String>;
    }
    with { attrs: FileAttrs }
    checks { mutually_exclusive(&["insertbefore", "insertafter"]) }
}

pub struct Blockinfile;

impl Module for Blockinfile {
    type Args = BlockinfileArgs;
    const NAME: &'static str = "blockinfile";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str =
        "See to it that a block of lines between two markers is in a text file, or is not.";

    fn effects(args: &BlockinfileArgs) -> Effects {
        Effects::writes([Resource::Path(args.path.0.clone())])
    }

    fn plan(args: BlockinfileArgs, host: &Host) -> Result<Plan> {
        let before = Edit::read(host, &args.path, args.create, "Path")?;
        let text = from_bytes(before.as_deref().unwrap_or_default());
        let block = block(&args);
        let after = to_bytes(&put(&args, &text, &block)?);
        let message = match &before {
            Some(before) if *before == after => "",
            None if after.is_empty() => "",
            None => "File created",
            _ if block.is_empty() => "Block removed",
            _ => "Block inserted",
        };
        Edit {
            path: args.path.0,
            before,
            after,
            attrs: args.attrs,
            backup: args.backup,
            validate: args.validate,
            backup_key: "backup_file",
            message: message.to_owned(),
            headers: true,
            latin1: false,
        }
        .plan(host, result! {})
    }
}

fn marker(args: &BlockinfileArgs, mark: &str) -> String {
    from_bytes(format!("{}\n", args.marker.replace("{mark}", mark)).as_bytes())
}

/// The lines with their markers; none if they shall not be there.
fn block(args: &BlockinfileArgs) -> Vec<String> {
    if args.state == "absent" || args.block.is_empty() {
        return Vec::new();
    }
    let mut text = from_bytes(args.block.as_bytes());
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let mut lines = vec![marker(args, &args.marker_begin)];
    lines.extend(split(&text));
    lines.push(marker(args, &args.marker_end));
    lines
}

/// Lines with their ends: `\n`, `\r\n` or `\r`.
fn split(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        line.push(c);
        if c == '\n' || (c == '\r' && chars.peek() != Some(&'\n')) {
            lines.push(std::mem::take(&mut line));
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

fn put(args: &BlockinfileArgs, text: &str, block: &[String]) -> Result<String> {
    let mut lines = split(text);
    let (begin, end) = (marker(args, &args.marker_begin), marker(args, &args.marker_end));
    let found = (lines.iter().rposition(|l| *l == begin), lines.iter().rposition(|l| *l == end));
    let mut at = match found {
        (Some(begin), Some(end)) => {
            let (first, last) = (begin.min(end), begin.max(end));
            lines.drain(first..=last);
            first
        }
        _ => place(args, text, &lines)?,
    };
    if at > 0 && !lines[at - 1].ends_with('\n') {
        lines[at - 1].push('\n');
    }
    let present = args.state == "present";
    if args.prepend_newline && present && at != 0 && lines[at - 1] != "\n" {
        lines.insert(at, "\n".to_owned());
        at += 1;
    }
    lines.splice(at..at, block.iter().cloned());
    let next = at + block.len();
    if args.append_newline && present && next < lines.len() && lines[next] != "\n" {
        lines.insert(next, "\n".to_owned());
    }
    Ok(lines.concat())
}

/// Where a new block goes.
fn place(args: &BlockinfileArgs, text: &str, lines: &[String]) -> Result<usize> {
    let (pattern, after) = match (&args.insertafter, &args.insertbefore) {
        (Some(pattern), _) if pattern != "EOF" => (pattern, true),
        (None, Some(pattern)) if pattern == "BOF" => return Ok(0),
        (None, Some(pattern)) => (pattern, false),
        _ => return Ok(lines.len()),
    };
    let regex = PythonRegex::new(&from_bytes(pattern.as_bytes()), Flags::default(), Kind::Bytes);
    let regex = regex.map_err(|e| fail!("{e}"))?;
    if is_multi_line(pattern) {
        // Such a pattern is about the whole text.
        let found = regex.search(text).and_then(|c| c.get(0).map(|m| (m.start(), m.end())));
        return Ok(match found {
            None => lines.len(),
            Some((_, end)) if after => (text[..end].matches('\n').count() + 1).min(lines.len()),
            Some((start, _)) => text[..start].matches('\n').count(),
        });
    }
    Ok(match lines.iter().rposition(|l| regex.is_match(l)) {
        None => lines.len(),
        Some(line) if after => line + 1,
        Some(line) => line,
    })
}

/// Does the pattern begin with flags that contain `m`?
fn is_multi_line(pattern: &str) -> bool {
    let flags = pattern.strip_prefix("(?").and_then(|rest| rest.split_once(')'));
    flags.is_some_and(|(flags, _)| flags.chars().all(|c| c.is_ascii_alphabetic()) && flags.contains('m'))
}
