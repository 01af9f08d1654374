//! `unarchive`: the content of an archive into a directory.
//!
//! Archives are unpacked by the host's `tar` and `unzip`, as in Ansible, so that options for them and what they say
//! mean the same. The controller sends a file of its own as `_content`. No archive can write outside `dest`: a member
//! whose name leads out is refused before anything is unpacked.

mod tar;
mod zip;

use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use crate::args::Expanded;
use crate::files::{AttrChange, FileAttrs, add_path_info};
use crate::http::{Options, fetch_file};
use crate::{
    Applied, Blob, Effects, Host, Map, Module, ModuleError, Plan, Resource, Result, args, fail, json, result,
};

args! {
    pub struct UnarchiveArgs {
        /// The archive: a path or, with `remote_src`, a URL.
        src: Option<Expanded>;
        /// The directory.
        dest: Expanded = required();
        /// The archive is on the controller; the older name of the opposite of `remote_src`.
        copy: bool = default("yes");
        /// The archive is on the host.
        remote_src: bool = default("no");
        /// Do nothing if this path is there.
        creates: Option<Expanded>;
        /// Decrypt a vault on the controller.
        decrypt: bool = default("yes");
        /// Members that are left out.
        exclude: Vec<String> = elements("str");
        /// Members that are unpacked; all by default.
        include: Vec<String> = elements("str");
        /// More options for `tar` or `unzip`.
        extra_opts: Vec<String> = elements("str");
        /// Bytes that are read at once.
        io_buffer_size: i64 = default("65536");
        /// Leave files that are newer than the archive's.
        keep_newer: bool = default("no");
        /// Give the members' names.
        list_files: bool = default("no");
        /// Refuse servers whose certificate is not signed by an authority that the host knows.
        validate_certs: bool = default("yes");
        /// The controller's file.
        _content: Option<Blob>;
        /// Why the controller has none: `creates` is looked at first.
        _missing: Option<String>;
        /// Its name.
        _original_basename: Option<String>;
    }
    with { attrs: FileAttrs }
    checks { mutually_exclusive(&["include", "exclude"]) }
}

pub struct Unarchive;

/// An archive on this host, and where it goes.
struct Job {
    /// Path of the archive.
    pub archive: PathBuf,
    /// What the result calls it.
    pub shown: String,
    pub args: UnarchiveArgs,
    /// Keeps the archive as long as it is needed.
    _kept: Option<tempfile::TempDir>,
}

/// What a look at archive and directory found.
struct Found {
    pub handler: &'static str,
    /// Is everything there already?
    pub unpacked: bool,
    /// For `--diff`, where the handler can say what differs.
    pub itemized: Option<String>,
}

impl Module for Unarchive {
    type Args = UnarchiveArgs;
    const NAME: &'static str = "unarchive";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Unpack an archive into a directory.";

    fn effects(args: &UnarchiveArgs) -> Effects {
        let effects = Effects::writes([Resource::Path(args.dest.trim_end_matches('/').to_owned())]);
        match &args.src {
            Some(src) if src.contains("://") => effects.outside(),
            Some(src) => effects.and_reads(Resource::Path(src.0.clone())),
            None => effects,
        }
    }

    fn plan(args: UnarchiveArgs, host: &Host) -> Result<Plan> {
        if let Some(path) = args.creates.as_ref().filter(|p| host.path(&p.0).exists()) {
            let msg = format!("skipped, since {} exists", path.0);
            return Ok(Plan::unchanged(result! {"skipped": true, "msg": msg}));
        }
        if let Some(msg) = args._missing {
            return Err(fail!("{msg}"));
        }
        let job = Job::new(args, host)?;
        let dest = job.args.dest.0.clone();
        if !host.path(&dest).is_dir() {
            return Err(fail!("dest '{dest}' must be an existing dir"));
        }
        let mut magic = [0; 4];
        let read = fs::File::open(&job.archive).and_then(|mut f| f.read(&mut magic));
        read.map_err(|_| fail!("Source '{}' not readable", job.shown))?;
        let zipped = magic.starts_with(b"PK");
        if host.check() && !zipped {
            let msg = "remote module (unarchive) does not support check mode when using gtar";
            return Ok(Plan::unchanged(result! {"skipped": true, "msg": msg}));
        }
        let found = if zipped { zip::look(&job, host)? } else { tar::look(&job, &magic, host)? };
        let mut result = result! {"handler": found.handler, "dest": dest};
        if job.args._content.is_none() {
            result.insert("src".into(), job.shown.clone().into());
        }
        add_path_info(host, &mut result);
        let wants_attributes = !job.args.attrs.is_empty();
        let mut members = None;
        if !found.unpacked || wants_attributes || job.args.list_files {
            members =
                Some(if zipped { zip::members(&job)? } else { tar::members(&job, found.handler, host)? });
        }
        let members = members.unwrap_or_default();
        if job.args.list_files {
            result.insert("files".into(), members.clone().into());
        }
        let mut plan = Plan::unchanged(result.clone());
        if let Some(text) = &found.itemized {
            plan.diff.push(crate::Diff { prepared: Some(text.clone()), ..crate::Diff::default() });
        }
        if found.unpacked {
            let changes = attribute_changes(&job, &members, host)?;
            if !changes.is_empty() {
                plan.apply = Some(Box::new(move |host: &Host| {
                    changes.iter().try_for_each(|c| c.apply(host))?;
                    add_path_info(host, &mut result);
                    Applied::with(result)
                }));
            }
            return Ok(plan);
        }
        refuse_escapes(&job, &members)?;
        plan.apply = Some(Box::new(move |host: &Host| unpack(&job, found.handler, &members, result, host)));
        Ok(plan)
    }
}

impl Job {
    fn new(args: UnarchiveArgs, host: &Host) -> Result<Self> {
        let io = |e: std::io::Error| fail!("could not write the archive: {e}");
        let tmp = || tempfile::Builder::new().prefix("unarchive-").tempdir_in(host.tmp()).map_err(io);
        if let Some(content) = &args._content {
            let name = args._original_basename.as_deref().unwrap_or("archive");
            let name = Path::new(name).file_name().unwrap_or("archive".as_ref()).to_owned();
            let dir = tmp()?;
            let archive = dir.path().join(&name);
            let mut file = fs::File::create(&archive).map_err(io)?;
            std::io::copy(&mut content.open(host)?, &mut file).map_err(io)?;
            let shown = name.to_string_lossy().into_owned();
            return Self { archive, shown, args, _kept: Some(dir) }.checked();
        }
        let Some(src) = args.src.as_ref().map(|s| s.0.clone()) else {
            return Err(fail!("missing required arguments: src"));
        };
        let remote = args.remote_src || !args.copy;
        if src.contains("://") {
            let options = Options { validate_certs: args.validate_certs, ..Options::default() };
            let fetched = fetch_file(host, &src, options)?;
            let shown = fetched.path.to_string_lossy().into_owned();
            return Self { archive: fetched.path, shown, args, _kept: Some(fetched.dir) }.checked();
        }
        let archive = host.path(&src);
        if !archive.exists() {
            let msg = format!("Source '{src}' does not exist");
            return Err(ModuleError::new(if remote {
                msg
            } else {
                format!("Source '{src}' failed to transfer")
            }));
        }
        Self { archive, shown: src, args, _kept: None }.checked()
    }

    fn checked(self) -> Result<Self> {
        let size = fs::metadata(&self.archive).map(|m| m.len());
        if size.is_ok_and(|size| size == 0) {
            return Err(fail!("Invalid archive '{}', the file is 0 bytes", self.shown));
        }
        Ok(self)
    }
}

/// Mode, owner and group of what was unpacked.
fn attribute_changes(job: &Job, members: &[String], host: &Host) -> Result<Vec<AttrChange>> {
    let mut changes = Vec::new();
    if job.args.attrs.is_empty() {
        return Ok(changes);
    }
    for member in members {
        let path = format!("{}/{}", job.args.dest.trim_end_matches('/'), member.trim_end_matches('/'));
        // What options renamed or left out is not ours.
        if host.path(&path).symlink_metadata().is_ok() {
            let change = job.args.attrs.plan(host, &path)?;
            if !change.is_empty() {
                changes.push(change);
            }
        }
    }
    Ok(changes)
}

fn refuse_escapes(job: &Job, members: &[String]) -> Result<()> {
    let leaves = |name: &&String| Path::new(name.as_str()).components().any(|c| c == Component::ParentDir);
    match members.iter().find(leaves) {
        Some(name) => {
            let dest = &job.args.dest.0;
            Err(fail!("failed to unpack {} to {dest}: the member '{name}' leaves the destination", job.shown))
        }
        None => Ok(()),
    }
}

fn unpack(job: &Job, handler: &str, members: &[String], mut result: Map, host: &Host) -> Result<Applied> {
    let mut command = match handler {
        "ZipArchive" => zip::command(job, host)?,
        _ => tar::command(job, handler, "--extract", host)?,
    };
    let words = command.words();
    let output = command.run(host)?;
    let extracted = json!({
        "cmd": words, "rc": output.rc, "out": output.out(), "err": output.err(),
    });
    result.insert("extract_results".into(), extracted);
    if output.rc != 0 {
        let mut error = fail!("failed to unpack {} to {}", job.shown, job.args.dest.0);
        error.result = result;
        return Err(error);
    }
    attribute_changes(job, members, host)?.iter().try_for_each(|c| c.apply(host))?;
    add_path_info(host, &mut result);
    Applied::with(result)
}

/// A command line that is shown in the result, too.
struct Line {
    program: PathBuf,
    args: Vec<String>,
    dest: PathBuf,
}

impl Line {
    pub fn new(host: &Host, job: &Job, program: &str) -> Result<Self> {
        let found = crate::process::find_program(host, program).ok_or_else(|| {
            fail!(
                "Failed to find handler for \"{}\". Make sure the required command to extract the file is installed.\n\
                 Unable to find required '{program}' binary in the path.",
                job.shown
            )
        })?;
        Ok(Self { program: found, args: Vec::new(), dest: host.path(&job.args.dest.0) })
    }

    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub fn args<'a>(mut self, args: impl IntoIterator<Item = &'a String>) -> Self {
        self.args.extend(args.into_iter().cloned());
        self
    }

    pub fn words(&self) -> Vec<String> {
        let program = self.program.to_string_lossy().into_owned();
        std::iter::once(program).chain(self.args.iter().cloned()).collect()
    }

    pub fn run(&mut self, host: &Host) -> Result<crate::ProcessOutput> {
        let process = crate::Process::new(&self.program).args(&self.args).cwd(&self.dest);
        process.run(host).map_err(|e| fail!("Error executing command: {e}"))
    }
}
