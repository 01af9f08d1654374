//! Files of plays, and imported playbooks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::ErrorKind;
use crate::keywords::{Keyword, Place};
use crate::playbook::{Frame, FrameKind, Play};
use crate::yaml::{Node, NodeKind};
use crate::{Error, Map, Value};

use super::fields::Fields;
use super::{Load, files};

/// What an `import_playbook` gives to the plays it brings.
#[derive(Clone, Default)]
pub(super) struct Imported {
    pub vars: Map,
    pub when: Vec<Value>,
    pub tags: Vec<Value>,
}

impl Load<'_> {
    /// The plays of the playbook that was asked for.
    pub(super) fn plays(&mut self, path: &Path) -> Vec<Arc<Play>> {
        self.playbook_file(&files::absolute(path), &Imported::default())
    }

    fn playbook_file(&mut self, path: &Path, imported: &Imported) -> Vec<Arc<Play>> {
        let outside = std::mem::replace(&mut self.basedir, files::directory(path));
        self.importing.push(path.into());
        let read = self.read(path);
        let plays = match self.ok(read) {
            Some(node) => self.entries(&node, path, imported),
            None => Vec::new(),
        };
        self.importing.pop();
        self.basedir = outside;
        plays
    }

    fn entries(&mut self, node: &Node, path: &Path, imported: &Imported) -> Vec<Arc<Play>> {
        let name = path.display();
        let nodes = match &node.value {
            NodeKind::Null => {
                self.report(
                    Error::new(format!("Empty playbook, nothing to do: {name}")).with_kind(ErrorKind::Syntax),
                );
                return Vec::new();
            }
            NodeKind::Seq(nodes) if nodes.is_empty() => {
                let message = format!("A playbook must contain at least one play: {name}");
                self.report(Error::new(message).with_kind(ErrorKind::Syntax));
                return Vec::new();
            }
            NodeKind::Seq(nodes) => nodes,
            _ => {
                let is = node.type_name();
                let message =
                    format!("A playbook must be a list of plays, got a <class '{is}'> instead: {name}");
                self.bad(&node.pos, message);
                return Vec::new();
            }
        };
        let mut plays = Vec::new();
        for node in nodes {
            let Some(pairs) = node.as_map() else {
                self.bad(
                    &node.pos,
                    "playbook entries must be either valid plays or 'import_playbook' statements",
                );
                continue;
            };
            let import =
                ["import_playbook", "ansible.builtin.import_playbook", "ansible.legacy.import_playbook"]
                    .iter()
                    .find_map(|key| node.get(key));
            match import {
                Some(file) => plays.extend(self.import_playbook(node, pairs, file, path, imported)),
                None => plays.extend(self.play(node, pairs, path, imported).map(Arc::new)),
            }
        }
        plays
    }

    fn import_playbook(
        &mut self,
        node: &Node,
        pairs: &[(Node, Node)],
        file: &Node,
        path: &Path,
        around: &Imported,
    ) -> Vec<Arc<Play>> {
        let what = "PlaybookInclude";
        if !self.one_more(&node.pos) {
            return Vec::new();
        }
        let mut fields = Fields::default();
        for (key, value) in pairs {
            let name = key.as_str().unwrap_or_default();
            match Keyword::find(name) {
                _ if name.ends_with("import_playbook") => {}
                Some(keyword)
                    if keyword == Keyword::When
                        || (keyword.allowed(Place::Play) && keyword.allowed(Place::Role)) =>
                {
                    self.field(&mut fields, keyword, value, &node.pos, what);
                }
                _ => self.unknown(key, what, Place::Play),
            }
        }
        match &file.value {
            NodeKind::Null => {
                self.bad(&node.pos, "The field 'import_playbook' is required but was not set.");
                return Vec::new();
            }
            NodeKind::Seq(_) | NodeKind::Map(_) => {
                let message = format!(
                    "The field 'import_playbook' is supposed to be a string type, however the incoming data structure \
                     is a <class '{}'>",
                    file.type_name()
                );
                self.bad(&node.pos, message);
                return Vec::new();
            }
            _ => {}
        }
        let mut vars = around.vars.clone();
        vars.extend(fields.vars);
        // Names of imported playbooks see extra vars and the variables of the import.
        let frame = Arc::new(Frame {
            kind: FrameKind::Play { vars_files: Vec::new() },
            name: None,
            attrs: Default::default(),
            vars: vars.clone(),
            parent: None,
            file: path.into(),
            dir: Default::default(),
            pos: node.pos.clone(),
        });
        let rendered = self.render(&file.to_value(), &Map::new(), &frame).map_err(|cause| {
            Error::new("Error processing keyword 'import_playbook'")
                .with_kind(ErrorKind::Syntax)
                .at(Some(&file.pos))
                .caused_by(cause)
        });
        let Some(name) = self.ok(rendered) else { return Vec::new() };
        let target = self.find_playbook(&name);
        if !target.is_file() {
            self.report(files::missing(&target).at(Some(&file.pos)));
            return Vec::new();
        }
        if self.importing.contains(&target) {
            let chain: Vec<String> = self.importing.iter().map(|p| p.display().to_string()).collect();
            let error = Error::new(format!("import_playbook: '{}' imports itself", target.display()))
                .with_kind(ErrorKind::Syntax)
                .with_help(format!("imported by {}", chain.join(" -> ")));
            self.report(error.at(Some(&file.pos)));
            return Vec::new();
        }
        let mut imported = Imported { vars, when: around.when.clone(), tags: around.tags.clone() };
        imported.when.extend(listed(fields.attrs.get(Keyword::When)));
        imported.tags.extend(listed(fields.attrs.get(Keyword::Tags)));
        self.playbook_file(&target, &imported)
    }

    /// A path, or the name of a playbook in a collection.
    fn find_playbook(&self, name: &str) -> PathBuf {
        let path = files::below(&self.basedir, name);
        let mut parts = name.splitn(3, '.');
        if !path.is_file()
            && let (Some(namespace), Some(collection), Some(playbook)) =
                (parts.next(), parts.next(), parts.next())
            && let Some(dir) = self.collection(namespace, collection)
            && let Some(found) = files::with_extension(&dir.join("playbooks"), playbook)
        {
            return found;
        }
        path
    }
}

/// A value as a list.
pub(super) fn listed(value: Option<&Value>) -> Vec<Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::List(items)) => items.to_vec(),
        Some(single) => vec![single.clone()],
    }
}
