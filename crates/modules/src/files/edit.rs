//! Changing the text of a file: what `lineinfile`, `blockinfile` and `replace` have in common.

use std::fs;
use std::path::Path;

use protocol::Diff;

use super::attrs::{AttrChange, FileAttrs};
use super::backup::backup;
use super::info::real_path;
use super::validate::validate;
use super::write::{Replacement, write_atomically};
use crate::{Applied, Host, Map, ModuleError, Plan, Result, Value, json};

/// A file, and what its text shall become.
pub struct Edit {
    /// As the user wrote it.
    pub path: String,
    /// `None`: it is not there.
    pub before: Option<Vec<u8>>,
    pub after: Vec<u8>,
    pub attrs: FileAttrs,
    pub backup: bool,
    pub validate: Option<String>,
    /// Key of the result for the backup's name.
    pub backup_key: &'static str,
    /// What changed, for `msg`.
    pub message: String,
    /// Show contents and attributes under headers of their own.
    pub headers: bool,
    /// The text is Latin-1, not UTF-8.
    pub latin1: bool,
}

const ATTRIBUTES: &str = "ownership, perms or SE linux context changed";

impl Edit {
    /// The content of the file, `None` if it is missing and may be made; else the errors of these modules.
    pub fn read(host: &Host, path: &str, create: bool, what: &str) -> Result<Option<Vec<u8>>> {
        let real = host.path(path);
        if real.is_dir() {
            return Err(ModuleError::new(format!("Path {path} is a directory !")).with("rc", 256));
        }
        if !real.exists() {
            if create {
                return Ok(None);
            }
            return Err(ModuleError::new(format!("{what} {path} does not exist !")).with("rc", 257));
        }
        let content = fs::read(&real).map_err(|e| {
            ModuleError::new(format!("could not read {path}: {}", super::oserror::strerror(&e)))
        })?;
        Ok(Some(content))
    }

    /// The plan: `result` gets `msg`, `changed` and where there is one the backup.
    pub fn plan(self, host: &Host, mut result: Map) -> Result<Plan> {
        if let Some(command) = self.validate.as_ref().filter(|c| !c.contains("%s")) {
            return Err(ModuleError::new(format!("validate must contain %s: {command}")));
        }
        let target = self.target(host);
        let content = self.before.as_ref() != Some(&self.after) && !self.message.is_empty();
        let attributes = match (&self.before, host.check()) {
            (Some(_), _) => self.attrs.plan(host, &target)?,
            (None, false) if content => self.attrs.plan_new(host, &target)?,
            (None, _) => AttrChange::default(),
        };
        let mut message = self.message.clone();
        if !attributes.is_empty() {
            message = if content { format!("{message} and {ATTRIBUTES}") } else { ATTRIBUTES.to_owned() };
        }
        result.insert("msg".into(), message.into());
        let mut plan = Plan::unchanged(result);
        if host.diff() {
            plan.diff = self.diffs(content, &attributes);
        }
        if content || !attributes.is_empty() {
            plan.apply = Some(Box::new(move |host: &Host| {
                let mut result = Map::new();
                if content {
                    if let Some(kept) = self.write(host, &target)? {
                        result.insert(self.backup_key.into(), kept.into());
                    }
                    // Attributes as of chattr are for the file in its place.
                    self.attrs.plan(host, &target)?.apply(host)?;
                } else {
                    attributes.apply(host)?;
                }
                Applied::with(result)
            }));
        }
        Ok(plan)
    }

    /// Links are followed: what they point to is changed.
    fn target(&self, host: &Host) -> String {
        if host.is_real() && host.path(&self.path).is_symlink() {
            return real_path(&host.path(&self.path)).to_string_lossy().into_owned();
        }
        self.path.clone()
    }

    fn diffs(&self, content: bool, attributes: &AttrChange) -> Vec<Diff> {
        let text = |bytes: &[u8]| -> Option<Value> {
            let text = match self.latin1 {
                true => bytes.iter().map(|b| char::from(*b)).collect(),
                false => String::from_utf8_lossy(bytes).into_owned(),
            };
            Some(text.into())
        };
        let header = |what: &str| {
            Some(if self.headers { format!("{} ({what})", self.path) } else { self.path.clone() })
        };
        let mut diffs = Vec::new();
        if content {
            diffs.push(Diff {
                before: text(self.before.as_deref().unwrap_or_default()),
                after: text(&self.after),
                before_header: header("content"),
                after_header: header("content"),
                ..Diff::default()
            });
        }
        if !attributes.is_empty() && self.headers {
            let (mut before, mut after) = (Map::new(), Map::new());
            attributes.add_to_diff(&mut before, &mut after);
            diffs.push(Diff {
                before: Some(json!(before)),
                after: Some(json!(after)),
                before_header: header("file attributes"),
                after_header: header("file attributes"),
                ..Diff::default()
            });
        }
        diffs
    }

    fn write(&self, host: &Host, target: &str) -> Result<Option<String>> {
        if let Some(command) = &self.validate
            && let Some(said) = validate(host, command, &self.after)?
        {
            return Err(ModuleError::new(format!("failed to validate: rc:{} error:{}", said.rc, said.err())));
        }
        if self.before.is_none()
            && let Some(parent) = Path::new(target).parent()
        {
            fs::create_dir_all(host.path(parent)).map_err(|e| {
                let why = super::oserror::strerror(&e);
                ModuleError::new(format!("Error creating {} ({why})", parent.display()))
            })?;
        }
        let kept = if self.backup && self.before.is_some() { backup(host, &self.path)? } else { None };
        let replacement = Replacement { path: target, attrs: &self.attrs, new_mode: None, instead: None };
        write_atomically(host, &replacement, &mut &self.after[..])?;
        Ok(kept)
    }
}
