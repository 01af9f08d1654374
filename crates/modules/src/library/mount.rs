//! `mount`: lines of fstab, and what is mounted.

mod fstab;

use fstab::{Entry, Table};

use crate::args::Expanded;
use crate::files::{backup, strerror};
use crate::system::program::{self, process};
use crate::system::textfile::{self, Rights};
use crate::{Applied, Effects, Host, Map, Module, Plan, Resource, Result, args, fail, result};

args! {
    pub struct MountArgs {
        /// Where it is mounted.
        path: Expanded = required(), aliases(&["name"]);
        /// What is mounted.
        src: Option<Expanded>;
        /// Type of the file system.
        fstype: Option<String>;
        /// Options.
        opts: Option<String>;
        /// Options are never shown.
        opts_no_log: bool = default("no");
        /// Whether dump saves it.
        dump: String = default("0");
        /// Order of the checks at boot.
        passno: String = default("0");
        /// In fstab, mounted, or neither.
        state: String = choices(&["absent", "absent_from_fstab", "mounted", "present", "unmounted", "remounted", "ephemeral"]), required();
        /// The table, if it is not /etc/fstab.
        fstab: Option<String>;
        /// Mount it at boot.
        boot: bool = default("yes");
        /// Keep the old table under a name with the time.
        backup: bool = default("no");
    }
    checks {
        required_if("state", "mounted", &["src", "fstype"]),
        required_if("state", "present", &["src", "fstype"]),
        required_if("state", "ephemeral", &["src", "fstype"]),
    }
}

pub struct Mount;

impl Module for Mount {
    type Args = MountArgs;
    const NAME: &'static str = "mount";
    const COLLECTION: &'static str = "ansible.posix";
    const DOC: &'static str = "Keep mounts, and the table of those of the boot.";

    fn effects(args: &MountArgs) -> Effects {
        let table = args.fstab.clone().unwrap_or_else(|| "/etc/fstab".to_owned());
        Effects::writes([Resource::Path(args.path.trim_end_matches('/').to_owned()), Resource::Path(table)])
    }

    fn plan(args: MountArgs, host: &Host) -> Result<Plan> {
        let name = args.path.0.clone();
        let path = args.fstab.clone().unwrap_or_else(|| "/etc/fstab".to_owned());
        let mut opts = args.opts.clone().unwrap_or_else(|| "defaults".to_owned());
        if !args.boot && !opts.split(',').any(|word| word == "noauto") {
            opts.push_str(",noauto");
        }
        let mut result = result! {
            "name": name, "opts": opts, "dump": args.dump, "passno": args.passno, "fstab": path,
            "boot": if args.boot { "yes" } else { "no" }, "backup_file": "",
        };
        for (key, value) in [("src", args.src.as_ref().map(|src| &src.0)), ("fstype", args.fstype.as_ref())] {
            if let Some(value) = value {
                result.insert(key.into(), value.as_str().into());
            }
        }
        if args.opts_no_log {
            result.shift_remove("opts");
        }
        let before = textfile::read(host, &path)?.unwrap_or_default();
        let table = Table::new(&before);
        let mounted = is_mounted(&name, host)?;
        let entry = |src: &str, fstype: &str| Entry {
            src: src.to_owned(),
            name: name.clone(),
            fstype: fstype.to_owned(),
            opts: opts.clone(),
            dump: args.dump.clone(),
            passno: args.passno.clone(),
        };
        let (src, fstype) = (args.src.as_ref().map(|src| src.0.as_str()), args.fstype.as_deref());
        let mut job = Job { name: name.clone(), path, keep: args.backup, ..Job::default() };
        match (args.state.as_str(), src.zip(fstype)) {
            ("absent", _) => {
                job.table = table.without(&name, src);
                job.unmount = mounted.is_some();
                job.remove = host.path(&name).is_dir();
            }
            ("absent_from_fstab", _) => job.table = table.without(&name, src),
            ("unmounted", _) => job.unmount = mounted.is_some(),
            ("remounted", _) => {
                if mounted.is_none() {
                    return Err(fail!("Mount point {name} is not mounted, so it cannot be remounted"));
                }
                job.mount = vec!["-o".to_owned(), "remount".to_owned(), name.clone()];
            }
            ("ephemeral", Some((src, fstype))) => {
                if mounted.as_deref().is_some_and(|now| now != src) {
                    let msg = "Ephemeral mount point is already mounted with a different source than the specified one. Failing in order to prevent an unwanted unmount or override operation. Try replacing this command with a \"state: unmounted\" followed by a \"state: ephemeral\", or use a different destination path.";
                    return Err(fail!("{msg}"));
                }
                let opts = if mounted.is_some() { format!("remount,{opts}") } else { opts.clone() };
                job.make = !host.path(&name).exists();
                job.mount = ["-t", fstype, "-o", &opts, "--", src, &name].map(str::to_owned).to_vec();
            }
            ("mounted", Some((src, fstype))) => {
                job.table = table.with(entry(src, fstype));
                job.make = !host.path(&name).exists() && fstype != "swap";
                if mounted.is_none() {
                    job.mount = vec![name.clone()];
                } else if job.table.is_some() {
                    job.mount = vec!["-o".to_owned(), format!("remount,{opts}"), name.clone()];
                }
                if let Some(table) = &args.fstab {
                    job.mount.splice(0..0, ["-T".to_owned(), table.clone()]);
                    if job.mount.len() == 2 {
                        job.mount.clear();
                    }
                }
            }
            (_, Some((src, fstype))) => job.table = table.with(entry(src, fstype)),
            _ => {}
        }
        let mut plan = Plan::unchanged(result);
        if let Some(after) = job.table.as_ref().filter(|_| host.diff()) {
            plan.diff.push(textfile::diff(&before, after, &job.path, &job.path));
        }
        if job.is_something() {
            plan.apply = Some(Box::new(move |host: &Host| Applied::with(job.carry_out(host)?)));
        }
        Ok(plan)
    }
}

/// What has to be done, in this order.
#[derive(Default)]
struct Job {
    name: String,
    path: String,
    keep: bool,
    unmount: bool,
    /// Remove the mount point.
    remove: bool,
    /// The new table.
    table: Option<String>,
    /// Make the mount point.
    make: bool,
    /// Arguments of `mount`.
    mount: Vec<String>,
}

impl Job {
    fn is_something(&self) -> bool {
        self.unmount || self.remove || self.table.is_some() || self.make || !self.mount.is_empty()
    }

    fn carry_out(self, host: &Host) -> Result<Map> {
        let Self { name, path, .. } = &self;
        let mut result = Map::new();
        if let Some(table) = &self.table {
            if self.keep
                && let Some(kept) = backup(host, path)?
            {
                result.insert("backup_file".into(), kept.into());
            }
            textfile::write(host, path, table.as_bytes(), Rights::default())?;
        }
        if self.unmount {
            let said = program::run(host, &process(host, "umount")?.args(["--", name]))?;
            if !said.success() {
                return Err(fail!("Error unmounting {name}: {}{}", said.out(), said.err()));
            }
        }
        if self.remove && is_mounted(name, host)?.is_none() {
            match std::fs::remove_dir(host.path(name)) {
                Err(e)
                    if e.kind() != std::io::ErrorKind::NotFound
                        && e.kind() != std::io::ErrorKind::DirectoryNotEmpty =>
                {
                    return Err(fail!("Error rmdir {name}: {}", strerror(&e)));
                }
                _ => {}
            }
        }
        if self.make {
            std::fs::create_dir_all(host.path(name))
                .map_err(|e| fail!("Error making dir {name}: {}", strerror(&e)))?;
        }
        if !self.mount.is_empty() {
            let said = program::run(host, &process(host, "mount")?.args(&self.mount))?;
            if !said.success() {
                return Err(fail!("Error mounting {name}: {}{}", said.out(), said.err()));
            }
        }
        Ok(result)
    }
}

/// The source of what is mounted at a place.
fn is_mounted(name: &str, host: &Host) -> Result<Option<String>> {
    let table = textfile::read(host, "/proc/self/mounts")?.unwrap_or_default();
    let name = std::fs::canonicalize(host.path(name))
        .map_or_else(|_| name.trim_end_matches('/').to_owned(), |path| path.to_string_lossy().into_owned());
    let found = table.lines().rev().find_map(|line| {
        let mut words = line.split(' ');
        let (src, path) = (words.next()?, words.next()?);
        (fstab::unescaped(path) == name).then(|| fstab::unescaped(src))
    });
    Ok(found)
}
