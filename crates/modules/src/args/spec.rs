//! The definition of arguments, and checking against it.

use protocol::Map;
use serde_json::Value;

use super::ArgError;
use super::kinds::{conversion_error, type_name};

/// One argument.
#[derive(Clone, Debug)]
pub struct ArgSpec {
    pub name: &'static str,
    pub doc: &'static str,
    /// Ansible's name of the type: `str`, `bool`, `path`, `list` ...
    pub kind: &'static str,
    /// Converts a value to the type, as JSON; the error says why not.
    pub coerce: fn(Value) -> Result<Value, String>,
    pub required: bool,
    pub aliases: &'static [&'static str],
    /// As it would be written.
    pub default: Option<&'static str>,
    pub choices: &'static [&'static str],
    /// Type of a list's elements, for the documentation.
    pub elements: Option<&'static str>,
    /// Never shown (`no_log`).
    pub secret: bool,
    /// Null is a value, and not the same as nothing.
    pub nullable: bool,
}

impl ArgSpec {
    pub fn new(
        name: &'static str,
        doc: &'static str,
        kind: &'static str,
        coerce: fn(Value) -> Result<Value, String>,
    ) -> Self {
        Self {
            name,
            doc,
            kind,
            coerce,
            required: false,
            aliases: &[],
            default: None,
            choices: &[],
            elements: None,
            secret: false,
            nullable: false,
        }
    }

    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    pub fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    /// Allowed values; for a list, of each element.
    pub fn choices(mut self, choices: &'static [&'static str]) -> Self {
        self.choices = choices;
        self
    }

    /// Another name for the type in documentation and errors: `path` for a `String`, which expands `~` and
    /// `$VARIABLES` on the host.
    pub fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    pub fn elements(mut self, kind: &'static str) -> Self {
        self.elements = Some(kind);
        self
    }

    /// Null turns the default off.
    pub fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    pub fn no_log(mut self) -> Self {
        self.secret = true;
        self
    }
}

/// A rule between arguments.
#[derive(Clone, Debug)]
pub enum Check {
    MutuallyExclusive(&'static [&'static str]),
    RequiredOneOf(&'static [&'static str]),
    RequiredTogether(&'static [&'static str]),
    /// If the argument has the value, all of these are needed.
    RequiredIf(&'static str, &'static str, &'static [&'static str]),
    /// If the argument has the value, one of these is needed.
    RequiredIfAny(&'static str, &'static str, &'static [&'static str]),
    /// If the argument is given, all of these are needed.
    RequiredBy(&'static str, &'static [&'static str]),
}

#[allow(non_snake_case)]
impl Check {
    pub fn mutually_exclusive(names: &'static [&'static str]) -> Self {
        Self::MutuallyExclusive(names)
    }

    pub fn required_one_of(names: &'static [&'static str]) -> Self {
        Self::RequiredOneOf(names)
    }

    pub fn required_together(names: &'static [&'static str]) -> Self {
        Self::RequiredTogether(names)
    }

    pub fn required_if(name: &'static str, value: &'static str, needs: &'static [&'static str]) -> Self {
        Self::RequiredIf(name, value, needs)
    }

    pub fn required_if_any(name: &'static str, value: &'static str, needs: &'static [&'static str]) -> Self {
        Self::RequiredIfAny(name, value, needs)
    }

    pub fn required_by(name: &'static str, needs: &'static [&'static str]) -> Self {
        Self::RequiredBy(name, needs)
    }

    fn verify(&self, map: &Map) -> Result<(), ArgError> {
        let has = |name: &&&str| map.get(**name).is_some_and(|v| !v.is_null());
        let text = |name: &str| match map.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(b)) => if *b { "True" } else { "False" }.to_owned(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let error = |msg: String| Err(ArgError::new(msg));
        match self {
            Self::MutuallyExclusive(names) if names.iter().filter(has).count() > 1 => {
                error(format!("parameters are mutually exclusive: {}", names.join("|")))
            }
            Self::RequiredOneOf(names) if !names.iter().any(|n| has(&n)) => {
                error(format!("one of the following is required: {}", names.join(", ")))
            }
            Self::RequiredTogether(names) if (1..names.len()).contains(&names.iter().filter(has).count()) => {
                error(format!("parameters are required together: {}", names.join(", ")))
            }
            Self::RequiredIf(name, value, needs) if has(&name) && text(name) == *value => {
                let lacking: Vec<&str> = needs.iter().filter(|n| !has(n)).copied().collect();
                if lacking.is_empty() {
                    return Ok(());
                }
                let lacking = lacking.join(", ");
                error(format!("{name} is {value} but all of the following are missing: {lacking}"))
            }
            Self::RequiredIfAny(name, value, needs) if has(&name) && text(name) == *value => {
                if needs.iter().any(|n| has(&n)) {
                    return Ok(());
                }
                error(format!("{name} is {value} but any of the following are missing: {}", needs.join(", ")))
            }
            Self::RequiredBy(name, needs) if has(&name) => {
                let lacking: Vec<&str> = needs.iter().filter(|n| !has(n)).copied().collect();
                if lacking.is_empty() {
                    return Ok(());
                }
                error(format!("missing parameter(s) required by '{name}': {}", lacking.join(", ")))
            }
            _ => Ok(()),
        }
    }
}

/// All arguments of a module and the rules between them.
#[derive(Clone, Debug)]
pub struct Spec {
    pub args: Vec<ArgSpec>,
    pub checks: Vec<Check>,
}

impl Spec {
    pub fn new(args: Vec<ArgSpec>, checks: Vec<Check>) -> Self {
        Self { args, checks }
    }

    /// The argument with this name or alias.
    pub fn find(&self, name: &str) -> Option<&ArgSpec> {
        self.args.iter().find(|a| a.name == name || a.aliases.contains(&name))
    }

    /// Names, and their aliases in parentheses, as the error about an unsupported one lists them.
    pub fn known(&self) -> String {
        // What begins so is between controller and agent.
        let args = || self.args.iter().filter(|a| !a.name.starts_with('_'));
        let mut names: Vec<&str> = args().map(|a| a.name).collect();
        let mut aliases: Vec<&str> = args().flat_map(|a| a.aliases).copied().collect();
        names.sort_unstable();
        aliases.sort_unstable();
        match aliases.is_empty() {
            true => names.join(", "),
            false => format!("{} ({})", names.join(", "), aliases.join(", ")),
        }
    }
}

/// Check arguments: names and aliases become canonical, values are coerced, defaults filled in, rules verified.
/// Arguments whose value is null are as if not given, unless null means something to them.
pub fn normalize(spec: &Spec, map: &Map) -> Result<Map, ArgError> {
    let mut normal = Map::new();
    let mut unknown = Vec::new();
    for (name, value) in map {
        let Some(arg) = spec.find(name) else {
            unknown.push(name.as_str());
            continue;
        };
        // The canonical name wins over an alias, a later alias over an earlier one.
        if (value.is_null() && !arg.nullable)
            || (name != arg.name && map.get(arg.name).is_some_and(|v| !v.is_null()))
        {
            continue;
        }
        normal.insert(arg.name.to_owned(), value.clone());
    }
    for check in spec.checks.iter().filter(|c| matches!(c, Check::MutuallyExclusive(_))) {
        check.verify(&normal)?;
    }
    let lacking: Vec<&str> =
        spec.args.iter().filter(|a| a.required && !normal.contains_key(a.name)).map(|a| a.name).collect();
    if !lacking.is_empty() {
        return Err(ArgError::new(format!("missing required arguments: {}", lacking.join(", "))));
    }
    for arg in &spec.args {
        let value = match (normal.remove(arg.name), arg.default) {
            (Some(value), _) => value,
            (None, Some(default)) => default.into(),
            (None, None) => continue,
        };
        let kind = type_name(&value);
        let value = (arg.coerce)(value).map_err(|e| conversion_error(arg.name, kind, arg.kind, &e))?;
        check_choice(arg, &value)?;
        normal.insert(arg.name.to_owned(), value);
    }
    // Exclusive arguments are a matter of what was given; a default excludes nothing.
    for check in spec.checks.iter().filter(|c| !matches!(c, Check::MutuallyExclusive(_))) {
        check.verify(&normal)?;
    }
    // The last thing that Ansible complains about.
    if let Some(first) = unknown.first().copied() {
        unknown.sort_unstable();
        let msg = format!("{}. Supported parameters include: {}.", unknown.join(", "), spec.known());
        let known =
            spec.args.iter().flat_map(|a| std::iter::once(&a.name).chain(a.aliases)).map(|s| (*s).to_owned());
        return Err(ArgError { msg, argument: Some(first.to_owned()), known: known.collect() });
    }
    Ok(normal)
}

fn check_choice(arg: &ArgSpec, value: &Value) -> Result<(), ArgError> {
    if arg.choices.is_empty() {
        return Ok(());
    }
    let choices = arg.choices.join(", ");
    let allowed = |v: &Value| v.as_str().is_none_or(|text| arg.choices.contains(&text));
    match value {
        Value::Array(items) => {
            let bad: Vec<&str> = items.iter().filter(|v| !allowed(v)).filter_map(Value::as_str).collect();
            if bad.is_empty() {
                return Ok(());
            }
            let msg = format!(
                "value of {} must be one or more of: {choices}. Got no match for: {}",
                arg.name,
                bad.join(", ")
            );
            Err(ArgError::new(msg).about(arg.name))
        }
        Value::String(text) if !allowed(value) => {
            let msg = format!("value of {} must be one of: {choices}, got: {text}", arg.name);
            Err(ArgError::new(msg).about(arg.name))
        }
        _ => Ok(()),
    }
}
