//! The little of the controller that modules split between both sides need in a test.

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use modules::{Blobs, Host, Map, Value};
use protocol::{Hash, Outcome};

/// Contents by hash, as the controller would send them.
#[derive(Default)]
pub struct Contents(Mutex<HashMap<String, PathBuf>>);

impl Contents {
    /// Offer a file; gives its argument.
    fn add(&self, path: &std::path::Path) -> Value {
        let content = std::fs::read(path).unwrap();
        let hash = Hash::of(&content);
        self.0.lock().unwrap().insert(hash.to_string(), path.to_owned());
        modules::Blob::Remote { hash, size: content.len() as u64 }.to_json()
    }
}

impl Blobs for Contents {
    fn fetch(&self, hash: Hash) -> io::Result<PathBuf> {
        let known = self.0.lock().unwrap();
        known.get(&hash.to_string()).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

/// The server of the recordings, where cases ask one.
pub struct Server {
    process: Option<Child>,
    port: u16,
}

impl Server {
    pub fn start(cases: &[Value]) -> Self {
        if !cases.iter().any(|case| case.to_string().contains("@PORT@")) {
            return Self { process: None, port: 0 };
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/record/files_cases/server.py");
        let mut process = Command::new("python3")
            .args(["-I", script])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 for the server of the cases");
        let mut line = String::new();
        io::BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { process: Some(process), port: line.trim().parse().unwrap() }
    }

    pub fn port(&self) -> u16 {
        self.port
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

/// Run a call as controller and agent do together.
pub fn call(module: &str, args: Map, host: &Host, contents: &Contents) -> Outcome {
    match module {
        "copy" if args.get("remote_src") != Some(&true.into()) => copy(args, host, contents),
        _ => agent(module, &args, host),
    }
}

fn failed(msg: &str) -> Outcome {
    Outcome::failure(msg)
}

/// Controller's part of `copy`, as far as the recorded cases need it.
fn copy(mut args: Map, host: &Host, contents: &Contents) -> Outcome {
    if args.contains_key("content") && args.contains_key("src") {
        return failed("src and content are mutually exclusive");
    }
    if !args.contains_key("content") && !args.contains_key("src") {
        return failed("src (or content) is required");
    }
    if !args.contains_key("dest") {
        return failed("dest is required");
    }
    match args.get("content") {
        Some(Value::String(_)) => return agent("copy", &args, host),
        Some(dict) => {
            // Python's json.dumps has blanks.
            let text = dict.to_string().replace("\":", "\": ").replace(',', ", ");
            args.insert("content".into(), text.into());
            return agent("copy", &args, host);
        }
        None => {}
    }
    let Some(Value::String(src)) = args.remove("src") else { panic!("src") };
    let preserve = args.get("mode").is_some_and(|m| m == "preserve");
    let follow = args.get("local_follow") != Some(&false.into());
    let path = std::path::Path::new(&src);
    let mode = |path: &std::path::Path| {
        use std::os::unix::fs::PermissionsExt;
        format!("{:04o}", std::fs::metadata(path).unwrap().permissions().mode() & 0o7777)
    };
    if path.is_file() {
        args.insert("content".into(), contents.add(path));
        args.insert("_original_basename".into(), path.file_name().unwrap().to_str().unwrap().into());
        args.insert("_source".into(), src.clone().into());
        if preserve {
            args.insert("mode".into(), mode(path).into());
        }
        return agent("copy", &args, host);
    }
    let mut entries = Vec::new();
    let base = if src.ends_with('/') { path } else { path.parent().unwrap() };
    let mut pending = vec![path.to_owned()];
    while let Some(dir) = pending.pop() {
        for entry in std::fs::read_dir(dir).unwrap().flatten() {
            let path = entry.path();
            let mut map = Map::new();
            map.insert("path".into(), path.strip_prefix(base).unwrap().to_str().unwrap().into());
            if path.is_symlink() && !follow {
                map.insert("link".into(), std::fs::read_link(&path).unwrap().to_str().unwrap().into());
            } else if path.is_dir() {
                map.insert("directory".into(), true.into());
                pending.push(path);
            } else {
                map.insert("content".into(), contents.add(&path));
                map.insert("source".into(), path.to_str().unwrap().into());
                if preserve {
                    map.insert("mode".into(), mode(&path).into());
                }
            }
            entries.push(Value::from(map));
        }
    }
    if preserve {
        args.remove("mode");
    }
    args.insert("tree".into(), entries.into());
    let mut outcome = agent("copy", &args, host);
    outcome.result.insert("src".into(), src.into());
    outcome
}

pub fn agent(module: &str, args: &Map, host: &Host) -> Outcome {
    let entry = modules::find(module).unwrap_or_else(|| panic!("no module {module}"));
    match (entry.plan)(args, host) {
        Err(error) => error.into_outcome(),
        Ok(plan) if host.check() => plan.outcome(),
        Ok(plan) => plan.carry_out(host),
    }
}
