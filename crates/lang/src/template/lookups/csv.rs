//! `lookup('csvfile', key, file=, col=, ...)`: a field of the row whose key column has this text.

use std::rc::Rc;

use super::{controller, files, find_file, texts};
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::{iterate, ops};
use crate::template::object::{Fail, R, V};
use crate::template::repr::quoted;

struct Options {
    file: String,
    delimiter: String,
    encoding: String,
    default: V,
    col: i128,
    keycol: i128,
}

impl Options {
    /// Set an option. Gives `false` if there is none of this name.
    fn set(&mut self, name: &str, value: &V) -> R<bool> {
        match name {
            "file" => self.file = ops::to_str(value)?,
            "delimiter" => self.delimiter = ops::to_str(value)?,
            "encoding" => self.encoding = ops::to_str(value)?,
            "default" => self.default = value.clone(),
            "col" => self.col = column(name, value)?,
            "keycol" => self.keycol = column(name, value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn column(name: &str, value: &V) -> R<i128> {
    let text = ops::to_str(value)?;
    text.trim().parse().or_else(|_| {
        Fail::python(format!(
            "Config '{name}' for 'csvfile' lookup plugin from 'Direct' has an invalid value: Invalid value provided \
             for 'int': {}",
            quoted(&text)
        ))
    })
}

pub(super) fn csvfile(env: &Rc<Env>, args: Args) -> R<Vec<V>> {
    controller(env, "csvfile lookup")?;
    let mut options = Options {
        file: "ansible.csv".into(),
        delimiter: "TAB".into(),
        encoding: "utf-8".into(),
        default: V::None,
        col: 1,
        keycol: 0,
    };
    for (name, value) in &args.kw {
        options.set(name, &value.need()?)?;
    }
    let required = || Fail::Python("Search key is required but was not found".into());
    let terms = texts(&args)?;
    if terms.is_empty() {
        return Err(required());
    }
    let mut out = Vec::new();
    for term in terms {
        let words = crate::playbook::words::parse(&term, false)?;
        let key = words.raw.ok_or_else(required)?;
        // Options stay for the terms behind.
        for (name, value) in words.options {
            if !options.set(&name, &V::str(value))? {
                return Fail::python(format!("{} is not a valid option", quoted(&name)));
            }
        }
        match field(env, &key, &options)? {
            Some(value) => out.push(value),
            None => match iterate::as_list(&options.default)? {
                Some(items) => out.extend(items),
                None if matches!(options.default, V::None) => {}
                None => out.push(options.default.clone()),
            },
        }
    }
    Ok(out)
}

fn field(env: &Rc<Env>, key: &str, options: &Options) -> R<Option<V>> {
    if find_file(env, "files", &options.file).is_none() {
        let file = quoted(&options.file);
        env.templar.warn(&format!("Unable to find {file} in expected paths (use -vvvvv to see paths)"), None);
        return Fail::python("expected str, bytes or os.PathLike object, not NoneType");
    }
    let mut chars = options.delimiter.chars();
    let delimiter = match (options.delimiter.as_str(), chars.next(), chars.next()) {
        ("TAB", ..) => '\t',
        (_, Some(delimiter), None) => delimiter,
        _ => return Fail::python("\"delimiter\" must be a 1-character string"),
    };
    let Some((_, data)) = files::found(env, "files", &options.file)? else { return Ok(None) };
    let text = crate::template::filters::decode(&data, &options.encoding)?;
    for row in rows(&text, delimiter).into_iter().filter(|row| !row.is_empty()) {
        let at = |index: i128| {
            let length = i128::try_from(row.len()).unwrap_or(i128::MAX);
            let index = if index < 0 { index + length } else { index };
            let field = usize::try_from(index).ok().and_then(|index| row.get(index));
            field.ok_or_else(|| Fail::Python("list index out of range".into()))
        };
        if at(options.keycol)? == key {
            return Ok(Some(V::str(at(options.col)?.as_str())));
        }
    }
    Ok(None)
}

/// Rows of a CSV text; quoted fields may contain the delimiter, newlines and doubled quotes. An empty line is an
/// empty row.
fn rows(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut field = String::new();
    let (mut quoted, mut begun) = (false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => (quoted, begun) = (true, true),
            c if c == delimiter && !quoted => {
                row.push(std::mem::take(&mut field));
                begun = true;
            }
            '\r' | '\n' if !quoted => {
                if c == '\r' && chars.peek() == Some(&'\n') {
                    chars.next();
                }
                if begun || !field.is_empty() {
                    row.push(std::mem::take(&mut field));
                }
                rows.push(std::mem::take(&mut row));
                begun = false;
            }
            c => field.push(c),
        }
    }
    if begun || !field.is_empty() {
        row.push(field);
    }
    rows.push(row);
    rows
}
