//! `file`: files, directories, links, their owners, modes and times; and removing them.

mod directory;
mod link;
mod remove;
mod times;
mod touch;

use std::path::{Path, PathBuf};

use protocol::{Diff, Map};

use self::times::Times;
use crate::args::Expanded;
use crate::files::{AttrChange, FileAttrs, State, add_path_info, fail_at, owners, real_path, state_of};
use crate::{Applied, Effects, Host, Module, Plan, Resource, Result, args, json, result};

args! {
    pub struct FileArgs {
        /// Path of the file or directory.
        path: Expanded = required(), aliases(&["dest", "name"]);
        /// What it shall be; by default what it is, else a file that has to exist.
        state: Option<String> = choices(&["absent", "directory", "file", "hard", "link", "touch"]);
        /// What a link points to.
        src: Option<Expanded>;
        /// Apply the attributes to everything below a directory.
        recurse: bool = default("no");
        /// Make links even if what they point to is missing, or where a file is.
        force: bool = default("no");
        /// Apply attributes to what a link points to.
        follow: bool = default("yes");
        /// `preserve`, `now`, or a time in `modification_time_format`.
        modification_time: Option<String>;
        /// Format of `modification_time`, as strptime's.
        modification_time_format: String = default("%Y%m%d%H%M.%S");
        /// `preserve`, `now`, or a time in `access_time_format`.
        access_time: Option<String>;
        /// Format of `access_time`, as strptime's.
        access_time_format: String = default("%Y%m%d%H%M.%S");
        /// The file's name at its origin; filled in by `copy` and the like.
        _original_basename: Option<String>;
        /// Accepted for old playbooks; without effect.
        _diff_peek: Option<bool>;
    }
    with { attrs: FileAttrs }
}

pub struct File;

/// A call, looked at.
struct Call {
    args: FileArgs,
    times: Times,
    before: State,
}

impl Module for File {
    type Args = FileArgs;
    const NAME: &'static str = "file";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str =
        "Set attributes of files, directories and links; make directories and links; remove.";

    fn effects(args: &FileArgs) -> Effects {
        let effects = Effects::writes([Resource::Path(args.path.0.clone())]);
        match &args.src {
            Some(src) if src.starts_with('/') => effects.and_reads(Resource::Path(src.0.clone())),
            _ => effects,
        }
    }

    fn plan(mut args: FileArgs, host: &Host) -> Result<Plan> {
        let before = state_of(&host.path(&*args.path));
        let default = match before {
            State::Absent if args.recurse => "directory",
            State::Absent => "file",
            other => other.word(),
        };
        let state = args.state.get_or_insert_with(|| default.to_owned()).clone();
        if args.recurse && state != "directory" {
            return Err(fail_at(host, &args.path, "recurse option requires state to be 'directory'"));
        }
        if args.src.is_some() && state != "link" && state != "hard" {
            return Err(fail_at(host, &args.path, "src option requires state to be 'link' or 'hard'"));
        }
        let times = Times::of(&args, &state)?;
        // A directory as the destination of a copy or a hard link means a name in it.
        if state != "link" && state != "absent" && host.path(&*args.path).is_dir() {
            let name = args._original_basename.clone().or_else(|| {
                let src = args.src.as_ref()?;
                Some(Path::new(&src.0).file_name()?.to_string_lossy().into_owned())
            });
            if let Some(name) = name {
                args.path = Expanded(format!("{}/{name}", args.path.trim_end_matches('/')));
            }
        }
        let before = state_of(&host.path(&*args.path));
        let warnings = if host.check() { unknown_names(&args.attrs, host) } else { Vec::new() };
        let call = Call { args, times, before };
        let planned = match state.as_str() {
            "absent" => remove::plan(call, host),
            "directory" => directory::plan(call, host),
            "link" => link::plan(call, host),
            "hard" => link::plan_hard(call, host),
            "touch" => touch::plan(call, host),
            _ => plan_file(call, host),
        };
        if warnings.is_empty() {
            return planned;
        }
        match planned {
            Ok(mut plan) => {
                plan.check.as_mut().unwrap_or(&mut plan.result).insert("warnings".into(), warnings.into());
                Ok(plan)
            }
            Err(error) => Err(error.with("warnings", warnings)),
        }
    }
}

/// In check mode an owner or group that is not there may be one that the real run makes before.
fn unknown_names(attrs: &FileAttrs, host: &Host) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut look = |kind: &str, id: &str, name: &str, found: &dyn Fn(&str) -> bool| {
        if !found(name) {
            let with = if name.parse::<u32>().is_ok() { format!(" with {id}") } else { String::new() };
            warnings.push(format!(
                "failed to look up {kind}{with} {name}. Create {kind} up to this point in real play"
            ));
        }
    };
    // Names of a number are the number where nobody has it.
    let by_number =
        |name: &str, of: fn(&Host, u32) -> String| name.parse().is_ok_and(|id| of(host, id) != name);
    if let Some(name) = &attrs.owner {
        look("user", "uid", name, &|name| {
            owners::user_id(host, name).is_some() || by_number(name, owners::user_name)
        });
    }
    if let Some(name) = &attrs.group {
        look("group", "gid", name, &|name| {
            owners::group_id(host, name).is_some() || by_number(name, owners::group_name)
        });
    }
    warnings
}

/// `state: file`: it has to be there; only its attributes change.
fn plan_file(mut call: Call, host: &Host) -> Result<Plan> {
    call.follow(host);
    let path = call.args.path.0.clone();
    if !matches!(call.before, State::File | State::Hard) {
        let msg = match call.before {
            State::Absent => format!("file ({path}) is absent, cannot continue"),
            other => format!("file ({path}) is {}, cannot continue", other.word()),
        };
        return Err(fail_at(host, &path, msg).with("state", call.before.word()));
    }
    let sides = Sides::new(&path, State::File, State::File);
    call.attributes(host, "path", result! {"path": path}, sides)
}

impl Call {
    /// If the path is a link and links are followed, go on with what it points to.
    fn follow(&mut self, host: &Host) {
        if self.args.follow && self.before == State::Link {
            self.args.path = Expanded(followed(host, &self.args.path));
            self.before = state_of(&host.path(&*self.args.path));
        }
    }

    /// Where attributes go: the target of a link if links are followed.
    fn target(&self, host: &Host) -> String {
        if self.args.follow && state_of(&host.path(&*self.args.path)) == State::Link {
            followed(host, &self.args.path)
        } else {
            self.args.path.0.clone()
        }
    }

    /// A plan for something that exists: its attributes and times.
    fn attributes(self, host: &Host, key: &str, mut result: Map, mut sides: Sides) -> Result<Plan> {
        let path = self.target(host);
        let change = self.args.attrs.plan(host, &path)?;
        let times = self.times.plan(host, &path)?;
        change.add_to_diff(&mut sides.before, &mut sides.after);
        times.add_to_diff(&mut sides);
        add_info(host, key, &self.args.path, &mut result);
        let diff = host.diff().then(|| sides.diff());
        let mut plan = Plan { result, diff: diff.into_iter().collect(), ..Plan::default() };
        if !change.is_empty() || !times.is_empty() {
            let (key, shown) = (key.to_owned(), self.args.path.0);
            plan.apply = Some(Box::new(move |host: &Host| {
                change.apply(host)?;
                times.apply(host)?;
                let mut result = Map::new();
                add_info(host, &key, &shown, &mut result);
                Applied::with(result)
            }));
        }
        Ok(plan)
    }

    /// Give what was just made its attributes and times; adds to the two sides.
    fn finish_new(&self, host: &Host, sides: &mut Sides) -> Result<AttrChange> {
        let path = self.target(host);
        // Nothing can be set on what a dangling link points to.
        if !host.path(&path).exists() && state_of(&host.path(&path)) == State::Absent {
            return Ok(AttrChange::default());
        }
        let change = self.args.attrs.apply(host, &path)?;
        change.add_to_diff(&mut sides.before, &mut sides.after);
        let times = self.times.plan(host, &path)?;
        times.apply(host)?;
        times.add_to_diff(sides);
        Ok(change)
    }
}

/// A link's final target as a path of the host.
fn followed(host: &Host, path: &str) -> String {
    let real: PathBuf = real_path(&host.path(path));
    if host.is_real() {
        return real.to_string_lossy().into_owned();
    }
    let root = host.path("/");
    real.strip_prefix(&root)
        .map_or_else(|_| real.clone(), |r| Path::new("/").join(r))
        .to_string_lossy()
        .into_owned()
}

/// The keys about a path, under `path` or `dest`.
fn add_info(host: &Host, key: &str, path: &str, result: &mut Map) {
    result.insert(key.to_owned(), path.into());
    add_path_info(host, result);
}

/// The two sides of this module's diff, which are dictionaries.
struct Sides {
    before: Map,
    after: Map,
}

impl Sides {
    fn new(path: &str, before: State, after: State) -> Self {
        Self::with_words(path, before.word(), after.word())
    }

    fn with_words(path: &str, before: &str, after: &str) -> Self {
        let mut sides = Self { before: result! {"path": path}, after: result! {"path": path} };
        if before != after {
            sides.before.insert("state".into(), before.into());
            sides.after.insert("state".into(), after.into());
        }
        sides
    }

    fn diff(&self) -> Diff {
        Diff { before: Some(json!(self.before)), after: Some(json!(self.after)), ..Diff::default() }
    }
}
