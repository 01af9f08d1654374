//! `plugin_filters_cfg`: a file with names of modules that playbooks must not use.
//!
//! As in Ansible a name is rejected as it is written: `ping` in the list does not reject `ansible.builtin.ping`.

use std::collections::HashSet;
use std::path::Path;

use lang::Value;

use super::Failure;
use crate::config::Config;

/// The rejected names. A file that cannot be used is a warning.
pub fn rejected(config: &Config, warn: &dyn Fn(String)) -> Result<HashSet<String>, Failure> {
    let Some(path) = config.path("PLUGIN_FILTERS_CFG") else { return Ok(HashSet::new()) };
    match read(&path) {
        Ok(names) if names.contains("stat") => Err(Failure::new(format!(
            "The stat module was specified in the module reject list file, {}, but Ansible will not function \
             without the stat module.  Please remove stat from the reject list.",
            path.display()
        ))),
        Ok(names) => Ok(names),
        Err(problem) => {
            warn(format!("The plugin filter file, {} {problem}", path.display()));
            Ok(HashSet::new())
        }
    }
}

fn read(path: &Path) -> Result<HashSet<String>, String> {
    if !path.exists() {
        return Err("does not exist. Skipping.".into());
    }
    let bytes = std::fs::read(path).map_err(|e| format!("was not readable. Skipping: {e}"))?;
    let document = lang::yaml::parse_one(&bytes, path);
    let data = document.map_err(|e| format!("was not parsable. Skipping: {e}"))?.root.to_value();
    match data.get("filter_version") {
        None => return Err("was invalid. Skipping.".into()),
        Some(version) if lang::template::python_str(version).trim() == "1.0" => {}
        Some(_) => return Err("was a version not recognized by this version of Ansible. Skipping.".into()),
    }
    match data.get("module_rejectlist") {
        None | Some(Value::Null) => Ok(HashSet::new()),
        Some(Value::List(names)) => Ok(names.iter().map(lang::template::python_str).collect()),
        Some(_) => Err("was invalid. Skipping.".into()),
    }
}
