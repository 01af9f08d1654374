//! What is asked of a loaded playbook before there is a host: tags, names and patterns, which may be templates.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::error::ErrorKind;
use crate::keywords::Keyword;
use crate::listing::tag_names;
use crate::playbook::{Frame, Loader, Play, Task};
use crate::template::{Scope, python_str};
use crate::{Error, Map, Result, Value};

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
    pub fn tags_in(&self, task: &Arc<Task>, scope: &Arc<dyn Scope>) -> Result<BTreeSet<String>> {
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

    /// The patterns in `hosts`; `answers` are those to `vars_prompt`. None if it is a template of nothing.
    pub fn play_hosts(&self, play: &Arc<Play>, answers: &Map) -> Result<Vec<String>> {
        let hosts = self.known(&play.hosts, answers, &play.frame).map_err(|cause| {
            Error::new("Error processing keyword 'hosts'")
                .with_kind(ErrorKind::Syntax)
                .at(play.hosts.pos().or(Some(&play.pos)))
                .caused_by(cause)
        })?;
        Ok(match &hosts {
            Value::Null => Vec::new(),
            Value::List(items) => items.iter().map(python_str).collect(),
            single => vec![python_str(single)],
        })
    }

    /// Is there something wrong with a play that shows before there is a host: its patterns, its files of variables?
    pub fn check_play(&self, play: &Arc<Play>) -> Result<()> {
        self.play_hosts(play, &play.prompt_defaults())?;
        Load::new(self, play.basedir.clone()).static_vars_files(&play.frame).map(drop)
    }

    /// The name of a play, rendered.
    pub fn play_name(&self, play: &Arc<Play>, answers: &Map) -> Result<Option<String>> {
        let name = play.name.as_ref().filter(|name| !name.is_null());
        name.map(|name| Ok(python_str(&self.known(name, answers, &play.frame)?))).transpose()
    }

    /// A keyword of a play, rendered with what is known before there is a host: `serial`, `gather_facts` ...
    pub fn play_keyword(&self, play: &Arc<Play>, keyword: Keyword, answers: &Map) -> Result<Option<Value>> {
        let Some(value) = play.keyword(keyword) else { return Ok(None) };
        let rendered = self.known(value, answers, &play.frame).map_err(|cause| {
            Error::new(format!("Error processing keyword '{keyword}'"))
                .with_kind(ErrorKind::Syntax)
                .at(play.frame.attrs.pos(keyword))
                .caused_by(cause)
        });
        rendered.map(Some)
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
