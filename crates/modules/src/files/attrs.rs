//! Owner, group, mode and attributes of a path: the arguments that most modules about files share.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};

use protocol::Map;

use super::flags;
use super::info::{fail_at, octal};
use super::mode::{Mode, umask};
use super::oserror::errno_text;
use super::owners;
use crate::args::{Raw, parse_bool};
use crate::{Host, Result, args};

args! {
    pub struct FileAttrs {
        /// Permissions: octal (quote it, or write a leading zero) or symbolic (`u+rwx,g-w`).
        mode: Option<Raw>;
        /// User who shall own it, by name or number.
        owner: Option<String>;
        /// Group that shall own it, by name or number.
        group: Option<String>;
        /// User part of the SELinux context; without effect on hosts without SELinux.
        seuser: Option<String>;
        /// Role part of the SELinux context.
        serole: Option<String>;
        /// Type part of the SELinux context.
        setype: Option<String>;
        /// Level part of the SELinux context.
        selevel: Option<String>;
        /// Attributes as for `chattr`: `+i`, `-a`, `=d`.
        attributes: Option<String> = aliases(&["attr"]);
        /// Write into the file itself where it cannot be replaced by another.
        unsafe_writes: Option<bool>;
    }
}

/// What differs between a path and what is wanted of it: old and new.
#[derive(Clone, Debug, Default)]
pub struct AttrChange {
    path: PathBuf,
    shown: String,
    owner: Option<(u32, u32)>,
    group: Option<(u32, u32)>,
    mode: Option<(u32, u32)>,
    flags: Option<(u32, u32)>,
}

impl FileAttrs {
    /// Nothing but permissions, if anything.
    pub fn with_mode(mode: Option<Raw>) -> Self {
        Self {
            mode,
            owner: None,
            group: None,
            seuser: None,
            serole: None,
            setype: None,
            selevel: None,
            attributes: None,
            unsafe_writes: None,
        }
    }

    /// Is anything wanted at all?
    pub fn is_empty(&self) -> bool {
        self.mode.is_none() && self.owner.is_none() && self.group.is_none() && self.attributes.is_none()
    }

    /// `unsafe_writes`, or what the variable `ANSIBLE_UNSAFE_WRITES` of the task's environment says.
    pub fn writes_unsafely(&self, host: &Host) -> bool {
        let fallback = || host.env("ANSIBLE_UNSAFE_WRITES").and_then(|text| parse_bool(&text));
        self.unsafe_writes.or_else(fallback).unwrap_or(false)
    }

    /// The mode argument.
    pub fn mode(&self) -> Option<Mode> {
        self.mode.as_ref().map(|raw| Mode::from_value(&raw.0))
    }

    /// Everything that can be wrong about the arguments themselves: unknown users and groups, modes that are
    /// none. To be called before something is made, which otherwise would stay behind half done.
    pub fn verify(&self, host: &Host, path: &str) -> Result<()> {
        self.refuse_selinux(host, path)?;
        self.uid(host, path)?;
        self.gid(host, path)?;
        self.mode_for(host, path, 0, false)?;
        Ok(())
    }

    /// Compare with what is there; a link itself is looked at, not what it points to.
    pub fn plan(&self, host: &Host, path: &str) -> Result<AttrChange> {
        self.refuse_selinux(host, path)?;
        let real = host.path(path);
        if self.is_empty() {
            return Ok(AttrChange { path: real, shown: path.to_owned(), ..AttrChange::default() });
        }
        let meta =
            fs::symlink_metadata(&real).map_err(|e| fail_at(host, path, errno_text(&e, Some(&real))))?;
        let mut change = self.compare(host, path, (meta.uid(), meta.gid()), meta.mode(), meta.is_dir())?;
        if meta.is_symlink() {
            // A link has no permissions of its own.
            change.mode = None;
        }
        if let Some(wanted) = &self.attributes {
            let current = flags::read_flags(&real);
            let failed = |why: &str| fail_at(host, path, "chattr failed").with("details", why);
            let flags = flags::supported(wanted, current.unwrap_or(0)).map_err(|e| failed(&e))?;
            change.flags = match current {
                Some(current) => Some((current, flags)).filter(|(old, new)| old != new),
                None if flags == 0 => None,
                None => return Err(failed("the file system has no attributes")),
            };
        }
        Ok(change)
    }

    /// Compare with what a new file would have by itself.
    pub fn plan_new(&self, host: &Host, path: &str) -> Result<AttrChange> {
        self.refuse_selinux(host, path)?;
        let own = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
        self.compare(host, path, own, 0o666 & !umask(), false)
    }

    fn compare(
        &self,
        host: &Host,
        path: &str,
        own: (u32, u32),
        mode: u32,
        is_dir: bool,
    ) -> Result<AttrChange> {
        let mut change =
            AttrChange { path: host.path(path), shown: path.to_owned(), ..AttrChange::default() };
        change.owner = self.uid(host, path)?.filter(|id| *id != own.0).map(|id| (own.0, id));
        change.group = self.gid(host, path)?.filter(|id| *id != own.1).map(|id| (own.1, id));
        let current = mode & 0o7777;
        let wanted = self.mode_for(host, path, current, is_dir)?;
        // chown takes setuid and setgid away: then they are given again.
        let lost =
            wanted.is_some_and(|m| m & 0o6000 != 0) && (change.owner.is_some() || change.group.is_some());
        change.mode = wanted.filter(|m| *m != current || lost).map(|m| (current, m));
        Ok(change)
    }

    /// Bring a path that exists into order at once; for what was just made.
    pub fn apply(&self, host: &Host, path: &str) -> Result<AttrChange> {
        let change = self.plan(host, path)?;
        change.apply(host)?;
        Ok(change)
    }

    /// The permissions wanted for something that has `current` ones.
    pub fn mode_for(&self, host: &Host, path: &str, current: u32, is_dir: bool) -> Result<Option<u32>> {
        let resolve = |mode: Mode| mode.resolve(current, is_dir);
        self.mode().map(resolve).transpose().map_err(|details| {
            fail_at(host, path, "mode must be in octal or symbolic form").with("details", details)
        })
    }

    /// The wanted owner's number.
    pub fn uid(&self, host: &Host, path: &str) -> Result<Option<u32>> {
        let number = |name: &String| name.trim().parse().ok().or_else(|| owners::user_id(host, name));
        self.owner
            .as_ref()
            .map(|name| number(name).ok_or(name))
            .transpose()
            .map_err(|name| fail_at(host, path, format!("chown failed: failed to look up user {name}")))
    }

    /// The wanted group's number.
    pub fn gid(&self, host: &Host, path: &str) -> Result<Option<u32>> {
        let number = |name: &String| name.trim().parse().ok().or_else(|| owners::group_id(host, name));
        self.group
            .as_ref()
            .map(|name| number(name).ok_or(name))
            .transpose()
            .map_err(|name| fail_at(host, path, format!("chgrp failed: failed to look up group {name}")))
    }

    /// Contexts mean nothing without SELinux (as in Ansible); with it they are not built yet.
    fn refuse_selinux(&self, host: &Host, path: &str) -> Result<()> {
        let given = [
            ("seuser", &self.seuser),
            ("serole", &self.serole),
            ("setype", &self.setype),
            ("selevel", &self.selevel),
        ];
        let Some((name, _)) = given.iter().find(|(_, value)| value.is_some()) else { return Ok(()) };
        if Path::new("/sys/fs/selinux/enforce").exists() && host.is_real() {
            return Err(fail_at(host, path, format!("{name} is not supported on hosts with SELinux")));
        }
        Ok(())
    }
}

impl AttrChange {
    pub fn is_empty(&self) -> bool {
        self.owner.is_none() && self.group.is_none() && self.mode.is_none() && self.flags.is_none()
    }

    /// Add the differences to the two sides of a diff, as Ansible does.
    pub fn add_to_diff(&self, before: &mut Map, after: &mut Map) {
        let mut add = |key: &str, old: serde_json::Value, new: serde_json::Value| {
            before.insert(key.into(), old);
            after.insert(key.into(), new);
        };
        if let Some((old, new)) = self.owner {
            add("owner", old.into(), new.into());
        }
        if let Some((old, new)) = self.group {
            add("group", old.into(), new.into());
        }
        if let Some((old, new)) = self.mode.filter(|(old, new)| old != new) {
            add("mode", octal(old).into(), octal(new).into());
        }
        if let Some((old, new)) = self.flags {
            add("attributes", flags::flag_letters(old).0.into(), flags::flag_letters(new).0.into());
        }
    }

    /// Carry it out. An immutable file is made mutable first if that is part of the change.
    pub fn apply(&self, host: &Host) -> Result<()> {
        const IMMUTABLE: u32 = 0x10;
        let flags_first = self.flags.is_some_and(|(old, _)| old & IMMUTABLE != 0);
        if flags_first {
            self.apply_flags(host)?;
        }
        let fail = |what: &str, e: std::io::Error| {
            fail_at(host, &self.shown, what).with("details", errno_text(&e, Some(&self.path)))
        };
        if let Some((_, uid)) = self.owner {
            lchown(&self.path, Some(uid), None).map_err(|e| fail("chown failed", e))?;
        }
        if let Some((_, gid)) = self.group {
            lchown(&self.path, None, Some(gid)).map_err(|e| fail("chgrp failed", e))?;
        }
        if let Some((_, mode)) = self.mode {
            let permissions = fs::Permissions::from_mode(mode);
            fs::set_permissions(&self.path, permissions).map_err(|e| fail("chmod failed", e))?;
        }
        if !flags_first {
            self.apply_flags(host)?;
        }
        Ok(())
    }

    fn apply_flags(&self, host: &Host) -> Result<()> {
        let Some((_, flags)) = self.flags else { return Ok(()) };
        flags::write_flags(&self.path, flags).map_err(|e| {
            fail_at(host, &self.shown, "chattr failed").with("details", errno_text(&e, Some(&self.path)))
        })
    }
}
