//! `copy`: content to files of the host. Also what `template` and everything else that puts files becomes.
//!
//! The controller finds the source, renders it or reads the directory, and sends one of three forms:
//!
//! - one file: `content` (a [`Blob`]), `dest`, and if it came from a file `_original_basename`, its name, which
//!   is appended where `dest` is a directory or ends with a slash; `_source` is what the controller calls it, for
//!   the header of a diff. Without `_original_basename` a directory as `dest` is refused as for `content:`.
//! - a whole directory in one step: `tree`, a list of entries, and `dest`. An entry has a `path` below `dest`
//!   and either `content`, `directory: true`, or `link` (what it points to); files may have a `mode` of their own
//!   and a `source` for the header of the diff. What is missing of their contents is asked for together.
//! - `remote_src: true` with `src`: from host to host, done here alone.
//!
//! `mode: preserve` is only for the last form: for the others the controller sends the mode it stands for. The
//! key `src` of the result is the controller's to add.

mod one;
mod remote;
mod tree;

use std::path::Path;

use crate::args::{Expanded, Raw};
use crate::files::FileAttrs;
use crate::{Blob, Effects, Host, Module, Plan, Resource, Result, args, fail};

args! {
    pub struct CopyArgs {
        /// The content.
        content: Option<Blob>;
        /// A directory's entries; see above.
        tree: Option<Vec<Raw>>;
        /// The file or directory of the host, with `remote_src`.
        src: Option<Expanded>;
        /// Where to.
        dest: Expanded = required();
        /// Keep the old file under a name with the time.
        backup: bool = default("no");
        /// Replace a file that differs; otherwise only make what is missing.
        force: bool = default("yes"), aliases(&["thirsty"]);
        /// A command that has to accept the new content; `%s` is the file.
        validate: Option<String>;
        /// Mode of directories that are made.
        directory_mode: Option<Raw>;
        /// `src` is on the host.
        remote_src: bool = default("no");
        /// Write to what a link at `dest` points to.
        follow: bool = default("no");
        /// Follow links in the source; by default only at its top.
        local_follow: Option<bool>;
        /// SHA-1 that the content must have.
        checksum: Option<String>;
        /// The controller's matter; accepted.
        decrypt: bool = default("yes");
        /// Name of the source file.
        _original_basename: Option<String>;
        /// What the controller calls the source.
        _source: Option<String>;
    }
    with { attrs: FileAttrs }
    checks { mutually_exclusive(&["content", "tree", "src"]) }
}

pub struct Copy;

impl Module for Copy {
    type Args = CopyArgs;
    const NAME: &'static str = "copy";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Copy files and directories to the host.";

    fn effects(args: &CopyArgs) -> Effects {
        let effects = Effects::writes([Resource::Path(args.dest.trim_end_matches('/').to_owned())]);
        match &args.src {
            Some(src) => effects.and_reads(Resource::Path(src.0.clone())),
            None => effects,
        }
    }

    fn plan(mut args: CopyArgs, host: &Host) -> Result<Plan> {
        if let Some(command) = args.validate.as_ref().filter(|c| !c.contains("%s")) {
            return Err(fail!("validate must contain %s: {command}"));
        }
        if let Some(content) = args.content.take() {
            return one::plan(args, content, host);
        }
        if let Some(entries) = args.tree.take() {
            return tree::plan(args, entries, host);
        }
        match args.src.take() {
            Some(src) if args.remote_src => remote::plan(args, &src, host),
            Some(_) => Err(fail!("src is a file of the controller, which has to send its content")),
            None => Err(fail!("src (or content) is required")),
        }
    }
}

impl CopyArgs {
    /// The attributes of directories that are made.
    fn directory_attrs(&self) -> FileAttrs {
        FileAttrs { mode: self.directory_mode.clone(), ..self.attrs.clone() }
    }
}

/// Make the directories that are missing above and at `path`, each with these attributes.
fn make_directories(host: &Host, path: &str, attrs: &FileAttrs) -> Result<()> {
    attrs.verify(host, path)?;
    let mut missing = Vec::new();
    let mut part = Path::new(path);
    while !part.as_os_str().is_empty() && !host.path(part).exists() {
        missing.push(part);
        match part.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => part = parent,
            _ => break,
        }
    }
    for part in missing.into_iter().rev() {
        let shown = part.to_string_lossy();
        match std::fs::create_dir(host.path(part)) {
            Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(fail!("could not make the directory {shown}: {}", crate::files::strerror(&e)));
            }
            _ => {}
        }
        attrs.apply(host, &shown)?;
    }
    Ok(())
}

/// `dir/name` with one slash between.
fn join(dir: &str, name: &str) -> String {
    format!("{}/{name}", dir.trim_end_matches('/'))
}
