//! Templates: strings of tasks, conditions, and whole files.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use lang::template::{MapScope, Scope, Templar, TemplateOptions};
use lang::{Map, Value, yaml};

const VARIABLES: &str = r#"
app: {name: shop, port: 8080, home: "/srv/{{ app_owner }}/shop"}
app_owner: "{{ owner_prefix }}shop"
owner_prefix: svc_
enabled: true
parts: [web, worker, cron]
servers:
  - {name: a, address: 10.0.0.1, port: 80, weight: 3}
  - {name: b, address: 10.0.0.2, port: 81, weight: 1}
  - {name: c, address: 10.0.0.3, port: 82, weight: 2}
ansible_facts: {distribution: Debian, distribution_major_version: "12", memtotal_mb: 2048}
"#;

const FILE: &str = r#"# {{ ansible_managed }}
upstream {{ app.name }} {
{% for server in servers | sort(attribute='weight') | reverse %}
    server {{ server.address }}:{{ server.port }} weight={{ server.weight }}{{ ' backup' if loop.last else '' }};
{% endfor %}
}
{% macro location(path, root) %}
location {{ path }} { root {{ root }}; }
{% endmacro %}
server {
    listen {{ app.port }};
{% for part in parts %}
    {{ location('/' ~ part, app.home ~ '/' ~ part) | trim }}
{% endfor %}
{% if ansible_facts.memtotal_mb > 1024 %}
    client_max_body_size 64m;
{% else %}
    client_max_body_size 8m;
{% endif %}
}
"#;

fn scope() -> Arc<dyn Scope> {
    let document = yaml::parse_one(VARIABLES.as_bytes(), Path::new("vars.yml")).expect("YAML");
    let vars: Map = document.root.to_value().as_map().cloned().expect("a dictionary");
    Arc::new(MapScope { vars, search_path: vec![PathBuf::from("/")] })
}

fn templates(c: &mut Criterion) {
    let templar = Templar::default();
    let scope = scope();
    for (name, text) in [
        ("a path", "{{ app.home }}/releases/{{ app.name }}-{{ app.port }}.tar.gz"),
        ("a native list", "{{ servers | map(attribute='address') | list }}"),
        (
            "filters",
            "{{ servers | selectattr('weight', '>', 1) | map(attribute='name') | sort | join(',') | upper | default('none') }}",
        ),
        ("a regular expression", "{{ app.name | regex_replace('^(.)(.*)$', '\\\\2-\\\\1') }}"),
    ] {
        let value = Value::template(text);
        c.bench_function(&format!("templates/{name}"), |b| {
            b.iter(|| templar.render(black_box(&value), &scope).expect("a value"));
        });
    }
    let arguments = yaml::parse_one(
        b"{src: conf.j2, dest: '{{ app.home }}/etc/app.conf', owner: '{{ app_owner }}', mode: '0644', group: root}",
        Path::new("main.yml"),
    )
    .expect("YAML")
    .root
    .to_value();
    c.bench_function("templates/arguments of a task", |b| {
        b.iter(|| templar.render(black_box(&arguments), &scope).expect("a value"));
    });
    let condition = Value::template(
        "enabled and ansible_facts.distribution == 'Debian' and ansible_facts.distribution_major_version | int >= 11 and 'web' in parts",
    );
    c.bench_function("templates/a condition", |b| {
        b.iter(|| assert!(templar.condition(black_box(&condition), &scope).expect("a condition")));
    });
    let mut options = TemplateOptions::default();
    options.vars.insert("ansible_managed".into(), Value::str("Ansible managed"));
    c.bench_function("templates/a file", |b| {
        b.iter(|| {
            templar.render_template(black_box(FILE), Path::new("nginx.j2"), &options, &scope).expect("text")
        });
    });
    c.bench_function("templates/parse", |b| {
        b.iter(|| Templar::default().check_syntax(black_box(FILE), None).expect("a template"));
    });
}

criterion_group!(benches, templates);
criterion_main!(benches);
