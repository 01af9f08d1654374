//! Facts that modules return, and keeping them between runs.

use std::path::PathBuf;
use std::time::SystemTime;

use lang::vars::is_restricted_fact;
use lang::{Key, Map, Value};

use crate::run::Run;

/// Facts as they are learned, and the names of those that are no variables. Which interpreter was found is for
/// Ansible alone to say.
pub fn clean(facts: &Map) -> (Map, Vec<String>) {
    let found = |name: &str| {
        let name = name.strip_prefix("ansible_").unwrap_or(name);
        name.starts_with("discovered_interpreter_")
    };
    let known = facts.iter().filter(|(key, _)| !key.as_str().is_some_and(found));
    let known: Map = known.map(|(key, value)| (key.clone(), value.clone())).collect();
    let restricted = known.keys().filter_map(Key::as_str).filter(|name| is_restricted_fact(name));
    let restricted = restricted.map(str::to_owned).collect();
    (known, restricted)
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
