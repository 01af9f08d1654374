//! From one place of the host to another.

use std::fs;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::{CopyArgs, join, make_directories};
use crate::args::Raw;
use crate::files::{
    Algorithm, FileAttrs, Replacement, add_path_info, backup, checksum, errno_text, fail_at, octal,
    real_path, validate, write_atomically,
};
use crate::{Applied, Host, Map, ModuleError, Plan, Result, Value, fail, result};

pub(super) fn plan(mut args: CopyArgs, src: &str, host: &Host) -> Result<Plan> {
    let real_src = host.path(src);
    let meta = fs::metadata(&real_src).map_err(|_| fail!("Source {src} not found"))?;
    if args.attrs.mode.as_ref().is_some_and(|m| m.0 == "preserve") {
        args.attrs.mode = Some(Raw(octal(meta.mode()).into()));
    }
    if !meta.is_dir() && !meta.is_file() {
        return Err(fail!("Cannot copy invalid source '{src}': not a file"));
    }
    if meta.is_dir() { directory(args, src, host) } else { file(args, src, meta.mode(), host) }
}

fn file(args: CopyArgs, src: &str, source_mode: u32, host: &Host) -> Result<Plan> {
    let real_src = host.path(src);
    let sum = |path: &Path, algorithm| {
        checksum(path, algorithm)
            .map_err(|e| ModuleError::new(format!("Source {src} not readable: {}", errno_text(&e, None))))
    };
    let (sha1, md5) = (sum(&real_src, Algorithm::Sha1)?, sum(&real_src, Algorithm::Md5)?);
    if let Some(expected) = args.checksum.as_ref().filter(|c| !c.eq_ignore_ascii_case(&sha1)) {
        let msg = "Copied file does not match the expected checksum. Transfer failed.";
        return Err(fail!("{msg}").with("checksum", sha1).with("expected_checksum", expected.as_str()));
    }
    let mut dest = args.dest.0.clone();
    let name = Path::new(src).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut check = None;
    let mut make_parent = false;
    if dest.ends_with('/') {
        let dir = dest.trim_end_matches('/').to_owned();
        if !host.path(&dir).exists() {
            make_parent = true;
            if !host.path(Path::new(&dir).parent().unwrap_or(Path::new("/"))).exists() {
                check = Some(result! {"msg": format!("dest directory {dir} would be created"), "src": src});
            }
        }
        dest = join(&dest, &name);
    } else if host.path(&dest).is_dir() {
        dest = join(&dest, &name);
    }
    if args.follow && host.path(&dest).is_symlink() && host.path(&dest).exists() && host.is_real() {
        dest = real_path(&host.path(&dest)).to_string_lossy().into_owned();
    }
    let parent = Path::new(&dest).parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !make_parent && !host.path(parent).is_dir() {
        return Err(fail!("Destination directory {} does not exist", parent.display()));
    }
    let real = host.path(&dest);
    let there = fs::symlink_metadata(&real).ok();
    if there.is_some() && !args.force {
        let mut result = result! {"msg": "file already exists", "src": src, "dest": dest};
        add_path_info(host, &mut result);
        return Ok(Plan::unchanged(result));
    }
    let mut result = result! {"dest": dest, "src": src, "checksum": sha1, "md5sum": md5};
    add_path_info(host, &mut result);
    let same =
        there.is_some_and(|m| m.is_file()) && checksum(&real, Algorithm::Sha1).is_ok_and(|s| s == sha1);
    if same {
        let change = args.attrs.plan(host, &dest)?;
        let mut plan = Plan::unchanged(result.clone());
        if !change.is_empty() {
            plan.apply = Some(Box::new(move |host: &Host| {
                change.apply(host)?;
                add_path_info(host, &mut result);
                Applied::with(result)
            }));
        }
        return Ok(plan);
    }
    let directories = args.directory_attrs();
    let mut plan = Plan::change(result, move |host| {
        if make_parent {
            let parent = Path::new(&dest).parent().unwrap_or(Path::new("/"));
            make_directories(host, &parent.to_string_lossy(), &directories)?;
        }
        let open = || fs::File::open(&real_src).map_err(|e| fail!("{}", errno_text(&e, Some(&real_src))));
        if let Some(command) = &args.validate {
            let mut content = Vec::new();
            open()?.read_to_end(&mut content).map_err(|e| fail!("{e}"))?;
            if let Some(said) = validate(host, command, &content)? {
                return Err(fail!("failed to validate")
                    .with("exit_status", said.rc)
                    .with("stdout", said.out())
                    .with("stderr", said.err()));
            }
        }
        let mut result = Map::new();
        if args.backup
            && let Some(kept) = backup(host, &dest)?
        {
            result.insert("backup_file".into(), kept.into());
        }
        let replacement =
            Replacement { path: &dest, attrs: &args.attrs, new_mode: None, instead: Some(source_mode) };
        write_atomically(host, &replacement, &mut BufReader::new(open()?))?;
        if args.attrs.attributes.is_some() {
            args.attrs.apply(host, &dest)?;
        }
        result.insert("dest".into(), dest.into());
        add_path_info(host, &mut result);
        Applied::with(result)
    });
    plan.check = check;
    Ok(plan)
}

/// One thing that is missing or different below the destination.
struct Item {
    from: PathBuf,
    to: PathBuf,
    kind: Kind,
}

enum Kind {
    Directory,
    Link(PathBuf),
    File,
}

/// A directory: modes are those of the source, links stay links unless `local_follow` says otherwise, and the
/// attributes are those of the top. `src` without a slash at its end is copied as a whole, with its name.
fn directory(args: CopyArgs, src: &str, host: &Host) -> Result<Plan> {
    let whole = !src.ends_with('/');
    let existed = host.path(&*args.dest).exists();
    let name = Path::new(src).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let base = if whole { join(&args.dest, &name) } else { args.dest.0.clone() };
    if host.path(args.dest.trim_end_matches('/')).is_file() {
        return Err(fail_at(
            host,
            &args.dest,
            format!("cannot copy the directory {src} onto the file {}", args.dest.0),
        ));
    }
    let mut shown = if whole && existed { base.clone() } else { args.dest.0.clone() };
    if !whole && existed {
        shown = join(&shown, "");
    }
    let mut items = Vec::new();
    let follow = args.local_follow == Some(true);
    let real_base = host.path(&base);
    compare(&host.path(src), &real_base, follow, args.force, &mut items)
        .map_err(|e| fail!("{}", errno_text(&e, None)))?;
    let mut result = result! {"dest": shown, "src": src, "checksum": Value::Null, "md5sum": Value::Null};
    add_path_info(host, &mut result);
    let change =
        if existed && host.path(&shown).exists() { Some(args.attrs.plan(host, &shown)?) } else { None };
    if items.is_empty() && change.as_ref().is_none_or(|c| c.is_empty()) {
        return Ok(Plan::unchanged(result));
    }
    Ok(Plan::change(result, move |host| {
        args.attrs.verify(host, &shown)?;
        if whole {
            make_directories(
                host,
                args.dest.trim_end_matches('/'),
                &FileAttrs { mode: None, ..args.attrs.clone() },
            )?;
        } else if let Some(parent) = Path::new(args.dest.trim_end_matches('/')).parent() {
            make_directories(host, &parent.to_string_lossy(), &args.directory_attrs())?;
        }
        let owner = (args.attrs.uid(host, &shown)?, args.attrs.gid(host, &shown)?);
        for item in items {
            item.put(owner)
                .map_err(|e| fail!("could not copy to {}: {}", item.to.display(), errno_text(&e, None)))?;
        }
        args.attrs.apply(host, &shown)?;
        let mut result = result! {"dest": shown};
        add_path_info(host, &mut result);
        Applied::with(result)
    }))
}

fn compare(from: &Path, to: &Path, follow: bool, force: bool, items: &mut Vec<Item>) -> io::Result<()> {
    let mut add = |kind| items.push(Item { from: from.to_owned(), to: to.to_owned(), kind });
    let meta = if follow || items_is_top(from) { fs::metadata(from)? } else { fs::symlink_metadata(from)? };
    if meta.is_dir() {
        if !to.is_dir() {
            add(Kind::Directory);
        }
        let mut entries: Vec<_> = fs::read_dir(from)?.collect::<io::Result<_>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            compare(&entry.path(), &to.join(entry.file_name()), follow, force, items)?;
        }
    } else if meta.is_symlink() {
        let target = fs::read_link(from)?;
        if fs::read_link(to).ok().as_ref() != Some(&target) && (force || to.symlink_metadata().is_err()) {
            add(Kind::Link(target));
        }
    } else if meta.is_file() {
        let same = fs::symlink_metadata(to).is_ok_and(|m| m.is_file() && m.len() == meta.len())
            && checksum(from, Algorithm::Sha256)? == checksum(to, Algorithm::Sha256)?;
        if !same && (force || to.symlink_metadata().is_err()) {
            add(Kind::File);
        }
    }
    Ok(())
}

/// A source that is itself given with a slash at its end is a directory even if a link leads to it.
fn items_is_top(from: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt;
    from.as_os_str().as_bytes().ends_with(b"/")
}

impl Item {
    fn put(&self, owner: (Option<u32>, Option<u32>)) -> io::Result<()> {
        match &self.kind {
            Kind::Directory => {
                if !self.to.is_dir() {
                    fs::create_dir(&self.to)?;
                }
                fs::set_permissions(&self.to, fs::metadata(&self.from)?.permissions())?;
            }
            Kind::Link(target) => {
                if self.to.symlink_metadata().is_ok() {
                    fs::remove_file(&self.to)?;
                }
                symlink(target, &self.to)?;
            }
            Kind::File => {
                let parent = self.to.parent().unwrap_or(Path::new("/"));
                let mut beside = tempfile::Builder::new().prefix(".provision-").tempfile_in(parent)?;
                let mut from = fs::File::open(&self.from)?;
                io::copy(&mut from, beside.as_file_mut())?;
                let meta = from.metadata()?;
                beside.as_file().set_permissions(fs::Permissions::from_mode(meta.mode() & 0o7777))?;
                beside.as_file().set_modified(meta.modified()?)?;
                beside.as_file().sync_all()?;
                beside.persist(&self.to).map_err(|e| e.error)?;
            }
        }
        if owner.0.is_some() || owner.1.is_some() {
            std::os::unix::fs::lchown(&self.to, owner.0, owner.1)?;
        }
        Ok(())
    }
}
