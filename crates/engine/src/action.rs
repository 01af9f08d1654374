//! What a module's controller part does: turn a task's final arguments into a result, or into the step that an
//! agent carries out.
//!
//! Preparing changes nothing, so it can be done ahead of the task's turn.

mod basic;
mod copy;
pub mod distribution;
mod encoding;
mod facts;
mod fetch;
mod files;
mod foreign;
mod include_vars;
mod names;
mod other;
mod pause;
mod template;

use std::rc::Rc;
use std::sync::Arc;

use lang::error::ErrorKind;
use lang::playbook::Task;
use lang::template::Scope;
use lang::{Error, Map, Result};
use protocol::Hash;

use crate::evaluate::Context;
use crate::link::Content;
use crate::settings::Settings;

pub use fetch::Fetch;
pub use files::{find_file, is_localhost};
pub use foreign::foreign;
pub use include_vars::IncludeVars;
pub use names::{all as all_names, canonical, defaults_apply, is_controller_action, is_lazy_arg};
pub use other::{Reboot, WaitForConnection};
pub use pause::Pause;

/// What is to be done, worked out.
pub enum Prepared {
    /// Nothing outside the controller's memory: this is the result.
    Done(Map),
    /// A module on the host.
    Step(Box<StepPlan>),
    /// Something that changes the run itself or waits on the controller.
    Local(Local),
    /// Something on the host that takes more than one step.
    Remote(Remote),
    /// `include_tasks`, `include_role`: the rendered arguments.
    Include(Map),
}

/// A module call on a host.
pub struct StepPlan {
    /// Short name as the registry has it.
    pub module: String,
    pub args: protocol::Map,
    /// Completes the result on the controller.
    pub finish: Option<Finish>,
    /// Contents that the host may ask for.
    pub contents: Vec<(Hash, Content)>,
}

/// Completes a step's result.
pub type Finish = Rc<dyn Fn(&mut Map)>;

/// Actions on the run itself.
pub enum Local {
    AddHost(Map),
    GroupBy(Map),
    IncludeVars(IncludeVars),
    SetStats(SetStats),
    Pause(Pause),
}

/// `set_stats`: values that are shown at the end of the run.
pub struct SetStats {
    pub data: Map,
    /// For each host apart.
    pub per_host: bool,
    /// Add to what is known already.
    pub aggregate: bool,
}

/// Actions of several steps.
pub enum Remote {
    Raw { command: String, executable: Option<String> },
    Fetch(Fetch),
    WaitForConnection(WaitForConnection),
    Reboot(Reboot),
}

/// What preparing looks at.
pub struct Input<'a> {
    pub ctx: &'a Context,
    pub task: &'a Arc<Task>,
    pub scope: &'a Arc<dyn Scope>,
    /// The host the task is for.
    pub host: &'a str,
    /// Rendered.
    pub args: Map,
    pub settings: Option<&'a Settings>,
}

impl Input<'_> {
    /// An error about the task.
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error::new(message).at(Some(&self.task.pos)).with_kind(ErrorKind::Refused)
    }

    /// Refuse `async` for what has to be done on the controller, too.
    pub fn not_in_background(&self, action: &str) -> Result<()> {
        if self.settings.is_some_and(|s| s.background > 0) {
            return Err(self.error(format!("This action ({action}) does not support async.")));
        }
        Ok(())
    }

    /// Arguments that the action does not have, for those that say no more about it.
    pub fn only(&self, action: &str, known: &[&str]) -> Result<()> {
        let unknown: Vec<String> =
            self.args.keys().map(ToString::to_string).filter(|k| !known.contains(&k.as_str())).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        Err(self.error(format!("Invalid options for {action}: {}", unknown.join(","))))
    }

    /// An argument as text; `None` when it is not there or null.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.args.get(name) {
            None | Some(lang::Value::Null) => None,
            Some(value) => Some(crate::settings::text_of(value)),
        }
    }

    /// An argument as a boolean; an error if it is not one.
    pub fn bool(&self, name: &str) -> Result<Option<bool>> {
        match self.args.get(name) {
            None | Some(lang::Value::Null) => Ok(None),
            Some(value) => crate::settings::to_bool(value).map(Some).ok_or_else(|| {
                self.error(format!(
                    "argument '{name}' is not a valid boolean: {}",
                    crate::settings::text_of(value)
                ))
            }),
        }
    }

    /// An argument as a boolean; the error is that of Ansible's modules.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool> {
        let Some(value) = self.args.get(name).filter(|value| !value.is_null()) else { return Ok(default) };
        <bool as modules::ArgType>::coerce(value.to_json()).map_err(|why| {
            let kind = value.type_name();
            self.error(format!(
                "argument '{name}' is of type {kind} and we were unable to convert to bool: {why}"
            ))
        })
    }

    /// Refuse arguments that are not in the list.
    pub fn allow(&self, module: &str, known: &[&str]) -> Result<()> {
        let mut unknown: Vec<String> =
            self.args.keys().map(ToString::to_string).filter(|k| !known.contains(&k.as_str())).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        unknown.sort();
        let mut known: Vec<&str> = known.iter().copied().filter(|k| !k.starts_with('_')).collect();
        known.sort_unstable();
        Err(self.error(format!(
            "Unsupported parameters for ({module}) module: {}. Supported parameters include: {}.",
            unknown.join(", "),
            known.join(", ")
        )))
    }
}

/// Turn arguments into what is to be done.
pub fn prepare(name: &str, input: Input<'_>) -> Result<Prepared> {
    let short = name.strip_prefix("ansible.builtin.").unwrap_or(name);
    match short {
        "debug" => basic::debug(&input),
        "set_fact" => basic::set_fact(&input),
        "assert" => basic::assert(&input),
        "fail" => basic::fail(&input),
        "set_stats" => basic::set_stats(input),
        "add_host" => basic::add_host(input),
        "group_by" => basic::group_by(input),
        "validate_argument_spec" => basic::validate_argument_spec(&input),
        "include_vars" => include_vars::prepare(&input),
        "include_tasks" | "include_role" => Ok(Prepared::Include(input.args)),
        "pause" => pause::pause(&input),
        "raw" => other::raw(&input),
        "fetch" => fetch::fetch(&input),
        "wait_for_connection" => other::wait_for_connection(&input),
        "reboot" => other::reboot(&input),
        "gather_facts" => facts::gather(input),
        "setup" => facts::setup(input),
        "copy" => copy::copy(input),
        "template" => template::template(input),
        "nginx_site" => template::nginx_site(input),
        "script" => files::script(input),
        "unarchive" => files::unarchive(input),
        "uri" => files::uri(input),
        "assemble" => files::assemble(input),
        "package" => other::package(input),
        "service" => other::service(input),
        "command" | "shell" => other::command(short, input),
        "async_status" => plain("async_status", input.args, &input.task.pos),
        _ => match modules::find(name) {
            Some(entry) => plain(entry.name, input.args, &input.task.pos),
            None => Err(input.error(format!(
                "couldn't resolve module/action '{name}'. This often indicates a misspelling, missing collection, or \
                 incorrect module path."
            ))),
        },
    }
}

/// A module without a controller part.
fn plain(module: &str, args: Map, pos: &lang::Pos) -> Result<Prepared> {
    step(module, to_json(&args), pos)
}

/// A step whose arguments have been looked at: what is wrong with them is known before anything is sent.
fn step(module: &str, args: protocol::Map, _pos: &lang::Pos) -> Result<Prepared> {
    Ok(Prepared::Step(Box::new(StepPlan {
        module: module.to_owned(),
        args,
        finish: None,
        contents: Vec::new(),
    })))
}

/// Arguments as JSON, for a step.
pub fn to_json(args: &Map) -> protocol::Map {
    args.iter().map(|(k, v)| (k.to_string(), v.to_json())).collect()
}

/// What is wrong with arguments of a module, in Ansible's words; `None` if nothing is, or if the module is not known.
pub fn check_args(name: &str, args: &protocol::Map) -> Option<modules::ArgError> {
    let entry = modules::find(name)?;
    let mut args = args.clone();
    if name.ends_with("gather_facts") {
        args.shift_remove(facts::PARALLEL);
    }
    entry.check(&args).err().map(|mut e| {
        if !e.known.is_empty() {
            e.msg = format!("Unsupported parameters for ({}) module: {}", entry.full_name(), e.msg);
        }
        e
    })
}
