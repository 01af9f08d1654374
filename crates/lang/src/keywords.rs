//! The keywords of plays, roles, blocks, tasks and handlers: one table ([`table`]) from which checking,
//! inheritance and `provision doc --keywords` come.
//!
//! The reference is the page "Playbook Keywords" of ansible-core 2.19.

mod suggest;
mod table;

use std::fmt;

pub use suggest::nearest;
pub use table::{Keyword, TABLE};

/// What the table says about one keyword.
#[derive(Debug)]
pub struct Entry {
    pub keyword: Keyword,
    pub name: &'static str,
    /// What its value has to be once templates are rendered.
    pub kind: Kind,
    /// Where it may be written.
    pub places: &'static [Place],
    pub inherit: Inherit,
    /// One sentence.
    pub doc: &'static str,
}

/// The type of a keyword's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Bool,
    Int,
    Float,
    /// A number, or one with `%` behind it.
    Percent,
    /// A list; a single value stands for a list of one.
    List,
    /// A list of names, commas separate them as well.
    Names,
    Dict,
    /// A list of expressions without braces; a single one stands for a list of one.
    Conditions,
    /// A dictionary or a list of dictionaries.
    Dicts,
    /// Tasks, roles and the like, read by the loader itself.
    Structure,
}

/// What carries keywords.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    Play,
    Role,
    Block,
    Task,
    Handler,
}

/// What a task does with the same keyword on the blocks, roles and plays around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inherit {
    /// Counts only where it is written.
    No,
    /// The innermost one counts.
    Override,
    /// All count, the task's own first.
    Append,
    /// All count, the outermost first.
    Prepend,
}

impl fmt::Display for Place {
    /// As error messages name it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Play => "Play",
            Self::Role => "RoleInclude",
            Self::Block => "Block",
            Self::Task => "Task",
            Self::Handler => "Handler",
        })
    }
}

impl Keyword {
    /// The keyword of that name.
    pub fn find(name: &str) -> Option<Self> {
        TABLE.iter().find(|e| e.name == name).map(|e| e.keyword)
    }

    /// Its line of the table.
    pub fn entry(self) -> &'static Entry {
        &TABLE[self as usize]
    }

    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// May it be written there?
    pub fn allowed(self, place: Place) -> bool {
        self.entry().places.contains(&place)
    }
}

/// All keywords of a place, by name.
pub fn of(place: Place) -> impl Iterator<Item = &'static Entry> {
    TABLE.iter().filter(move |e| e.places.contains(&place))
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (i, entry) in TABLE.iter().enumerate() {
            assert_eq!(entry.keyword as usize, i, "{}", entry.name);
            assert_eq!(Keyword::find(entry.name), Some(entry.keyword));
        }
    }
}
