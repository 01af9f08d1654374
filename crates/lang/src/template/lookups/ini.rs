//! `lookup('ini', key, file=, section=, ...)`: INI files as Python's `configparser` reads them, and Java's
//! properties, which are read as one section.

use std::rc::Rc;

use indexmap::IndexMap;

use super::{controller, files};
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::{iterate, ops};
use crate::template::object::{Fail, R, V};
use crate::template::regex;
use crate::template::repr::quoted;

/// Options that may stand behind the key in one text.
const OPTIONS: &[&str] = &[
    "type",
    "file",
    "section",
    "re",
    "encoding",
    "default",
    "case_sensitive",
    "allow_no_value",
    "allow_none",
    "interpolation",
];

/// The section that properties are in.
const PROPERTIES: &str = "java_properties";
const DEFAULT: &str = "DEFAULT";

type Section = IndexMap<String, Option<String>>;

struct Options {
    file: String,
    section: String,
    properties: bool,
    encoding: String,
    default: V,
    re: bool,
    case_sensitive: bool,
    no_value: bool,
    interpolation: bool,
}

impl Options {
    fn set(&mut self, name: &str, value: &V) -> R<()> {
        let text = || ops::to_str(value);
        let truth = || files::truth_of(value);
        match name {
            "file" => self.file = text()?,
            "section" => self.section = text()?,
            "type" => self.properties = text()? == "properties",
            "encoding" => self.encoding = text()?,
            "default" => self.default = value.clone(),
            "re" => self.re = truth()?,
            "case_sensitive" => self.case_sensitive = truth()?,
            "allow_no_value" | "allow_none" => self.no_value = truth()?,
            "interpolation" => self.interpolation = truth()?,
            // Ansible takes no notice of others either.
            _ => {}
        }
        Ok(())
    }
}

pub(super) fn ini(env: &Rc<Env>, args: Args) -> R<Vec<V>> {
    controller(env, "ini lookup")?;
    let mut options = Options {
        file: "ansible.ini".into(),
        section: "global".into(),
        properties: false,
        encoding: "utf-8".into(),
        default: V::str(""),
        re: false,
        case_sensitive: false,
        no_value: false,
        interpolation: true,
    };
    for (name, value) in &args.kw {
        options.set(name, &value.need()?)?;
    }
    let mut out = Vec::new();
    for term in super::texts(&args)? {
        let key = key_of(&term, &mut options)?;
        lookup(env, &key, &options, &mut out)?;
    }
    Ok(out)
}

/// The key in front, after the options behind it were set.
fn key_of(term: &str, options: &mut Options) -> R<String> {
    if !term.contains('=') {
        return Ok(term.to_string());
    }
    let mut key = Vec::new();
    for word in term.split_whitespace() {
        match word.split_once('=') {
            None => key.push(word),
            Some((name, value)) if OPTIONS.contains(&name) => options.set(name, &V::str(value))?,
            Some((name, _)) => return Fail::python(format!("{} is not a valid option.", quoted(name))),
        }
    }
    if key.is_empty() {
        return Fail::python(format!(
            "No key to look up was provided as first term within string inline options: {term}"
        ));
    }
    Ok(key.join(" "))
}

fn lookup(env: &Rc<Env>, key: &str, options: &Options, out: &mut Vec<V>) -> R<()> {
    let Some((_, data)) = files::found(env, "files", &options.file)? else {
        return Fail::python("Invalid filename None.");
    };
    let text = crate::template::filters::decode(&data, &options.encoding)?;
    let section = if options.properties { PROPERTIES } else { options.section.as_str() };
    let start = options.properties.then_some(PROPERTIES);
    let sections = parse(&text, start, options)?;
    let none = Section::new();
    let defaults = sections.get(DEFAULT).unwrap_or(&none);
    let own = match sections.get(section) {
        Some(own) => own,
        None if section == DEFAULT => &none,
        None => {
            return Fail::python(format!("No section {} in {}.", quoted(section), quoted(&options.file)));
        }
    };
    let reader = Reader { section, own, defaults, options };
    if options.re {
        let flags = regex::Flags { ignore_case: !options.case_sensitive, ..Default::default() };
        let pattern = regex::compile(&env.templar, &format!("\\A(?:{key})"), flags)?;
        let names: indexmap::IndexSet<&String> = defaults.keys().chain(own.keys()).collect();
        let values: Vec<(&String, Option<String>)> =
            names.into_iter().map(|name| Ok((name, reader.value(name)?))).collect::<R<_>>()?;
        for (name, value) in values {
            if regex::is_match(&pattern, name)? {
                out.push(value.map_or(V::None, V::str));
            }
        }
        return Ok(());
    }
    let name = fold(key, options);
    if own.contains_key(&name) || defaults.contains_key(&name) {
        // A key without a value gives nothing at all.
        out.extend(reader.value(&name)?.map(V::str));
        return Ok(());
    }
    match iterate::as_list(&options.default)? {
        Some(items) => out.extend(items),
        None => out.push(options.default.clone()),
    }
    Ok(())
}

fn fold(name: &str, options: &Options) -> String {
    if options.case_sensitive { name.to_string() } else { name.to_lowercase() }
}

/// Values of one section, with what `%(name)s` in them means.
struct Reader<'a> {
    section: &'a str,
    own: &'a Section,
    defaults: &'a Section,
    options: &'a Options,
}

impl Reader<'_> {
    fn raw(&self, name: &str) -> Option<&Option<String>> {
        self.own.get(name).or_else(|| self.defaults.get(name))
    }

    fn value(&self, name: &str) -> R<Option<String>> {
        match self.raw(name) {
            Some(Some(raw)) if self.options.interpolation => {
                let mut out = String::new();
                self.interpolate(name, raw, raw, 1, &mut out)?;
                Ok(Some(out))
            }
            Some(value) => Ok(value.clone()),
            None => Ok(None),
        }
    }

    fn interpolate(&self, name: &str, raw: &str, text: &str, depth: usize, out: &mut String) -> R<()> {
        if depth > 10 {
            return Fail::python(format!(
                "Recursion limit exceeded in value substitution: option {} in section {} contains an interpolation key which cannot be substituted in 10 steps. Raw value: {}",
                quoted(name),
                quoted(self.section),
                quoted(raw)
            ));
        }
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            if let Some(after) = after.strip_prefix('%') {
                out.push('%');
                rest = after;
                continue;
            }
            let Some(inside) = after.strip_prefix('(') else {
                return Fail::python(format!(
                    "'%' must be followed by '%' or '(', found: {}",
                    quoted(&rest[at..])
                ));
            };
            let Some((wanted, after)) = inside.split_once(")s") else {
                return Fail::python(format!("bad interpolation variable reference {}", quoted(&rest[at..])));
            };
            match self.raw(&fold(wanted, self.options)) {
                Some(value) => {
                    let value = value.as_deref().unwrap_or_default();
                    self.interpolate(name, raw, value, depth + 1, out)?;
                }
                None => {
                    return Fail::python(format!(
                        "Bad value substitution: option {} in section {} contains an interpolation key {} which is not a valid option name. Raw value: {}",
                        quoted(name),
                        quoted(self.section),
                        quoted(wanted),
                        quoted(raw)
                    ));
                }
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(())
    }
}

/// The sections of a text. A line that is indented deeper than its key continues the value; empty lines belong to it.
fn parse(text: &str, start: Option<&str>, options: &Options) -> R<IndexMap<String, Section>> {
    let mut sections: IndexMap<String, Section> = IndexMap::new();
    let mut current = start.map(str::to_string);
    if let Some(start) = start {
        sections.insert(start.to_string(), Section::new());
    }
    // The option being read, how far its line was indented, and its lines.
    let mut open: Option<(String, usize, Vec<String>)> = None;
    let close = |open: &mut Option<(String, usize, Vec<String>)>,
                 section: &Option<String>,
                 sections: &mut IndexMap<String, Section>| {
        let Some((name, _, mut lines)) = open.take() else { return };
        while lines.len() > 1 && lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        if let Some(section) = section {
            sections.entry(section.clone()).or_default().insert(name, Some(lines.join("\n")));
        }
    };
    for (i, line) in text.split('\n').map(|line| line.trim_end_matches('\r')).enumerate() {
        let trimmed = line.trim();
        if trimmed.starts_with(['#', ';']) {
            continue;
        }
        if trimmed.is_empty() {
            if let Some((_, _, lines)) = &mut open {
                lines.push(String::new());
            }
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        if let Some((_, before, lines)) = &mut open
            && indent > *before
        {
            lines.push(trimmed.to_string());
            continue;
        }
        close(&mut open, &current, &mut sections);
        if let Some((name, _)) = trimmed.strip_prefix('[').and_then(|t| t.rsplit_once(']')) {
            if name != DEFAULT && sections.contains_key(name) {
                return Fail::python(format!(
                    "While reading from '<???>' [line {:2}]: section {} already exists",
                    i + 1,
                    quoted(name)
                ));
            }
            sections.entry(name.to_string()).or_default();
            current = Some(name.to_string());
            continue;
        }
        let Some(section) = &current else {
            return Fail::python(format!(
                "File contains no section headers.\nfile: '<???>', line: {}\n{}",
                i + 1,
                quoted(&format!("{line}\n"))
            ));
        };
        let (name, value) = match trimmed.find(['=', ':']) {
            Some(at) => (trimmed[..at].trim_end(), Some(trimmed[at + 1..].trim_start())),
            None if options.no_value => (trimmed, None),
            None => {
                return Fail::python(format!(
                    "Source contains parsing errors: '<???>'\n\t[line {:2}]: {}",
                    i + 1,
                    quoted(&format!("{line}\n"))
                ));
            }
        };
        let name = fold(name, options);
        let known = sections.entry(section.clone()).or_default();
        if known.contains_key(&name) {
            return Fail::python(format!(
                "Duplicate option in {}: While reading from '<???>' [line {:2}]: option {} in section {} already exists",
                quoted(&options.file),
                i + 1,
                quoted(&name),
                quoted(section)
            ));
        }
        match value {
            Some(value) => open = Some((name, indent, vec![value.to_string()])),
            None => {
                known.insert(name, None);
            }
        }
    }
    close(&mut open, &current, &mut sections);
    Ok(sections)
}
