//! What `command` and `shell` have in common: conditions, running, the result.

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::files::errno_text;
use crate::{Applied, Host, Map, ModuleError, Plan, Process, Result, result, time, words};

/// A program to run under conditions.
pub struct Run {
    pub argv: Vec<String>,
    /// The key `cmd` of the result.
    pub cmd: Value,
    pub chdir: Option<PathBuf>,
    pub creates: Option<String>,
    pub removes: Option<String>,
    pub stdin: Option<Vec<u8>>,
    pub strip: bool,
}

/// Standard input as the arguments describe it.
pub fn input(text: Option<String>, newline: bool) -> Option<Vec<u8>> {
    text.map(|mut text| {
        if newline {
            text.push('\n');
        }
        text.into_bytes()
    })
}

/// Is there a path that matches? Relative to `dir`.
pub fn glob_exists(host: &Host, dir: Option<&Path>, pattern: &str) -> bool {
    let full = match dir {
        Some(dir) if !pattern.starts_with('/') => {
            format!("{}/{pattern}", glob::Pattern::escape(&host.path(dir).to_string_lossy()))
        }
        _ => host.path(pattern).to_string_lossy().into_owned(),
    };
    if !pattern.contains(['*', '?', '[']) {
        return match dir {
            Some(dir) => host.path(dir.join(pattern)).symlink_metadata().is_ok(),
            None => Path::new(&full).symlink_metadata().is_ok(),
        };
    }
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..Default::default() };
    glob::glob_with(&full, options).is_ok_and(|mut found| found.next().is_some())
}

impl Run {
    fn result(&self) -> Map {
        result! {
            "changed": false, "stdout": "", "stderr": "", "rc": Value::Null, "cmd": self.cmd,
            "start": Value::Null, "end": Value::Null, "delta": Value::Null, "msg": "",
        }
    }

    /// Decide by the conditions whether it would run; run it when the plan is carried out.
    pub fn plan(self, host: &Host) -> Result<Plan> {
        let mut result = self.result();
        if let Some(dir) = &self.chdir
            && !host.path(dir).is_dir()
        {
            let mut error = ModuleError::new("Unable to change directory before execution.");
            error.result = result;
            error.result.remove("msg");
            return Err(error);
        }
        let dir = self.chdir.as_deref();
        let verb = if host.check() { "Would" } else { "Did" };
        let skip = |pattern: &String, what: &str, result: &mut Map| {
            result.insert("msg".into(), format!("{verb} not run command since '{pattern}' {what}").into());
            result.insert("stdout".into(), format!("skipped, since {pattern} {what}").into());
            result.insert("rc".into(), 0.into());
        };
        if let Some(pattern) = &self.creates
            && glob_exists(host, dir, pattern)
        {
            skip(pattern, "exists", &mut result);
            return Ok(Plan::unchanged(result));
        }
        if let Some(pattern) = &self.removes
            && !glob_exists(host, dir, pattern)
        {
            skip(pattern, "does not exist", &mut result);
            return Ok(Plan::unchanged(result));
        }
        let mut check = result.clone();
        check.insert("rc".into(), 0.into());
        check.insert("msg".into(), "Command would have run if not in check mode".into());
        let conditional = self.creates.is_some() || self.removes.is_some();
        check.insert("changed".into(), conditional.into());
        if !conditional {
            check.insert("skipped".into(), true.into());
        }
        let mut plan = Plan::change(result, move |host| self.run(host));
        plan.check = Some(check);
        Ok(plan)
    }

    fn run(self, host: &Host) -> Result<Applied> {
        let Some((program, args)) = self.argv.split_first() else {
            return Err(ModuleError::new("no command given"));
        };
        let mut process = Process::new(program).args(args).user_locale();
        if let Some(dir) = &self.chdir {
            // Shells show the variable where it names the directory they are in: here the one without links.
            let dir: PathBuf = host.path(dir).components().collect();
            let dir = dir.canonicalize().unwrap_or(dir);
            process = process.env("PWD", dir.to_string_lossy()).cwd(dir);
        }
        if let Some(input) = &self.stdin {
            process = process.stdin(input.clone());
        }
        let (start, clock) = (SystemTime::now(), Instant::now());
        let output = process.run(host).map_err(|e| {
            let line: Vec<String> = self.argv.iter().map(|w| words::quote(w)).collect();
            let msg = match e.kind() {
                std::io::ErrorKind::TimedOut => errno_text(&e, None),
                _ => "Error executing command.".to_owned(),
            };
            ModuleError::new(msg)
                .with("rc", e.raw_os_error().unwrap_or(1))
                .with("cmd", line.join(" "))
                .with("stdout", "")
                .with("stderr", "")
        })?;
        let delta = clock.elapsed();
        let text = |bytes: String| {
            if self.strip { bytes.trim_end_matches(['\r', '\n']).to_owned() } else { bytes }
        };
        let mut result = self.result();
        result.extend(result! {
            "changed": true, "rc": output.rc, "stdout": text(output.out()), "stderr": text(output.err()),
            "start": stamp(start), "end": stamp(start + delta), "delta": span(delta.as_micros()),
        });
        if output.rc != 0 {
            let mut error = ModuleError::new("non-zero return code");
            result.remove("msg");
            error.result = result;
            return Err(error);
        }
        Applied::with(result)
    }
}

/// `2026-11-21 00:09:00.387977`, local time.
pub fn stamp(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}.{:06}", time::local_at(since.as_secs() as i64, "%Y-%m-%d %H:%M:%S"), since.subsec_micros())
}

/// `0:00:00.007082`, as Python prints a time span.
pub fn span(micros: u128) -> String {
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let days = match seconds / 86400 {
        0 => String::new(),
        1 => "1 day, ".to_owned(),
        n => format!("{n} days, "),
    };
    let (hours, minutes, rest) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    format!("{days}{hours}:{minutes:02}:{rest:02}{fraction}")
}
