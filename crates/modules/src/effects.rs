//! What a module call reads and writes: where the edges between resources come from.

/// Something on a host that a task may read or write.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// A file or directory; a parent conflicts with what is below it.
    Path(String),
    /// A package. Installing one writes paths it does not name.
    Package(String),
    Service(String),
    User(String),
    Group(String),
    /// A database server's object: `("postgresql", "shop")`.
    Database(&'static str, String),
    Port(u16),
    /// Another named thing, with its kind: `("cron", "root")`.
    Named(&'static str, String),
}

/// The effects of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    pub reads: Vec<Resource>,
    pub writes: Vec<Resource>,
    /// It may read and write anything (command, shell, script, raw). Such a task never runs ahead of a barrier.
    pub unknown: bool,
    /// Its result depends on something beyond this host (`uri`, `wait_for`, `get_url`, `git`): it never runs
    /// ahead of a barrier either, although planning it changes nothing.
    pub looks_outside: bool,
}

impl Effects {
    /// No effects at all (`ping`).
    pub fn none() -> Self {
        Self::default()
    }

    /// Anything.
    pub fn unknown() -> Self {
        Self { unknown: true, ..Self::default() }
    }

    pub fn reads(resources: impl IntoIterator<Item = Resource>) -> Self {
        Self { reads: resources.into_iter().collect(), ..Self::default() }
    }

    pub fn writes(resources: impl IntoIterator<Item = Resource>) -> Self {
        Self { writes: resources.into_iter().collect(), ..Self::default() }
    }

    pub fn and_reads(mut self, resource: Resource) -> Self {
        self.reads.push(resource);
        self
    }

    pub fn and_writes(mut self, resource: Resource) -> Self {
        self.writes.push(resource);
        self
    }

    pub fn outside(mut self) -> Self {
        self.looks_outside = true;
        self
    }
}
