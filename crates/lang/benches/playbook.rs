//! Loading a playbook of roles, and listing its tasks.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use lang::playbook::{Hooks, Loader, ModuleRef};
use lang::template::{Scope, Templar};
use lang::{Map, Result, Value};

/// Every name is a module.
struct AllModules(Templar);

impl Hooks for AllModules {
    fn module(&self, name: &str) -> Option<ModuleRef> {
        Some(ModuleRef::native(format!("ansible.builtin.{name}")))
    }

    fn module_names(&self) -> Vec<&str> {
        Vec::new()
    }

    fn check_args(&self, _module: &ModuleRef, _args: &Map) -> Vec<lang::Error> {
        Vec::new()
    }

    fn render(&self, value: &Value, scope: &Arc<dyn Scope>) -> Result<Value> {
        self.0.render(value, scope)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        std::fs::read(path).map_err(|error| lang::Error::new(error.to_string()))
    }
}

/// 20 roles of 20 tasks, with defaults and handlers.
fn write(dir: &Path) -> PathBuf {
    let mut site = String::from("- hosts: all\n  roles:\n");
    for role in 0..20 {
        site += &format!("    - role: r{role}\n      tags: [t{role}]\n");
        let mut tasks = String::new();
        for task in 0..20 {
            tasks += &format!(
                "- name: Task {task} of {{{{ r{role}_name }}}}\n  copy:\n    dest: /srv/{role}/{task}\n    content: \
                 '{{{{ r{role}_text }}}}'\n    mode: '0644'\n  when: r{role}_name != 'none'\n  notify: restart\n  tags: \
                 [files]\n"
            );
        }
        for (name, text) in [
            ("tasks", tasks),
            ("defaults", format!("r{role}_name: name\nr{role}_text: text\n")),
            ("handlers", "- name: restart\n  service: name=app state=restarted\n".to_owned()),
        ] {
            let dir = dir.join(format!("roles/r{role}/{name}"));
            std::fs::create_dir_all(&dir).expect("a directory");
            std::fs::write(dir.join("main.yml"), text).expect("a file");
        }
    }
    let path = dir.join("site.yml");
    std::fs::write(&path, site).expect("a file");
    path
}

fn playbook(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = write(dir.path());
    let hooks: Arc<dyn Hooks> = Arc::new(AllModules(Templar::default()));
    c.bench_function("playbook/load 400 tasks in 20 roles", |b| {
        b.iter(|| {
            let loader = Loader::new(hooks.clone(), Map::new());
            loader.playbook(black_box(&path)).expect("a playbook")
        });
    });
}

criterion_group!(benches, playbook);
criterion_main!(benches);
