//! How long the tasks of a playbook took in its last run, kept for `provision graph`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Seconds by the place of a task.
pub type Times = BTreeMap<String, f64>;

/// `$XDG_STATE_HOME/provision/timings`.
fn directory() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?;
    Some(state.join("provision/timings"))
}

fn file(directory: &Path, playbook: &Path) -> PathBuf {
    let playbook = super::setup::absolute(playbook);
    let name = protocol::Hash::of(playbook.as_os_str().as_encoded_bytes());
    directory.join(format!("{name}.json"))
}

/// What is known of a playbook; nothing if it has not run yet, or the file cannot be read.
pub fn load(playbook: &Path) -> Times {
    let read = || fs::read(file(&directory()?, playbook)).ok();
    read().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Keep the times of a run; those of tasks that did not run this time stay.
pub fn save(playbook: &Path, times: Times) -> std::io::Result<()> {
    let Some(directory) = directory().filter(|_| !times.is_empty()) else { return Ok(()) };
    let mut all = load(playbook);
    all.extend(times);
    fs::create_dir_all(&directory)?;
    let mut beside = tempfile::NamedTempFile::new_in(&directory)?;
    beside.write_all(&serde_json::to_vec(&all)?)?;
    beside.persist(file(&directory, playbook)).map_err(|e| e.error)?;
    Ok(())
}
