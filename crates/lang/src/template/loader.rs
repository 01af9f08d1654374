//! Templates that other templates name: `include`, `import`, `extends`.

use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use crate::error::ErrorKind;
use crate::template::eval::frame::Frame;
use crate::template::eval::{iterate, locate, ops};
use crate::template::object::{Fail, R, V};
use crate::template::syntax::ast::Template;
use crate::{Error, Pos};

/// Find and parse the template that a value names; a list names alternatives, of which the first found is taken.
pub(crate) fn load(name: &V, frame: &Rc<Frame>) -> R<(Arc<Template>, PathBuf)> {
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
        [one] => one.clone(),
        many => format!("none of the templates given were found: {}", many.join(", ")),
    };
    Err(Error::new(format!("Error rendering template: {message}")).with_kind(ErrorKind::NotFound).into())
}

/// Where templates are searched: the directory of the template itself, then each directory of the search
/// path with its `templates` first.
fn find(name: &str, frame: &Rc<Frame>) -> Option<PathBuf> {
    let relative = Path::new(name.trim_start_matches('/'));
    if relative.components().any(|c| !matches!(c, Component::Normal(_) | Component::CurDir)) {
        return None;
    }
    let mut dirs: Vec<PathBuf> = Vec::new();
    for dir in frame.env().scope.search_path() {
        dirs.push(dir.join("templates"));
        dirs.push(dir.clone());
    }
    if let Some(dir) = frame.context.file.as_ref().and_then(|f| f.parent()) {
        dirs.push(dir.to_path_buf());
    }
    if let Some(root) = &frame.env().template_dir {
        dirs.push(root.join("templates"));
        dirs.push(root.clone());
    }
    dirs.into_iter().map(|dir| dir.join(relative)).find(|path| path.is_file())
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
