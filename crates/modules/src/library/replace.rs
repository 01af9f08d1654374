//! `replace`: every match of a pattern in a file.

use crate::args::Expanded;
use crate::files::{Edit, FileAttrs};
use crate::python_regex::{Flags, Kind, PythonRegex, from_bytes, to_bytes, uncaught};
use crate::{Effects, Host, Module, Plan, Resource, Result, args, fail, result};

args! {
    pub struct ReplaceArgs {
        /// The file.
        path: Expanded = required(), aliases(&["dest", "destfile", "name"]);
        /// What is replaced; `^` and `$` are about lines.
        regexp: String = required();
        /// What comes instead; may refer to groups.
        replace: String = default("");
        /// Only what follows a match of this.
        after: Option<String>;
        /// Only what precedes a match of this.
        before: Option<String>;
        /// Keep the old file under a name with the time.
        backup: bool = default("no");
        /// A command that has to accept the new file; `%s` is its place.
        validate: Option<String>;
        /// Encoding of the file.
        encoding: String = default("utf-8");
    }
    with { attrs: FileAttrs }
}

pub struct Replace;

/// How text and bytes become each other.
#[derive(Clone, Copy)]
enum Coding {
    Utf8,
    Latin1,
}

impl Module for Replace {
    type Args = ReplaceArgs;
    const NAME: &'static str = "replace";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Replace every match of a regular expression in a file.";

    fn effects(args: &ReplaceArgs) -> Effects {
        Effects::writes([Resource::Path(args.path.0.clone())])
    }

    fn plan(args: ReplaceArgs, host: &Host) -> Result<Plan> {
        let before = Edit::read(host, &args.path, false, "Path")?;
        let bytes = before.as_deref().unwrap_or_default();
        let coding = match args.encoding.to_ascii_lowercase().replace('_', "-").as_str() {
            "utf-8" | "utf8" => Coding::Utf8,
            "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "ascii" | "us-ascii" => Coding::Latin1,
            other => {
                return Err(fail!("argument 'encoding' is not supported: {other}; utf-8 and latin-1 are"));
            }
        };
        // What is not UTF-8 is looked at byte by byte.
        let (text, kind) = match (coding, std::str::from_utf8(bytes)) {
            (Coding::Utf8, Ok(text)) => (text.to_owned(), Kind::Text),
            (Coding::Utf8, Err(_)) => (from_bytes(bytes), Kind::Bytes),
            (Coding::Latin1, _) => (from_bytes(bytes), Kind::Text),
        };
        let pattern =
            |text: &str| if kind == Kind::Bytes { from_bytes(text.as_bytes()) } else { text.to_owned() };
        let section = match section_pattern(&args) {
            None => (0, text.len()),
            Some(section) => {
                let flags = Flags { dot_all: true, ..Flags::default() };
                let regex = PythonRegex::new(&pattern(&section), flags, kind).map_err(uncaught)?;
                let found =
                    regex.search(&text).and_then(|c| c.name("subsection").map(|m| (m.start(), m.end())));
                match found {
                    Some(found) => found,
                    None => {
                        let msg = format!(
                            "Pattern for before/after params did not match the given file: {section}"
                        );
                        return Ok(Plan::unchanged(result! {"rc": 0, "msg": msg}));
                    }
                }
            }
        };
        let flags = Flags { multi_line: true, ..Flags::default() };
        let regex = PythonRegex::new(&pattern(&args.regexp), flags, kind).map_err(uncaught)?;
        let old = &text[section.0..section.1];
        let (new, count) = regex
            .sub(old, &pattern(&args.replace))
            .map_err(|e| fail!("Unable to process replace due to error: {e}"))?;
        let message =
            if count > 0 && new != old { format!("{count} replacements made") } else { String::new() };
        let text = format!("{}{new}{}", &text[..section.0], &text[section.1..]);
        let after = match (coding, kind) {
            (Coding::Utf8, Kind::Text) => text.into_bytes(),
            _ => to_bytes(&text),
        };
        Edit {
            path: args.path.0,
            before,
            after,
            attrs: args.attrs,
            backup: args.backup,
            validate: args.validate,
            backup_key: "backup_file",
            message,
            headers: false,
            latin1: matches!(coding, Coding::Latin1),
        }
        .plan(host, result! {"rc": 0})
    }
}

fn section_pattern(args: &ReplaceArgs) -> Option<String> {
    let given = |p: &Option<String>| p.clone().filter(|p| !p.is_empty());
    match (given(&args.after), given(&args.before)) {
        (None, None) => None,
        (Some(after), Some(before)) => Some(format!("{after}(?P<subsection>.*?){before}")),
        (Some(after), None) => Some(format!("{after}(?P<subsection>.*)")),
        (None, Some(before)) => Some(format!("(?P<subsection>.*){before}")),
    }
}
