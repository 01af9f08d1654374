//! The file in `sites-available`.

use std::fs;
use std::path::PathBuf;

use crate::files::{FileAttrs, Replacement, errno_text, write_atomically};
use crate::{Blob, Host, Result, fail};

pub struct Place {
    pub path: String,
    pub exists: bool,
}

/// The file as it was, for as long as the new one is on trial.
pub struct Former {
    file: PathBuf,
    aside: Option<PathBuf>,
}

impl Place {
    pub fn look(host: &Host, path: &str) -> Result<Self> {
        let meta = fs::symlink_metadata(host.path(path)).ok();
        if meta.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(fail!("{path} is a directory, and should be the file of the site"));
        }
        Ok(Self { path: path.to_owned(), exists: meta.is_some() })
    }

    /// Keep what is there under another name; nginx reads only what `sites-enabled` links to.
    pub fn keep(&self, host: &Host) -> Result<Former> {
        let file = host.path(&self.path);
        if !self.exists {
            return Ok(Former { file, aside: None });
        }
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let aside = file.with_file_name(format!(".{name}.provision-{}", std::process::id()));
        // One left by a process of this number that was killed.
        let _ = fs::remove_file(&aside);
        fs::hard_link(&file, &aside)
            .map_err(|e| fail!("could not keep {}: {}", self.path, errno_text(&e, Some(&aside))))?;
        Ok(Former { file, aside: Some(aside) })
    }

    pub fn write(&self, host: &Host, content: &Blob, attrs: &FileAttrs) -> Result<()> {
        let replacement = Replacement { path: &self.path, attrs, new_mode: None, instead: None };
        write_atomically(host, &replacement, &mut content.open(host)?)
    }

    /// Owner and mode of a file whose text stays. It is written anew, because the former one has to stay as it was.
    pub fn set_attributes(&self, host: &Host, attrs: &FileAttrs) -> Result<()> {
        if attrs.plan(host, &self.path)?.is_empty() {
            return Ok(());
        }
        let content = fs::read(host.path(&self.path))
            .map_err(|e| fail!("could not read {}: {}", self.path, errno_text(&e, None)))?;
        self.write(host, &Blob::Inline(content), attrs)
    }

    pub fn remove(&self, host: &Host) -> Result<()> {
        fs::remove_file(host.path(&self.path))
            .map_err(|e| fail!("could not remove {}: {}", self.path, errno_text(&e, None)))
    }
}

impl Former {
    pub fn forget(self) {
        if let Some(aside) = self.aside {
            let _ = fs::remove_file(aside);
        }
    }

    pub fn put_back(self) -> Result<()> {
        let done = match &self.aside {
            // Renaming one name of a file to another of the same file does nothing at all.
            Some(aside) => fs::rename(aside, &self.file).map(|()| _ = fs::remove_file(aside)),
            None => match fs::remove_file(&self.file) {
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
                other => other,
            },
        };
        done.map_err(|e| fail!("{}: {}", self.file.display(), errno_text(&e, None)))
    }
}
