//! `setup` and `gather_facts`.

use lang::{Result, Value};

use super::{Input, Prepared, to_json};
use crate::settings::text_of;

/// `setup` as written.
pub fn setup(input: Input<'_>) -> Result<Prepared> {
    super::step("setup", to_json(&input.args), &input.task.pos)
}

/// The argument of `gather_facts` that is about several modules at once.
pub const PARALLEL: &str = "parallel";

/// `gather_facts`: `setup` with the defaults of the configuration. The argument `parallel` is accepted: there is one
/// fact module, so it changes nothing.
pub fn gather(input: Input<'_>) -> Result<Prepared> {
    if let Some(other) = modules(&input)?.iter().find(|name| !is_setup(name)) {
        return Err(input.error(format!("facts are gathered with setup only, not with the module '{other}'")));
    }
    let mut args = to_json(&input.args);
    args.shift_remove(PARALLEL);
    let options = &input.ctx.options;
    if !args.contains_key("gather_subset") && !options.gather_subset.is_empty() {
        args.insert("gather_subset".into(), options.gather_subset.clone().into());
    }
    if !args.contains_key("gather_timeout")
        && let Some(timeout) = options.gather_timeout
    {
        args.insert("gather_timeout".into(), timeout.into());
    }
    if !args.contains_key("fact_path")
        && let Some(path) = &options.fact_path
    {
        args.insert("fact_path".into(), path.clone().into());
    }
    super::step("setup", args, &input.task.pos)
}

/// `ansible_facts_modules`, or what the configuration says.
fn modules(input: &Input<'_>) -> Result<Vec<String>> {
    let Some(value) = input.scope.get("ansible_facts_modules")? else {
        return Ok(input.ctx.options.facts_modules.clone());
    };
    Ok(match input.ctx.templar.render(&value, input.scope)? {
        Value::List(items) => items.iter().map(text_of).collect(),
        other => text_of(&other).split(',').map(|name| name.trim().to_owned()).collect(),
    })
}

fn is_setup(name: &str) -> bool {
    matches!(name, "smart" | "setup" | "ansible.builtin.setup" | "ansible.legacy.setup")
}
