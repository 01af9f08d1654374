//! `vars_files` of a play, and where files of variables are searched.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::ErrorKind;
use crate::inventory::combine;
use crate::playbook::{Hooks, Play, clean_path};
use crate::template::{Overlay, Scope, Templar};
use crate::yaml::{self, Node, NodeKind};
use crate::{Error, Map, Result, Value};

use super::RunVars;

/// The variables of a play's `vars_files` for one host, and what there is to warn of. An entry that is a list gives the first
/// file that exists; one whose name needs a variable that is not there (yet) gives nothing, and so does a file
/// that is not there.
pub fn read_vars_files(
    hooks: &dyn Hooks,
    templar: &Templar,
    play: &Play,
    scope: &Arc<dyn Scope>,
    run: &RunVars,
) -> Result<(Map, Vec<Error>)> {
    let mut vars = Map::new();
    let mut warnings = Vec::new();
    let search_path = [play.basedir.to_path_buf()];
    for entry in play.vars_files() {
        let names = entry.as_list().unwrap_or(std::slice::from_ref(entry));
        for name in names {
            // Names may depend on what the entries before have read.
            let known = vars.iter().filter(|(name, _)| !run.extra.contains_key(*name));
            let known = known.map(|(name, value)| (name.clone(), value.clone())).collect();
            let scope: Arc<dyn Scope> = Arc::new(Overlay { vars: known, below: scope.clone() });
            let rendered = match templar.render(name, &scope) {
                Ok(rendered) => rendered,
                Err(error) if error.kind() == ErrorKind::Undefined => {
                    let warning = Error::new("skipping vars_files item due to an undefined variable");
                    warnings.push(warning.at(name.pos()).caused_by(error));
                    break;
                }
                Err(error) => return Err(error),
            };
            let Value::Str(text) = &rendered else {
                let message = format!("Invalid `vars_files` value of type '{}'.", rendered.type_name());
                return Err(Error::new(message).at(name.pos()));
            };
            if let Ok(path) = find(&search_path, text.as_str()) {
                read(hooks, &path, &mut vars, &mut warnings, run.merge)?;
                break;
            }
        }
    }
    Ok((vars, warnings))
}

/// A file of variables: a dictionary, or a list of dictionaries.
fn read(
    hooks: &dyn Hooks,
    path: &Path,
    vars: &mut Map,
    warnings: &mut Vec<Error>,
    merge: bool,
) -> Result<()> {
    if path.is_dir() {
        let shown = path.display();
        let message = format!(
            "An error occurred while trying to read the file '{shown}': [Errno 21] Is a directory: '{shown}'"
        );
        return Err(Error::new(message));
    }
    let document = yaml::parse_one(&hooks.read(path)?, path)?;
    warnings.extend(document.warnings);
    let root = document.root;
    let dicts = match &root.value {
        NodeKind::Null => return Ok(()),
        NodeKind::Seq(items) => items.as_slice(),
        _ => std::slice::from_ref(&root),
    };
    for dict in dicts {
        let Some(pairs) = dict.as_map() else {
            return Err(Error::new("Invalid variable file contents")
                .with_help("Variable files must contain either a dictionary of variables, or a list of dictionaries.")
                .at(Some(&dict.pos)));
        };
        combine(vars, map_of(pairs), merge);
    }
    Ok(())
}

fn map_of(pairs: &[(Node, Node)]) -> Map {
    pairs.iter().filter_map(|(key, value)| Some((key.to_key()?, value.to_value()))).collect()
}

/// The file of that name: in `vars` below each directory of the search path, or in it. The error is where it was
/// searched.
pub(super) fn find(search_path: &[PathBuf], name: &str) -> std::result::Result<PathBuf, Vec<PathBuf>> {
    let path = Path::new(name);
    let candidates: Vec<PathBuf> = if path.is_absolute() || name.starts_with('~') {
        vec![join(Path::new("/"), name)]
    } else {
        let below = |dir: &PathBuf| {
            if path.starts_with("vars") {
                vec![join(dir, name)]
            } else {
                vec![join(&dir.join("vars"), name), join(dir, name)]
            }
        };
        search_path.iter().flat_map(below).collect()
    };
    match candidates.iter().find(|path| path.exists()) {
        Some(path) => Ok(path.clone()),
        None => Err(candidates),
    }
}

/// The path that a name means below a directory: `~` is the home directory, `..` is resolved.
pub(super) fn join(dir: &Path, name: &str) -> PathBuf {
    clean_path(dir, name)
}
