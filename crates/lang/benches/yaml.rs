//! Reading YAML and inventories.

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use lang::inventory::{Inventory, LoadOptions};
use lang::yaml;

/// 200 tasks as people write them, in about 2,000 lines.
fn tasks() -> String {
    let mut text = String::from("---\n# Tasks of a role.\n");
    for n in 0..200 {
        let _ = write!(
            text,
            "- name: 'Configuration {n} of {{{{ app_name }}}}'\n  template:\n    src: conf_{n}.j2\n    dest: \
             /etc/app/{n}.conf\n    owner: root\n    mode: '0644'\n    backup: yes\n  when:\n    - app_enabled | bool\n    \
             - {n} in app_parts\n  notify: restart app\n  tags: [conf, part{n}]\n"
        );
    }
    text
}

fn variables() -> String {
    let mut text = String::new();
    for n in 0..300 {
        let _ = write!(
            text,
            "service_{n}:\n  port: {n}\n  enabled: on\n  ratio: 1.5\n  hosts: [a{n}, \"b{n}\", 'c{n}']\n  motd: |\n    \
             line one\n    line two\n"
        );
    }
    text
}

fn inventory() -> String {
    let mut text = String::new();
    for group in 0..20 {
        let _ = writeln!(text, "[group{group}]");
        for host in 0..50 {
            let _ =
                writeln!(text, "host{group}x{host} ansible_host=10.0.{group}.{host} rack={host} role='web'");
        }
        let _ = writeln!(text, "[group{group}:vars]\nregion=r{group}\nsize={group}");
    }
    text.push_str("[all:children]\n");
    for group in 0..20 {
        let _ = writeln!(text, "group{group}");
    }
    text
}

fn reading(c: &mut Criterion) {
    for (name, text) in [("200 tasks", tasks()), ("variables", variables())] {
        c.bench_function(&format!("yaml/parse {name}"), |b| {
            b.iter(|| yaml::parse_one(black_box(text.as_bytes()), Path::new("main.yml")).expect("YAML"));
        });
    }
    let document = yaml::parse_one(variables().as_bytes(), Path::new("main.yml")).expect("YAML");
    c.bench_function("yaml/values of variables", |b| b.iter(|| black_box(&document).root.to_value()));

    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("hosts");
    std::fs::write(&path, inventory()).expect("a file");
    let sources = [path.to_string_lossy().into_owned()];
    c.bench_function("inventory/load 1000 hosts", |b| {
        b.iter(|| Inventory::load(black_box(&sources), &LoadOptions::default()).expect("an inventory"));
    });
}

criterion_group!(benches, reading);
criterion_main!(benches);
