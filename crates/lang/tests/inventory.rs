//! Inventories and patterns, against what ansible-core 2.19 made of the same files (`tests/record/record_inventory.py`).

use std::path::Path;

use lang::inventory::output::{Format, OutputOptions};
use lang::inventory::{Inventory, LoadOptions, render_with};
use lang::patterns;
use lang::template::Templar;
use serde_json::Value as Json;

fn table() -> Json {
    serde_json::from_str(include_str!("recorded/inventory.json")).unwrap()
}

fn write_files(files: &Json, root: &Path) {
    use std::os::unix::fs::PermissionsExt;
    for (name, text) in files.as_object().unwrap() {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text.as_str().unwrap()).unwrap();
        if text.as_str().unwrap().starts_with("#!") {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
}

fn root(name: &str) -> std::path::PathBuf {
    let root = std::env::temp_dir().join(format!("provision-inventory-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&root);
    std::fs::create_dir_all(&root).unwrap();
    root
}

/// The file of a source, or the source itself if it is none.
fn place(source: &Json, root: &Path) -> String {
    let source = source.as_str().unwrap();
    if source.contains(',') { source.to_owned() } else { root.join(source).to_string_lossy().into_owned() }
}

fn load(case: &Json, root: &Path) -> Inventory {
    let sources: Vec<String> = case["sources"].as_array().unwrap().iter().map(|s| place(s, root)).collect();
    let templar = Templar::default();
    let render = render_with(&templar);
    let options = LoadOptions { render: Some(&render), ..LoadOptions::default() };
    let mut inventory = Inventory::load(&sources, &options).unwrap();
    inventory.read_vars_files(Some(root), None, false).unwrap();
    inventory
}

#[test]
fn shows_what_ansible_inventory_shows() {
    let mut wrong = Vec::new();
    for case in table()["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let root = root(name);
        write_files(&case["files"], &root);
        let inventory = load(case, &root);
        for (options, expected) in case["outputs"].as_object().unwrap() {
            let output = OutputOptions { export: options.contains("--export"), ..OutputOptions::default() };
            let got = if options.starts_with("--graph") {
                inventory.show_graph(None, options.contains("--vars"), &output)
            } else {
                let format = if options.contains("--yaml") { Format::Yaml } else { Format::Json };
                inventory.show_list(format, &output)
            };
            let got = got.unwrap();
            if got != expected.as_str().unwrap() {
                let diff = first_difference(&got, expected.as_str().unwrap());
                wrong.push(format!("{name} {options}: {diff}"));
            }
        }
        std::fs::remove_dir_all(&root).unwrap();
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn first_difference(got: &str, expected: &str) -> String {
    let line = got.lines().zip(expected.lines()).position(|(a, b)| a != b);
    match line {
        Some(line) => {
            let show = |text: &str| {
                text.lines().skip(line.saturating_sub(2)).take(5).collect::<Vec<_>>().join("\n    ")
            };
            format!("line {}\n  got\n    {}\n  want\n    {}", line + 1, show(got), show(expected))
        }
        None => format!("got {} lines, want {}", got.lines().count(), expected.lines().count()),
    }
}

#[test]
fn warns_as_ansible_does() {
    let mut wrong = Vec::new();
    for case in table()["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let root = root(&format!("warn-{name}"));
        write_files(&case["files"], &root);
        let inventory = load(case, &root);
        let got: Vec<String> = inventory
            .warnings
            .iter()
            .map(|w| w.to_string().replace(&format!("{}/", root.display()), ""))
            .collect();
        // Ansible's subclasses of Python's types, as their types; reserved names are told elsewhere.
        let normal = |text: &str| {
            let mut text = text.to_owned();
            for (theirs, python) in [("Str", "str"), ("List", "list"), ("Int", "int"), ("Dict", "dict")] {
                text = text.replace(
                    &format!("ansible.module_utils._internal._datatag._AnsibleTagged{theirs}"),
                    python,
                );
            }
            text.trim_end_matches('.').to_owned()
        };
        let expected = case["warnings"].as_array().unwrap().iter().map(|w| normal(w.as_str().unwrap()));
        let expected: Vec<String> =
            expected.filter(|w| !w.starts_with("Found variable using reserved name")).collect();
        let got: Vec<String> = got.iter().map(|w| normal(w)).collect();
        if got != expected {
            wrong.push(format!("{name}:\n   got {got:#?}\n  want {expected:#?}"));
        }
        std::fs::remove_dir_all(&root).unwrap();
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn chooses_the_hosts_that_ansible_chooses() {
    let table = table();
    let root = root("patterns");
    write_files(&table["pattern_files"], &root);
    let sources = [root.join("hosts").to_string_lossy().into_owned()];
    let inventory = Inventory::load(&sources, &LoadOptions::default()).unwrap();
    let mut wrong = Vec::new();
    for case in table["patterns"].as_array().unwrap() {
        let pattern = case["pattern"].as_str().unwrap();
        let got = match pattern.strip_prefix('@') {
            Some(file) => {
                let limit = patterns::limit_patterns(&format!("@{}", root.join(file).display())).unwrap();
                inventory.list_hosts("all").and_then(|all| inventory.limit(all, &limit))
            }
            None => inventory.list_hosts(pattern),
        };
        let report = match (&got, case.get("hosts")) {
            (Ok(got), Some(expected)) => {
                let expected: Vec<&str> =
                    expected.as_array().unwrap().iter().map(|h| h.as_str().unwrap()).collect();
                (got.hosts != expected)
                    .then(|| format!("{pattern:?}\n   got {:?}\n  want {expected:?}", got.hosts))
            }
            (Err(error), None) => {
                let expected = case["error"].as_str().unwrap().trim_end_matches('.');
                (!expected.starts_with(error.message()))
                    .then(|| format!("{pattern:?}\n   got {error}\n  want {expected}"))
            }
            _ => Some(format!("{pattern:?}\n   got {got:?}\n  want {case}")),
        };
        wrong.extend(report);
    }
    std::fs::remove_dir_all(&root).unwrap();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
