//! Templates that other templates name: `include`, `import`, `extends`.

use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use crate::error::ErrorKind;
use crate::template::eval::frame::Frame;
use crate::template::eval::{iterate, locate, ops};
use crate::template::object::{Fail, R, V};
use crate::template::repr;
use crate::template::syntax::ast::Template;
use crate::{Error, Pos};

/// Find and parse the template that a value names; a list names alternatives, of which the first found is taken.
pub(crate) fn load(name: &V, frame: &Rc<Frame>) -> R<(Arc<Template>, PathBuf)> {
    // Templates can include each other often without ever being nested deeply.
    frame.env().limits.spend(1000)?;
    let names: Vec<String> = match iterate::as_list(name)? {
        Some(items) => items.iter().map(ops::to_str).collect::<R<_>>()?,
        None => vec![ops::to_str(name)?],
    };
    for name in &names {
        if let Some(path) = find(name, frame) {
            return read(&path, frame).map(|template| (template, path));
        }
    }
    let message = match names.as_slice() {
        [one] => format!("{} not found in {}", repr::quoted(one), search_path(frame)),
        many => format!("none of the templates given were found: {}", many.join(", ")),
    };
    Err(Error::new(format!("Error rendering template: {message}")).with_kind(ErrorKind::NotFound).into())
}

/// Where templates are searched: the directory of the template itself, then each directory of the search
/// path with its `templates` first.
fn directories(frame: &Rc<Frame>) -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = Vec::new();
    for dir in frame.env().scope.search_path() {
        dirs.push(dir.join("templates"));
        dirs.push(dir.clone());
    }
    for dir in [frame.context.file.as_ref().and_then(|f| f.parent()), frame.env().template_dir.as_deref()]
        .into_iter()
        .flatten()
    {
        for dir in [dir.join("templates"), dir.to_path_buf()] {
            if !dirs.contains(&dir) {
                dirs.push(dir);
            }
        }
    }
    dirs
}

fn search_path(frame: &Rc<Frame>) -> String {
    let dirs: Vec<String> =
        directories(frame).iter().map(|d| repr::quoted(&d.display().to_string())).collect();
    format!("search path{}: {}", if dirs.len() == 1 { "" } else { "s" }, dirs.join(", "))
}

fn find(name: &str, frame: &Rc<Frame>) -> Option<PathBuf> {
    let relative = Path::new(name.trim_start_matches('/'));
    if relative.components().any(|c| !matches!(c, Component::Normal(_) | Component::CurDir)) {
        return None;
    }
    directories(frame).into_iter().map(|dir| dir.join(relative)).find(|path| path.is_file())
}

fn read(path: &Path, frame: &Rc<Frame>) -> R<Arc<Template>> {
    let text = std::fs::read_to_string(path).map_err(|e| {
        Fail::Error(Error::new(format!("cannot read the template '{}': {e}", path.display())))
    })?;
    let pos = Pos { file: path.into(), line: 1, column: 1 };
    frame.env().templar.compile_with(&text, &frame.context.syntax, Some(&pos)).map_err(Fail::Error)
}

/// Give a failure the place in the included file.
pub(crate) fn in_file(fail: Fail, frame: &Rc<Frame>) -> Fail {
    let pos = frame.context.file.as_ref().map(|file| Pos { file: file.as_path().into(), line: 1, column: 1 });
    locate(fail, pos.as_ref(), frame.context.line.get())
}
