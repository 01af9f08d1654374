//! Actions that need no host: debug, set_fact, assert, fail, add_host, group_by, validate_argument_spec.

use lang::{Error, Key, Map, Result, Value};

use super::{Input, Local, Prepared};
use crate::map;
use crate::results::ResultMap;
use crate::settings::{text_of, to_bool, to_int};

/// What `debug: var=name` shows of a name that is not defined; the reason is a warning.
fn undefined(result: &mut Map, error: &lang::Error) -> Value {
    let warning = |what: &str| format!("Encountered 1 template error.\nerror 1 - {what}");
    warn(result, &warning(&error.to_string()), &warning(&lang::excerpt::describe(error)));
    Value::from(format!("<< error 1 - {error} >>"))
}

/// A warning of a result: as it is registered, and as it is shown, with the place.
fn warn(result: &mut Map, registered: &str, shown: &str) {
    result.put("warnings", vec![Value::from(registered)]);
    result.put(crate::results::SHOWN_WARNINGS, vec![Value::from(shown)]);
}

const UNTRUSTED: &str = "Templates and expressions must be defined by trusted sources such as playbooks or roles, not \
                         untrusted sources such as module results.";

pub fn debug(input: &Input<'_>) -> Result<Prepared> {
    input.allow("debug", &["msg", "var", "verbosity"])?;
    if input.args.contains_key("msg") && input.args.contains_key("var") {
        return Err(input.error("parameters are mutually exclusive: msg|var"));
    }
    let verbosity = match input.args.get("verbosity") {
        None => 0,
        Some(value) => to_int(value).ok_or_else(|| {
            input.error(format!("argument 'verbosity' is not an integer: {}", text_of(value)))
        })?,
    };
    if i64::from(input.ctx.options.verbosity) < verbosity {
        return Ok(Prepared::Done(map! {
            "skipped": true, "skipped_reason": "Verbosity threshold not met.", "changed": false, "failed": false
        }));
    }
    let mut result = Map::new();
    if let Some(msg) = input.args.get("msg") {
        result.put("msg", msg.clone());
    } else if let Some(var) = input.args.get("var") {
        match var {
            Value::Str(text) if !text.is_template() => {
                let cause = Error::new("Encountered untrusted template or expression.")
                    .at(text.pos())
                    .with_help(UNTRUSTED);
                return Err(Error::new("Error while resolving `var` expression")
                    .at(text.pos())
                    .caused_by(cause));
            }
            Value::Str(text) => {
                let name = text.as_str();
                let value = match input.ctx.templar.evaluate(name, input.scope, text.pos()) {
                    Err(e) if e.kind() == lang::error::ErrorKind::Undefined => undefined(&mut result, &e),
                    Ok(Value::Undefined(_)) => {
                        let error = lang::Error::new(format!("'{name}' is undefined")).at(text.pos());
                        undefined(&mut result, &error)
                    }
                    Ok(Value::Omit) => {
                        let warning = lang::Error::new(
                            "The result of the `var` expression could not be omitted; a placeholder was used instead.",
                        );
                        warn(
                            &mut result,
                            &warning.to_string(),
                            &lang::excerpt::describe(&warning.at(text.pos())),
                        );
                        Value::str("<<Omit>>")
                    }
                    other => other?,
                };
                result.put(name, value);
            }
            other => {
                return Err(input.error(format!(
                    "argument 'var' is of type {} and we were unable to convert to _check_type_str_no_conversion: '{}' is not a string and conversion is not allowed",
                    other.type_name(),
                    lang::template::python_str(other)
                )));
            }
        }
    } else {
        result.put("msg", "Hello world!");
    }
    result.put("changed", false);
    result.put("failed", false);
    result.put("_ansible_verbose_always", true);
    Ok(Prepared::Done(result))
}

pub fn set_fact(input: &Input<'_>) -> Result<Prepared> {
    let cacheable = input.bool("cacheable")?.unwrap_or(false);
    let mut facts = Map::new();
    for (key, value) in &input.args {
        let Some(name) = key.as_str() else {
            return Err(invalid_name(input, &format!("'{key}' of type '{}'", key.to_value().type_name())));
        };
        if name == "cacheable" {
            continue;
        }
        if name == "_raw_params" {
            return Err(input.error("'set_fact' takes key=value arguments or a dictionary"));
        }
        let rendered = match name {
            name if lang::value::may_be_template(name) => {
                match input.ctx.templar.render(&Value::template(name), input.scope)? {
                    Value::Str(text) => text.as_str().to_owned(),
                    other => {
                        let shown = lang::template::python_str(&other);
                        return Err(invalid_name(
                            input,
                            &format!("'{shown}' of type '{}'", other.type_name()),
                        ));
                    }
                }
            }
            name => name.to_owned(),
        };
        if !is_identifier(&rendered) {
            return Err(invalid_name(input, &format!("'{rendered}'")));
        }
        facts.insert(Key::from(rendered), value.clone());
    }
    if facts.is_empty() {
        return Err(
            input.error("No key/value pairs provided, at least one is required for this action to succeed")
        );
    }
    let warnings: Vec<Value> = lang::vars::reserved_names(&facts, Some(&input.task.pos))
        .map(|warning| Value::from(lang::excerpt::describe(&warning)))
        .collect();
    let mut result = map! {"changed": false, "ansible_facts": facts, "_ansible_facts_cacheable": cacheable};
    if !warnings.is_empty() {
        result.put("warnings", warnings);
    }
    Ok(Prepared::Done(result))
}

/// A name that a variable can have: Python's constants are none.
pub fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c == '_' || c.is_ascii_alphabetic())
        && chars.all(|c| c == '_' || c.is_ascii_alphanumeric())
        && !matches!(name, "true" | "false" | "none" | "True" | "False" | "None")
}

fn invalid_name(input: &Input<'_>, shown: &str) -> Error {
    input.error(format!("Invalid variable name {shown}.")).with_help(
        "Variable names must be strings starting with a letter or underscore character, and contain only letters, \
         numbers and underscores.",
    )
}

pub fn assert(input: &Input<'_>) -> Result<Prepared> {
    input.allow("assert", &["fail_msg", "msg", "quiet", "success_msg", "that"])?;
    let Some(that) = input.args.get("that") else {
        return Err(input.error("missing required arguments: that"));
    };
    let quiet = input.flag("quiet", false)?;
    for name in ["fail_msg", "msg", "success_msg"] {
        check_message(input, name)?;
    }
    let conditions = match that {
        Value::List(items) => items.to_vec(),
        Value::Str(text) if text.has_template() => match input.ctx.templar.render(that, input.scope)? {
            Value::List(items) => items.to_vec(),
            _ => vec![that.clone()],
        },
        other => vec![other.clone()],
    };
    let message = |name: &str| input.args.get(name).cloned();
    for condition in &conditions {
        let holds = input.ctx.templar.condition(condition, input.scope)?;
        if holds {
            continue;
        }
        let msg = message("fail_msg").or(message("msg")).unwrap_or_else(|| Value::str("Assertion failed"));
        let mut result = map! {"changed": false, "failed": true, "evaluated_to": false, "msg": msg};
        result.put("assertion", condition.clone().untrusted());
        if !quiet {
            result.put("_ansible_verbose_always", true);
        }
        return Ok(Prepared::Done(result));
    }
    let msg = message("success_msg").unwrap_or_else(|| Value::str("All assertions passed"));
    let mut result = map! {"changed": false, "failed": false, "msg": msg};
    if !quiet {
        result.put("_ansible_verbose_always", true);
    }
    Ok(Prepared::Done(result))
}

/// A message of `assert` is a text or a list of texts.
fn check_message(input: &Input<'_>, name: &str) -> Result<()> {
    let fits = match input.args.get(name) {
        None | Some(Value::Null | Value::Str(_)) => true,
        Some(Value::List(lines)) => lines.iter().all(|line| matches!(line, Value::Str(_))),
        Some(_) => false,
    };
    if fits {
        return Ok(());
    }
    let kind = input.args.get(name).map_or("NoneType", Value::type_name);
    let name = if name == "msg" { "fail_msg" } else { name };
    Err(input.error(format!(
        "argument '{name}' is of type {kind} and we were unable to convert to str_or_list_of_str: a string or list of \
         strings is required"
    )))
}

pub fn fail(input: &Input<'_>) -> Result<Prepared> {
    input.only("fail", &["msg"])?;
    let msg = input.args.get("msg").cloned().unwrap_or_else(|| Value::str("Failed as requested from task"));
    Ok(Prepared::Done(map! {"changed": false, "failed": true, "msg": msg}))
}

pub fn add_host(input: Input<'_>) -> Result<Prepared> {
    let mut input = input;
    // `add_host: "{{ dictionary }}"`: what is written beside it is stronger.
    match input.args.shift_remove("_raw_params") {
        None => {}
        Some(Value::Map(whole)) => {
            let own = std::mem::replace(&mut input.args, (*whole).clone());
            input.args.extend(own);
        }
        Some(other) => {
            return Err(input.error(format!(
                "Invalid raw parameters passed, requires a dictionary/mapping got a  <class '{}'>",
                other.type_name()
            )));
        }
    }
    let name = ["name", "hostname", "host"].iter().find_map(|n| input.text(n));
    let Some(name) = name.filter(|n| !n.is_empty()) else {
        return Err(input.error("name, host or hostname needs to be provided"));
    };
    let mut args = input.args;
    if let Some(groups) = ["groups", "groupname", "group"].iter().find_map(|n| args.get(*n))
        && !matches!(groups, Value::Str(_) | Value::List(_) | Value::Null)
    {
        return Err(Error::new("Groups must be specified as a list.")
            .at(groups.pos().or(Some(&input.task.pos)))
            .with_kind(lang::error::ErrorKind::Refused));
    }
    args.shift_remove("hostname");
    let (host, port) = lang::inventory::split_address(&name);
    if let Some(port) = port {
        args.put("ansible_ssh_port", i64::from(port));
    }
    args.put("name", host);
    Ok(Prepared::Local(Local::AddHost(args)))
}

pub fn set_stats(input: Input<'_>) -> Result<Prepared> {
    input.only("set_stats", &["aggregate", "data", "per_host"])?;
    let data = match input.args.get("data") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Map(data)) => (**data).clone(),
        Some(_) => return Err(input.error("The 'data' option needs to be a dictionary/hash")),
    };
    if let Some(name) = data.keys().find(|name| !name.as_str().is_some_and(is_identifier)) {
        return Err(Error::new(format!("Invalid variable name '{name}'.")).at(Some(&input.task.pos)));
    }
    // What is no boolean is false.
    let flag = |name: &str, default: bool| match input.args.get(name) {
        None => default,
        Some(value) => to_bool(value).unwrap_or(false),
    };
    Ok(Prepared::Local(Local::SetStats(super::SetStats {
        data,
        per_host: flag("per_host", false),
        aggregate: flag("aggregate", true),
    })))
}

pub fn group_by(input: Input<'_>) -> Result<Prepared> {
    input.only("group_by", &["key", "parents"])?;
    if !input.args.contains_key("key") {
        return Err(input.error("the 'key' param is required when using group_by"));
    }
    Ok(Prepared::Local(Local::GroupBy(input.args)))
}

pub fn validate_argument_spec(input: &Input<'_>) -> Result<Prepared> {
    let Some(Value::Map(spec)) = input.args.get("argument_spec") else {
        return Err(input.error("\"argument_spec\" arg is required in args: and must be a dictionary"));
    };
    let provided = match input.args.get("provided_arguments") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Map(map)) => (**map).clone(),
        Some(other) => {
            return Err(input.error(format!(
                "Incorrect type for provided_arguments, expected dict and got {}",
                other.type_name()
            )));
        }
    };
    let context = input.args.get("validate_args_context").cloned().unwrap_or_else(|| Value::map(Map::new()));
    let mut values = Map::new();
    for name in spec.keys().filter_map(Key::as_str) {
        let value = match provided.get(name) {
            Some(value) => Some(value.clone()),
            None => match input.scope.get(name)? {
                Some(value) => Some(input.ctx.templar.render(&value, input.scope)?),
                None => None,
            },
        };
        if let Some(value) = value {
            values.insert(Key::from(name), value);
        }
    }
    for (name, value) in &provided {
        values.insert(name.clone(), value.clone());
    }
    let errors = lang::argument_spec::validate(spec, &values);
    if errors.is_empty() {
        return Ok(Prepared::Done(map! {
            "changed": false, "msg": "The arg spec validation passed", "validate_args_context": context
        }));
    }
    let list: Vec<Value> = errors.iter().map(|e| Value::from(e.as_str())).collect();
    Ok(Prepared::Done(map! {
        "changed": false,
        "failed": true,
        "msg": format!("Validation of arguments failed:\n{}", errors.join("\n")),
        "argument_errors": list,
        "argument_spec_data": Value::Map(spec.clone()),
        "validate_args_context": context,
    }))
}

/// `yes`/`no` of an argument that the action itself looks at.
pub fn flag(args: &Map, name: &str, default: bool) -> Result<bool> {
    match args.get(name) {
        None | Some(Value::Null) => Ok(default),
        Some(value) => to_bool(value).ok_or_else(|| {
            Error::new(format!("argument '{name}' is not a valid boolean: {}", text_of(value)))
        }),
    }
}
