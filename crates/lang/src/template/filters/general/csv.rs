//! `from_csv`: tables, as Python's `csv.DictReader` reads them.

use std::rc::Rc;

use crate::Key;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::{iterate, ops};
use crate::template::object::{Dict, Fail, R, V};

struct Dialect {
    delimiter: char,
    skip_space: bool,
    strict: bool,
}

pub(super) fn from_csv(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("from_csv", ["dialect", "fieldnames", "delimiter", "skipinitialspace", "strict"], 0)?;
    let name = b.string(0, "excel")?;
    let delimiter = match name.as_str() {
        "excel" | "unix" => ',',
        "excel-tab" => '\t',
        _ => {
            return Fail::python(format!("Dialect '{name}' is not supported by your version of python."));
        }
    };
    let delimiter = match b.some(2).map(|d| ops::to_str(&d)).transpose()? {
        None => delimiter,
        Some(text) => {
            let mut chars = text.chars();
            match (chars.next(), chars.next()) {
                (Some(one), None) => one,
                _ => return Fail::python("\"delimiter\" must be a 1-character string"),
            }
        }
    };
    let dialect = Dialect { delimiter, skip_space: b.bool(3, false)?, strict: b.bool(4, false)? };
    let text = ops::to_str(&value)?;
    let mut rows = read(text.trim_start_matches('\u{feff}'), &dialect)
        .or_else(|why| Fail::python(format!("Unable to process file: {why}")))?
        .into_iter()
        .filter(|row| !row.is_empty());
    let names = match b.some(1) {
        Some(names) => iterate::items_of(&names)?.iter().map(ops::to_str).collect::<R<Vec<_>>>()?,
        None => rows.next().unwrap_or_default(),
    };
    let row = |fields: Vec<String>| {
        let mut map = Dict::new();
        let mut fields = fields.into_iter();
        for name in &names {
            map.insert(Key::from(name.as_str()), fields.next().map_or(V::None, V::str));
        }
        let rest: Vec<V> = fields.map(V::str).collect();
        if !rest.is_empty() {
            map.insert(Key::Null, V::list(rest));
        }
        V::dict(map)
    };
    Ok(V::list(rows.map(row).collect()))
}

/// Rows of fields; an empty line is a row without any.
fn read(text: &str, dialect: &Dialect) -> Result<Vec<Vec<String>>, &'static str> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut field = String::new();
    // Something of the row, or of the field, has been seen.
    let (mut row_begun, mut field_begun, mut quoted) = (false, false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if quoted {
            match c {
                '"' if chars.peek() == Some(&'"') => {
                    chars.next();
                    field.push('"');
                }
                '"' => {
                    quoted = false;
                    let next = chars.peek();
                    let ends = next.is_none_or(|n| *n == dialect.delimiter || matches!(n, '\r' | '\n'));
                    if dialect.strict && !ends {
                        return Err("',' expected after '\"'");
                    }
                }
                other => field.push(other),
            }
            continue;
        }
        match c {
            '\r' | '\n' => {
                if c == '\r' && chars.peek() == Some(&'\n') {
                    chars.next();
                }
                if row_begun {
                    row.push(std::mem::take(&mut field));
                }
                rows.push(std::mem::take(&mut row));
                (row_begun, field_begun) = (false, false);
            }
            c if c == dialect.delimiter => {
                row.push(std::mem::take(&mut field));
                (row_begun, field_begun) = (true, false);
            }
            ' ' if dialect.skip_space && !field_begun => row_begun = true,
            '"' if !field_begun => {
                (row_begun, field_begun, quoted) = (true, true, true);
            }
            other => {
                field.push(other);
                (row_begun, field_begun) = (true, true);
            }
        }
    }
    if quoted && dialect.strict {
        return Err("unexpected end of data");
    }
    if row_begun {
        row.push(field);
        rows.push(row);
    }
    Ok(rows)
}
