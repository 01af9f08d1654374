use crate::{Map, Value};

use super::Attrs;

/// What an `include_tasks` or `include_role` task asks for; values may be templates.
#[derive(Clone, Debug)]
pub enum Include {
    Tasks(IncludeTasks),
    Role(IncludeRole),
}

#[derive(Clone, Debug)]
pub struct IncludeTasks {
    pub file: Value,
    pub apply: Apply,
}

#[derive(Clone, Debug, Default)]
pub struct IncludeRole {
    pub name: Value,
    pub tasks_from: Option<Value>,
    pub vars_from: Option<Value>,
    pub defaults_from: Option<Value>,
    pub handlers_from: Option<Value>,
    /// Variables and defaults of the role are visible to the tasks after it.
    pub public: Option<Value>,
    pub allow_duplicates: Option<Value>,
    pub rolespec_validate: Option<Value>,
    pub apply: Apply,
}

/// `apply:`, the keywords for every task that is included.
#[derive(Clone, Debug, Default)]
pub struct Apply {
    pub attrs: Attrs,
    pub vars: Map,
}
