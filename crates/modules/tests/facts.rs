//! Facts against those that ansible-core 2.19 gave for the same files (`tests/record/facts.py`), and, where it is
//! installed, against what it says about this machine.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use modules::{Host, Map, Value, facts, json};
use protocol::FactsRequest;

fn recorded() -> Value {
    serde_json::from_str(include_str!("recorded/facts.json")).unwrap()
}

fn subset(names: &[&str]) -> FactsRequest {
    FactsRequest { subset: names.iter().map(|n| (*n).to_owned()).collect(), ..FactsRequest::default() }
}

fn put(root: &Path, path: &str, content: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = root.join(path.trim_start_matches('/'));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    match content.strip_prefix("-> ") {
        Some(to) => {
            // What the link leads to may come later.
            fs::write(path.with_file_name(to), "").unwrap();
            std::os::unix::fs::symlink(to, path).unwrap();
        }
        None => {
            fs::write(&path, content).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
}

/// Differences between two objects, as lines.
fn differences(name: &str, expected: &Map, actual: &Map) -> Vec<String> {
    let keys: BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
    keys.into_iter()
        .filter(|k| expected.get(*k) != actual.get(*k))
        .map(|k| format!("{name}: {k}: expected {:?}, got {:?}", expected.get(k), actual.get(k)))
        .collect()
}

#[test]
fn distributions_are_told_apart() {
    let mut wrong = Vec::new();
    for (name, case) in recorded()["distributions"].as_object().unwrap() {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in case["files"].as_object().unwrap() {
            put(root.path(), path, content.as_str().unwrap());
        }
        let host = Host::at(root.path(), root.path());
        let mut got = facts::gather(&subset(&["!all", "!min", "distribution", "lsb", "pkg_mgr"]), &host);
        got.retain(|k, _| k.starts_with("ansible_"));
        wrong.extend(differences(name, case["facts"].as_object().unwrap(), &got));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_of_the_kernel_and_of_the_host_are_read_alike() {
    let mut wrong = Vec::new();
    let recorded = recorded();
    for kind in ["dns", "cmdline", "cpuinfo", "meminfo"] {
        for (name, case) in recorded[kind].as_object().unwrap() {
            let root = tempfile::tempdir().unwrap();
            put(root.path(), case["path"].as_str().unwrap(), case["content"].as_str().unwrap());
            let host = Host::at(root.path(), root.path());
            let mut got = facts::gather(&subset(&["!all", "!min", case["subset"].as_str().unwrap()]), &host);
            let expected = case["facts"].as_object().unwrap();
            got.retain(|k, _| expected.contains_key(k));
            wrong.extend(differences(&format!("{kind} {name}"), expected, &got));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn local_facts_are_json_ini_or_programs() {
    use std::os::unix::fs::PermissionsExt;
    let recorded = recorded();
    let dir = tempfile::tempdir().unwrap();
    for (name, case) in recorded["local"]["files"].as_object().unwrap() {
        let file = dir.path().join(name);
        fs::write(&file, case[1].as_str().unwrap()).unwrap();
        let mode = u32::try_from(case[0].as_u64().unwrap()).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
    }
    let path = dir.path().to_string_lossy().into_owned();
    let request = FactsRequest { fact_path: Some(path.clone()), ..subset(&["!all", "!min", "local"]) };
    let got = facts::gather(&request, &Host::new(dir.path()));
    let text = got["ansible_local"].to_string().replace(&path, "FACTS");
    let got: Map = serde_json::from_str(&text).unwrap();
    let wrong = differences("local", recorded["local"]["facts"].as_object().unwrap(), &got);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Facts that some machines have and others do not.
fn depends_on_the_machine(key: &str) -> bool {
    let own: Vec<String> = fs::read_dir("/sys/class/net")
        .into_iter()
        .flatten()
        .filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().replace(['-', ':'], "_")))
        .collect();
    let some =
        ["distribution_minor_version", "systemd", "machine_id", "flags", "is_chroot", "system_capabilities"];
    let Some(name) = key.strip_prefix("ansible_") else { return false };
    own.iter().any(|i| i == name)
        || name.starts_with("ssh_host_key_")
        || some.iter().any(|s| name.starts_with(s))
}

#[test]
fn subsets_hold_what_they_hold() {
    let mut wrong = Vec::new();
    for case in recorded()["subsets"].as_array().unwrap() {
        let request = FactsRequest {
            subset: serde_json::from_value(case["subset"].clone()).unwrap(),
            ..Default::default()
        };
        let keys = |all: Vec<&str>| -> BTreeSet<String> {
            all.into_iter().filter(|k| !depends_on_the_machine(k)).map(str::to_owned).collect()
        };
        match facts::try_gather(&request, &Host::new("/tmp")) {
            Err(error) if case["msg"] == error.msg.as_str() => {}
            Err(error) => wrong.push(format!("{}: {error}\ninstead of {}", case["subset"], case["msg"])),
            Ok(got) => {
                let got = keys(got.keys().map(String::as_str).collect());
                let expected =
                    keys(case["keys"].as_array().unwrap().iter().filter_map(Value::as_str).collect());
                let differ: Vec<&String> = got.symmetric_difference(&expected).collect();
                if !differ.is_empty() {
                    wrong.push(format!("{}: {differ:?}", case["subset"]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn filters_choose_by_name() {
    for case in recorded()["filters"].as_array().unwrap() {
        let request = FactsRequest {
            filter: serde_json::from_value(case["filter"].clone()).unwrap(),
            ..subset(&["min"])
        };
        let got = facts::gather(&request, &Host::new("/tmp"));
        let got: BTreeSet<&str> =
            got.keys().map(String::as_str).filter(|k| !depends_on_the_machine(k)).collect();
        let keys = case["keys"].as_array().unwrap();
        let expected: BTreeSet<&str> =
            keys.iter().filter_map(Value::as_str).filter(|k| !depends_on_the_machine(k)).collect();
        assert_eq!(got, expected, "{}", case["filter"]);
    }
}

/// ansible-core on this machine, if it is there.
fn ansible() -> Option<PathBuf> {
    let dir = std::env::var_os("ANSIBLE_BIN").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(|h| Path::new(&h).join(".anchors/bin"));
    dir.or(home).map(|d| d.join("ansible")).filter(|p| p.exists())
}

/// Values that are different a moment later, or for another process, or in another order; those of Python; and the one
/// that Ansible cannot read any more (`capsh` prints it differently).
const VOLATILE: &[&str] = &[
    "date_time",
    "env",
    "loadavg",
    "memfree_mb",
    "memory_mb",
    "swapfree_mb",
    "uptime_seconds",
    "python",
    "python_version",
    "system_capabilities",
    "selinux_python_present",
];

fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(sorted).collect();
            items.sort_by_key(Value::to_string);
            items.into()
        }
        Value::Object(map) => {
            // Free space changes while it is looked at.
            let kept = map.iter().filter(|(k, _)| !k.ends_with("_available") && !k.ends_with("_used"));
            Value::Object(kept.map(|(k, v)| (k.clone(), sorted(v))).collect())
        }
        other => other.clone(),
    }
}

#[test]
fn this_machine_is_described_as_ansible_describes_it() {
    let Some(ansible) = ansible() else {
        eprintln!("skipped: ansible-core is not here (ANSIBLE_BIN)");
        return;
    };
    let python = ansible.with_file_name("python3");
    let output = std::process::Command::new(&ansible)
        .args(["localhost", "-m", "setup", "-e"])
        .arg(format!("ansible_python_interpreter={}", python.display()))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let theirs: Value = serde_json::from_str(&text[text.find('{').unwrap()..]).unwrap();
    let compared = |facts: &Map| -> Map {
        let kept =
            facts.iter().filter(|(k, _)| !VOLATILE.iter().any(|v| k.strip_prefix("ansible_") == Some(v)));
        kept.map(|(k, v)| (k.clone(), sorted(v))).collect()
    };
    let ours = facts::gather(&FactsRequest::default(), &Host::new("/tmp"));
    let wrong = differences(
        "this machine",
        &compared(theirs["ansible_facts"].as_object().unwrap()),
        &compared(&ours),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for key in ["date_time", "memory_mb"] {
        let key = format!("ansible_{key}");
        let shape = |v: &Value| v.as_object().map(|m| m.keys().cloned().collect::<BTreeSet<_>>());
        assert_eq!(shape(&ours[&key]), shape(&theirs["ansible_facts"][&key]), "{key}");
    }
}

#[test]
fn a_bad_gather_subset_is_an_error_of_setup() {
    let setup = modules::find("ansible.builtin.setup").unwrap();
    let args = json!({"gather_subset": "bogus"});
    let error = (setup.plan)(args.as_object().unwrap(), &Host::new("/tmp")).err().unwrap();
    assert!(error.msg.starts_with("Bad subset 'bogus' given to Ansible."), "{error}");
}
