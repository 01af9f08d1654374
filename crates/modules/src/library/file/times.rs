//! Modification and access times.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use nix::sys::stat::{UtimensatFlags, utimensat};
use nix::sys::time::TimeSpec;

use super::{FileArgs, Sides};
use crate::files::{errno_text, fail_at};
use crate::{Host, ModuleError, Result, time};

/// What is wanted of one time.
#[derive(Clone, Copy)]
enum Wanted {
    Preserve,
    Now,
    /// Seconds since 1970.
    At(i64),
}

#[derive(Clone, Copy)]
pub(super) struct Times {
    modified: Wanted,
    accessed: Wanted,
}

/// The times that differ, old and new, in seconds.
pub(super) struct TimeChange {
    path: PathBuf,
    shown: String,
    modified: Option<(f64, TimeSpec)>,
    accessed: Option<(f64, TimeSpec)>,
}

impl Times {
    /// No times at all.
    pub(super) fn nothing() -> Self {
        Self { modified: Wanted::Preserve, accessed: Wanted::Preserve }
    }

    /// From the arguments; `touch` means now unless it is told otherwise, everything else leaves times alone.
    pub(super) fn of(args: &FileArgs, state: &str) -> Result<Self> {
        let default = if state == "touch" { Wanted::Now } else { Wanted::Preserve };
        let read = |time: &Option<String>, format: &str| match time.as_deref() {
            None => Ok(default),
            Some("preserve") => Ok(Wanted::Preserve),
            Some("now") => Ok(Wanted::Now),
            Some(text) => time::parse_local(text, format).map(Wanted::At).ok_or_else(|| {
                ModuleError::new(format!(
                    "Error while obtaining timestamp for time {text} using format {format}: \
                     time data '{text}' does not match format '{format}'"
                ))
            }),
        };
        Ok(Self {
            modified: read(&args.modification_time, &args.modification_time_format)?,
            accessed: read(&args.access_time, &args.access_time_format)?,
        })
    }

    /// Compare with the times of what a path leads to.
    pub(super) fn plan(self, host: &Host, path: &str) -> Result<TimeChange> {
        let real = host.path(path);
        let mut change =
            TimeChange { path: real.clone(), shown: path.to_owned(), modified: None, accessed: None };
        if let (Wanted::Preserve, Wanted::Preserve) = (self.modified, self.accessed) {
            return Ok(change);
        }
        let meta = fs::metadata(&real).map_err(|e| {
            let why = errno_text(&e, Some(&real));
            fail_at(host, path, format!("Error while updating modification or access time: {why}"))
        })?;
        let differs = |wanted: Wanted, seconds: i64, nanoseconds: i64| {
            let old = seconds as f64 + nanoseconds as f64 / 1e9;
            match wanted {
                Wanted::Preserve => None,
                Wanted::Now => Some((old, TimeSpec::UTIME_NOW)),
                Wanted::At(time) if time == seconds && nanoseconds == 0 => None,
                Wanted::At(time) => Some((old, TimeSpec::new(time, 0))),
            }
        };
        change.modified = differs(self.modified, meta.mtime(), meta.mtime_nsec());
        change.accessed = differs(self.accessed, meta.atime(), meta.atime_nsec());
        Ok(change)
    }
}

impl TimeChange {
    pub(super) fn is_empty(&self) -> bool {
        self.modified.is_none() && self.accessed.is_none()
    }

    pub(super) fn apply(&self, host: &Host) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let time = |change: &Option<(f64, TimeSpec)>| change.map_or(TimeSpec::UTIME_OMIT, |(_, new)| new);
        let flags = UtimensatFlags::FollowSymlink;
        utimensat(nix::fcntl::AT_FDCWD, &self.path, &time(&self.accessed), &time(&self.modified), flags)
            .map_err(|e| {
                let why = errno_text(&e.into(), Some(&self.path));
                fail_at(host, &self.shown, format!("Error while updating modification or access time: {why}"))
            })
    }

    pub(super) fn add_to_diff(&self, sides: &mut Sides) {
        let now = || {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            now.map_or(0.0, |d| d.as_secs_f64())
        };
        for (key, change) in [("mtime", &self.modified), ("atime", &self.accessed)] {
            let Some((old, new)) = change else { continue };
            let new = if *new == TimeSpec::UTIME_NOW { now() } else { new.tv_sec() as f64 };
            sides.before.insert(key.into(), (*old).into());
            sides.after.insert(key.into(), new.into());
        }
    }
}
