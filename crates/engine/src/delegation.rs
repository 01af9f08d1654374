//! What a task that is delegated knows of the host it runs on: `ansible_delegated_vars`.

use std::sync::Arc;

use lang::keywords::Keyword;
use lang::playbook::Task;
use lang::template::Scope;
use lang::vars::{RunState, TaskScope};
use lang::{Error, Key, Map, Result, Value};

use crate::evaluate::Context;
use crate::settings::text_of;

const NAME: &str = "ansible_delegated_vars";

/// The host that a task is delegated to, `None` where it is not.
pub fn delegate(ctx: &Context, task: &Task, scope: &Arc<dyn Scope>) -> Result<Option<String>> {
    let Some(written) = task.keyword(Keyword::DelegateTo).filter(|value| value.is_truthy()) else {
        return Ok(None);
    };
    let name = match ctx.templar.render(written, scope)? {
        Value::Omit => return Ok(None),
        Value::Null => String::new(),
        other => text_of(&other),
    };
    if name.is_empty() {
        let message = format!("Empty hostname produced from delegate_to: \"{}\"", text_of(written));
        return Err(Error::new(message));
    }
    Ok(Some(name))
}

/// The scope of a task that is delegated. The variables of the other host are looked at when somebody asks.
pub struct DelegatedScope {
    pub ctx: Context,
    pub state: Arc<dyn RunState>,
    pub task: Arc<Task>,
    /// The host that it runs on.
    pub name: String,
    pub below: Arc<dyn Scope>,
}

impl DelegatedScope {
    fn there(&self) -> TaskScope {
        let (run, play) = (self.ctx.run.clone(), self.ctx.play.clone());
        let (name, task) = (self.name.as_str().into(), Some(self.task.clone()));
        TaskScope::new(run, play, self.state.clone(), name, task)
    }

    fn variables(&self) -> Result<Value> {
        let there = self.there();
        let mut vars = Map::new();
        let names = there.names().into_iter().chain(["ansible_host".to_owned()]);
        for name in names {
            if let Some(value) = there.get(&name)? {
                vars.insert(Key::from(name), value);
            }
        }
        if let Some(own) = self.below.get("inventory_hostname")? {
            vars.insert(Key::from("inventory_hostname"), own);
        }
        Ok(Value::map([(Key::from(self.name.as_str()), Value::map(vars))].into_iter().collect()))
    }
}

impl Scope for DelegatedScope {
    fn get(&self, name: &str) -> Result<Option<Value>> {
        match name {
            NAME => self.variables().map(Some),
            "ansible_host" | "ansible_ssh_host" => {
                let own = self.below.get(name)?;
                // The address is that of where it runs, unless the host itself has another one than its name.
                if own == self.below.get("inventory_hostname")? { self.there().get(name) } else { Ok(own) }
            }
            _ => self.below.get(name),
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.below.names();
        if !names.iter().any(|name| name == NAME) {
            names.push(NAME.to_owned());
        }
        names
    }

    fn below(&self) -> Option<&dyn Scope> {
        Some(&*self.below)
    }
}
