//! Inventories made by rule: YAML files whose `plugin:` names `constructed`, `generator` or `advanced_host_list`.

use super::{Inventory, LoadOptions, replace_invalid};
use crate::yaml::{Node, NodeKind};
use crate::{Error, Key, Map, Result, Value};

/// The plugin that a document asks for, without its collection.
pub(super) fn plugin_name(root: &Node) -> Option<&str> {
    let name = root.get("plugin")?.as_str()?;
    Some(
        name.strip_prefix("ansible.builtin.")
            .or_else(|| name.strip_prefix("ansible.legacy."))
            .unwrap_or(name),
    )
}

/// Make hosts as layers multiply: `name: "{{ app }}-{{ stage }}"`.
pub(super) fn generate(inventory: &mut Inventory, root: &Node, options: &LoadOptions<'_>) -> Result<()> {
    const MAX_HOSTS: usize = 1_000_000;
    let Some(layers) = root.get("layers").and_then(Node::as_map) else {
        return Err(root.error("the generator needs a dictionary of 'layers'"));
    };
    let hosts = root.get("hosts").ok_or_else(|| root.error("the generator needs 'hosts'"))?;
    let name = hosts
        .get("name")
        .and_then(Node::as_str)
        .ok_or_else(|| hosts.error("the generator needs a template for the names of 'hosts'"))?;
    let mut inputs: Vec<Map> = vec![Map::new()];
    for (layer, values) in layers {
        let Some(key) = layer.to_key() else { continue };
        let values =
            values.as_seq().ok_or_else(|| values.error(format!("the layer '{key}' has to be a list")))?;
        if inputs.len().saturating_mul(values.len()) > MAX_HOSTS {
            return Err(layer.error(format!("the layers make more than {MAX_HOSTS} hosts")));
        }
        let combine = |input: &Map, value: &Node| {
            let mut input = input.clone();
            input.insert(key.clone(), value.to_value());
            input
        };
        inputs =
            inputs.iter().flat_map(|i| values.iter().map(|v| combine(i, v)).collect::<Vec<_>>()).collect();
    }
    for input in &inputs {
        let host = options.render_text(name, input).map_err(|error| error.at(Some(&hosts.pos)))?;
        inventory.add_host(&host, None, None)?;
        add_parents(inventory, &host, hosts, input, options)?;
    }
    Ok(())
}

fn add_parents(
    inventory: &mut Inventory,
    child: &str,
    node: &Node,
    input: &Map,
    options: &LoadOptions<'_>,
) -> Result<()> {
    for parent in node.get("parents").and_then(Node::as_seq).unwrap_or_default() {
        let name = parent
            .get("name")
            .and_then(Node::as_str)
            .ok_or_else(|| parent.error(format!("Element {child} has a parent with no name.")))?;
        let name = options.render_text(name, input).map_err(|error| error.at(Some(&parent.pos)))?;
        inventory.add_group(&name)?;
        for (key, value) in parent.get("vars").and_then(Node::as_map).unwrap_or_default() {
            let Some(key) = key.to_key() else { continue };
            let value = match value.as_str() {
                Some(text) => options.render(text, input).map_err(|error| error.at(Some(&value.pos)))?,
                None => value.to_value(),
            };
            inventory.set_variable(&name, key, value)?;
        }
        inventory.add_child(&name, child)?;
        add_parents(inventory, &name, parent, input, options)?;
    }
    Ok(())
}

/// Variables and groups from expressions over what the sources before this one said.
pub(super) fn construct(inventory: &mut Inventory, root: &Node, options: &LoadOptions<'_>) -> Result<()> {
    let flag = |name: &str, default: bool| root.get(name).and_then(Node::as_bool).unwrap_or(default);
    let strict = flag("strict", false);
    let leading_separator = flag("leading_separator", true);
    let hosts: Vec<String> = inventory.hosts().map(|host| host.name.clone()).collect();
    let seen = Seen { extra: flag("use_extra_vars", false), files: flag("use_vars_plugins", false) };
    if seen.files {
        // Beside the sources before this one; read again with the others when all sources are there.
        inventory.read_vars_files(None, options.secrets, false)?;
    }
    for host in &hosts {
        let mut vars = variables(inventory, host, seen, options);
        for (name, expression) in root.get("compose").and_then(Node::as_map).unwrap_or_default() {
            let Some(name) = name.to_key() else { continue };
            match evaluate(expression, &vars, options) {
                Ok(value) => inventory.set_host_variable(host, name, value),
                Err(error) if strict => {
                    return Err(Error::new(format!("Could not set {name} for host {host}")).caused_by(error));
                }
                Err(_) => {}
            }
        }
        vars = variables(inventory, host, seen, options);
        for (name, condition) in root.get("groups").and_then(Node::as_map).unwrap_or_default() {
            let Some(name) = name.as_str() else { continue };
            match evaluate(condition, &vars, options) {
                Ok(value) if value.is_truthy() => {
                    let group = replace_invalid(name);
                    inventory.add_group(&group)?;
                    inventory.add_child(&group, host)?;
                }
                Ok(_) => {}
                Err(error) if strict => {
                    return Err(
                        Error::new(format!("Could not add host {host} to group {name}")).caused_by(error)
                    );
                }
                Err(_) => {}
            }
        }
        for keyed in root.get("keyed_groups").and_then(Node::as_seq).unwrap_or_default() {
            keyed_group(inventory, host, keyed, &vars, strict, leading_separator, options)?;
        }
    }
    Ok(())
}

/// What expressions see besides the variables of the sources.
#[derive(Clone, Copy)]
struct Seen {
    /// `use_extra_vars`
    extra: bool,
    /// `use_vars_plugins`: `group_vars` and `host_vars`.
    files: bool,
}

/// What expressions about a host see.
fn variables(inventory: &Inventory, host: &str, seen: Seen, options: &LoadOptions<'_>) -> Map {
    let mut vars = if seen.files {
        let layers = inventory.var_layers(host).unwrap_or_default();
        layers.iter().flat_map(|layer| layer.iter().map(|(k, v)| (k.clone(), v.clone()))).collect()
    } else {
        inventory.host(host).map(|host| inventory.own_vars(host)).unwrap_or_default()
    };
    if let Some(host) = inventory.host(host) {
        vars.extend(inventory.magic_vars(host));
    }
    if seen.extra {
        vars.extend(options.extra_vars.clone());
    }
    vars
}

fn evaluate(expression: &Node, vars: &Map, options: &LoadOptions<'_>) -> Result<Value> {
    match &expression.value {
        NodeKind::Str(text) => options
            .render(&format!("{{{{ {text} }}}}"), vars)
            .map_err(|error| error.at(Some(&expression.pos))),
        // `true`, a number: the value itself.
        _ => Ok(expression.to_value()),
    }
}

fn keyed_group(
    inventory: &mut Inventory,
    host: &str,
    keyed: &Node,
    vars: &Map,
    strict: bool,
    leading_separator: bool,
    options: &LoadOptions<'_>,
) -> Result<()> {
    if keyed.as_map().is_none() {
        return Err(
            keyed.error(format!("Invalid keyed group entry, it must be a dictionary: {}", keyed.type_name()))
        );
    }
    let text = |name: &str| keyed.get(name).and_then(Node::as_str);
    let default = text("default_value");
    let trailing = keyed.get("trailing_separator").and_then(Node::as_bool);
    if default.is_some() && trailing.is_some() {
        return Err(keyed
            .error("parameters are mutually exclusive for keyed groups: default_value|trailing_separator"));
    }
    let expression = keyed.get("key").ok_or_else(|| keyed.error("a keyed group needs a 'key'"))?;
    let shown = text("key").unwrap_or_default();
    let key = match evaluate(expression, vars, options) {
        Ok(key) => key,
        Err(error) if strict => {
            let message = format!("Could not generate group for host {host} from {shown} entry");
            return Err(Error::new(message).caused_by(error).at(Some(&keyed.pos)));
        }
        Err(_) => return Ok(()),
    };
    let is_empty_text = key.as_str() == Some("");
    let takes_default = (is_empty_text || key.is_null()) && default.is_some();
    if !key.is_truthy() && !takes_default {
        let is_empty_container = matches!(key, Value::List(_) | Value::Map(_));
        if strict && !is_empty_container {
            let message = format!("No key or key resulted empty for {shown} in host {host}, invalid entry");
            return Err(keyed.error(message));
        }
        return Ok(());
    }
    let separator = text("separator").unwrap_or("_");
    let mut names = Vec::new();
    match &key {
        Value::Null => names.push(default.unwrap_or_default().to_owned()),
        Value::Str(name) => {
            names.push(if is_empty_text { default.unwrap_or_default() } else { name.as_str() }.to_owned())
        }
        Value::List(items) => {
            for item in items.iter() {
                names.push(match (plain_text(item), default) {
                    (name, Some(default)) if name.is_empty() || item.is_null() => default.to_owned(),
                    (name, _) => name,
                });
            }
        }
        Value::Map(map) => {
            for (name, value) in map.iter() {
                // Null counts as empty where something is said about empty ones.
                let is_empty = value.is_null() || value.as_str() == Some("");
                let value = plain_text(value);
                names.push(match (is_empty, default, trailing) {
                    (true, Some(default), _) => format!("{name}{separator}{default}"),
                    (true, None, Some(false)) => name.to_string(),
                    _ => format!("{name}{separator}{value}"),
                });
            }
        }
        other => {
            return Err(keyed.error(format!(
                "Invalid group name format, expected a string or a list of them or dictionary, got: {}",
                other.type_name()
            )));
        }
    }
    let prefix = match text("prefix") {
        Some(prefix) if crate::value::may_be_template(prefix) => options.render_text(prefix, vars)?,
        prefix => prefix.unwrap_or_default().to_owned(),
    };
    let separator = if prefix.is_empty() && !leading_separator { "" } else { separator };
    let parent = match text("parent_group") {
        Some(parent) => match options.render_text(parent, vars) {
            Ok(parent) => Some(replace_invalid(&parent)),
            Err(error) if strict => return Err(error),
            Err(_) => return Ok(()),
        },
        None => None,
    };
    for name in names {
        let group = replace_invalid(&format!("{prefix}{separator}{name}"));
        inventory.add_group(&group)?;
        inventory.add_host_to_group(host, &group)?;
        if let Some(parent) = &parent {
            inventory.add_group(parent)?;
            inventory.add_child(parent, &group)?;
        }
    }
    Ok(())
}

/// A scalar as Python's `str` shows it.
fn plain_text(value: &Value) -> String {
    match value {
        Value::Str(text) => text.as_str().to_owned(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Null => "None".into(),
        Value::Float(f) => crate::yaml::python_float(*f),
        other => Key::from(other.to_json().to_string()).to_string(),
    }
}
