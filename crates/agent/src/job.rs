//! Background jobs (`async`): a step in a process of its own that outlives the connection.
//!
//! The job's state is a file below `~/.ansible_async`, where the module `async_status` finds it (and Ansible's, too).

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use modules::library::async_status::Job;
use modules::{Blobs, Host};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, setsid};
use protocol::{Hash, Map, Outcome, Step, frame};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::panics;
use crate::step::{Place, panicked, plan};
use crate::tmp::TempDir;

/// What the process of a job is told on its standard input.
#[derive(Serialize, Deserialize)]
struct Order {
    step: Step,
    /// Name of the job.
    jid: String,
    /// Its temporary directory, which also has the contents it needs.
    tmp: PathBuf,
}

/// Start a job; the outcome is what `async` tasks register.
pub fn start(step: &Step, place: &Place<'_>) -> Outcome {
    match try_start(step, place) {
        Ok(result) => Outcome { result, ..Outcome::default() },
        Err(error) => Outcome::failure(format!("could not start the job: {error}")),
    }
}

fn try_start(step: &Step, place: &Place<'_>) -> io::Result<Map> {
    // The step's files go with the job: the connection may be gone when it needs them.
    let mut hashes = Vec::new();
    step.args.values().for_each(|value| contents_in(value, &mut hashes));
    let (tmp, _) = TempDir::new(place.tmp.parent().and_then(Path::to_str)).map_err(io::Error::other)?;
    for hash in hashes {
        let from = place.blobs.fetch(hash)?;
        let to = tmp.path().join(hash.to_string());
        fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(drop))?;
    }
    let mut process = Command::new(&place.program.path);
    process.args(&place.program.args).arg("--job");
    process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).current_dir("/");
    // SAFETY: one system call.
    unsafe { process.pre_exec(|| setsid().map(drop).map_err(Into::into)) };
    let mut process = process.spawn()?;
    let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    let jid = format!("j{:012}.{}", time / 1000 % 1_000_000_000_000, process.id());
    let job = Job::named(&jid, &around(step, place.tmp)).ok_or_else(|| io::Error::other("no home"))?;
    if let Some(dir) = job.file().parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    }
    job.write(&json!({"started": 1, "finished": 0, "ansible_job_id": jid}))?;
    let order = Order { step: step.clone(), jid: jid.clone(), tmp: tmp.path().to_owned() };
    let frame = frame::encode(&order).map_err(io::Error::other)?;
    if let Some(mut input) = process.stdin.take() {
        input.write_all(&frame)?;
    }
    // From here on the job owns its directory.
    tmp.keep();
    let mut result = Map::new();
    result.insert("ansible_job_id".into(), jid.into());
    result.insert("changed".into(), true.into());
    result.insert("finished".into(), false.into());
    result.insert("results_file".into(), job.file().to_string_lossy().into());
    result.insert("started".into(), true.into());
    // Collect it when it ends, so that it is not left a zombie while this agent lives.
    thread::spawn(move || process.wait());
    Ok(result)
}

/// The host with the environment of a step, which may say where jobs are.
fn around(step: &Step, tmp: &Path) -> Host {
    Host::new(tmp).with_environment(step.environment.clone())
}

/// Hashes of contents that arguments refer to.
fn contents_in(value: &Value, found: &mut Vec<Hash>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$blob").and_then(Value::as_str).and_then(Hash::from_hex));
            map.values().for_each(|v| contents_in(v, found));
        }
        Value::Array(items) => items.iter().for_each(|v| contents_in(v, found)),
        _ => {}
    }
}

/// The process of a job: read the order, work, write the result.
pub fn main() -> io::Result<()> {
    let order: Order = frame::read(&mut io::stdin().lock())
        .map_err(io::Error::other)?
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    let tmp = TempDir::existing(order.tmp);
    let job = Job::named(&order.jid, &around(&order.step, tmp.path()));
    let job = job.ok_or_else(|| io::Error::other("no home"))?;
    let limit = Duration::from_secs(order.step.background);
    let deadline = Instant::now() + limit;
    let step = order.step;
    let contents = Arc::new(Directory(tmp.path().to_owned()));
    let worker = {
        let tmp = tmp.path().to_owned();
        thread::spawn(move || {
            let host = Host::new(tmp)
                .with_environment(step.environment.clone())
                .with_modes(false, step.diff)
                .in_background()
                .with_blobs(contents)
                .with_limits(Arc::new(AtomicBool::new(false)), Some(deadline));
            match plan(&step, &host) {
                Ok(plan) => panics::catch(|| plan.carry_out(&host)).unwrap_or_else(|t| panicked(&step, &t)),
                Err(outcome) => outcome,
            }
        })
    };
    while !worker.is_finished() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
    }
    let result = if Instant::now() < deadline {
        let outcome = worker.join().unwrap_or_else(|_| Outcome::failure("the job ended without a result"));
        let mut result = outcome.result;
        if !outcome.diff.is_empty() {
            result.insert("diff".into(), serde_json::to_value(&outcome.diff).unwrap_or_default());
        }
        Value::Object(result)
    } else {
        json!({"msg": "Timeout exceeded", "failed": true, "changed": false, "child_pid": std::process::id()})
    };
    job.write(&result)?;
    if Instant::now() >= deadline {
        drop(tmp);
        // What is left of this session's group; groups of programs that modules started are stopped by them.
        thread::sleep(Duration::from_millis(50));
        let _ = killpg(Pid::this(), Signal::SIGKILL);
    }
    Ok(())
}

/// Contents that came with the order.
struct Directory(PathBuf);

impl Blobs for Directory {
    fn fetch(&self, hash: Hash) -> io::Result<PathBuf> {
        let path = self.0.join(hash.to_string());
        if path.exists() { Ok(path) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}
