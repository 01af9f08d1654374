//! The host's Python, without starting it.
//!
//! Ansible reports the interpreter that runs its modules. Nothing here needs one, but playbooks look at the version
//! to choose packages, so the one that Ansible would have taken is reported. Its version is read from
//! the program's own data. Where there is none, a Python 3 is reported that might be there: conditions like
//! `ansible_python.version.major == 3` then choose what a user of today means.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::json;

use super::Facts;

/// What is reported where there is no Python.
const NONE: [u64; 3] = [3, 0, 0];

/// Names that Ansible looks for, best first.
const PROGRAMS: [&str; 8] =
    ["python3.13", "python3.12", "python3.11", "python3.10", "python3.9", "python3.8", "python3", "python"];

/// Version (`3.11.2`) and path of the interpreter.
pub fn version(facts: &Facts<'_>) -> (String, String) {
    let path = std::env::var("PATH").unwrap_or_default();
    let dirs: Vec<&str> =
        path.split(':').filter(|d| d.starts_with('/') && !d.contains("/shims")).chain(["/usr/bin"]).collect();
    let found = PROGRAMS.iter().find_map(|name| {
        dirs.iter().find_map(|dir| {
            let file = PathBuf::from(dir).join(name);
            let meta = facts.host.path(&file).metadata().ok()?;
            let program = meta.is_file() && meta.permissions().mode() & 0o111 != 0;
            if program { Some((version_of(facts, &file)?, file)) } else { None }
        })
    });
    match found {
        Some((version, file)) => (version, file.to_string_lossy().into_owned()),
        None => (NONE.map(|n| n.to_string()).join("."), "/usr/bin/python3".into()),
    }
}

/// The version of a Python program: from its name, then in full from the strings in it.
fn version_of(facts: &Facts<'_>, file: &std::path::Path) -> Option<String> {
    let mut real = facts.host.path(file);
    // Debian's `python3` is a link to `python3.11`.
    for _ in 0..4 {
        match std::fs::read_link(&real) {
            Ok(to) if to.is_absolute() => real = facts.host.path(to),
            Ok(to) => real = real.parent()?.join(to),
            Err(_) => break,
        }
    }
    let name = real.file_name()?.to_string_lossy().into_owned();
    let short = name.strip_prefix("python")?.to_owned();
    let (major, minor) = short.split_once('.')?;
    if [major, minor].iter().any(|n| n.is_empty() || !n.bytes().all(|b| b.is_ascii_digit())) {
        return None;
    }
    let micro = [real.clone(), facts.host.path(format!("/usr/lib/x86_64-linux-gnu/libpython{short}.so.1.0"))]
        .iter()
        .chain(&[facts.host.path(format!("/usr/lib64/libpython{short}.so.1.0"))])
        .find_map(|file| micro_in(&std::fs::read(file).ok()?, &short));
    Some(format!("{short}.{}", micro.unwrap_or(0)))
}

/// Find `\0 3.11.2 \0` (or `3.11.2+`) in a program.
fn micro_in(program: &[u8], short: &str) -> Option<u64> {
    let wanted = format!("\0{short}.");
    memchr::memmem::find_iter(program, wanted.as_bytes()).find_map(|at| {
        let rest = &program[at + wanted.len()..];
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let end = rest.get(digits)?;
        if !(1..4).contains(&digits) || !matches!(end, 0 | b'+' | b'a' | b'b' | b'r') {
            return None;
        }
        std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
    })
}

pub fn collect(facts: &mut Facts<'_>) {
    let (version, executable) = version(facts);
    let numbers: Vec<u64> = version.split('.').filter_map(|n| n.parse().ok()).collect();
    let [major, minor, micro] = numbers[..] else { return };
    facts.add(
        "python",
        json!({
            "executable": executable,
            "has_sslcontext": true,
            "type": "cpython",
            "version": {"major": major, "minor": minor, "micro": micro, "releaselevel": "final", "serial": 0},
            "version_info": [major, minor, micro, "final", 0],
        }),
    );
}
