//! All modules, one line each.

use std::collections::HashMap;
use std::sync::OnceLock;

use protocol::Map;

use crate::args::{self, ArgError, Args, Spec};
use crate::{Effects, Host, Module, Plan, Result, library};

/// A module with its types erased.
pub struct Entry {
    /// Short name, which is what travels in a step.
    pub name: &'static str,
    /// `ansible.builtin`, or empty for our own.
    pub collection: &'static str,
    pub aliases: &'static [&'static str],
    /// One paragraph.
    pub doc: &'static str,
    /// Its arguments.
    pub spec: fn() -> &'static Spec,
    /// What a call reads and writes; the arguments need not have been checked.
    pub effects: fn(&Map) -> Result<Effects, ArgError>,
    /// What calls of one transaction have in common; the arguments need not have been checked.
    pub transaction: fn(&Map) -> Option<String>,
    /// Check the arguments and plan.
    pub plan: fn(&Map, &Host) -> Result<Plan>,
}

impl Entry {
    /// `ansible.builtin.file`, or the bare name of our own.
    pub fn full_name(&self) -> String {
        if self.collection.is_empty() {
            self.name.to_owned()
        } else {
            format!("{}.{}", self.collection, self.name)
        }
    }

    /// Check arguments without a host: every error that can be known beforehand.
    pub fn check(&self, args: &Map) -> Result<Map, ArgError> {
        args::normalize((self.spec)(), args)
    }
}

fn entry<M: Module>() -> Entry {
    Entry {
        name: M::NAME,
        collection: M::COLLECTION,
        aliases: M::ALIASES,
        doc: M::DOC,
        spec: M::Args::spec,
        effects: |map| M::Args::parse(map).map(|args| M::effects(&args)),
        transaction: |map| M::transaction(&M::Args::parse(map).ok()?),
        plan: |map, host| {
            let args = M::Args::parse(map).map_err(|mut e| {
                if !e.known.is_empty() {
                    e.msg = format!("Unsupported parameters for ({}) module: {}", M::NAME, e.msg);
                }
                e
            })?;
            M::plan(args, host)
        },
    }
}

/// Every module, in the order of the library.
pub fn all() -> &'static [Entry] {
    static ALL: OnceLock<Vec<Entry>> = OnceLock::new();
    ALL.get_or_init(library::entries)
}

/// Find a module by its short or full name (`file`, `ansible.builtin.file`, `ansible.legacy.file`).
pub fn find(name: &str) -> Option<&'static Entry> {
    static BY_NAME: OnceLock<HashMap<String, &'static Entry>> = OnceLock::new();
    let by_name = BY_NAME.get_or_init(|| {
        let mut map = HashMap::new();
        for entry in all() {
            for name in std::iter::once(&entry.name).chain(entry.aliases) {
                map.insert((*name).to_owned(), entry);
                if !entry.collection.is_empty() {
                    map.insert(format!("{}.{name}", entry.collection), entry);
                }
                if entry.collection == "ansible.builtin" {
                    map.insert(format!("ansible.legacy.{name}"), entry);
                }
            }
        }
        map
    });
    by_name.get(name).copied()
}

/// All names a module can be called by, for suggestions.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().iter().flat_map(|e| std::iter::once(e.name).chain(e.aliases.iter().copied()))
}

/// Make entries: `entries![file::File, copy::Copy]`.
pub(crate) fn of<M: Module>() -> Entry {
    entry::<M>()
}
