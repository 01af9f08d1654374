//! One visit to the debugger: what the user sees of the task, and changes.

use std::sync::Arc;

use lang::playbook::Task;
use lang::template::{Overlay, Scope, Templar, python_repr};
use lang::{Error, Key, Map, Result, Value};

use super::Attempt;
use super::line::{COMMANDS, Line, Part, path};
use super::pretty::pretty;
use crate::execute::{Executed, shown};
use crate::play::PlayRun;
use crate::settings::text_of;
use crate::{map, verdict};

/// What follows a line.
pub enum Next {
    Show(String),
    Continue,
    Redo,
    Quit,
}

pub struct Session {
    templar: Arc<Templar>,
    task: Arc<Task>,
    host: String,
    /// `task` as expressions see it: with arguments as they were rendered.
    fields: Map,
    /// `task_vars`
    vars: Map,
    changed_vars: Map,
    result: Value,
    below: Arc<dyn Scope>,
}

/// The fields of `task` that can be changed.
const FIELDS: [&str; 3] = ["args", "name", "vars"];

impl Session {
    pub fn new(play: &PlayRun, attempt: &Attempt, executed: &Executed) -> Self {
        let host = &executed.host.name;
        let state = crate::ahead::now(&play.run.world);
        let scope = play.scope(host, Some(&attempt.task), &state);
        let scope: Arc<dyn Scope> = Arc::new(Overlay { vars: attempt.vars.clone(), below: scope });
        let templar = play.run.templar.clone();
        let vars = scope
            .names()
            .into_iter()
            .filter_map(|name| Some((Key::from(name.as_str()), scope.get(&name).ok()??)))
            .collect();
        let result = verdict::visible(&shown(&executed.result, executed.no_log));
        let mut session = Self {
            templar,
            task: attempt.task.clone(),
            host: host.clone(),
            fields: Map::new(),
            vars,
            changed_vars: attempt.vars.clone(),
            result: map! {"_result": result, "_host": host.as_str()}.into(),
            below: scope,
        };
        session.update();
        session
    }

    /// The task as it is now, to be done again.
    pub fn attempt(&self) -> Attempt {
        let mut task = Task::clone(&self.task);
        if let Some(args) = self.fields.get("args").and_then(Value::as_map) {
            task.args = args.clone();
        }
        if let Some(vars) = self.fields.get("vars").and_then(Value::as_map) {
            task.vars = vars.clone();
        }
        task.name = self.fields.get("name").filter(|name| !name.is_null()).cloned();
        Attempt { task: Arc::new(task), vars: self.changed_vars.clone() }
    }

    pub fn obey(&mut self, line: &str) -> Next {
        match Line::parse(line) {
            Line::Nothing => Next::Show(String::new()),
            Line::Help(topic) => Next::Show(help(topic)),
            Line::Print(expression) => Next::Show(match self.print(expression) {
                Ok(text) => text + "\n",
                Err(e) => failure(&e),
            }),
            Line::Redo => Next::Redo,
            Line::Continue => Next::Continue,
            Line::Quit => Next::Quit,
            Line::Update => {
                self.update();
                Next::Show(String::new())
            }
            Line::Assign(target, expression) => {
                let value = self.evaluate(expression);
                Next::Show(
                    value
                        .and_then(|value| self.change(target, Some(trusted(value))))
                        .map_or_else(|e| failure(&e), |()| String::new()),
                )
            }
            Line::Delete(target) => {
                Next::Show(self.change(target, None).map_or_else(|e| failure(&e), |()| String::new()))
            }
            Line::Expression(expression) => Next::Show(match self.evaluate(expression) {
                Ok(_) => String::new(),
                Err(e) => failure(&e),
            }),
        }
    }

    /// The task of the playbook, with its arguments as the variables are now.
    fn update(&mut self) {
        let scope: Arc<dyn Scope> =
            Arc::new(Overlay { vars: self.changed_vars.clone(), below: self.below.clone() });
        let render = |value: &Value| self.templar.render(value, &scope).unwrap_or_else(|_| value.clone());
        let args: Map = self.task.args.iter().map(|(k, v)| (k.clone(), render(v))).collect();
        self.fields = map! {
            "action": self.task.action.as_str(),
            "args": args,
            "name": self.task.name.clone().unwrap_or_default(),
            "vars": self.task.vars.clone(),
        };
    }

    fn scope(&self) -> Arc<dyn Scope> {
        let vars = map! {
            "task": Value::map(self.fields.clone()),
            "task_vars": Value::map(self.vars.clone()),
            "host": map! {"name": self.host.as_str()},
            "result": self.result.clone(),
        };
        Arc::new(Overlay { vars, below: Arc::new(Below(self.below.clone())) })
    }

    fn evaluate(&self, expression: &str) -> Result<Value> {
        match self.templar.evaluate(expression, &self.scope(), None)? {
            Value::Undefined(message) => Err(Error::new(message.as_ref())),
            value => Ok(value),
        }
    }

    fn print(&self, expression: &str) -> Result<String> {
        Ok(match expression {
            "task" => format!("TASK: {}", self.fields.get("name").map(text_of).unwrap_or_default()),
            "host" => self.host.clone(),
            _ => pretty(&self.evaluate(expression)?),
        })
    }

    /// Set what `target` names, or take it away.
    fn change(&mut self, target: &str, value: Option<Value>) -> Result<()> {
        let refused = || {
            Error::new(format!(
                "'{target}' cannot be changed: only task_vars[...], task.args, task.vars and task.name can"
            ))
        };
        let parts = path(target).ok_or_else(refused)?;
        let mut keys = Vec::new();
        for part in &parts[1..] {
            keys.push(match part {
                Part::Name(name) => Key::from(*name),
                Part::Index(expression) => match self.evaluate(expression)? {
                    Value::Int(i) => Key::Int(i),
                    other => Key::from(text_of(&other).as_str()),
                },
            });
        }
        match (&parts[0], keys.first().and_then(Key::as_str)) {
            (Part::Name("task"), Some(field)) if FIELDS.contains(&field) => {
                set(&mut self.fields, &keys, value)
            }
            (Part::Name("task_vars"), Some(name)) => {
                let name = Key::from(name);
                set(&mut self.vars, &keys, value)?;
                match self.vars.get(&name) {
                    Some(value) => drop(self.changed_vars.insert(name, value.clone())),
                    None => drop(self.changed_vars.shift_remove(&name)),
                }
                Ok(())
            }
            _ => Err(refused()),
        }
    }
}

/// What the debugger sees below its own names: functions and lookups need the rest of the scope, but variables are
/// reached through `task_vars` only, as in Ansible.
struct Below(Arc<dyn Scope>);

impl Scope for Below {
    fn get(&self, _: &str) -> Result<Option<Value>> {
        Ok(None)
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn hostvars(&self, host: &str) -> Result<Option<Arc<dyn Scope>>> {
        self.0.hostvars(host)
    }

    fn has_hostvars(&self) -> bool {
        self.0.has_hostvars()
    }

    fn hostnames(&self) -> Vec<String> {
        self.0.hostnames()
    }

    fn search_path(&self) -> &[std::path::PathBuf] {
        self.0.search_path()
    }
}

/// Set or remove what is at the path below a map.
fn set(map: &mut Map, keys: &[Key], value: Option<Value>) -> Result<()> {
    let Some((key, rest)) = keys.split_first() else { return Ok(()) };
    if rest.is_empty() {
        match value {
            Some(value) => drop(map.insert(key.clone(), value)),
            None => drop(map.shift_remove(key).ok_or_else(|| missing(key))?),
        }
        return Ok(());
    }
    match map.get_mut(key) {
        Some(Value::Map(inner)) => set(Arc::make_mut(inner), rest, value),
        Some(Value::List(items)) => set_in_list(Arc::make_mut(items), rest, value),
        Some(other) => {
            Err(Error::new(format!("'{}' object does not support item assignment", other.type_name())))
        }
        None => Err(missing(key)),
    }
}

fn set_in_list(items: &mut Vec<Value>, keys: &[Key], value: Option<Value>) -> Result<()> {
    let Some((key, rest)) = keys.split_first() else { return Ok(()) };
    let index = match key {
        Key::Int(i) if *i < 0 => usize::try_from(items.len() as i64 + i).ok(),
        Key::Int(i) => usize::try_from(*i).ok(),
        _ => None,
    };
    let index = index.filter(|i| *i < items.len()).ok_or_else(|| Error::new("list index out of range"))?;
    match (rest.is_empty(), value, &mut items[index]) {
        (true, Some(value), place) => *place = value,
        (true, None, _) => drop(items.remove(index)),
        (false, value, Value::Map(inner)) => set(Arc::make_mut(inner), rest, value)?,
        (false, value, Value::List(inner)) => set_in_list(Arc::make_mut(inner), rest, value)?,
        (false, _, other) => {
            return Err(Error::new(format!(
                "'{}' object does not support item assignment",
                other.type_name()
            )));
        }
    }
    Ok(())
}

fn missing(key: &Key) -> Error {
    Error::new(format!("there is no {}", python_repr(&key.to_value())))
}

fn failure(error: &Error) -> String {
    format!("***{error}\n")
}

fn help(topic: &str) -> String {
    if topic.is_empty() {
        let names: Vec<&str> = COMMANDS.iter().map(|(name, _)| *name).collect();
        let title = "Documented commands (type help <topic>):";
        return format!("\n{title}\n{}\nEOF  {}\n\n", "=".repeat(title.len()), names.join("  "));
    }
    match COMMANDS.iter().find(|(name, _)| *name == topic) {
        Some((_, text)) => format!("{text}\n"),
        None => format!("*** No help on {topic}\n"),
    }
}

/// What the user wrote may be a template.
fn trusted(value: Value) -> Value {
    match value {
        Value::Str(text) => Value::template(text.shared()),
        Value::List(items) => Value::list(items.iter().cloned().map(trusted).collect()),
        Value::Map(map) => Value::map(map.iter().map(|(k, v)| (k.clone(), trusted(v.clone()))).collect()),
        other => other,
    }
}
