//! Facts that modules return, and keeping them between runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use lang::{Map, Value};

use crate::run::Run;

/// Facts as variables: a module cannot change how a host is connected to.
pub fn clean(facts: &Arc<Map>) -> Map {
    facts
        .iter()
        .filter(|(key, _)| key.as_str().is_none_or(|key| !is_connection_variable(key)))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

fn is_connection_variable(key: &str) -> bool {
    const NAMES: &[&str] = &[
        "ansible_connection",
        "ansible_host",
        "ansible_port",
        "ansible_user",
        "ansible_password",
        "ansible_become",
        "ansible_become_user",
        "ansible_become_method",
        "ansible_become_password",
        "ansible_become_pass",
        "ansible_rsync_path",
    ];
    NAMES.contains(&key)
        || (key.starts_with("ansible_")
            && key.ends_with("_interpreter")
            && key != "ansible_python_interpreter")
}

impl Run {
    fn fact_file(&self, host: &str) -> Option<PathBuf> {
        let cache = self.options.fact_cache.as_ref()?;
        if host.contains('/') || host.starts_with('.') {
            return None;
        }
        Some(cache.directory.join(format!("{}{host}", cache.prefix)))
    }

    /// Facts of an earlier run, if they are kept and not too old.
    pub fn load_facts(&self, host: &str) -> Option<()> {
        let file = self.fact_file(host)?;
        let timeout = self.options.fact_cache.as_ref()?.timeout;
        let age =
            SystemTime::now().duration_since(file.metadata().ok()?.modified().ok()?).unwrap_or_default();
        if !timeout.is_zero() && age > timeout {
            return None;
        }
        let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).ok()?).ok()?;
        if let Value::Map(facts) = Value::from_json(&json) {
            self.world.change_host(host, |vars| vars.add_facts((*facts).clone()));
        }
        Some(())
    }

    /// Keep a host's facts for later runs.
    pub fn save_facts(&self, host: &str) {
        let Some(file) = self.fact_file(host) else { return };
        let facts = Value::map(self.world.host_vars(host).facts().clone()).to_json();
        let write = || -> std::io::Result<()> {
            if let Some(dir) = file.parent() {
                std::fs::create_dir_all(dir)?;
            }
            let text = serde_json::to_vec_pretty(&facts)?;
            let beside = file.with_extension("new");
            std::fs::write(&beside, text)?;
            std::fs::rename(&beside, &file)
        };
        if let Err(e) = write() {
            self.warn(format!("error in 'jsonfile' cache, could not write facts to {}: {e}", file.display()));
        }
    }
}
