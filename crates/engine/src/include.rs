//! `include_tasks` and `include_role`: tasks that are added while the play runs.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use lang::error::ErrorKind;
use lang::playbook::{RoleRequest, Task};
use lang::template::{Overlay, Scope};
use lang::{Error, Map, Value};

use crate::event::{Event, Status, TaskInfo};
use crate::execute::{Executed, ItemDone, status_of};
use crate::host::HostRun;
use crate::linear::lost_its_way;
use crate::play::PlayRun;
use crate::program::{self, BlockNode, Kind, TaskNode};
use crate::results::ResultMap;
use crate::settings::{text_of, to_bool};

/// One file or role that was included, for some hosts.
struct Included {
    /// What makes it the same for several hosts.
    key: String,
    shown: String,
    label: Option<Value>,
    hosts: Vec<Rc<HostRun>>,
    args: Map,
    locals: Map,
}

impl PlayRun {
    /// Report what became of an include task on a host, unless it includes something.
    pub fn report_include(self: &Rc<Self>, executed: &Executed, info: &Arc<TaskInfo>) {
        match status_of(&executed.result) {
            Status::Failed | Status::Unreachable => self.settle(executed, info),
            Status::Skipped => self.settle(executed, info),
            _ => {}
        }
    }

    /// Did the include put tasks in for the host, so that its cursor is in them?
    pub fn went_into_include(&self, executed: &Executed) -> bool {
        !lost_its_way(executed) && executed.items.iter().any(|i| i.include.is_some())
    }

    /// Load what was included and put it in front of what the hosts do next. The hosts for which that failed.
    pub async fn include(
        self: &Rc<Self>,
        node: &Arc<TaskNode>,
        task: &Arc<Task>,
        info: &Arc<TaskInfo>,
        executed: &[Executed],
    ) -> HashSet<String> {
        let mut included: Vec<Included> = Vec::new();
        for one in executed.iter().filter(|e| !lost_its_way(e)) {
            for item in &one.items {
                let Some(args) = &item.include else { continue };
                gather(&mut included, task, one, item, args);
            }
        }
        let mut blocks: Vec<(Vec<Rc<HostRun>>, u32, Arc<BlockNode>)> = Vec::new();
        let mut failed = HashSet::new();
        for (number, one) in included.into_iter().enumerate() {
            let hosts: Vec<_> = one.hosts.iter().filter(|h| !h.is_out()).cloned().collect();
            let key = format!("{} {}", node.id, one.key);
            let known = self.included.borrow().get(&key).cloned();
            let block = match known {
                Some(block) => Ok(block),
                None => self.load_include(task, &one).inspect(|block| {
                    self.included.borrow_mut().insert(key, block.clone());
                }),
            };
            if let Ok(block) = &block {
                let file = block.block.as_ref().map(|b| b.frame.file.to_string_lossy().into_owned());
                let is_role = task.module.is_builtin("include_role");
                self.run.emit(Event::Included {
                    file: file.filter(|_| !is_role).unwrap_or_else(|| one.shown.clone()),
                    hosts: hosts.iter().map(|h| h.name.clone()).collect(),
                    item_label: one.label.clone(),
                    task: info.clone(),
                });
            }
            match block {
                Ok(block) => {
                    for host in &hosts {
                        self.run.count(&host.name, |s| s.ok += 1);
                    }
                    blocks.push((hosts, number as u32, block));
                }
                // What cannot be parsed ends the run, as in a file that is imported.
                Err(error) if error.kind() == ErrorKind::Syntax => {
                    *self.run.broken.borrow_mut() = Some(error);
                    return failed;
                }
                Err(error) => self.fail_include(task, info, hosts, &error, &mut failed),
            }
        }
        for one in executed {
            let host = &one.host;
            if lost_its_way(one) || !self.went_into_include(one) {
                continue;
            }
            let own: Vec<(u32, Arc<BlockNode>)> = blocks
                .iter()
                .filter(|(hosts, _, _)| hosts.iter().any(|h| h.name == host.name))
                .map(|(_, number, block)| (*number, block.clone()))
                .collect();
            if host.cursor.borrow().has_failed() && own.is_empty() {
                continue;
            }
            // The frame of what was included ends by going on behind the include task itself.
            host.cursor.borrow_mut().insert(own);
        }
        failed
    }

    fn load_include(self: &Rc<Self>, task: &Arc<Task>, one: &Included) -> Result<Arc<BlockNode>, Error> {
        let params = one.locals.clone();
        let first = |errors: Vec<Error>| {
            errors.into_iter().next().unwrap_or_else(|| Error::new("nothing to include"))
        };
        if task.module.is_builtin("include_role") {
            let public = self.run.hooks.private_role_vars().is_some_and(|private| !private);
            let request = role_request(&one.args, public)?;
            let name = task.args.get("name").or(task.args.get("role")).and_then(lang::Value::pos);
            let role = self.run.loader.include_role(task, &request, params).map_err(|errors| {
                let error = first(errors);
                // A role that is not there is about its name.
                match name {
                    Some(pos) if error.pos().is_none_or(|p| *p == task.pos) => {
                        Error::new(error.to_string()).with_kind(error.kind()).at(Some(pos))
                    }
                    _ => error,
                }
            })?;
            self.add_handlers(&role.handlers);
            let mut vars = (**self.vars.borrow()).clone();
            vars.add_role(&role.role);
            *self.vars.borrow_mut() = Arc::new(vars);
            return self.prepare_block(task, one, &role.block);
        }
        let file =
            include_file(&one.args).ok_or_else(|| Error::new("No file specified for include_tasks"))?;
        let block = self.run.loader.include_tasks(task, &file, params).map_err(first)?;
        self.prepare_block(task, one, &block)
    }

    /// A block as nodes, without the tasks whose tags are not wanted.
    fn prepare_block(
        &self,
        task: &Arc<Task>,
        one: &Included,
        block: &Arc<lang::playbook::Block>,
    ) -> Result<Arc<BlockNode>, Error> {
        let node = program::block_node(block);
        let state = crate::ahead::now(&self.run.world);
        let below = self.scope("", Some(task), &state);
        let scope: Arc<dyn Scope> = Arc::new(Overlay { vars: one.locals.clone(), below });
        let render = |value: &Value| self.run.templar.render(value, &scope).map_err(|e| e.at(value.pos()));
        crate::select::filter(&node, &self.run.options, &render)
    }

    /// Put handlers of an included role at the end.
    fn add_handlers(&self, items: &[lang::playbook::Item]) {
        let mut handlers = self.handlers.borrow_mut();
        for item in items {
            item.tasks(&mut |task| {
                if !handlers.iter().any(|h| h.task().is_some_and(|t| t.id == task.id)) {
                    handlers.push(TaskNode::new(Kind::Task(task.clone())));
                }
            });
        }
    }

    /// What was to be included is not there, or cannot be read: that fails each host once, however many items of a
    /// loop it happens to.
    fn fail_include(
        self: &Rc<Self>,
        task: &Arc<Task>,
        info: &Arc<TaskInfo>,
        hosts: Vec<Rc<HostRun>>,
        error: &Error,
        failed: &mut HashSet<String>,
    ) {
        let reason = reason(error).filter(|_| !task.module.is_builtin("include_role"));
        let shown = reason.clone().unwrap_or_else(|| lang::excerpt::describe(error));
        self.run.emit(Event::Error { text: format!("{}\n", shown.trim_end_matches('\n')) });
        let reason = reason.unwrap_or_else(|| error.to_string());
        for host in hosts {
            let executed = Executed {
                host: host.clone(),
                task: task.clone(),
                result: failure(task, &reason),
                diff: Vec::new(),
                ignored: false,
                no_log: false,
                is_loop: false,
                items: Vec::new(),
                delegated_to: None,
                elapsed: Default::default(),
                error: None,
            };
            if failed.insert(host.name.clone()) {
                self.settle(&executed, info);
            } else {
                let result = self.result_of(&executed, info);
                self.run.emit(Event::HostResult(result));
            }
        }
    }
}

/// What is said of a file of tasks that is not there: first the file, then the whole story.
fn reason(error: &Error) -> Option<String> {
    let text = error.to_string();
    let (_, rest) = text.split_once("Could not find or access '")?;
    let (path, _) = rest.split_once("' on the Ansible Controller.")?;
    Some(format!("Could not find or access '{path}' on the Ansible Controller: {text}"))
}

/// The result of an include whose file or role is not there, or cannot be read.
fn failure(task: &Task, reason: &str) -> Map {
    let mut result = crate::map! {"changed": false, "failed": true, "reason": reason};
    if task.module.is_builtin("include_tasks")
        && let Some(file) = include_file(&task.args)
    {
        result.put("include", file);
    }
    result
}

fn gather(included: &mut Vec<Included>, task: &Arc<Task>, one: &Executed, item: &ItemDone, args: &Map) {
    let shown = if task.module.is_builtin("include_role") {
        args.get("name").or(args.get("role")).map(text_of).unwrap_or_default()
    } else {
        include_file(args).unwrap_or_default()
    };
    let key = format!("{shown} {:?} {:?}", args, item.locals);
    if let Some(same) =
        included.iter_mut().find(|i| i.key == key && !i.hosts.iter().any(|h| h.name == one.host.name))
    {
        same.hosts.push(one.host.clone());
        return;
    }
    included.push(Included {
        key,
        shown,
        label: item.label.clone(),
        hosts: vec![one.host.clone()],
        args: args.clone(),
        locals: item.locals.clone(),
    });
}

fn include_file(args: &Map) -> Option<String> {
    args.get("_raw_params").or(args.get("file")).map(text_of)
}

fn role_request(args: &Map, public: bool) -> Result<RoleRequest, Error> {
    let text = |name: &str| args.get(name).filter(|v| !v.is_null()).map(text_of);
    let flag = |name: &str, default: bool| match args.get(name) {
        None => Ok(default),
        Some(value) => to_bool(value).ok_or_else(|| {
            Error::new(format!(
                "Invalid value for '{name}' of include_role, it must be a boolean: {}",
                text_of(value)
            ))
        }),
    };
    let Some(name) = text("name").or(text("role")) else {
        return Err(Error::new("'name' is a required field for include_role."));
    };
    Ok(RoleRequest {
        name,
        tasks_from: text("tasks_from"),
        vars_from: text("vars_from"),
        defaults_from: text("defaults_from"),
        handlers_from: text("handlers_from"),
        public: flag("public", public)?,
        allow_duplicates: flag("allow_duplicates", true)?,
        rolespec_validate: flag("rolespec_validate", true)?,
    })
}

/// For a block made of nodes that are handlers.
pub fn handler_nodes(items: &[lang::playbook::Item]) -> Vec<Arc<TaskNode>> {
    let mut nodes = Vec::new();
    for item in items {
        item.tasks(&mut |task| nodes.push(TaskNode::new(Kind::Task(task.clone()))));
    }
    nodes
}
