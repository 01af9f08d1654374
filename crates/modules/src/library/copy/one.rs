//! One file with known content: the core of all forms.

use std::fs;
use std::path::Path;

use protocol::{Diff, Hash};

use super::{CopyArgs, join, make_directories};
use crate::files::{
    Algorithm, AttrChange, FileAttrs, Replacement, Side, add_path_info, backup, checksum, checksum_of,
    file_diff, real_path, validate, write_atomically,
};
use crate::{Applied, Blob, Host, Map, ModuleError, Plan, Result, json, result};

/// What to put where.
pub(super) struct Put {
    pub dest: String,
    pub content: Blob,
    pub attrs: FileAttrs,
    pub backup: bool,
    pub validate: Option<String>,
    /// SHA-1 the content must have.
    pub checksum: Option<String>,
    pub header: Option<String>,
    /// The name of the source, if it is a file.
    pub name: Option<String>,
}

/// How the file differs from what is wanted.
pub(super) enum Difference {
    Content,
    /// Only in these attributes, if any.
    Attributes(AttrChange),
}

pub(super) fn plan(args: CopyArgs, content: Blob, host: &Host) -> Result<Plan> {
    let mut dest = args.dest.0.clone();
    let slash = dest.ends_with('/');
    let mut make_parent = false;
    if slash || host.path(&dest).is_dir() {
        let Some(name) = &args._original_basename else {
            return Err(ModuleError::new("can not use content with a dir as dest"));
        };
        make_parent = slash;
        dest = join(&dest, name);
    }
    let shown_dest = dest.clone();
    if args.follow && host.path(&dest).is_symlink() && host.path(&dest).exists() && host.is_real() {
        dest = real_path(&host.path(&dest)).to_string_lossy().into_owned();
    }
    if !args.force && host.path(&dest).symlink_metadata().is_ok() {
        return Ok(Plan::unchanged(result! {"dest": dest}));
    }
    let directories = args.directory_attrs();
    let header = args._source.clone().unwrap_or_else(|| shown_dest.clone());
    let put = Put {
        dest,
        content,
        attrs: args.attrs,
        backup: args.backup,
        validate: args.validate,
        checksum: args.checksum,
        header: Some(header),
        name: args._original_basename,
    };
    match put.difference(host)? {
        Difference::Attributes(change) => put.plan_attributes(change, host),
        Difference::Content => {
            let diff = put.diff(host, &shown_dest)?;
            let mut plan = Plan::change(Map::new(), move |host| {
                if make_parent {
                    let parent = Path::new(&put.dest).parent().unwrap_or(Path::new("/"));
                    make_directories(host, &parent.to_string_lossy(), &directories)?;
                }
                Applied::with(put.write(host)?)
            });
            plan.check = Some(Map::new());
            plan.diff.extend(diff);
            Ok(plan)
        }
    }
}

impl Put {
    /// Compare with the host. A link at the destination is something else than the file.
    pub(super) fn difference(&self, host: &Host) -> Result<Difference> {
        let real = host.path(&self.dest);
        match fs::symlink_metadata(&real) {
            Ok(meta) if meta.is_file() && meta.len() == self.content.size() && self.same_content(&real) => {
                Ok(Difference::Attributes(self.attrs.plan(host, &self.dest)?))
            }
            _ => Ok(Difference::Content),
        }
    }

    fn same_content(&self, real: &Path) -> bool {
        let sum = checksum(real, Algorithm::Sha256).ok();
        sum.as_deref().and_then(Hash::from_hex) == Some(self.content.hash())
    }

    /// The diff of the content, if somebody wants to see one.
    pub(super) fn diff(&self, host: &Host, shown_dest: &str) -> Result<Option<Diff>> {
        if !host.diff() {
            return Ok(None);
        }
        let before = Side::of_file(&host.path(&self.dest), shown_dest);
        Ok(Some(file_diff(before, Side::of(self.content.read(host)?, self.header.as_deref()))))
    }

    fn plan_attributes(self, change: AttrChange, host: &Host) -> Result<Plan> {
        let mut result = result! {"dest": self.dest, "path": self.dest};
        if let Ok(sum) = checksum(&host.path(&self.dest), Algorithm::Sha1) {
            result.insert("checksum".into(), sum.into());
        }
        add_path_info(host, &mut result);
        let mut plan = Plan::unchanged(result.clone());
        if !change.is_empty() {
            if host.diff() {
                plan.diff.push(attributes_diff(&self.dest, &change));
            }
            plan.apply = Some(Box::new(move |host: &Host| {
                change.apply(host)?;
                add_path_info(host, &mut result);
                Applied::with(result)
            }));
        }
        Ok(plan)
    }

    /// What `src` of a result names: the temporary file on the host that Ansible takes the content from, and which is
    /// gone when the result is read. Here it comes without one; playbooks find the key, and a name of that form.
    fn passing(&self, host: &Host) -> String {
        let name = self.name.as_deref().unwrap_or(&self.dest);
        let end = Path::new(name).extension().map(|end| format!(".{}", end.to_string_lossy()));
        host.tmp().join(format!(".source{}", end.unwrap_or_default())).to_string_lossy().into_owned()
    }

    /// Write it; gives the result.
    pub(super) fn write(&self, host: &Host) -> Result<Map> {
        let dest = &self.dest;
        let sum = |algorithm| -> Result<String> {
            checksum_of(&mut *self.content.open(host)?, algorithm)
                .map_err(|e| ModuleError::new(e.to_string()))
        };
        let sha1 = sum(Algorithm::Sha1)?;
        if let Some(expected) = self.checksum.as_ref().filter(|c| !c.eq_ignore_ascii_case(&sha1)) {
            let msg = "Copied file does not match the expected checksum. Transfer failed.";
            return Err(ModuleError::new(msg)
                .with("checksum", sha1)
                .with("expected_checksum", expected.as_str()));
        }
        let parent = Path::new(dest).parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !host.path(parent).is_dir() {
            let msg = format!("Destination directory {} does not exist", parent.display());
            return Err(ModuleError::new(msg).with("checksum", sha1));
        }
        if let Some(command) = &self.validate
            && let Some(said) = validate(host, command, &self.content.read(host)?)?
        {
            return Err(ModuleError::new("failed to validate")
                .with("checksum", sha1)
                .with("exit_status", said.rc)
                .with("stdout", said.out())
                .with("stderr", said.err()));
        }
        let kept = if self.backup { backup(host, dest)? } else { None };
        let replacement = Replacement { path: dest, attrs: &self.attrs, new_mode: None, instead: None };
        write_atomically(host, &replacement, &mut *self.content.open(host)?)?;
        // Attributes as of chattr are for the file in its place.
        if self.attrs.attributes.is_some() {
            self.attrs.apply(host, dest)?;
        }
        let mut result = result! {
            "dest": dest, "checksum": sha1, "md5sum": sum(Algorithm::Md5)?, "src": self.passing(host),
        };
        if let Some(kept) = kept {
            result.insert("backup_file".into(), kept.into());
        }
        add_path_info(host, &mut result);
        Ok(result)
    }
}

pub(super) fn attributes_diff(path: &str, change: &AttrChange) -> Diff {
    let (mut before, mut after) = (result! {"path": path}, result! {"path": path});
    change.add_to_diff(&mut before, &mut after);
    Diff { before: Some(json!(before)), after: Some(json!(after)), ..Diff::default() }
}
