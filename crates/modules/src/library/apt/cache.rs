//! The age of apt's index, and refreshing it.

use std::fs;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::system::program;
use crate::{Host, Map, Result, fail, result};

use super::AptArgs;

const STAMP: &str = "/var/lib/apt/periodic/update-success-stamp";
const LISTS: &str = "/var/lib/apt/lists";

/// When the index was refreshed last, in seconds since 1970; 0 if never.
pub fn time(host: &Host) -> u64 {
    let modified = |path: &str| fs::metadata(host.path(path)).and_then(|m| m.modified()).ok();
    let time = modified(STAMP).or_else(|| modified(LISTS));
    time.and_then(|t| t.duration_since(UNIX_EPOCH).ok()).map_or(0, |d| d.as_secs())
}

/// Is it to be refreshed now?
pub fn is_due(args: &AptArgs, host: &Host) -> bool {
    if args.update_cache != Some(true) && args.cache_valid_time == 0 {
        return false;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    time(host).saturating_add(u64::try_from(args.cache_valid_time).unwrap_or(0)) <= now
}

/// The keys about the index that results have.
pub fn keys(host: &Host, updated: bool) -> Map {
    result! {"cache_update_time": time(host), "cache_updated": updated}
}

/// Refresh it, as often as the task allows.
pub fn update(args: &AptArgs, host: &Host) -> Result<()> {
    refresh(args.update_cache_retries, args.update_cache_retry_max_delay, args.lock_timeout, host)
}

/// `apt-get update` with retries; used after changes of the sources, too.
pub fn refresh(retries: i64, max_delay: i64, lock_timeout: i64, host: &Host) -> Result<()> {
    let before = time(host);
    let mut said = String::new();
    for attempt in 0..retries.max(0) {
        let process = program::process(host, "apt-get")?
            .args(["-q", "-o", "APT::Update::Error-Mode=any", "-o"])
            .arg(format!("DPkg::Lock::Timeout={lock_timeout}"))
            .arg("update")
            .env("DEBIAN_FRONTEND", "noninteractive");
        let output = program::run(host, &process)?;
        if output.success() {
            if time(host) <= before {
                let now = fs::File::open(host.path(LISTS)).and_then(|d| d.set_modified(SystemTime::now()));
                now.map_err(|e| fail!("could not set the time of {LISTS}: {e}"))?;
            }
            return Ok(());
        }
        said = complaint(&output.err());
        let pause = (1_i64 << attempt.min(16)).min(max_delay).max(0);
        if attempt + 1 < retries {
            thread::sleep(Duration::from_secs(pause as u64));
        }
        if host.is_cancelled() {
            break;
        }
    }
    Err(fail!("Failed to update apt cache after {retries} retries: {said}"))
}

/// Errors of `apt-get`, as the Python binding of apt words them.
fn complaint(said: &str) -> String {
    let lines: Vec<String> = said
        .lines()
        .filter(|l| l.starts_with("E: ") && !l.starts_with("E: Some index files failed"))
        .map(|l| l.replacen("E: ", "E:", 1))
        .collect();
    if lines.is_empty() { said.trim().to_owned() } else { lines.join(", ") }
}
