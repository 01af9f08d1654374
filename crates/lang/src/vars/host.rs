use std::sync::Arc;

use crate::{Key, Map, Value};

/// What a run learned about one host. Cloning is cheap: parts are shared until one is changed.
#[derive(Clone, Debug, Default)]
pub struct HostVars {
    /// As modules returned them: `ansible_distribution`, and what `set_fact` with `cacheable` set.
    facts: Arc<Map>,
    /// The same as `ansible_facts` shows them: `distribution`.
    namespaced: Arc<Map>,
    /// From `include_vars`.
    pub included: Arc<Map>,
    /// From `register` and `set_fact`, whichever came last.
    pub set: Arc<Map>,
}

impl HostVars {
    /// Facts under the names that modules returned.
    pub fn facts(&self) -> &Map {
        &self.facts
    }

    /// The dictionary `ansible_facts`.
    pub fn ansible_facts(&self) -> &Arc<Map> {
        &self.namespaced
    }

    /// Add facts, over those that are there.
    pub fn add_facts(&mut self, facts: Map) {
        let namespaced = Arc::make_mut(&mut self.namespaced);
        for (key, value) in &facts {
            namespaced.insert(without_prefix(key), value.clone());
        }
        Arc::make_mut(&mut self.facts).extend(facts);
    }

    /// `meta: clear_facts`.
    pub fn clear_facts(&mut self) {
        self.facts = Arc::default();
        self.namespaced = Arc::default();
    }

    /// A result of `register`, or a value of `set_fact`.
    pub fn set(&mut self, name: &str, value: Value) {
        Arc::make_mut(&mut self.set).insert(Key::from(name), value);
    }

    /// What `include_vars` read.
    pub fn include(&mut self, vars: Map) {
        Arc::make_mut(&mut self.included).extend(vars);
    }
}

/// `ansible_distribution` is `distribution` in `ansible_facts`; `ansible_local` stays what it is as well.
fn without_prefix(key: &Key) -> Key {
    match key.as_str() {
        Some(name) => match name.strip_prefix("ansible_") {
            Some(short) => Key::from(short),
            None => key.clone(),
        },
        None => key.clone(),
    }
}
