//! Our modules against what ansible-core answered on the same machine in the same state.
//!
//! `recorded/*.json` was made by `tests/record/modules_system.py`. Every case runs in a throw-away copy of
//! this machine (`sandbox.sh`): its steps change accounts, packages and files for real. Where that cannot be
//! made (not root), the tests say so and pass, except under `CI=true`, where they fail.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use modules::{Host, Map, Value, find};
use serde_json::json;

/// Keys that differ from run to run, or that the controller adds.
const VOLATILE: &[&str] = &["ssh_fingerprint", "ssh_public_key", "warnings", "delta", "start", "end"];

/// Run each case of the test in a sandbox of its own.
fn in_sandbox(test: &str) {
    if let Ok(case) = std::env::var("SANDBOX_CASE") {
        return compare(test, case.parse().expect("number of a case"));
    }
    for (number, case) in cases(test).iter().enumerate() {
        let flag = |name: &str| case.get(name) == Some(&json!(true));
        if flag("slow") && std::env::var_os("CI").is_none() && std::env::var_os("SLOW_TESTS").is_none() {
            eprintln!("NOT RUN: {test}: {} (only with SLOW_TESTS=1 or CI=true)", case["name"]);
            continue;
        }
        sandbox_of(test, number, flag("systemd"));
    }
}

fn sandbox_of(test: &str, case: usize, systemd: bool) {
    let exe = std::env::current_exe().expect("path of the test program");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sandbox.sh");
    let status = Command::new("bash")
        .arg(script)
        .arg(exe)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env("SANDBOX_CASE", case.to_string())
        .envs(systemd.then_some(("SANDBOX_SYSTEMD", "1")))
        .current_dir("/")
        .output()
        .expect("bash");
    match status.status.code() {
        Some(0) => {}
        Some(99) | Some(1) if String::from_utf8_lossy(&status.stdout).trim().is_empty() => {
            let why = String::from_utf8_lossy(&status.stderr).into_owned();
            assert!(std::env::var_os("CI").is_none(), "the sandbox could not be made: {why}");
            eprintln!("NOT RUN: {test} needs root and overlayfs: {why}");
        }
        _ => panic!(
            "in the sandbox:\n{}\n{}",
            String::from_utf8_lossy(&status.stdout),
            String::from_utf8_lossy(&status.stderr)
        ),
    }
}

fn cases(module: &str) -> Vec<Map> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/recorded/{module}.json"));
    serde_json::from_slice(&std::fs::read(path).expect("recorded")).expect("json")
}

fn shell(script: &str) {
    let output = Command::new("bash").arg("-c").arg(script).output().expect("bash");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The result as ansible would show it, without what is added or differs each time.
fn comparable(result: &Map, ignore: &[String]) -> Value {
    let mut map = BTreeMap::new();
    for (key, value) in result {
        let lines = key.strip_suffix("_lines").is_some_and(|base| result.contains_key(base));
        let nothing = key == "failed" && *value == json!(false);
        if lines || nothing || VOLATILE.contains(&key.as_str()) || ignore.contains(key) {
            continue;
        }
        map.insert(key.clone(), steady(key, value));
    }
    json!(map)
}

/// Texts without the lines in which a machine or a moment shows.
fn steady(key: &str, value: &Value) -> Value {
    let noise =
        ["(Reading database", "Get:", "Need to get", "Preparing to unpack", "debconf: delaying package"];
    match value {
        Value::String(text) => {
            let kept = text.lines().filter(|l| !noise.iter().any(|n| l.starts_with(n)));
            json!(kept.collect::<Vec<_>>().join("\n"))
        }
        Value::Number(n) if key == "cache_update_time" && n.as_u64() > Some(1_700_000_000) => json!("recent"),
        other => other.clone(),
    }
}

fn one_step(step: &Map) -> (bool, Map, Vec<modules::Diff>) {
    let module = step["module"].as_str().unwrap_or_default();
    let module = find(module).unwrap_or_else(|| panic!("no module {module}"));
    let tmp = tempfile::tempdir().expect("tmp");
    let flag = |name: &str| step.get(name).and_then(Value::as_bool).unwrap_or(false);
    let environment = step.get("environment").and_then(Value::as_object).cloned().unwrap_or_default();
    let environment = environment.into_iter().map(|(k, v)| (k, v.as_str().unwrap_or_default().to_owned()));
    let host =
        Host::new(tmp.path()).with_modes(flag("check"), flag("diff")).with_environment(environment.collect());
    let args = step["args"].as_object().expect("args");
    let planned = (module.plan)(args, &host);
    let changes = planned.as_ref().is_ok_and(|p| p.changes());
    let outcome = match planned {
        Ok(plan) if flag("check") => plan.outcome(),
        Ok(plan) => plan.carry_out(&host),
        Err(error) => error.into_outcome(),
    };
    (changes, outcome.result, outcome.diff)
}

/// Run the step in a process of another user, as `become_user` does.
fn step_as(user: &str, step: &Map) -> (bool, Map) {
    let exe = std::env::current_exe().expect("path of the test program");
    let copy = Path::new("/tmp/one-step");
    if !copy.exists() {
        std::fs::copy(exe, copy).expect("copy");
        shell("chmod 755 /tmp/one-step");
    }
    let output = Command::new("setpriv")
        .args(["--reuid", user, "--regid", user, "--init-groups", "--"])
        .arg(copy)
        .args(["--exact", "one_step_of_another_user", "--nocapture"])
        .env("ONE_STEP", json!(step).to_string())
        .env("HOME", "/tmp")
        .current_dir("/")
        .output()
        .expect("setpriv");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|l| l.split_once("RESULT ").map(|p| p.1));
    let line = line.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    let value: Value = serde_json::from_str(line).expect("json");
    (value["changes"] == true, value["result"].as_object().expect("map").clone())
}

#[test]
fn one_step_of_another_user() {
    let Ok(step) = std::env::var("ONE_STEP") else { return };
    let step: Map = serde_json::from_str(&step).expect("step");
    let (changes, result, _) = one_step(&step);
    println!("\nRESULT {}", json!({"changes": changes, "result": result}));
}

/// Only the services that a case is about: those whose names begin so.
fn services_of(mut result: Map, prefix: &str) -> Map {
    let services = result.get_mut("ansible_facts").and_then(|facts| facts.get_mut("services"));
    if let Some(services) = services.and_then(Value::as_object_mut) {
        services.retain(|name, _| name.starts_with(prefix));
    }
    result
}

fn compare(module: &str, number: usize) {
    let mut wrong = Vec::new();
    if let Some(case) = cases(module).get(number) {
        shell(case["prepare"].as_str().unwrap_or_default());
        for (number, step) in case["steps"].as_array().expect("steps").iter().enumerate() {
            if let Some(script) = step.get("shell").and_then(Value::as_str) {
                shell(script);
            }
            let Some(expected) = step.get("result").and_then(Value::as_object) else { continue };
            let mut full = step.as_object().expect("step").clone();
            full.insert("module".into(), case["module"].clone());
            let (_, got) = match step.get("user").and_then(Value::as_str) {
                Some(user) => step_as(user, &full),
                None => {
                    let (changes, result, _) = one_step(&full);
                    (changes, result)
                }
            };
            let got = match case.get("services").and_then(Value::as_str) {
                Some(prefix) => services_of(got, prefix),
                None => got,
            };
            let words = |v: Option<&Value>| -> Vec<String> {
                v.and_then(Value::as_array)
                    .map(|a| a.iter().filter_map(|x| x.as_str().map(str::to_owned)).collect())
                    .unwrap_or_default()
            };
            let mut ignore = words(step.get("ignore"));
            ignore.extend(words(case.get("ignore")));
            ignore.push("diff".into());
            let mut expected = expected.clone();
            // Where we differ on purpose, the case says how and why.
            if let Some(ours) = step.get("ours").and_then(Value::as_object) {
                for (key, value) in ours {
                    match value {
                        Value::Null => expected.remove(&format!("{key}_lines")).and(expected.remove(key)),
                        value => expected.insert(key.clone(), value.clone()),
                    };
                }
            }
            let (expected, got) = (comparable(&expected, &ignore), comparable(&got, &ignore));
            if expected != got {
                wrong.push(format!(
                    "{} step {number}: {} check={}\n  ansible: {expected}\n  ours:    {got}",
                    case["name"],
                    step["args"],
                    step.get("check").unwrap_or(&json!(false))
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{module}: {} steps differ\n{}", wrong.len(), wrong.join("\n"));
}

macro_rules! recorded {
    ($($module:ident),* $(,)?) => { $(
        #[test]
        fn $module() {
            in_sandbox(stringify!($module));
        }
    )* };
}

recorded![
    alternatives,
    apt,
    apt_key,
    apt_repository,
    authorized_key,
    deb822_repository,
    debconf,
    dpkg_selections,
    git,
    group,
    hostname,
    known_hosts,
    locale_gen,
    mount,
    mount_facts,
    package_facts,
    pip,
    postgresql_db,
    postgresql_ext,
    postgresql_privs,
    postgresql_user,
    rabbitmq_user,
    rabbitmq_vhost,
    service,
    service_facts,
    supervisorctl,
    sysctl,
    systemd,
    timezone,
    ufw,
    user,
];
