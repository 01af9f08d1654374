//! Modules about files against what ansible-core did on the same input.
//!
//! The expectations in `recorded/` are made by `tests/record/modules_files.py`. Each case is set up in an empty
//! directory, run as the agent would run it (plan, then carry out unless in check mode), run again, and the
//! results and the files left behind are compared with those that ansible-core left.

mod controller;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use base64::Engine as _;
use fancy_regex::Regex;
use modules::{Host, Map, Value, json};
use protocol::Outcome;

/// Keys whose values are those of the moment or of the machine.
const VOLATILE: [&str; 17] = [
    "port",
    "atime",
    "mtime",
    "ctime",
    "birthtime",
    "inode",
    "dev",
    "start",
    "end",
    "delta",
    "device_type",
    "version",
    "block_size",
    "blocks",
    "elapsed",
    "backup_file",
    "backup",
];

fn is_root() -> bool {
    nix::unistd::Uid::effective().is_root()
}

fn replaced(value: &Value, old: &str, new: &str) -> Value {
    match value {
        Value::String(text) => text.replace(old, new).into(),
        Value::Array(items) => items.iter().map(|v| replaced(v, old, new)).collect(),
        Value::Object(map) => {
            map.iter().map(|(k, v)| (k.replace(old, new), replaced(v, old, new))).collect::<Map>().into()
        }
        other => other.clone(),
    }
}

/// Names of temporary files are those of the moment.
fn without_downloads(value: &Value, downloads: &Regex) -> Value {
    match value {
        Value::String(text) => downloads.replace_all(text, "@TMP@").into_owned().into(),
        Value::Array(items) => items.iter().map(|v| without_downloads(v, downloads)).collect(),
        Value::Object(map) => {
            map.iter().map(|(k, v)| (k.clone(), without_downloads(v, downloads))).collect::<Map>().into()
        }
        other => other.clone(),
    }
}

/// Make values that may differ the same on both sides.
fn masked(value: &Value) -> Value {
    match value {
        // What `find` finds has no order.
        Value::Array(items) if items.iter().all(|item| item.get("path").is_some()) => {
            let mut items: Vec<Value> = items.iter().map(masked).collect();
            items.sort_by_key(|item| item["path"].to_string());
            items.into()
        }
        Value::Array(items) => items.iter().map(masked).collect(),
        Value::Object(map) => {
            let link =
                map.get("state").is_some_and(|s| s == "link") || map.get("islnk") == Some(&true.into());
            let directory =
                map.get("state").is_some_and(|s| s == "directory") || map.get("isdir") == Some(&true.into());
            let mask = |key: &str, value: &Value| {
                let volatile = VOLATILE.contains(&key) && (value.is_number() || value.is_string())
                    || key == "size" && (link || directory)
                    || key == "nlink" && directory
                    || !is_root() && ["uid", "gid", "owner", "group"].contains(&key);
                if volatile { "*".into() } else { masked(value) }
            };
            let mut sorted: Vec<(String, Value)> = map.iter().map(|(k, v)| (k.clone(), mask(k, v))).collect();
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(sorted.into_iter().collect())
        }
        other => other.clone(),
    }
}

fn tree(root: &Path, dir: &Path, found: &mut BTreeMap<String, Value>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        let meta = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        let mut shown = Map::new();
        if meta.is_symlink() {
            shown.insert("link".into(), fs::read_link(&path).unwrap().to_string_lossy().into_owned().into());
        } else {
            shown.insert("mode".into(), format!("{:04o}", meta.permissions().mode() & 0o7777).into());
            if is_root() && (meta.uid() != 0 || meta.gid() != 0) {
                shown.insert("owner".into(), json!([meta.uid(), meta.gid()]));
            }
            if meta.is_dir() {
                shown.insert("dir".into(), true.into());
                tree(root, &path, found);
            } else if meta.is_file() {
                let content = fs::read(&path).unwrap();
                match String::from_utf8(content) {
                    Ok(text) => shown.insert("text".into(), text.into()),
                    Err(e) => {
                        let text = base64::engine::general_purpose::STANDARD.encode(e.into_bytes());
                        shown.insert("base64".into(), text.into())
                    }
                };
            } else {
                shown.insert("special".into(), true.into());
            }
        }
        // Backups have the time and a process number in their name.
        let name = match name.rsplit_once('~') {
            Some((start, "")) => format!("{}.BACKUP~", start.split('.').next().unwrap_or_default()),
            _ => name,
        };
        found.insert(name, shown.into());
    }
}

fn diffs(outcome: &Outcome) -> Value {
    let shown: Vec<Value> = outcome
        .diff
        .iter()
        .map(|d| {
            let mut map = d.notes.clone();
            let fields = [
                ("before", &d.before),
                ("after", &d.after),
                ("before_header", &d.before_header.clone().map(Value::from)),
                ("after_header", &d.after_header.clone().map(Value::from)),
                ("prepared", &d.prepared.clone().map(Value::from)),
            ];
            for (key, value) in fields {
                if let Some(value) = value {
                    map.insert(key.into(), value.clone());
                }
            }
            map.into()
        })
        .collect();
    match <[Value; 1]>::try_from(shown) {
        Ok([one]) => one,
        Err(many) => many.into(),
    }
}

/// A recorded diff in the form of ours: nothing to say is nothing.
fn recorded_diff(diff: &Value) -> Value {
    match diff {
        Value::Array(items) => {
            let items: Vec<Value> = items.iter().filter(|d| !is_empty(d)).cloned().collect();
            match <[Value; 1]>::try_from(items) {
                Ok([one]) => one,
                Err(many) => many.into(),
            }
        }
        one if is_empty(one) => json!([]),
        one => one.clone(),
    }
}

fn is_empty(diff: &Value) -> bool {
    match diff {
        Value::Object(map) => {
            let bare = |v: Option<&Value>| match v {
                None => true,
                Some(Value::Object(side)) => side.keys().all(|k| k == "path"),
                Some(v) => v == "" && map.get("before") == map.get("after"),
            };
            map.keys().all(|k| matches!(k.as_str(), "before" | "after" | "before_header" | "after_header"))
                && (bare(map.get("before")) && bare(map.get("after"))
                    || map.get("before") == map.get("after"))
        }
        Value::Array(items) => items.iter().all(is_empty),
        Value::String(text) => text.is_empty(),
        _ => true,
    }
}

fn run(name: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded").join(format!("{name}.json"));
    let cases: Vec<Value> = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    // What the setups and modules make has the permissions of the recording.
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
    let only = std::env::var("CASE").unwrap_or_default();
    let mut wrong = Vec::new();
    let mut count = 0;
    let server = controller::Server::start(&cases);
    for case in &cases {
        let title = case["name"].as_str().unwrap();
        if !title.contains(&only) || case["root"] == true && !is_root() {
            continue;
        }
        count += 1;
        let mut problems = one(name, case, server.port());
        if !problems.is_empty() {
            problems.insert(0, format!("## {name}: {title}: {}", case["args"]));
            wrong.push(problems.join("\n"));
        }
    }
    assert!(wrong.is_empty(), "{} of {count} cases differ\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(count > 0);
}

fn one(name: &str, case: &Value, port: u16) -> Vec<String> {
    let home = tempfile::Builder::new().prefix("rec-").tempdir().unwrap();
    let (root, tmp) = (home.path().join("c000"), home.path().join("tmp"));
    fs::create_dir(&root).unwrap();
    fs::create_dir(&tmp).unwrap();
    let here = root.to_string_lossy().into_owned();
    // No server, no port: nothing to replace.
    let port = if port == 0 { "@PORT@".to_owned() } else { port.to_string() };
    let filled = |text: &str| text.replace("@D@", &here).replace("@PORT@", &port);
    let setup = Command::new("sh")
        .arg("-ec")
        .arg(filled(case["setup"].as_str().unwrap_or_default()))
        .current_dir(&root)
        .status();
    assert!(setup.unwrap().success(), "setup of {}", case["name"]);
    let args = replaced(&replaced(&case["args"], "@D@", &here), "@PORT@", &port);
    let Value::Object(args) = args else { panic!("arguments") };
    let flag = |key: &str| case[key] == true;
    let environment = case.get("environment").cloned().unwrap_or(json!({}));
    let environment: BTreeMap<String, String> =
        serde_json::from_value(replaced(&environment, "@PORT@", &port)).unwrap();
    let module = case["module"].as_str().unwrap().rsplit('.').next().unwrap();
    let mut problems = Vec::new();
    let call = || -> Outcome {
        let contents = Arc::new(controller::Contents::default());
        let host = Host::new(&tmp)
            .with_environment(environment.clone())
            .with_modes(flag("check"), flag("diff"))
            .with_blobs(contents.clone());
        controller::call(module, args.clone(), &host, &contents)
    };
    let outcome = call();
    let downloads =
        Regex::new(&format!(r"({}|{here}/t)/(download-\w+(/[\w.]+)?|unarchive-\w+/[\w.]+)", tmp.display()))
            .unwrap();
    let normal = |value: &Value| {
        let value = without_downloads(value, &downloads);
        masked(&replaced(&replaced(&value, &here, "@D@"), &port, "@PORT@"))
    };
    let mut recorded = case["result"].as_object().unwrap().clone();
    let diff = recorded.remove("diff").unwrap_or(Value::Null);
    // A temporary file of Ansible's has the same name in our directory; of a file that is kept, the controller names
    // the source.
    if let Some(src) = recorded.get("src").and_then(Value::as_str).filter(|src| src.contains(".ansible/tmp"))
    {
        let name = src.rsplit('/').next().unwrap_or_default();
        match outcome.result.contains_key("src") {
            true => recorded.insert("src".into(), format!("{}/{name}", tmp.display()).into()),
            false => recorded.remove("src"),
        };
    }
    // Ansible's message is of no use, or has a random name in it: it only has to be there.
    if case.get("own_words").is_some() {
        recorded.remove("msg");
        if outcome.result.get("msg").is_none_or(|m| m == "") {
            problems.push("no message".to_owned());
        }
    }
    let mut got = outcome.result.clone();
    got.remove("warnings");
    if case.get("own_words").is_some() {
        got.remove("msg");
    }
    if case.get("better").is_some() {
        recorded.retain(|key, _| ["failed", "msg", "changed"].contains(&key.as_str()));
        recorded.extend(case.get("ours").and_then(Value::as_object).cloned().unwrap_or_default());
        for (key, expected) in &recorded {
            let got = outcome.result.get(key).cloned().unwrap_or(Value::Null);
            compare(&format!("{key}."), &normal(expected), &normal(&got), &mut problems);
        }
        return problems;
    }
    let (expected, got) = (normal(&recorded.into()), normal(&Value::Object(got)));
    compare("", &expected, &got, &mut problems);
    if flag("diff") && !outcome.failed() {
        let (expected, got) = (normal(&recorded_diff(&diff)), normal(&recorded_diff(&diffs(&outcome))));
        compare("diff.", &expected, &got, &mut problems);
    }
    if let Some(again) = case.get("again") {
        let second = call();
        if again["changed"] == true && !second.changed() && !flag("check") && case.get("idempotent").is_none()
        {
            problems.push("again: ansible changes, we do not".to_owned());
        }
        if again["changed"] == false && second.changed() {
            problems.push(format!("again: we change\n  {}", normal(&second.result.into())));
        }
    }
    let mut left = BTreeMap::new();
    tree(&root, &root, &mut left);
    for name in case["opaque"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        left.insert(name.to_owned(), json!({"opaque": true}));
    }
    let left = normal(&json!(left));
    let mut expected = BTreeMap::new();
    for (name, value) in case["tree"].as_object().unwrap() {
        let mut value = value.clone();
        if let Value::Object(map) = &mut value
            && !is_root()
        {
            map.remove("owner");
        }
        let name = match name.rsplit_once('~') {
            Some((start, "")) => format!("{}.BACKUP~", start.split('.').next().unwrap_or_default()),
            _ => name.clone(),
        };
        expected.insert(name, value);
    }
    compare("tree.", &normal(&json!(expected)), &left, &mut problems);
    let _ = name;
    problems
}

/// What differs, key by key.
fn compare(prefix: &str, expected: &Value, got: &Value, problems: &mut Vec<String>) {
    if expected == got {
        return;
    }
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            for (key, value) in expected {
                match got.get(key) {
                    Some(other) => compare(&format!("{prefix}{key}."), value, other, problems),
                    None => problems.push(format!("  {prefix}{key}: missing, should be {value}")),
                }
            }
            for (key, value) in got.iter().filter(|(key, _)| !expected.contains_key(*key)) {
                problems.push(format!("  {prefix}{key}: too much: {value}"));
            }
        }
        _ => problems.push(format!("  {prefix}: should be {expected}\n  {prefix}: is        {got}")),
    }
}

macro_rules! recorded {
    ($($name:ident),* $(,)?) => { $(
        #[test]
        fn $name() {
            run(stringify!($name));
        }
    )* };
}

recorded![
    file,
    find,
    ini_file,
    command,
    shell,
    stat,
    copy,
    lineinfile,
    blockinfile,
    replace,
    slurp,
    tempfile,
    get_url,
    uri,
    wait_for,
    unarchive
];
