//! `-e`: key=value pairs, JSON, YAML, or a file.

use std::path::Path;

use lang::vault::VaultSecrets;
use lang::{Error, Map, Result, Value};

/// All of them, later ones over earlier ones.
pub fn read(options: &[String], secrets: &VaultSecrets) -> Result<Map> {
    let mut vars = Map::new();
    for text in options {
        vars.extend(one(text, secrets)?);
    }
    Ok(vars)
}

fn one(text: &str, secrets: &VaultSecrets) -> Result<Map> {
    if let Some(file) = text.strip_prefix('@') {
        let path = crate::config::expand(file);
        let bytes = std::fs::read(&path).map_err(|e| {
            Error::new(format!("Could not read the file of extra vars {}: {e}", path.display()))
        })?;
        return document(&secrets.decrypt_if_encrypted(bytes)?, &path);
    }
    let trimmed = text.trim_start();
    if trimmed.starts_with('/') || trimmed.starts_with('.') {
        return Err(Error::new(format!("Please prepend extra_vars filename '{text}' with '@'")));
    }
    if trimmed.starts_with('{') || trimmed.starts_with('[') {
        return document(text.as_bytes(), Path::new("<extra vars>"));
    }
    lang::playbook::parse_key_values(text)
}

fn document(text: &[u8], name: &Path) -> Result<Map> {
    let value = lang::yaml::parse_one(text, name)?.root.to_value();
    match value {
        Value::Map(map) => Ok((*map).clone()),
        Value::Null => Ok(Map::new()),
        other => Err(Error::new(format!(
            "Invalid extra vars data supplied. '{}' could not be made into a dictionary",
            other.type_name()
        ))),
    }
}
