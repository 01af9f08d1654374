//! What is asked of a loaded playbook before there is a host: tags, names and patterns, which may be templates.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::keywords::Keyword;
use crate::listing::tag_names;
use crate::playbook::{Frame, Loader, Play, Task};
use crate::template::{Scope, python_str};
use crate::{Map, Result, Value};

use super::{Load, basedir_of};

impl Loader {
    /// The tags of a task, those it inherits included.
    pub fn tags(&self, task: &Arc<Task>) -> Result<BTreeSet<String>> {
        let values = task.keywords(Keyword::Tags);
        let mut names = BTreeSet::new();
        for value in values {
            if value.has_template() {
                tag_names(&self.known(value, &task.vars, &task.frame)?, &mut names);
            } else {
                tag_names(value, &mut names);
            }
        }
        Ok(names)
    }

    /// The tags of a task, rendered with the variables of a host.
    pub fn tags_in(&self, task: &Arc<Task>, scope: &dyn Scope) -> Result<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        for value in task.keywords(Keyword::Tags) {
            if value.has_template() {
                tag_names(&self.hooks.render(value, scope)?, &mut names);
            } else {
                tag_names(value, &mut names);
            }
        }
        Ok(names)
    }

    /// The tags of a play.
    pub fn play_tags(&self, play: &Arc<Play>) -> Result<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        if let Some(value) = play.keyword(Keyword::Tags) {
            tag_names(&self.known(value, &Map::new(), &play.frame)?, &mut names);
        }
        Ok(names)
    }

    /// The patterns in `hosts`.
    pub fn play_hosts(&self, play: &Arc<Play>) -> Result<Vec<String>> {
        let hosts = self.known(&play.hosts, &Map::new(), &play.frame)?;
        Ok(match &hosts {
            Value::List(items) => items.iter().map(python_str).collect(),
            single => vec![python_str(single)],
        })
    }

    /// The name of a play, rendered.
    pub fn play_name(&self, play: &Arc<Play>) -> Result<Option<String>> {
        let name = play.name.as_ref().filter(|name| !name.is_null());
        name.map(|name| Ok(python_str(&self.known(name, &Map::new(), &play.frame)?))).transpose()
    }

    /// A keyword of a play, rendered with what is known before there is a host: `serial`, `gather_facts` ...
    pub fn play_keyword(&self, play: &Arc<Play>, keyword: Keyword) -> Result<Option<Value>> {
        let value = play.keyword(keyword);
        value.map(|value| self.known(value, &Map::new(), &play.frame)).transpose()
    }

    fn known(&self, value: &Value, own: &Map, frame: &Arc<Frame>) -> Result<Value> {
        if !value.has_template() {
            return Ok(value.clone());
        }
        let basedir: Arc<Path> = basedir_of(frame);
        let mut load = Load::new(self, basedir);
        load.render_value(value, own, frame)
    }
}
