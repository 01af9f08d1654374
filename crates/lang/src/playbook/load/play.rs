//! One play.

use std::path::Path;
use std::sync::Arc;

use crate::error::ErrorKind;
use crate::keywords::{Keyword, Place};
use crate::playbook::{Frame, FrameKind, Item, Play, Prompt};
use crate::yaml::{Node, NodeKind};
use crate::{Error, Pos, Value};

use super::Load;
use super::fields::{Fields, key_text};
use super::plays::{Imported, listed};

impl Load<'_> {
    pub(super) fn play(
        &mut self,
        node: &Node,
        pairs: &[(Node, Node)],
        path: &Path,
        imported: &Imported,
    ) -> Option<Play> {
        let mut fields = Fields::default();
        let (mut vars_files, mut vars_prompt) = (Vec::new(), Vec::new());
        for (key, value) in pairs {
            let name = key.as_str().unwrap_or_default();
            match Keyword::find(name) {
                _ if name == "user" => {
                    if node.get("remote_user").is_some() {
                        self.bad(
                            &node.pos,
                            "both 'user' and 'remote_user' are set for this play. The use of 'user' is deprecated, \
                             and should be removed",
                        );
                    } else {
                        self.field(&mut fields, Keyword::RemoteUser, value, &node.pos, "Play");
                    }
                }
                Some(Keyword::Hosts) => self.check_hosts(value),
                Some(Keyword::VarsFiles) => vars_files = self.vars_files(value),
                Some(Keyword::VarsPrompt) => vars_prompt = self.prompts(value),
                Some(
                    Keyword::Tasks
                    | Keyword::PreTasks
                    | Keyword::PostTasks
                    | Keyword::Handlers
                    | Keyword::Roles,
                ) => {}
                Some(keyword) if keyword.allowed(Place::Play) => {
                    self.field(&mut fields, keyword, value, &node.pos, "Play");
                }
                _ => self.unknown(key, "Play", Place::Play),
            }
        }
        let Some(hosts) = node.get("hosts") else {
            self.bad(&node.pos, "The field 'hosts' is required but was not set.");
            return None;
        };
        self.take_in(&mut fields, imported, node);
        let frame = Arc::new(Frame {
            kind: FrameKind::Play { vars_files },
            name: fields.name.clone(),
            attrs: fields.attrs,
            vars: fields.vars,
            parent: None,
            file: path.into(),
            dir: Default::default(),
            pos: node.pos.clone(),
        });
        self.roles.clear();
        self.role_handlers.clear();
        let (role_tasks, mut handlers) = self.play_roles(node, &frame);
        let mut section = |key: &str| self.section(node, key, &frame, Place::Task);
        let (pre_tasks, tasks, post_tasks) = (section("pre_tasks"), section("tasks"), section("post_tasks"));
        handlers.extend(self.section(node, "handlers", &frame, Place::Handler));
        handlers.append(&mut self.role_handlers);
        let play = Play {
            name: fields.name,
            hosts: hosts.to_value(),
            frame,
            vars_prompt,
            roles: std::mem::take(&mut self.roles),
            pre_tasks,
            role_tasks,
            tasks,
            post_tasks,
            handlers,
            basedir: self.basedir.clone(),
            pos: node.pos.clone(),
        };
        self.check_keywords(play)
    }

    /// Keywords of the play have to have a value before there is a host.
    fn check_keywords(&mut self, play: Play) -> Option<Play> {
        let play = Arc::new(play);
        let answers = play.prompt_defaults();
        for keyword in [
            Keyword::GatherFacts,
            Keyword::Serial,
            Keyword::MaxFailPercentage,
            Keyword::ForceHandlers,
            Keyword::Strategy,
            Keyword::Order,
            Keyword::GatherSubset,
            Keyword::GatherTimeout,
        ] {
            if let Err(error) = self.loader.play_keyword(&play, keyword, &answers) {
                self.report(error);
            }
        }
        Arc::into_inner(play)
    }

    /// What an `import_playbook` around the play says.
    fn take_in(&mut self, fields: &mut Fields, imported: &Imported, node: &Node) {
        for (key, value) in &imported.vars {
            fields.vars.insert(key.clone(), value.clone());
        }
        if !imported.when.is_empty() {
            fields.attrs.set(Keyword::When, Value::list(imported.when.clone()), node.pos.clone());
        }
        if !imported.tags.is_empty() {
            let mut tags = listed(fields.attrs.get(Keyword::Tags));
            tags.extend(imported.tags.iter().cloned());
            fields.attrs.set(Keyword::Tags, Value::list(tags), node.pos.clone());
        }
    }

    /// `roles:`, expanded: their tasks and their handlers.
    fn play_roles(&mut self, node: &Node, frame: &Arc<Frame>) -> (Vec<Item>, Vec<Item>) {
        let (mut tasks, mut handlers) = (Vec::new(), Vec::new());
        let nodes = match node.get("roles").map(|n| (&n.value, n)) {
            None | Some((NodeKind::Null, _)) => return (tasks, handlers),
            Some((NodeKind::Seq(nodes), _)) => nodes,
            Some((_, value)) => {
                let message = format!(
                    "A malformed role declaration was encountered: it should be a list but was a <class '{}'>",
                    value.type_name()
                );
                self.bad(&node.pos, message);
                return (tasks, handlers);
            }
        };
        for entry in self.role_entries(nodes, frame) {
            if let Some(expanded) = self.role(entry, frame) {
                tasks.push(Item::Block(expanded.block));
                handlers.extend(expanded.handlers);
            }
        }
        (tasks, handlers)
    }

    fn section(&mut self, node: &Node, key: &str, frame: &Arc<Frame>, place: Place) -> Vec<Item> {
        match node.get(key).map(|n| (&n.value, n)) {
            None | Some((NodeKind::Null, _)) => Vec::new(),
            Some((NodeKind::Seq(nodes), _)) => self.items(nodes, frame, place),
            Some((_, value)) => {
                let message = format!(
                    "A malformed block was encountered while loading {key}: {} should be a list or None but is <class \
                     '{}'>",
                    crate::template::python_str(&value.to_value()),
                    value.type_name()
                );
                self.bad(&node.pos, message);
                Vec::new()
            }
        }
    }

    fn check_hosts(&mut self, hosts: &Node) {
        let bad = |message: String| Error::new(message).with_kind(ErrorKind::Syntax).at(Some(&hosts.pos));
        let error = match &hosts.value {
            NodeKind::Null => bad("Hosts list cannot be empty. Please check your playbook".into()),
            NodeKind::Str(text) if text.is_empty() => {
                bad("Hosts list cannot be empty. Please check your playbook".into())
            }
            NodeKind::Str(_) => return,
            NodeKind::Seq(items) if items.is_empty() => {
                bad("Hosts list cannot be empty. Please check your playbook".into())
            }
            NodeKind::Seq(items) => {
                let Some(strange) = items.iter().find(|item| item.as_str().is_none()) else { return };
                if strange.is_null() {
                    bad("Hosts list cannot contain values of 'None'. Please check your playbook".into())
                } else {
                    bad(format!("Hosts list contains an invalid host value: '{}'", key_text(strange)))
                }
            }
            _ => bad("Hosts list must be a sequence or string. Please check your playbook.".into()),
        };
        self.report(error);
    }

    fn vars_files(&mut self, value: &Node) -> Vec<Value> {
        let items = match &value.value {
            NodeKind::Null => return Vec::new(),
            NodeKind::Seq(items) => items.as_slice(),
            _ => std::slice::from_ref(value),
        };
        let mut files = Vec::new();
        for item in items {
            let names = item.as_seq().unwrap_or(std::slice::from_ref(item));
            match names.iter().find(|name| name.as_str().is_none()) {
                None => files.push(item.to_value()),
                Some(strange) => {
                    let message = format!("Invalid `vars_files` value of type '{}'.", strange.type_name());
                    self.report(
                        Error::new(message)
                            .with_kind(ErrorKind::Syntax)
                            .with_help("A `vars_files` value should either be a string or list of strings.")
                            .at(Some(&strange.pos)),
                    );
                }
            }
        }
        files
    }

    fn prompts(&mut self, value: &Node) -> Vec<Prompt> {
        let nodes = match &value.value {
            NodeKind::Null => return Vec::new(),
            NodeKind::Seq(nodes) => nodes.as_slice(),
            _ => std::slice::from_ref(value),
        };
        nodes.iter().filter_map(|node| self.prompt(node, &value.pos)).collect()
    }

    fn prompt(&mut self, node: &Node, list: &Pos) -> Option<Prompt> {
        const KEYS: &[&str] =
            &["name", "prompt", "default", "private", "confirm", "encrypt", "salt_size", "salt", "unsafe"];
        let Some(pairs) = node.as_map() else {
            self.bad(&node.pos, "Invalid vars_prompt data structure, expected a list of dictionaries");
            return None;
        };
        let Some(name) = node.get("name").and_then(Node::as_str) else {
            self.bad(list, "Invalid vars_prompt data structure, missing 'name' key");
            return None;
        };
        if let Some((key, _)) = pairs.iter().find(|(key, _)| !key.as_str().is_some_and(|k| KEYS.contains(&k)))
        {
            let message =
                format!("Invalid vars_prompt data structure, found unsupported key '{}'", key_text(key));
            self.bad(list, message);
            return None;
        }
        let value = |key: &str| node.get(key).filter(|n| !n.is_null()).map(Node::to_value);
        Some(Prompt {
            name: name.to_owned(),
            prompt: value("prompt"),
            default: value("default"),
            private: value("private").unwrap_or(Value::Bool(true)),
            confirm: value("confirm").unwrap_or(Value::Bool(false)),
            encrypt: value("encrypt"),
            salt: value("salt"),
            salt_size: value("salt_size"),
            unsafe_: value("unsafe").unwrap_or(Value::Bool(false)),
            pos: node.pos.clone(),
        })
    }
}
