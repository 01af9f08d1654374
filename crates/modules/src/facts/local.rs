//! Local facts: `*.fact` files that the host's owner put there.

use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use protocol::Map;
use serde_json::Value;

use super::Facts;
use super::interpolation::interpolate;
use crate::Process;

pub fn collect(facts: &mut Facts<'_>) {
    let mut local = Map::new();
    let dir = facts.fact_path.trim_end_matches('/').to_owned();
    for name in facts.list(&dir) {
        let Some(key) = name.strip_suffix(".fact") else { continue };
        let value = one(facts, &format!("{dir}/{name}"));
        local.insert(key.to_owned(), value);
    }
    facts.add("local", local);
}

fn one(facts: &Facts<'_>, file: &str) -> Value {
    let path = facts.host.path(file);
    let executable = match path.metadata() {
        Ok(meta) => meta.permissions().mode() & 0o111 != 0,
        Err(error) => {
            let code = error.raw_os_error().unwrap_or_default();
            let text = error.to_string();
            let reason = text.split(" (os error").next().unwrap_or_default();
            return format!("Could not stat fact ({file}): [Errno {code}] {reason}: '{file}'").into();
        }
    };
    let text = if executable {
        let left = facts.until.saturating_duration_since(Instant::now());
        match Process::new(&path).user_locale().timeout(left).run(facts.host) {
            Err(error) => return format!("Could not execute fact script ({file}): {error}").into(),
            Ok(output) if !output.success() => {
                return format!(
                    "Failure executing fact script ({file}), rc: {}, err: {}",
                    output.rc,
                    output.err()
                )
                .into();
            }
            Ok(output) => match String::from_utf8(output.stdout) {
                Ok(text) => text,
                Err(_) => {
                    return format!("error loading fact - output of running \"{file}\" was not utf-8").into();
                }
            },
        }
    } else {
        match std::fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => return format!("error loading fact - could not read {file}: {error}").into(),
        }
    };
    if let Ok(value) = serde_json::from_str(&text) {
        return value;
    }
    match ini(&text) {
        Ok(sections) => sections.into(),
        Err(Unreadable::Syntax) => {
            format!("error loading facts as JSON or ini - please check content: {file}").into()
        }
        Err(Unreadable::Value(why)) => {
            format!("error loading facts as ini - please check content: {file} ({why})").into()
        }
    }
}

/// Why a file could not be read as INI.
enum Unreadable {
    Syntax,
    /// A reference in a value, with the reason.
    Value(String),
}

/// An INI file as Python's `configparser` reads it: names of options in lower case, values as text, lines that begin
/// with a blank continue the one before, `[DEFAULT]` is part of every section.
fn ini(text: &str) -> Result<Map, Unreadable> {
    use Unreadable::Syntax;
    let mut sections: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut defaults: Vec<(String, String)> = Vec::new();
    let mut in_default = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        let options = if in_default { Some(&mut defaults) } else { sections.last_mut().map(|(_, o)| o) };
        if line.starts_with([' ', '\t'])
            && let Some((_, value)) = options.and_then(|o| o.last_mut())
        {
            value.push('\n');
            value.push_str(trimmed);
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|t| t.rsplit_once(']')).map(|(name, _)| name) {
            in_default = name == "DEFAULT";
            if !in_default {
                if sections.iter().any(|(n, _)| n == name) {
                    return Err(Syntax);
                }
                sections.push((name.to_owned(), Vec::new()));
            }
            continue;
        }
        let at = trimmed.find(['=', ':']).ok_or(Syntax)?;
        let (key, value) = (trimmed[..at].trim().to_lowercase(), trimmed[at + 1..].trim().to_owned());
        let options = if in_default { &mut defaults } else { &mut sections.last_mut().ok_or(Syntax)?.1 };
        if key.is_empty() || options.iter().any(|(k, _)| *k == key) {
            return Err(Syntax);
        }
        options.push((key, value));
    }
    let mut found = Map::new();
    for (name, mut options) in sections {
        for (key, value) in &defaults {
            if !options.iter().any(|(k, _)| k == key) {
                options.push((key.clone(), value.clone()));
            }
        }
        let mut map = Map::new();
        for (key, _) in &options {
            let value = interpolate(&name, key, &options).map_err(Unreadable::Value)?;
            map.insert(key.clone(), value.into());
        }
        found.insert(name, map.into());
    }
    Ok(found)
}
