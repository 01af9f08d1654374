//! Values that a setting cannot have.

use super::{Config, Kind, Origin, TABLE};

/// Settings of a few words.
const CHOICES: &[(&str, &[&str])] = &[
    ("COLLECTIONS_ON_ANSIBLE_VERSION_MISMATCH", &["error", "warning", "ignore"]),
    ("DEFAULT_GATHERING", &["implicit", "explicit", "smart"]),
    ("DEFAULT_HASH_BEHAVIOUR", &["replace", "merge"]),
    ("DISPLAY_TRACEBACK", &["error", "warning", "deprecated", "deprecated_value", "always", "never"]),
    ("DUPLICATE_YAML_DICT_KEY", &["error", "warn", "ignore"]),
    ("HOST_PATTERN_MISMATCH", &["error", "warning", "ignore"]),
    ("PLAYBOOK_VARS_ROOT", &["top", "bottom", "all"]),
    ("RUN_VARS_PLUGINS", &["demand", "start"]),
    ("TRANSFORM_INVALID_GROUP_CHARS", &["always", "never", "ignore", "silently"]),
    ("_CALLBACK_DISPATCH_ERROR_BEHAVIOR", &["error", "warning", "ignore"]),
    ("_TEMPLAR_SANDBOX_MODE", &["default", "allow_unsafe_attributes"]),
    ("_TEMPLAR_UNKNOWN_TYPE_CONVERSION", &["error", "warning", "ignore"]),
    ("_TEMPLAR_UNKNOWN_TYPE_ENCOUNTERED", &["error", "warning", "ignore"]),
    ("_TEMPLAR_UNTRUSTED_TEMPLATE_BEHAVIOR", &["error", "warning", "ignore"]),
];

/// Whole numbers whose type is called `int`; that of the others is `integer`.
const INT: &[&str] = &[
    "GALAXY_SERVER_TIMEOUT",
    "LOG_VERBOSITY",
    "MAX_FILE_SIZE_FOR_DIFF",
    "PERSISTENT_COMMAND_TIMEOUT",
    "SSH_AGENT_KEY_LIFETIME",
];

/// The first setting of the core with a value that it cannot have, as an error.
pub(super) fn values(config: &Config) -> Result<(), String> {
    for setting in TABLE.iter().filter(|setting| setting.core) {
        let name = setting.name;
        let Some((text, origin)) = config.raw(name) else { continue };
        let origin = match origin {
            Origin::Default => continue,
            Origin::Env(variable) => format!("env: {variable}"),
            Origin::File(file) => file.to_string_lossy().into_owned(),
        };
        let kind = match setting.kind {
            Kind::Int if integer(&text).is_none() => {
                if INT.contains(&name) {
                    "int"
                } else {
                    "integer"
                }
            }
            Kind::Float if text.trim().parse::<f64>().is_err() => "float",
            kind => {
                choice(config, name, kind, &text)?;
                continue;
            }
        };
        return Err(format!(
            "Config '{name}' from '{origin}' has an invalid value: Invalid value provided for '{kind}': '{text}'"
        ));
    }
    Ok(())
}

fn choice(config: &Config, name: &str, kind: Kind, text: &str) -> Result<(), String> {
    let Some((_, choices)) = CHOICES.iter().find(|(known, _)| *known == name) else { return Ok(()) };
    let (fits, shown) = if kind == Kind::List {
        let items = config.list(name);
        let shown = items.iter().map(|item| format!("'{item}'")).collect::<Vec<_>>().join(", ");
        (items.iter().all(|item| choices.contains(&item.as_str())), format!("[{shown}]"))
    } else {
        (choices.contains(&text), format!("'{text}'"))
    };
    match fits {
        true => Ok(()),
        false => Err(format!(
            "Invalid value {shown} for config '{name}'. Valid values are: {}",
            choices.join(", ")
        )),
    }
}

/// A whole number: also `7.0` and `1e1` are.
pub(super) fn integer(text: &str) -> Option<i64> {
    let text = text.trim().replace('_', "");
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number: f64 = text.parse().ok()?;
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}
