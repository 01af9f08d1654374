//! Running `apt-get`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::system::program;
use crate::{Diff, Host, Map, ModuleError, Process, Result, fail, result};

use super::AptArgs;

const POLICY_RC_D: &str = "/usr/sbin/policy-rc.d";

/// One call.
pub struct Apt {
    verb: &'static str,
    names: Vec<String>,
    upgrade: bool,
}

/// What came of it.
pub struct Answer {
    pub changed: bool,
    /// `stdout`, `stderr`, `changed` ...
    pub result: Map,
    prepared: Option<String>,
}

impl Answer {
    pub fn new(changed: bool, result: Map, prepared: Option<String>) -> Self {
        Self { changed, result, prepared }
    }

    pub fn diff(&self) -> Option<Diff> {
        self.prepared.clone().map(|text| Diff { prepared: Some(text), ..Diff::default() })
    }
}

impl Apt {
    pub fn new(verb: &'static str, names: Vec<String>) -> Self {
        Self { verb, names, upgrade: false }
    }

    pub fn bare(verb: &'static str) -> Self {
        Self::new(verb, Vec::new())
    }

    pub fn upgrade(mode: &str) -> Self {
        match mode {
            "dist" | "full" => Self { upgrade: true, ..Self::bare("dist-upgrade") },
            _ => Self { upgrade: true, ..Self::bare("upgrade") },
        }
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Run it, or let it only say what it would do.
    pub fn run(&self, args: &AptArgs, host: &Host, simulate: bool) -> Result<Answer> {
        let words = self.words(args, host, simulate)?;
        let command = shown(&words);
        let plain: Vec<&String> = words.iter().filter(|w| !w.is_empty()).collect();
        let process = environment(Process::new(plain[0]).args(&plain[1..]));
        let policy = if simulate { None } else { PolicyRcD::set(args, host)? };
        let output = program::run(host, &process);
        if let Some(policy) = policy {
            policy.restore(host)?;
        }
        let output = output?;
        let (out, err) = (output.out(), output.err());
        if !output.success() {
            let msg = match self.verb {
                "remove" => format!("'apt-get remove {}' failed: {err}", quoted(&self.names)),
                _ => format!("'{command}' failed: {err}"),
            };
            let error = ModuleError::new(msg).with("rc", output.rc);
            return Err(error.with("stdout", out).with("stderr", err));
        }
        let changed = match self.verb {
            "autoclean" => out.lines().any(|l| l.starts_with("Del ")),
            _ => !out.contains("0 upgraded, 0 newly installed, 0 to remove"),
        };
        let mut result = result! {"changed": changed, "stdout": out, "stderr": err};
        if self.upgrade {
            result.insert("msg".into(), out.clone().into());
        }
        let prepared = if host.diff() { difference(&out) } else { None };
        Ok(Answer { changed, result, prepared })
    }

    /// Words of the command line; empty ones are places of options that are not set, which only show in errors.
    fn words(&self, args: &AptArgs, host: &Host, simulate: bool) -> Result<Vec<String>> {
        let on = |set: bool, word: &str| if set { word.to_owned() } else { String::new() };
        let mut words = vec![program::required(host, "apt-get")?.display().to_string(), "-y".into()];
        for option in args.dpkg_options.split(',').map(str::trim).filter(|o| !o.is_empty()) {
            words.extend(["-o".into(), format!("Dpkg::Options::=--{option}")]);
        }
        words.extend(["-o".into(), format!("DPkg::Lock::Timeout={}", args.lock_timeout)]);
        match self.verb {
            "install" | "build-dep" => words.extend([
                on(args.only_upgrade, "--only-upgrade"),
                on(args.state == "fixed", "--fix-broken"),
                on(args.force, "--force-yes"),
                on(args.autoremove && self.verb == "install", "--auto-remove"),
                on(args.fail_on_autoremove, "--no-remove"),
                on(simulate, "--simulate"),
                self.verb.into(),
            ]),
            _ => words.extend([
                on(args.purge && matches!(self.verb, "remove" | "autoremove"), "--purge"),
                on(args.force, "--force-yes"),
                on(args.autoremove && (self.verb == "remove" || self.upgrade), "--auto-remove"),
                on(args.fail_on_autoremove && self.upgrade, "--no-remove"),
                on(self.verb == "upgrade", "--with-new-pkgs"),
                on(simulate, "--simulate"),
                self.verb.into(),
            ]),
        }
        words.extend(self.names.iter().cloned());
        if self.verb != "remove"
            && let Some(release) = &args.default_release
        {
            words.extend(["-t".into(), release.clone()]);
        }
        if matches!(self.verb, "install" | "build-dep")
            && let Some(recommends) = args.install_recommends
        {
            let yes = if recommends { "yes" } else { "no" };
            words.extend(["-o".into(), format!("APT::Install-Recommends={yes}")]);
        }
        if self.verb != "autoclean" {
            words.push(on(args.allow_unauthenticated, "--allow-unauthenticated"));
            words.push(on(args.allow_downgrade, "--allow-downgrades"));
            words.push(on(args.allow_change_held_packages, "--allow-change-held-packages"));
        }
        while words.last().is_some_and(String::is_empty) {
            words.pop();
        }
        Ok(words)
    }
}

/// The command line as an error shows it.
fn shown(words: &[String]) -> String {
    let mut out = Vec::new();
    let mut verb_seen = false;
    for word in words {
        let is_verb = ["install", "build-dep", "upgrade", "dist-upgrade"].contains(&word.as_str());
        out.push(match word {
            w if w.starts_with("Dpkg::Options") => format!("\"{w}\""),
            w if verb_seen && !w.starts_with('-') && !w.is_empty() && !w.starts_with("APT::") => {
                format!("'{w}'")
            }
            w => w.clone(),
        });
        verb_seen |= is_verb;
    }
    out.join(" ")
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|n| format!("'{n}'")).collect::<Vec<_>>().join(" ")
}

pub fn environment(process: Process) -> Process {
    let language = [("LANG", "C"), ("LC_ALL", "C"), ("LC_MESSAGES", "C"), ("LC_CTYPE", "C")];
    let debian = [("DEBIAN_FRONTEND", "noninteractive"), ("DEBIAN_PRIORITY", "critical")];
    language.into_iter().chain(debian).fold(process, |p, (name, value)| p.env(name, value))
}

/// What `--diff` shows: which packages come, change and go.
fn difference(out: &str) -> Option<String> {
    let lines: Vec<&str> = out.lines().skip_while(|l| !l.starts_with("The following")).collect();
    let end = lines.iter().position(|l| l.contains(" upgraded, ") && l.contains("newly installed"));
    let lines = &lines[..end.map_or(lines.len(), |e| e + 1)];
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Are there downloaded packages to clean away?
pub fn has_archives(host: &Host) -> bool {
    let has = |dir: &str| {
        let entries = fs::read_dir(host.path(dir)).ok();
        entries.is_some_and(|mut e| {
            e.any(|e| e.is_ok_and(|e| e.file_name() != "lock" && e.file_name() != "partial"))
        })
    };
    has("/var/cache/apt/archives") || has("/var/cache/apt/archives/partial")
}

pub fn clean(args: &AptArgs, host: &Host) -> Result<Answer> {
    let timeout = format!("DPkg::Lock::Timeout={}", args.lock_timeout);
    let process = environment(program::process(host, "apt-get")?.args(["-o", &timeout, "clean"]));
    let output = process.check(host)?;
    let result = result! {"changed": true, "msg": "", "stdout": output.out(), "stderr": output.err()};
    Ok(Answer { changed: true, result, prepared: None })
}

/// A `policy-rc.d` for the time of one installation.
pub struct PolicyRcD {
    saved: Option<Vec<u8>>,
}

impl PolicyRcD {
    /// `None` when the task does not ask for one.
    pub fn set(args: &AptArgs, host: &Host) -> Result<Option<Self>> {
        let Some(code) = args.policy_rc_d else { return Ok(None) };
        let path = host.path(POLICY_RC_D);
        let saved = fs::read(&path).ok();
        let write = || {
            fs::write(&path, format!("#!/bin/sh\nexit {code}\n"))?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
        };
        write().map_err(|e| fail!("Failed to create {POLICY_RC_D}: {e}"))?;
        Ok(Some(Self { saved }))
    }

    pub fn restore(self, host: &Host) -> Result<()> {
        let path = host.path(POLICY_RC_D);
        let restored = match self.saved {
            Some(content) => fs::write(&path, content),
            None => fs::remove_file(&path),
        };
        restored.map_err(|e| fail!("Failed to restore {POLICY_RC_D}: {e}"))
    }
}
