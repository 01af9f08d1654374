//! The recorded cases, and hooks that know ansible-core's modules.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lang::playbook::{Hooks, Loader, ModuleRef};
use lang::template::{Scope, Templar, TemplarOptions};
use lang::{Key, Map, Result, Value};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Case {
    pub files: BTreeMap<String, String>,
    pub options: Vec<String>,
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

pub fn cases(file: &str) -> BTreeMap<String, Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded").join(file);
    let text = std::fs::read_to_string(path).expect("the recorded cases");
    serde_json::from_str(&text).expect("recorded cases are JSON")
}

impl Case {
    /// Its files in a directory of their own.
    pub fn write(&self) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a directory");
        for (name, text) in &self.files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            std::fs::write(path, text).expect("a file");
        }
        dir
    }
}

struct TestHooks {
    templar: Templar,
    roles: Vec<PathBuf>,
}

const MODULES: &[&str] = &[
    "add_host",
    "apt",
    "assert",
    "command",
    "copy",
    "debug",
    "fail",
    "file",
    "group_by",
    "import_role",
    "import_tasks",
    "include_role",
    "include_tasks",
    "include_vars",
    "meta",
    "ping",
    "raw",
    "script",
    "service",
    "set_fact",
    "setup",
    "shell",
    "template",
    "validate_argument_spec",
];

impl Hooks for TestHooks {
    fn module(&self, name: &str) -> Option<ModuleRef> {
        let short = name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy."));
        let short = short.unwrap_or(name);
        MODULES.contains(&short).then(|| ModuleRef::native(format!("ansible.builtin.{short}")))
    }

    fn module_names(&self) -> Vec<&str> {
        MODULES.to_vec()
    }

    fn check_args(&self, _module: &ModuleRef, _args: &Map) -> Vec<lang::Error> {
        Vec::new()
    }

    fn render(&self, value: &Value, scope: &Arc<dyn Scope>) -> Result<Value> {
        self.templar.render(value, scope)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        std::fs::read(path).map_err(|error| lang::Error::new(format!("{}: {error}", path.display())))
    }

    fn roles_path(&self) -> &[PathBuf] {
        &self.roles
    }
}

/// A loader as ansible-core was set up when the cases were recorded.
pub fn loader(dir: &Path, extra: Map) -> Loader {
    let home = Path::new("$TMP/.ansible/roles").to_path_buf();
    let roles = vec![home, "/usr/share/ansible/roles".into(), "/etc/ansible/roles".into()];
    let _ = dir;
    Loader::new(Arc::new(TestHooks { templar: Templar::new(TemplarOptions::default()), roles }), extra)
}

/// `-e`: JSON, or words.
pub fn extra_vars(text: &str) -> Map {
    if text.starts_with('{') {
        let json: serde_json::Value = serde_json::from_str(text).expect("JSON");
        return Value::from_json(&json).as_map().cloned().unwrap_or_default();
    }
    let words = text.split_whitespace().filter_map(|word| word.split_once('='));
    words.map(|(key, value)| (Key::from(key), Value::template(value))).collect()
}

/// The hosts of the recorded inventory `h1,h2,h3,` that patterns match.
pub fn matching(patterns: &[String], limit: Option<&str>) -> Vec<String> {
    let all = ["h1", "h2", "h3"];
    let matches = |host: &str| match patterns {
        [all] if all == "all" => true,
        patterns => patterns.iter().any(|p| p == host || (p == "h1,h2:&h2" && host == "h1")),
    };
    all.iter().filter(|h| matches(h) && limit.is_none_or(|l| l == **h)).map(|h| (*h).to_owned()).collect()
}
