use std::collections::BTreeSet;
use std::sync::Arc;

use crate::Result;
use crate::keywords::Keyword;
use crate::playbook::{Loader, Task};

/// `--tags` and `--skip-tags`.
///
/// Besides names they may say `all`, `tagged` and `untagged`. A task with the tag `always` runs unless that is
/// skipped by name; one with `never` runs only if one of its tags is asked for by name.
#[derive(Clone, Debug)]
pub struct TagSelection {
    only: BTreeSet<String>,
    skip: BTreeSet<String>,
}

impl Default for TagSelection {
    fn default() -> Self {
        Self::new(&[], &[])
    }
}

impl TagSelection {
    /// From the options, each of which may hold several names with commas between. No `tags` are `all`.
    pub fn new(tags: &[String], skip: &[String]) -> Self {
        let split = |options: &[String]| -> BTreeSet<String> {
            options
                .iter()
                .flat_map(|o| o.split(','))
                .map(|t| t.trim().to_owned())
                .filter(|t| !t.is_empty())
                .collect()
        };
        let mut only = split(tags);
        if only.is_empty() {
            only.insert("all".into());
        }
        Self { only, skip: split(skip) }
    }

    /// Was neither option given?
    pub fn is_everything(&self) -> bool {
        self.skip.is_empty() && self.only.len() == 1 && self.only.contains("all")
    }

    /// Does something with these tags run?
    pub fn selects(&self, tags: &BTreeSet<String>) -> bool {
        self.is_wanted(tags) && !self.is_skipped(tags)
    }

    /// Does the task run? Its tags may be templates, which are rendered with what is known without a host.
    pub fn selects_task(&self, task: &Arc<Task>, loader: &Loader) -> Result<bool> {
        // The marks that the loader puts at the end of roles are no tasks to the user.
        if task.implicit && task.module.is_builtin("meta") {
            return Ok(true);
        }
        if self.is_everything() && task.keywords(Keyword::Tags).is_empty() {
            return Ok(true);
        }
        Ok(self.selects(&loader.tags(task)?))
    }

    fn is_wanted(&self, tags: &BTreeSet<String>) -> bool {
        let never = tags.contains("never");
        tags.contains("always")
            || (self.only.contains("all") && !never)
            || !self.only.is_disjoint(tags)
            || (self.only.contains("tagged") && !tags.is_empty() && !never)
            || (self.only.contains("untagged") && tags.is_empty())
    }

    fn is_skipped(&self, tags: &BTreeSet<String>) -> bool {
        if self.skip.contains("all") {
            return !tags.contains("always") || self.skip.contains("always");
        }
        !self.skip.is_disjoint(tags)
            || (self.skip.contains("tagged") && !tags.is_empty())
            || (self.skip.contains("untagged") && tags.is_empty())
    }
}
