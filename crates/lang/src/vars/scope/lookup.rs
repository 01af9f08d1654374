//! Where a name is looked for, in which order.

use std::sync::Arc;

use crate::error::Error;
use crate::playbook::FrameKind;
use crate::vars::magic;
use crate::vars::restricted::is_restricted_fact;
use crate::{Key, Map, Result, Value};

use super::TaskScope;

impl TaskScope {
    pub(super) fn lookup(&self, name: &str) -> Result<Option<Value>> {
        if let Some(value) = self.defined(name)? {
            return Ok(Some(value));
        }
        // The same thing under its other name.
        if self.task.is_some()
            && let Some(other) = magic::other_name(name)
            && let Some(value) = self.defined(other)?
        {
            return Ok(Some(value));
        }
        Ok(magic::of_connection(self, name))
    }

    /// The variable, as far as somebody has defined it.
    fn defined(&self, name: &str) -> Result<Option<Value>> {
        if let Some(value) = self.local.get(name) {
            return Ok(Some(value.clone()));
        }
        if let Some(value) = magic::value(self, name)? {
            return Ok(Some(value));
        }
        let mut found: Option<Value> = None;
        let result = self.levels(
            &mut |level| {
                let Some(value) = level.get(name) else { return true };
                match (self.run.merge, found.take()) {
                    (true, Some(stronger)) => found = Some(merge(value, &stronger)),
                    _ => found = Some(value.clone()),
                }
                self.run.merge && matches!(found, Some(Value::Map(_)))
            },
            Some(name),
        );
        result?;
        Ok(found)
    }

    pub(super) fn all_names(&self) -> Vec<String> {
        let mut names = indexmap::IndexSet::new();
        names.extend(self.local.keys().map(ToString::to_string));
        // Without a name nothing can be pending, so this has no error.
        let _ = self.levels(
            &mut |level| {
                names.extend(level.keys().map(ToString::to_string));
                true
            },
            None,
        );
        names.extend(magic::names(self));
        names.into_iter().collect()
    }

    /// Show every level to `visit`, the strongest first, until it says `false`. With a name, an unfinished task that
    /// will set it is an error at the level where it will.
    fn levels(&self, visit: &mut dyn FnMut(&Map) -> bool, name: Option<&str>) -> Result<()> {
        macro_rules! level {
            ($map:expr) => {
                if !visit($map) {
                    return Ok(());
                }
            };
        }
        // 22: extra vars.
        level!(&self.run.extra);
        let frame = self.task.as_ref().map(|task| &task.frame);
        // 21: parameters of includes; 20: of roles, the innermost first.
        for frame in frame.into_iter().flat_map(|f| f.chain()) {
            if let FrameKind::Include { params } = &frame.kind {
                level!(params);
            }
        }
        for role in frame.into_iter().flat_map(|f| f.roles()) {
            level!(&role.params);
        }
        // 19: set_fact and register; 18: include_vars.
        if let Some(name) = name
            && self.state.pending(&self.host, name)
        {
            return Err(Error::pending(name));
        }
        if let Some(host) = &self.vars {
            level!(&host.set);
            level!(&host.included);
        }
        // 17: the task; 16: the blocks around it.
        if let Some(task) = &self.task {
            level!(&task.vars);
        }
        for frame in frame.into_iter().flat_map(|f| f.chain()) {
            if !matches!(frame.kind, FrameKind::Play { .. } | FrameKind::Role(_)) {
                level!(&frame.vars);
            }
        }
        // 15: vars of roles: the task's own and those that depend on it, then the play's. What the entry of a role says
        // is stronger than the role's own variables in that role, but weaker in those it depends on.
        let mut roles = frame.into_iter().flat_map(|f| f.roles());
        if let Some(own) = roles.next() {
            level!(&own.entry_vars);
            level!(&own.vars);
            // Those it depends on export what their files say, the last of them the strongest.
            for needed in own.all_dependencies().iter().rev() {
                level!(&needed.vars);
            }
        }
        for role in roles {
            level!(&role.vars);
            level!(&role.entry_vars);
        }
        level!(&self.play.role_vars);
        // 14, 13, 12: the play.
        level!(&self.state.vars_files(&self.host));
        level!(&self.play.prompts);
        level!(self.play.play.vars());
        // 11: facts.
        if let Some(host) = &self.vars
            && self.run.inject_facts
            && !name.is_some_and(is_restricted_fact)
        {
            level!(host.facts());
        }
        // What is known of a host beside its own variables.
        if let Some(name) = name
            && let Some(value) = magic::of_host(self, name)?
        {
            level!(&Map::from_iter([(Key::from(name), value)]));
        }
        // 10 to 3: inventory.
        for layer in self.inventory.iter().rev() {
            level!(layer);
        }
        // 2: defaults of roles.
        for role in frame.into_iter().flat_map(|f| f.roles()) {
            level!(&role.defaults);
        }
        level!(&self.play.role_defaults);
        Ok(())
    }
}

/// `hash_behaviour = merge`: dictionaries at every depth, the stronger one's entries over the weaker one's.
pub(crate) fn merge(weaker: &Value, stronger: &Value) -> Value {
    match (weaker, stronger) {
        (Value::Map(weak), Value::Map(strong)) => {
            let mut merged = (**weak).clone();
            for (key, value) in strong.iter() {
                let value = match merged.get(key) {
                    Some(below) => merge(below, value),
                    None => value.clone(),
                };
                merged.insert(key.clone(), value);
            }
            Value::Map(Arc::new(merged))
        }
        _ => stronger.clone(),
    }
}
