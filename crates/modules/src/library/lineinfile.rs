//! `lineinfile`: one line of a text file.

use crate::args::Expanded;
use crate::files::{Edit, FileAttrs};
use crate::python_regex::{Flags, Kind, PythonRegex, from_bytes, to_bytes, uncaught};
use crate::{Effects, Host, Map, Module, Plan, Resource, Result, args, fail, result};

args! {
    pub struct LineinfileArgs {
        /// The file.
        path: Expanded = required(), aliases(&["dest", "destfile", "name"]);
        /// Whether the line shall be there.
        state: String = choices(&["absent", "present"]), default("present");
        /// Which line is replaced (the last that matches) or removed (all that match).
        regexp: Option<String> = aliases(&["regex"]);
        /// The same by a piece of text.
        search_string: Option<String>;
        /// The line.
        line: Option<String> = aliases(&["value"]);
        /// `line` may refer to groups of `regexp`.
        backrefs: bool = default("no");
        /// Where to put a new line: after the last line that matches, or `EOF`.
        insertafter: Option<String>;
        /// Where to put a new line: before the last line that matches, or `BOF`.
        insertbefore: Option<String>;
        /// Make the file if it is missing.
        create: bool = default("no");
        /// Keep the old file under a name with the time.
        backup: bool = default("no");
        /// The first match counts, not the last.
        firstmatch: bool = default("no");
        /// A command that has to accept the new file; `%s` is its place.
        validate: Option<String>;
    }
    with { attrs: FileAttrs }
    checks {
        mutually_exclusive(&["insertbefore", "insertafter"]),
        mutually_exclusive(&["regexp", "search_string"]),
        mutually_exclusive(&["backrefs", "search_string"]),
    }
}

pub struct Lineinfile;

impl Module for Lineinfile {
    type Args = LineinfileArgs;
    const NAME: &'static str = "lineinfile";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "See to it that a line is in a text file, or is not.";

    fn effects(args: &LineinfileArgs) -> Effects {
        Effects::writes([Resource::Path(args.path.0.clone())])
    }

    fn plan(args: LineinfileArgs, host: &Host) -> Result<Plan> {
        if host.path(&*args.path).is_dir() {
            return Err(fail!("Path {} is a directory !", args.path.0).with("rc", 256));
        }
        let present = args.state == "present";
        if present {
            if args.backrefs && args.regexp.is_none() {
                return Err(fail!("regexp is required with backrefs=true"));
            }
            if args.line.is_none() {
                return Err(fail!("line is required with state=present"));
            }
        } else if args.regexp.is_none() && args.search_string.is_none() && args.line.is_none() {
            return Err(fail!("one of line, search_string, or regexp is required with state=absent"));
        }
        let before = match Edit::read(host, &args.path, !present || args.create, "Destination")? {
            None if !present => return Ok(Plan::unchanged(result! {"msg": "file not present"})),
            before => before,
        };
        let mut lines = split(before.as_deref().unwrap_or_default());
        let mut result = Map::new();
        let message = if present {
            put(&args, &mut lines)?.to_owned()
        } else {
            let found = remove(&args, &mut lines)?;
            result.insert("found".into(), found.into());
            if found == 0 { String::new() } else { format!("{found} line(s) removed") }
        };
        result.insert("backup".into(), "".into());
        if let Some(warning) = matches_everything(&args) {
            result.insert("warnings".into(), vec![warning].into());
        }
        Edit {
            path: args.path.0,
            before,
            after: to_bytes(&lines.concat()),
            attrs: args.attrs,
            backup: args.backup,
            validate: args.validate,
            backup_key: "backup",
            message,
            headers: true,
            latin1: false,
        }
        .plan(host, result)
    }
}

/// What to say of an empty pattern.
fn matches_everything(args: &LineinfileArgs) -> Option<String> {
    let (what, help) = match (args.regexp.as_deref(), args.search_string.as_deref()) {
        (Some(""), _) => (
            "regular expression",
            " If this is desired, use '^' to match every line in the file and avoid this warning.",
        ),
        (_, Some("")) => ("search string", ""),
        _ => return None,
    };
    Some(format!(
        "The {what} is an empty string, which will match every line in the file. This may have unintended consequences, \
         such as replacing the last line in the file rather than appending.{help}"
    ))
}

/// Lines with their ends, one character for each byte.
fn split(content: &[u8]) -> Vec<String> {
    content.split_inclusive(|b| *b == b'\n').map(from_bytes).collect()
}

fn bare(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

fn compile(pattern: &str) -> Result<PythonRegex> {
    PythonRegex::new(&from_bytes(pattern.as_bytes()), Flags::default(), Kind::Bytes).map_err(uncaught)
}

/// Put the line where it belongs; says what was done, nothing if nothing.
fn put(args: &LineinfileArgs, lines: &mut Vec<String>) -> Result<&'static str> {
    let line = from_bytes(args.line.as_deref().unwrap_or_default().as_bytes());
    let regexp = args.regexp.as_deref().map(compile).transpose()?;
    let search = args.search_string.as_ref().map(|s| from_bytes(s.as_bytes()));
    let after = match (&args.insertafter, &args.insertbefore) {
        (None, None) => Some("EOF"),
        (after, _) => after.as_deref(),
    };
    let before = args.insertbefore.as_deref();
    let place = match (after, before) {
        (Some(pattern), _) if !matches!(pattern, "BOF" | "EOF") => Some(compile(pattern)?),
        (_, Some(pattern)) if pattern != "BOF" => Some(compile(pattern)?),
        _ => None,
    };
    let wanted = |text: &str| {
        regexp.as_ref().is_some_and(|r| r.is_match(text))
            || search.as_ref().is_some_and(|s| text.contains(&**s))
    };
    let matched = if args.firstmatch {
        lines.iter().position(|l| wanted(l))
    } else {
        lines.iter().rposition(|l| wanted(l))
    };
    let (mut same, mut near) = (None, None);
    if matched.is_none() {
        for (number, text) in lines.iter().enumerate() {
            if bare(text) == line {
                same = Some(number);
            } else if place.as_ref().is_some_and(|p| p.is_match(text)) {
                near = Some(if after.is_some() { number + 1 } else { number });
                if args.firstmatch {
                    break;
                }
            }
        }
    }
    let ended = |mut text: String| {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text
    };
    if let Some(number) = matched.or(same) {
        let new = match (&regexp, matched) {
            (Some(regexp), Some(_)) if args.backrefs => {
                let captures =
                    regexp.search(&lines[number]).ok_or_else(|| fail!("the line does not match any more"))?;
                regexp.expand(&captures, &line).map_err(uncaught)?
            }
            _ => line,
        };
        let new = ended(new);
        if lines[number] == new {
            return Ok("");
        }
        lines[number] = new;
        return Ok("line replaced");
    }
    if args.backrefs {
        // Without a match there are no groups to fill the line with.
        return Ok("");
    }
    let new = format!("{line}\n");
    match near {
        _ if before == Some("BOF") || after == Some("BOF") => lines.insert(0, new),
        Some(at) if after.is_some() && after != Some("EOF") => {
            let neighbour = lines.get(at).or_else(|| lines.get(at - 1));
            if neighbour.is_some_and(|n| bare(n) == line) {
                return Ok("");
            }
            lines.insert(at, new);
        }
        Some(at) if after.is_none() => lines.insert(at, new),
        _ => {
            if lines.last().is_some_and(|last| !last.ends_with(['\n', '\r'])) {
                lines.push("\n".to_owned());
            }
            lines.push(new);
        }
    }
    Ok("line added")
}

/// Remove the lines; gives their number.
fn remove(args: &LineinfileArgs, lines: &mut Vec<String>) -> Result<usize> {
    let regexp = args.regexp.as_deref().map(compile).transpose()?;
    let search = args.search_string.as_ref().map(|s| from_bytes(s.as_bytes()));
    let line = args.line.as_ref().map(|l| from_bytes(l.as_bytes()));
    let count = lines.len();
    lines.retain(|text| !match (&regexp, &search, &line) {
        (Some(regexp), ..) => regexp.is_match(text),
        (_, Some(search), _) => text.contains(&**search),
        (.., line) => line.as_deref() == Some(bare(text)),
    });
    Ok(count - lines.len())
}
