//! The variables that are known while loading: for the names of imported files and of roles.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::playbook::{Frame, FrameKind};
use crate::template::{Scope, python_str};
use crate::value::may_be_template;
use crate::{Error, Map, Result, Value};

use super::{Load, files};

struct LoadScope {
    extra: Arc<Map>,
    own: Map,
    frame: Arc<Frame>,
    vars_files: Vec<Arc<Map>>,
    basedir: Arc<Path>,
    search: Vec<PathBuf>,
}

impl LoadScope {
    fn find(&self, name: &str) -> Option<Value> {
        match (name, self.frame.role()) {
            ("playbook_dir", _) => return Some(Value::str(self.basedir.to_string_lossy())),
            ("role_path", Some(role)) => return Some(Value::str(role.path.to_string_lossy())),
            ("role_name", Some(role)) => return Some(Value::str(role.name.clone())),
            ("ansible_role_name", Some(role)) => return Some(Value::str(role.full_name())),
            _ => {}
        }
        let roles = || self.frame.roles();
        let blocks = self.frame.chain().filter(|f| !matches!(f.kind, FrameKind::Play { .. }));
        let levels = std::iter::once(&*self.extra)
            .chain(roles().map(|r| &r.params))
            .chain(std::iter::once(&self.own))
            .chain(blocks.map(|f| &f.vars))
            .chain(roles().map(|r| &r.entry_vars))
            .chain(roles().map(|r| &*r.vars))
            .chain(self.vars_files.iter().map(|m| &**m))
            .chain(self.frame.chain().last().map(|f| &f.vars))
            .chain(roles().map(|r| &*r.defaults));
        levels.into_iter().find_map(|level| level.get(name).cloned())
    }
}

impl Scope for LoadScope {
    fn get(&self, name: &str) -> Result<Option<Value>> {
        Ok(self.find(name))
    }

    fn names(&self) -> Vec<String> {
        let maps = self.frame.chain().map(|f| &f.vars).chain([&self.own, &*self.extra]);
        maps.flat_map(|map| map.keys().map(ToString::to_string)).collect()
    }

    fn hostvars(&self, _host: &str) -> Result<Option<Arc<dyn Scope>>> {
        Ok(None)
    }

    fn hostnames(&self) -> Vec<String> {
        Vec::new()
    }

    fn search_path(&self) -> &[PathBuf] {
        &self.search
    }
}

impl Load<'_> {
    /// Render a text that has to be known while loading, with the variables of the place.
    pub(super) fn render(&mut self, value: &Value, own: &Map, frame: &Arc<Frame>) -> Result<String> {
        let rendered = self.render_value(value, own, frame)?;
        match &rendered {
            Value::List(_) | Value::Map(_) | Value::Null => Err(Error::new(format!(
                "Expected a string but got <class '{}'> instead",
                rendered.type_name()
            ))),
            scalar => Ok(python_str(scalar)),
        }
    }

    /// Render a value that has to be known while loading.
    pub(super) fn render_value(&mut self, value: &Value, own: &Map, frame: &Arc<Frame>) -> Result<Value> {
        if !value.has_template() {
            return Ok(value.clone());
        }
        let scope: Arc<dyn Scope> = Arc::new(LoadScope {
            extra: self.loader.extra.clone(),
            own: own.clone(),
            frame: frame.clone(),
            vars_files: self.static_vars_files(frame)?,
            basedir: self.basedir.clone(),
            search: vec![self.basedir.to_path_buf()],
        });
        self.loader.hooks.render(value, &scope)
    }

    /// What is in the `vars_files` around whose names have no templates, the last one first. A file that is not there
    /// has nothing in it.
    pub(super) fn static_vars_files(&mut self, frame: &Arc<Frame>) -> Result<Vec<Arc<Map>>> {
        let Some(play) = frame.chain().last() else { return Ok(Vec::new()) };
        let FrameKind::Play { vars_files } = &play.kind else { return Ok(Vec::new()) };
        let dir = files::directory(&play.file);
        let mut maps = Vec::new();
        for name in vars_files.iter().rev().filter_map(Value::as_str).filter(|name| !may_be_template(name)) {
            let path = files::below(&dir, name);
            if path.is_file()
                && let Value::Map(map) = self.read(&path)?.to_value()
            {
                maps.push(map);
            }
        }
        Ok(maps)
    }
}
