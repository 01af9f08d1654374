//! `assemble`: one file from the fragments of a directory.
//!
//! With `remote_src: false` the controller reads its fragments, and sends what they make as `_content` and the directory's
//! name as `_source`; it joins them with [`join`] as well.

use std::fs;

use crate::args::Expanded;
use crate::files::{
    Algorithm, FileAttrs, Replacement, Side, add_path_info, backup, checksum, checksum_of, file_diff,
    strerror, validate, write_atomically,
};
use crate::python_regex::{Flags, Kind, PythonRegex};
use crate::{Applied, Blob, Effects, Host, Map, Module, Plan, Resource, Result, args, fail, json, result};

args! {
    pub struct AssembleArgs {
        /// The directory with the fragments.
        src: Option<Expanded>;
        /// The file they make.
        dest: Option<Expanded>;
        /// Keep the old file under a name with the time.
        backup: bool = default("no");
        /// What comes between two fragments.
        delimiter: Option<String>;
        /// Only fragments whose names this matches.
        regexp: Option<String>;
        /// Leave out fragments whose names begin with a point.
        ignore_hidden: bool = default("no");
        /// The fragments are on the host.
        remote_src: bool = default("yes");
        /// A command that has to accept the new content; `%s` is the file.
        validate: Option<String>;
        /// The controller's matter; accepted.
        decrypt: bool = default("yes");
        /// What the controller's fragments make.
        _content: Option<Blob>;
        /// Where the controller has them.
        _source: Option<String>;
    }
    with { attrs: FileAttrs }
}

pub struct Assemble;

impl Module for Assemble {
    type Args = AssembleArgs;
    const NAME: &'static str = "assemble";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Make a file from the fragments in a directory, in the order of their names.";

    fn effects(args: &AssembleArgs) -> Effects {
        let dest = args.dest.as_ref().map(|dest| Resource::Path(dest.0.clone()));
        let effects = Effects::writes(dest);
        match &args.src {
            Some(src) if args._content.is_none() => effects.and_reads(Resource::Path(src.0.clone())),
            _ => effects,
        }
    }

    fn plan(mut args: AssembleArgs, host: &Host) -> Result<Plan> {
        let Some(dest) = args.dest.take() else { return Err(fail!("src and dest are required")) };
        let mut dest = dest.0;
        let sent = args._content.take();
        let local = sent.is_some();
        let (content, source) = match (sent, args.src.take()) {
            (Some(content), _) => (content.read(host)?, args._source.take().unwrap_or_default()),
            (None, Some(src)) => (read_fragments(&args, &src, host)?, src.0),
            (None, None) => return Err(fail!("src and dest are required")),
        };
        if host.path(&dest).is_dir() {
            if !local {
                return Err(fail!("attempted to take checksum of directory: {dest}"));
            }
            // The name that Ansible gives to what it sends.
            dest = format!("{}/src", dest.trim_end_matches('/'));
        }
        let sum = |algorithm| checksum_of(&mut &content[..], algorithm).map_err(|e| fail!("{e}"));
        let sha1 = sum(Algorithm::Sha1)?;
        let mut known =
            result! {"src": source, "dest": dest, "checksum": sha1, "md5sum": sum(Algorithm::Md5)?};
        if local {
            known.shift_remove("src");
        } else {
            known.insert("msg".into(), "OK".into());
        }
        let same = checksum(&host.path(&dest), Algorithm::Sha1).ok().as_ref() == Some(&sha1);
        if same {
            return attributes(args, dest, known, host);
        }
        if let Some(command) = &args.validate {
            let said = validate(host, command, &content)?;
            match said {
                Some(said) if local => {
                    return Err(fail!("failed to validate")
                        .with("exit_status", said.rc)
                        .with("stdout", said.out())
                        .with("stderr", said.err()));
                }
                Some(said) => return Err(fail!("failed to validate: rc:{} error:{}", said.rc, said.err())),
                None if local => {}
                None => {
                    let nothing = json!({"rc": 0, "stdout": "", "stderr": ""});
                    known.insert("validation".into(), nothing);
                }
            }
        }
        let mut shown = known.clone();
        add_path_info(host, &mut shown);
        let mut plan = Plan::unchanged(shown);
        if host.diff() {
            let before = Side::of_file(&host.path(&dest), &dest);
            plan.diff.push(file_diff(before, Side::of(content.clone(), Some(&source))));
        }
        plan.apply = Some(Box::new(move |host: &Host| {
            let mut result = known;
            if args.backup
                && let Some(kept) = backup(host, &dest)?
            {
                result.insert("backup_file".into(), kept.into());
            }
            let replacement = Replacement { path: &dest, attrs: &args.attrs, new_mode: None, instead: None };
            write_atomically(host, &replacement, &mut &content[..])?;
            if args.attrs.attributes.is_some() {
                args.attrs.apply(host, &dest)?;
            }
            add_path_info(host, &mut result);
            Applied::with(result)
        }));
        Ok(plan)
    }
}

/// The content is right: only owner, group and mode may change.
fn attributes(args: AssembleArgs, dest: String, known: Map, host: &Host) -> Result<Plan> {
    let change = args.attrs.plan(host, &dest)?;
    let mut shown = known;
    add_path_info(host, &mut shown);
    let mut plan = Plan::unchanged(shown.clone());
    if !change.is_empty() {
        plan.apply = Some(Box::new(move |host: &Host| {
            change.apply(host)?;
            add_path_info(host, &mut shown);
            Applied::with(shown)
        }));
    }
    Ok(plan)
}

/// What the fragments of a directory of the host make.
fn read_fragments(args: &AssembleArgs, src: &str, host: &Host) -> Result<Vec<u8>> {
    let real = host.path(src);
    let meta = fs::metadata(&real).map_err(|_| fail!("Source ({src}) does not exist"))?;
    if !meta.is_dir() {
        return Err(fail!("Source ({src}) is not a directory"));
    }
    let unreadable = |e: std::io::Error| fail!("Could not read {src}: {}", strerror(&e));
    let names: Vec<String> = fs::read_dir(&real)
        .map_err(unreadable)?
        .map(|entry| Ok(entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    let mut fragments = Vec::new();
    for name in select(names, args.regexp.as_deref(), args.ignore_hidden)? {
        let file = real.join(&name);
        if file.is_file() {
            let content =
                fs::read(&file).map_err(|e| fail!("Could not read {src}/{name}: {}", strerror(&e)))?;
            fragments.push(content);
        }
    }
    Ok(join(fragments, args.delimiter.as_deref()))
}

/// The names that count, in their order.
pub fn select(mut names: Vec<String>, regexp: Option<&str>, ignore_hidden: bool) -> Result<Vec<String>> {
    let regexp = regexp.filter(|text| !text.is_empty()).map(|text| {
        let made = PythonRegex::new(text, Flags::default(), Kind::Text);
        made.map_err(|e| fail!("Invalid Regexp ({e}) in \"{text}\""))
    });
    let regexp = regexp.transpose()?;
    names.retain(|name| {
        !(ignore_hidden && name.starts_with('.')) && regexp.as_ref().is_none_or(|r| r.is_match(name))
    });
    names.sort();
    Ok(names)
}

/// Fragments one after the other, each from the beginning of a line, with the delimiter on lines of its own.
pub fn join(fragments: Vec<Vec<u8>>, delimiter: Option<&str>) -> Vec<u8> {
    let delimiter = delimiter.filter(|text| !text.is_empty()).map(unescaped);
    let mut content = Vec::new();
    let mut in_line = false;
    for (number, fragment) in fragments.into_iter().enumerate() {
        if in_line {
            content.push(b'\n');
        }
        if let Some(delimiter) = delimiter.as_ref().filter(|_| number > 0) {
            content.extend(delimiter);
            if !delimiter.ends_with(b"\n") {
                content.push(b'\n');
            }
        }
        in_line = !fragment.ends_with(b"\n");
        content.extend(fragment);
    }
    content
}

/// With the escapes of a string in Python carried out.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let Some((&next, tail)) = rest.split_first().filter(|_| byte == b'\\') else {
            bytes.push(byte);
            continue;
        };
        rest = tail;
        match next {
            b'n' => bytes.push(b'\n'),
            b't' => bytes.push(b'\t'),
            b'r' => bytes.push(b'\r'),
            b'a' => bytes.push(7),
            b'b' => bytes.push(8),
            b'v' => bytes.push(11),
            b'f' => bytes.push(12),
            b'\\' | b'\'' | b'"' => bytes.push(next),
            b'x' => match rest.get(..2).and_then(|two| hex::decode(two).ok()) {
                Some(code) => {
                    bytes.extend(code);
                    rest = &rest[2..];
                }
                None => bytes.extend(b"\\x"),
            },
            other => bytes.extend([b'\\', other]),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delimiter_has_lines_of_its_own() {
        let made = join(vec![b"a".to_vec(), b"b\n".to_vec(), b"c".to_vec()], Some("-\\x2d\\t\\q"));
        assert_eq!(String::from_utf8(made).unwrap(), "a\n--\t\\q\nb\n--\t\\q\nc");
    }
}
