//! What modules cost on a host that is already as described: the plan alone.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use modules::{Host, Map, Value, json};

/// A host in which everything below is already done.
fn converged(dir: &Path, calls: &[(&str, Value)]) {
    let lines: Vec<String> = (0..500).map(|n| format!("setting_{n} = {n}")).collect();
    std::fs::create_dir_all(dir.join("etc")).expect("a directory");
    std::fs::write(dir.join("etc/app.conf"), lines.join("\n") + "\n").expect("a file");
    let host = Host::new(dir);
    for (module, args) in calls {
        let entry = modules::find(module).expect("a module");
        let outcome = (entry.plan)(&object(args), &host).expect("a plan").carry_out(&host);
        assert!(!outcome.failed(), "{module}: {:?}", outcome.result);
    }
}

fn object(value: &Value) -> Map {
    value.as_object().cloned().unwrap_or_default()
}

fn noop(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let text: String = (0..200).map(|n| format!("line {n} of a file\n")).collect();
    let calls = [
        ("file", json!({"path": path("app"), "state": "directory", "mode": "0750"})),
        ("copy", json!({"dest": path("app/text"), "content": text, "mode": "0640"})),
        (
            "lineinfile",
            json!({"path": path("etc/app.conf"), "regexp": "^setting_250 ", "line": "setting_250 = 250"}),
        ),
        ("blockinfile", json!({"path": path("etc/app.conf"), "block": "a = 1\nb = 2\n"})),
        ("replace", json!({"path": path("etc/app.conf"), "regexp": "^gone_(\\d+)", "replace": "here_\\1"})),
        ("command", json!({"_raw_params": "/bin/true", "creates": path("app/text")})),
        ("stat", json!({"path": path("app/text"), "get_mime": false})),
        ("slurp", json!({"src": path("app/text")})),
    ];
    converged(dir.path(), &calls);
    let host = Host::new(dir.path());
    for (module, args) in calls {
        let args = object(&args);
        let entry = modules::find(module).expect("a module");
        c.bench_function(&format!("noop/{module}"), |b| {
            b.iter(|| {
                let plan = (entry.plan)(black_box(&args), &host).expect("a plan");
                assert!(!plan.changes());
            });
        });
    }
}

criterion_group!(benches, noop);
criterion_main!(benches);
