//! `include_vars`: the variables of a file, or of the files of a directory.
//!
//! Source: the documentation of `ansible.builtin.include_vars`; messages were recorded from ansible-core
//! (`tests/record/engine_cases`).

use std::path::{Path, PathBuf};

use crate::error::ErrorKind;
use crate::playbook::Hooks;

use crate::template::{Scope, python_str};
use crate::yaml::{self, NodeKind};
use crate::{Error, Key, Map, Result, Value};

use super::files::find;
use super::scope::merge;

const FILE_ARGS: &[&str] = &["file", "_raw_params"];
const DIR_ARGS: &[&str] =
    &["dir", "depth", "files_matching", "ignore_files", "extensions", "ignore_unknown_extensions"];
const OTHER_ARGS: &[&str] = &["name", "hash_behaviour"];

/// What the task that includes knows.
pub struct VarsInclusion<'a> {
    pub args: &'a Map,
    /// Where files are searched.
    pub search_path: &'a [PathBuf],
    /// Directory of the file that has the task: where `dir` is searched outside of roles.
    pub task_dir: Option<&'a Path>,
    pub role_dir: Option<&'a Path>,
    /// The variables of the task: what `hash_behaviour: merge` merges with.
    pub scope: &'a dyn Scope,
    /// `hash_behaviour` of the configuration is `merge`.
    pub merge: bool,
}

/// What was read, also where it ended with an error.
#[derive(Debug, Default)]
pub struct IncludedVars {
    pub files: Vec<PathBuf>,
    pub vars: Map,
    /// Why the task fails: in its result this is `message`.
    pub error: Option<String>,
}

/// Read what the task names. An error is about its arguments.
pub fn include_vars(hooks: &dyn Hooks, inclusion: &VarsInclusion<'_>) -> Result<IncludedVars> {
    let args = inclusion.args;
    let given = |names: &[&str]| names.iter().any(|name| args.contains_key(*name));
    for key in args.keys() {
        let known = |names: &[&str]| key.as_str().is_some_and(|key| names.contains(&key));
        if !known(FILE_ARGS) && !known(DIR_ARGS) && !known(OTHER_ARGS) {
            return Err(Error::new(format!("{key} is not a valid option in include_vars")));
        }
    }
    if given(FILE_ARGS) && given(DIR_ARGS) {
        return Err(Error::new("You are mixing file only and dir only arguments, these are incompatible"));
    }
    let mut read = Reading { hooks, inclusion, included: IncludedVars::default() };
    let error = match args.get("dir").filter(|dir| dir.is_truthy()) {
        Some(dir) => read.directory(&python_str(dir), &Choice::new(args)?)?,
        None => read.file(args)?,
    };
    let mut included = read.included;
    if error.is_some() {
        included.vars.clear();
    }
    included.error = error;
    if let Some(name) = args.get("name").filter(|name| name.is_truthy()) {
        let vars = std::mem::take(&mut included.vars);
        included.vars.insert(Key::from(python_str(name)), Value::map(vars));
    }
    if included.error.is_none() {
        inclusion.merge_existing(&mut included.vars)?;
    }
    Ok(included)
}

impl VarsInclusion<'_> {
    /// `hash_behaviour: merge`: dictionaries add to those that the variables have.
    fn merge_existing(&self, vars: &mut Map) -> Result<()> {
        let wanted = match self.args.get("hash_behaviour") {
            Some(value) => python_str(value) == "merge",
            None => self.merge,
        };
        if !wanted {
            return Ok(());
        }
        for (name, value) in vars {
            let Some(text) = name.as_str() else { continue };
            if let Some(existing) = self.scope.get(text)? {
                *value = merge(&existing, value);
            }
        }
        Ok(())
    }
}

/// Which files of a directory are read.
struct Choice {
    /// 0 for any.
    depth: i64,
    matching: Option<fancy_regex::Regex>,
    ignored: Vec<fancy_regex::Regex>,
    extensions: Vec<String>,
    ignore_unknown: bool,
}

impl Choice {
    fn new(args: &Map) -> Result<Self> {
        let regex = |text: &str| fancy_regex::Regex::new(text).map_err(|error| Error::new(error.to_string()));
        let matching = match args.get("files_matching").filter(|text| text.is_truthy()) {
            Some(text) => Some(regex(&python_str(text))?),
            None => None,
        };
        let ignored = match args.get("ignore_files") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Str(text)) => text.as_str().split_whitespace().map(str::to_owned).collect(),
            Some(Value::List(items)) => items.iter().map(python_str).collect(),
            Some(other) => {
                let message = format!("ignore_files must be a list, not '{}'", other.type_name());
                return Err(Error::new(message));
            }
        };
        let ignored = ignored.iter().map(|text| regex(&format!("{text}$"))).collect::<Result<_>>()?;
        let extensions = match args.get("extensions") {
            None | Some(Value::Null) => ["yaml", "yml", "json"].map(str::to_owned).to_vec(),
            Some(Value::List(items)) => items.iter().map(python_str).collect(),
            Some(Value::Str(text)) => vec![text.as_str().to_owned()],
            Some(_) => return Err(Error::new("Invalid type for \"extensions\" option, it must be a list")),
        };
        let depth = match args.get("depth") {
            None | Some(Value::Null) => Some(0),
            Some(value) => python_str(value).trim().parse().ok(),
        };
        let depth = depth.ok_or_else(|| Error::new("depth must be an integer"))?;
        let ignore_unknown = match args.get("ignore_unknown_extensions") {
            Some(Value::Str(text)) => crate::playbook::boolean(text.as_str())
                .ok_or_else(|| Error::new("ignore_unknown_extensions must be a boolean"))?,
            Some(value) => value.is_truthy(),
            None => false,
        };
        Ok(Self { depth, matching, ignored, extensions, ignore_unknown })
    }

    fn fits(&self, regex: &fancy_regex::Regex, name: &str) -> bool {
        regex.is_match(name).unwrap_or(false)
    }
}

struct Reading<'a> {
    hooks: &'a dyn Hooks,
    inclusion: &'a VarsInclusion<'a>,
    included: IncludedVars,
}

/// Why the task fails, if it does.
type Failure = Option<String>;

impl Reading<'_> {
    fn file(&mut self, args: &Map) -> Result<Failure> {
        let name = match args.get("file").or(args.get("_raw_params")) {
            None | Some(Value::Null) => String::new(),
            Some(Value::Str(text)) => text.as_str().trim_end_matches('\n').to_owned(),
            Some(other) => {
                let message = format!("the name of a file has to be a string, not '{}'", other.type_name());
                return Err(Error::new(message));
            }
        };
        const HELP: &str = "on the Ansible Controller.\nIf you are using a module and expect the file to exist on the \
                            remote, see the remote_src option";
        if name.is_empty() {
            return Ok(Some(format!("Could not find file {HELP}")));
        }
        match find(self.inclusion.search_path, &name) {
            Ok(path) => self.read(&path),
            Err(mut tried) => {
                // The playbook's directory comes once more where it is the task's own.
                if let [.., last] = self.inclusion.search_path
                    && self.inclusion.task_dir == Some(last)
                {
                    tried.extend(find(std::slice::from_ref(last), &name).err().unwrap_or_default());
                }
                let tried: Vec<String> = tried.iter().map(|path| format!("\t{}", path.display())).collect();
                let tried = tried.join("\n");
                Ok(Some(format!("Could not find or access '{name}'\nSearched in:\n{tried} {HELP}")))
            }
        }
    }

    fn directory(&mut self, name: &str, choice: &Choice) -> Result<Failure> {
        let root = self.root(name);
        if !root.exists() {
            return Ok(Some(format!("{} directory does not exist", root.display())));
        }
        if !root.is_dir() {
            return Ok(Some(format!("{} is not a directory", root.display())));
        }
        self.walk(&root, 1, choice, &mut Vec::new())
    }

    /// In a role, `dir` is below its `vars`, whether that is written or not.
    fn root(&self, name: &str) -> PathBuf {
        let path = Path::new(name);
        match (self.inclusion.role_dir, self.inclusion.task_dir) {
            (Some(role), _) if path.starts_with("vars") => role.join(name),
            (Some(role), _) => role.join("vars").join(name),
            (None, Some(dir)) => dir.join(name),
            (None, None) => path.into(),
        }
    }

    /// The files of a directory, then its directories; links are followed unless they lead back up (`above` are the real
    /// paths of the directories around).
    fn walk(&mut self, dir: &Path, depth: i64, choice: &Choice, above: &mut Vec<PathBuf>) -> Result<Failure> {
        let real = dir.canonicalize().map_err(|error| yaml::unreadable(dir, &error))?;
        if above.contains(&real) {
            return Ok(None);
        }
        let entries = std::fs::read_dir(dir).map_err(|error| yaml::unreadable(dir, &error))?;
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        let (dirs, files): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.is_dir());
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let unwanted = choice.matching.as_ref().is_some_and(|regex| !choice.fits(regex, &name))
                || choice.ignored.iter().any(|regex| choice.fits(regex, &name));
            if unwanted {
                continue;
            }
            let extension = file.extension().unwrap_or_default().to_string_lossy();
            if !choice.extensions.iter().any(|known| *known == extension) {
                if choice.ignore_unknown {
                    continue;
                }
                let known = choice.extensions.join(", ");
                return Ok(Some(format!("{} does not have a valid extension: {known}", file.display())));
            }
            if let Some(failure) = self.read(&file)? {
                return Ok(Some(failure));
            }
        }
        if choice.depth != 0 && depth >= choice.depth {
            return Ok(None);
        }
        above.push(real);
        for dir in dirs {
            if let Some(failure) = self.walk(&dir, depth + 1, choice, above)? {
                return Ok(Some(failure));
            }
        }
        above.pop();
        Ok(None)
    }

    fn read(&mut self, path: &Path) -> Result<Failure> {
        let shown = path.display();
        if path.is_dir() {
            return Ok(Some(format!(
                "An error occurred while trying to read the file '{shown}': [Errno 21] Is a directory: '{shown}'"
            )));
        }
        let root = match self.hooks.read(path).and_then(|text| yaml::parse_one(&text, path)) {
            Ok(document) => document.root,
            Err(error) if error.kind() == ErrorKind::Syntax => return Ok(Some(format!("{error}."))),
            Err(error) => return Ok(Some(error.to_string())),
        };
        match &root.value {
            NodeKind::Null => {}
            NodeKind::Map(pairs) => {
                for (key, value) in pairs {
                    if let Some(key) = key.to_key() {
                        self.included.vars.insert(key, value.to_value());
                    }
                }
            }
            _ => return Ok(Some(format!("{shown} must be stored as a dictionary/hash"))),
        }
        self.included.files.push(path.into());
        Ok(None)
    }
}
