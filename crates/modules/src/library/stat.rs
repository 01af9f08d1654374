//! `stat`: what is known about a file.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{AccessFlags, access};

use crate::args::Expanded;
use crate::files::{
    Algorithm, checksum, flag_letters, owners, read_flags, read_version, real_path, strerror,
};
use crate::process::find_program;
use crate::{Effects, Host, Map, Module, ModuleError, Plan, Process, Resource, Result, args, result};

args! {
    pub struct StatArgs {
        /// Path of the file.
        path: Expanded = required(), aliases(&["dest", "name"]);
        /// Look at what a link points to.
        follow: bool = default("no");
        /// Compute a checksum of the content.
        get_checksum: bool = default("yes");
        /// Which one.
        checksum_algorithm: String = aliases(&["checksum", "checksum_algo"]),
            choices(&["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]), default("sha1");
        /// Ask `file`, where it is installed, for type and encoding.
        get_mime: bool = aliases(&["mime", "mime_type", "mime-type"]), default("yes");
        /// Tell the attributes of `lsattr`.
        get_attributes: bool = aliases(&["attr", "attributes"]), default("yes");
    }
}

pub struct Stat;

impl Module for Stat {
    type Args = StatArgs;
    const NAME: &'static str = "stat";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Tell what is known about a file.";

    fn effects(args: &StatArgs) -> Effects {
        Effects::reads([Resource::Path(args.path.0.clone())])
    }

    fn plan(args: StatArgs, host: &Host) -> Result<Plan> {
        let real = host.path(&*args.path);
        let found = if args.follow { fs::metadata(&real) } else { fs::symlink_metadata(&real) };
        let meta = match found {
            Ok(meta) => meta,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Plan::unchanged(result! {"stat": result! {"exists": false}}));
            }
            Err(e) => return Err(ModuleError::new(strerror(&e))),
        };
        let mut stat = of_metadata(&args.path, &meta);
        stat.insert("pw_name".into(), owners::user_name(host, meta.uid()).into());
        stat.insert("gr_name".into(), owners::group_name(host, meta.gid()).into());
        let may = |flags| access(&real, flags).is_ok();
        stat.insert("readable".into(), may(AccessFlags::R_OK).into());
        stat.insert("writeable".into(), may(AccessFlags::W_OK).into());
        stat.insert("executable".into(), may(AccessFlags::X_OK).into());
        if meta.is_symlink() {
            stat.insert("lnk_source".into(), real_path(&real).to_string_lossy().into_owned().into());
            let target = fs::read_link(&real).unwrap_or_default();
            stat.insert("lnk_target".into(), target.to_string_lossy().into_owned().into());
        }
        if args.get_checksum && meta.is_file() && may(AccessFlags::R_OK) {
            let algorithm = Algorithm::from_word(&args.checksum_algorithm).unwrap_or(Algorithm::Sha1);
            if let Ok(sum) = checksum(&real, algorithm) {
                stat.insert("checksum".into(), sum.into());
            }
        }
        if args.get_mime {
            let (kind, charset) = mime(host, &real);
            stat.insert("mimetype".into(), kind.into());
            stat.insert("charset".into(), charset.into());
        }
        if args.get_attributes {
            let (letters, words) = read_flags(&real).map(flag_letters).unwrap_or_default();
            stat.insert("version".into(), read_version(&real).map(|v| v.to_string()).into());
            stat.insert("attributes".into(), words.into());
            stat.insert("attr_flags".into(), letters.into());
        }
        Ok(Plan::unchanged(result! {"stat": stat}))
    }
}

/// What `stat` and `find` tell of a file.
pub(super) fn of_metadata(path: &str, meta: &Metadata) -> Map {
    let mode = meta.mode();
    let kind = mode & 0o170_000;
    let seconds = |whole: i64, nano: i64| whole as f64 + nano as f64 / 1e9;
    let bit = |bit: u32| mode & bit != 0;
    result! {
        "exists": true, "path": path, "mode": format!("{:04o}", mode & 0o7777),
        "isdir": kind == 0o040_000, "ischr": kind == 0o020_000, "isblk": kind == 0o060_000,
        "isreg": kind == 0o100_000, "isfifo": kind == 0o010_000, "islnk": kind == 0o120_000,
        "issock": kind == 0o140_000, "uid": meta.uid(), "gid": meta.gid(), "size": meta.size(),
        "inode": meta.ino(), "dev": meta.dev(), "nlink": meta.nlink(),
        "atime": seconds(meta.atime(), meta.atime_nsec()), "mtime": seconds(meta.mtime(), meta.mtime_nsec()),
        "ctime": seconds(meta.ctime(), meta.ctime_nsec()),
        "wusr": bit(0o200), "rusr": bit(0o400), "xusr": bit(0o100), "wgrp": bit(0o020), "rgrp": bit(0o040),
        "xgrp": bit(0o010), "woth": bit(0o002), "roth": bit(0o004), "xoth": bit(0o001),
        "isuid": bit(0o4000), "isgid": bit(0o2000), "blocks": meta.blocks(), "block_size": meta.blksize(),
        "device_type": meta.rdev(),
    }
}

/// Type and encoding as `file` tells them; what needs no look at the content is known without it.
fn mime(host: &Host, path: &Path) -> (String, String) {
    let unknown = || ("unknown".to_owned(), "unknown".to_owned());
    let Some(program) = find_program(host, "file") else { return unknown() };
    let (Ok(meta), Ok(target)) = (fs::symlink_metadata(path), fs::metadata(path)) else { return unknown() };
    let known = if meta.is_symlink() {
        Some("inode/symlink")
    } else if meta.is_dir() {
        Some("inode/directory")
    } else if meta.is_file() && target.size() == 0 {
        Some("inode/x-empty")
    } else {
        None
    };
    if let Some(kind) = known {
        return (kind.to_owned(), "binary".to_owned());
    }
    let process = Process::new(program).args(["--mime-type", "--mime-encoding", "--brief", "--"]).arg(path);
    let Some(output) = process.run(host).ok().filter(|o| o.success()) else { return unknown() };
    let said = output.out();
    match said.trim().split_once("; charset=") {
        Some((kind, charset)) if !kind.contains("cannot open") => (kind.to_owned(), charset.to_owned()),
        _ => unknown(),
    }
}
