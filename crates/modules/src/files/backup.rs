//! Copies of files that are about to be replaced, named as Ansible names them.

use std::fs;
use std::path::Path;

use super::oserror::errno_text;
use super::write::copy_attributes;
use crate::time::local;
use crate::{Host, ModuleError, Result};

/// Copy a file beside itself with owner, mode and times; gives the copy's path. Nothing for what is not there.
pub fn backup(host: &Host, path: &str) -> Result<Option<String>> {
    let real = host.path(path);
    if !real.exists() {
        return Ok(None);
    }
    let copy = format!("{path}.{}.{}", std::process::id(), local("%Y-%m-%d@%H:%M:%S~"));
    let to = host.path(&copy);
    copy_to(&real, &to).map_err(|e| {
        let why = errno_text(&e, Some(&real));
        ModuleError::new(format!("Could not make backup of {path} to {copy}: {why}"))
    })?;
    Ok(Some(copy))
}

fn copy_to(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::copy(from, to)?;
    let meta = fs::metadata(from)?;
    copy_attributes(&meta, to)?;
    fs::File::options().write(true).open(to)?.set_modified(meta.modified()?)
}
