//! Running a recorded case, and comparing without what is of the moment.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use fancy_regex::Regex;
use serde_json::{Map, Value, json};

/// Keys that the recording does not have: of the moment, of the machine or of Python.
const DROPPED: &[&str] = &[
    "invocation",
    "exception",
    "deprecations",
    "warnings",
    "atime",
    "mtime",
    "ctime",
    "delta",
    "start",
    "end",
    "stop",
    "elapsed",
    "uid",
    "gid",
    "owner",
    "group",
];

/// Said by the status already.
const VERDICTS: &[&str] = &["failed", "skipped", "unreachable", "ignored", "action"];

/// Run a case twice: what its tasks said each time, and the files that were left.
pub fn run_case(case: &Value, port: &str) -> (Vec<Value>, Value) {
    let home = tempfile::Builder::new().prefix("rec-").tempdir().unwrap();
    // Whoever tasks become has to come here, too.
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let here = home.path().join("c000");
    let root = here.to_str().unwrap();
    fs::create_dir(&here).unwrap();
    fs::create_dir(home.path().join("home")).unwrap();
    fs::write(home.path().join("password"), "secret\n").unwrap();
    let filled = |key: &str| case[key].as_str().unwrap().replace("@D@", root).replace("@PORT@", port);
    let setup = format!("umask 022\n{}", filled("setup"));
    // Setups encrypt with it.
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_provision"), home.path().join("ansible-vault")).unwrap();
    let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", home.path().display());
    let status =
        Command::new("sh").args(["-ec", &setup]).current_dir(&here).env("PATH", path).status().unwrap();
    assert!(status.success(), "setup of {}", case["name"]);
    fs::write(here.join("site.yml"), filled("site")).unwrap();
    let runs = (0..2).map(|_| steady(&play(home.path(), &here), root, port)).collect();
    fs::remove_file(here.join("site.yml")).unwrap();
    let mut left = BTreeMap::new();
    tree(&here, &here, &mut left);
    left.retain(|name, _| {
        !here.ancestors().skip(1).any(|a| a != Path::new("/") && name.ends_with(a.to_str().unwrap()))
    });
    for name in case["opaque"].as_array().into_iter().flatten() {
        left.remove(name.as_str().unwrap());
    }
    (runs, steady(&json!(left), root, port))
}

/// The tasks of one run, as the recording has them.
fn play(home: &Path, here: &Path) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_provision"))
        .args(["-i", "h1,h2,h3", "-c", "local", "--output", "json", "c000/site.yml"])
        .current_dir(home)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", here.parent().unwrap().join("home"))
        .env("LANG", "C.UTF-8")
        .env("ANSIBLE_VAULT_PASSWORD_FILE", home.join("password"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    // A pause has said something before.
    let document = out.find("{\n").map_or("", |at| &out[at..]);
    let report: Value = serde_json::from_str(document)
        .unwrap_or_else(|e| panic!("{e}: {out}{}", String::from_utf8_lossy(&output.stderr)));
    let plays = report["plays"].as_array().unwrap();
    let tasks = plays.iter().flat_map(|play| play["tasks"].as_array().unwrap());
    tasks.map(|task| json!({"task": task["task"]["name"], "hosts": task["hosts"]})).collect()
}

/// Without the names of the moment.
fn steady(value: &Value, root: &str, port: &str) -> Value {
    static BACKUPS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\d+\.\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d~").unwrap());
    static OURS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"/tmp/provision-[^\s'":]*"#).unwrap());
    static PAUSES: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"Paused for [\d.]+ ").unwrap());
    let text = |text: &str| {
        let text = BACKUPS.replace_all(&text.replace(root, "@D@"), "@BACKUP@").into_owned();
        let text = OURS.replace_all(&text, "@TMP@").into_owned();
        let text = PAUSES.replace_all(&text, "Paused for * ").into_owned();
        if port.is_empty() { text } else { text.replace(&format!(":{port}"), ":@PORT@") }
    };
    match value {
        Value::String(one) => text(one).into(),
        Value::Array(items) => items.iter().map(|v| steady(v, root, port)).collect(),
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| !DROPPED.contains(&key.as_str()) && !key.starts_with("_ansible"))
            .map(|(key, v)| (text(key), steady(v, root, port)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// Results by number and name of the task and the host.
pub fn said(tasks: &Value) -> Map<String, Value> {
    let mut found = Map::new();
    for (number, task) in tasks.as_array().unwrap().iter().enumerate() {
        for (host, result) in task["hosts"].as_object().unwrap() {
            let mut result = result.as_object().unwrap().clone();
            let is = |key: &str| result.get(key) == Some(&Value::Bool(true));
            let status = match result.get("status").and_then(Value::as_str) {
                Some(status) => status,
                None if is("unreachable") => "unreachable",
                None if is("failed") => "failed",
                None if is("skipped") => "skipped",
                None if is("changed") => "changed",
                None => "ok",
            }
            .to_owned();
            result.insert("status".into(), status.into());
            result.retain(|key, _| !VERDICTS.contains(&key.as_str()));
            plain(&mut result);
            let name = task["task"].as_str().unwrap();
            found.insert(format!("{} {name} {host}", number + 1), result.into());
        }
    }
    found
}

/// Ansible names a place twice where it has looked twice.
fn searched_once(text: &str) -> String {
    let Some((start, places)) = text.split_once("Searched in:\n\t") else { return text.to_owned() };
    let (places, end) = places.split_at(places.find(" on the Ansible Controller").unwrap_or(places.len()));
    let mut known: Vec<&str> = Vec::new();
    for place in places.split("\n\t") {
        if !known.contains(&place) {
            known.push(place);
        }
    }
    format!("{start}Searched in:\n\t{}{end}", known.join("\n\t"))
}

/// Without what one of both does not say: that an item did not fail, a difference where there is none.
fn plain(result: &mut Map<String, Value>) {
    result.retain(|key, value| !(matches!(key.as_str(), "failed" | "skipped") && *value == false));
    if let Some(diff) = result.shift_remove("diff") {
        let sides = match diff {
            Value::Array(items) => items,
            one => vec![one],
        };
        let sides: Vec<Value> = sides.into_iter().filter(|side| !is_empty(side)).collect();
        if !sides.is_empty() {
            result.insert("diff".into(), sides.into());
        }
    }
    if let Some(Value::String(msg)) = result.get_mut("msg") {
        *msg = searched_once(msg);
    }
    for item in result.get_mut("results").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::Object(item) = item {
            plain(item);
        }
    }
}

fn is_empty(side: &Value) -> bool {
    let Some(map) = side.as_object() else { return true };
    let bare = |side: Option<&Value>| match side {
        None => true,
        Some(Value::Object(map)) => map.keys().all(|key| key == "path"),
        Some(value) => value == "",
    };
    let (before, after) = (map.get("before"), map.get("after"));
    !map.contains_key("prepared") && (bare(before) && bare(after) || before == after)
}

/// What is below a directory.
fn tree(root: &Path, dir: &Path, found: &mut BTreeMap<String, Value>) {
    use base64::Engine as _;
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        let meta = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let mode = format!("{:04o}", meta.permissions().mode() & 0o7777);
        let mut shown = if meta.is_symlink() {
            json!({"link": fs::read_link(&path).unwrap()})
        } else if meta.is_dir() {
            tree(root, &path, found);
            json!({"mode": mode, "dir": true})
        } else {
            match String::from_utf8(fs::read(&path).unwrap()) {
                Ok(text) => json!({"mode": mode, "text": text}),
                Err(e) => {
                    let text = base64::engine::general_purpose::STANDARD.encode(e.into_bytes());
                    json!({"mode": mode, "base64": text})
                }
            }
        };
        if !meta.is_symlink() && (meta.uid(), meta.gid()) != (0, 0) {
            shown["owner"] = json!([meta.uid(), meta.gid()]);
        }
        found.insert(name, shown);
    }
}

/// What differs, key by key.
pub fn compare(prefix: &str, expected: &Value, got: &Value, problems: &mut Vec<String>) {
    if expected == got || expected == "@TMP@" && got.is_string() {
        return;
    }
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            for (key, value) in expected {
                match got.get(key) {
                    Some(other) => compare(&format!("{prefix}{key}."), value, other, problems),
                    None if key == "src" && value == "@TMP@" => {}
                    None => problems.push(format!("  {prefix}{key}: missing, should be {value}")),
                }
            }
            for (key, value) in got.iter().filter(|(key, _)| !expected.contains_key(*key)) {
                problems.push(format!("  {prefix}{key}: too much: {value}"));
            }
        }
        (Value::Array(expected), Value::Array(got)) if expected.len() == got.len() => {
            for (number, (one, other)) in expected.iter().zip(got).enumerate() {
                compare(&format!("{prefix}{number}."), one, other, problems);
            }
        }
        _ => problems.push(format!("  {prefix} should be {expected}\n  {prefix} is        {got}")),
    }
}

/// The server of the recordings, where cases ask one.
pub struct Server {
    process: Option<Child>,
    port: String,
}

impl Server {
    pub fn start(cases: &[Value]) -> Self {
        if !cases.iter().any(|case| case.to_string().contains("@PORT@")) {
            return Self { process: None, port: String::new() };
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/record/files_cases/server.py");
        let mut command = Command::new("python3");
        command.args(["-I", script]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("python3 for the server of the cases");
        let mut line = String::new();
        io::BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { process: Some(process), port: line.trim().to_owned() }
    }

    pub fn port(&self) -> &str {
        &self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
