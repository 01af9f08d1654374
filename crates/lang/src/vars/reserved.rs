//! Names that variables had better not have: keywords, and the functions of templates.

use crate::keywords::Keyword;
use crate::template::Templar;
use crate::{Error, Map, Pos};

/// Keywords that are fine as names of variables all the same.
const FREE: &[&str] = &["gather_subset", "listen", "vars"];

/// Words of the language that the table of keywords does not have.
const OTHERS: &[&str] = &["hosts", "local_action", "loop_with", "with_"];

fn is_reserved(name: &str) -> bool {
    let keyword = Keyword::find(name).is_some() || OTHERS.contains(&name);
    let function = Templar::known_functions().contains(&name);
    (keyword || function) && !FREE.contains(&name)
}

/// A warning for each name of these variables that is reserved; `place` is where they are when a value has no place.
pub fn reserved_names<'a>(vars: &'a Map, place: Option<&'a Pos>) -> impl Iterator<Item = Error> + 'a {
    vars.iter().filter_map(move |(name, value)| {
        let name = name.as_str().filter(|name| is_reserved(name))?;
        Some(reserved_name(name, value.pos().or(place)))
    })
}

/// The warning for a name, if it is reserved.
pub fn check_name(name: &str, pos: &Pos) -> Option<Error> {
    is_reserved(name).then(|| reserved_name(name, Some(pos)))
}

fn reserved_name(name: &str, pos: Option<&Pos>) -> Error {
    Error::new(format!("Found variable using reserved name '{name}'.")).at(pos)
}
