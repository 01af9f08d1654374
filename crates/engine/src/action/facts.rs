//! `setup` and `gather_facts`.

use lang::Result;

use super::{Input, Prepared, to_json};

/// `setup` as written.
pub fn setup(input: Input<'_>) -> Result<Prepared> {
    super::step("setup", to_json(&input.args), &input.task.pos)
}

/// `gather_facts`: `setup` with the defaults of the configuration. The argument `parallel` is accepted: there is one
/// fact module, so it changes nothing.
pub fn gather(input: Input<'_>) -> Result<Prepared> {
    let mut args = to_json(&input.args);
    args.shift_remove("parallel");
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
