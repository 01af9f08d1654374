//! One batch of a play: its hosts, its program, its handlers.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;
use lang::playbook::{Play, Task};
use lang::template::Scope;
use lang::vars::{PlayVars, RunState, TaskScope};
use lang::{Map, Value};
use tokio::sync::Semaphore;

use crate::evaluate::Context;
use crate::event::{Event, TaskInfo};
use crate::event::{Status, TaskResult};
use crate::execute::{Executed, ItemDone, shown, status_of};
use crate::host::HostRun;
use crate::program::{BlockNode, Node, TaskNode};
use crate::results::ResultMap;
use crate::run::Run;
use crate::{cursor, results, settings, verdict};

/// How a play's hosts keep in step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// All hosts finish a task before any begins the next.
    Linear,
    /// Every host goes on as it can.
    Free,
    /// As free, but a host holds its place among the forks until it is done.
    HostPinned,
    /// As linear, with the debugger on failures.
    Debug,
    /// As linear between hosts, but tasks of a host that do not depend on each other may run at the same time.
    Graph,
}

/// A play on the hosts of one batch.
pub struct PlayRun {
    pub run: Rc<Run>,
    pub play: Arc<Play>,
    pub vars: RefCell<Arc<PlayVars>>,
    pub strategy: Strategy,
    pub hosts: RefCell<IndexMap<String, Rc<HostRun>>>,
    /// Handlers in the order they run.
    pub handlers: RefCell<Vec<Arc<TaskNode>>>,
    /// Names that tasks of the play may set on other hosts.
    pub names_set: Arc<HashSet<String>>,
    /// For tasks that say `needs`, by the numbers of their nodes, those they need.
    pub needs: HashMap<u64, Vec<u64>>,
    pub force_handlers: bool,
    pub any_errors_fatal: bool,
    pub max_fail_percentage: Option<f64>,
    /// Hosts of the batch at its start, for percentages.
    pub batch_size: usize,
    /// Ended for all hosts.
    pub ended: Cell<bool>,
    /// Too many hosts have failed: no batch follows.
    pub gave_up: Cell<bool>,
    /// Ended with all batches (`end_play`).
    pub play_ended: Cell<bool>,
    /// The descriptions of tasks for events, by the number of their node.
    infos: RefCell<HashMap<u64, Arc<TaskInfo>>>,
    /// Blocks of included files, by what they were included for.
    pub included: RefCell<HashMap<String, Arc<BlockNode>>>,
    /// Places at tasks that say `throttle`, by the number of their node, where hosts go on by themselves.
    throttles: RefCell<HashMap<u64, Arc<Semaphore>>>,
}

impl PlayRun {
    pub fn new(
        run: Rc<Run>,
        play: Arc<Play>,
        vars: Arc<PlayVars>,
        strategy: Strategy,
        batch: &[String],
        root: &Arc<BlockNode>,
        handlers: Vec<Arc<TaskNode>>,
        limits: Limits,
        needs: HashMap<u64, Vec<u64>>,
    ) -> Rc<Self> {
        let hosts = batch.iter().map(|name| (name.clone(), HostRun::new(name, root.clone()))).collect();
        Rc::new(Self {
            names_set: Arc::new(crate::ahead::names_set(&play)),
            run,
            play,
            vars: RefCell::new(vars),
            strategy,
            hosts: RefCell::new(hosts),
            handlers: RefCell::new(handlers),
            needs,
            force_handlers: limits.force_handlers,
            any_errors_fatal: limits.any_errors_fatal,
            max_fail_percentage: limits.max_fail_percentage,
            batch_size: batch.len(),
            ended: Cell::new(false),
            gave_up: Cell::new(false),
            play_ended: Cell::new(false),
            infos: RefCell::default(),
            included: RefCell::default(),
            throttles: RefCell::default(),
        })
    }

    pub fn context(&self) -> Context {
        Context {
            options: self.run.options.clone(),
            templar: self.run.templar.clone(),
            hooks: self.run.hooks.clone(),
            run: self.run.vars.clone(),
            play: self.vars.borrow().clone(),
        }
    }

    /// The scope of a task (or of the play) on a host.
    pub fn scope(&self, host: &str, task: Option<&Arc<Task>>, state: &Arc<dyn RunState>) -> Arc<dyn Scope> {
        Arc::new(TaskScope::new(
            self.run.vars.clone(),
            self.vars.borrow().clone(),
            state.clone(),
            host.into(),
            task.cloned(),
        ))
    }

    /// The places at a task with that many of them.
    pub fn throttle_of(&self, node: u64, limit: usize) -> Arc<Semaphore> {
        let places = || Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS)));
        self.throttles.borrow_mut().entry(node).or_insert_with(places).clone()
    }

    /// Hosts that still take part.
    pub fn active(&self) -> Vec<Rc<HostRun>> {
        self.hosts.borrow().values().filter(|h| !h.is_out()).cloned().collect()
    }

    /// Is there only one host whose changes anybody could wait for?
    pub fn is_alone(&self) -> bool {
        // Asked for every task of every host: it must not count them all.
        self.hosts.borrow().values().filter(|h| !h.is_out()).nth(1).is_none()
    }

    /// May tasks be sent ahead at all?
    pub fn may_look_ahead(&self) -> bool {
        self.run.options.work_ahead
            && !self.run.options.step
            && !self.run.options.task_debugger
            && self.strategy != Strategy::Debug
    }

    /// May tasks that are sent ahead change the host?
    pub fn may_change_ahead(&self) -> bool {
        let spreads = self.any_errors_fatal || self.max_fail_percentage.is_some();
        match self.strategy {
            Strategy::Free | Strategy::HostPinned => true,
            // Unless a failure elsewhere ends it for this host, too.
            Strategy::Graph => !spreads || self.is_alone(),
            Strategy::Linear | Strategy::Debug => self.is_alone(),
        }
    }

    /// Does everything keep its order against this task, the next of the host?
    pub fn is_barrier(&self, host: &HostRun, task: &Task) -> bool {
        task.is_handler() || host.cursor.borrow().is_catching() || crate::graph::barrier(task).is_some()
    }

    /// May more be sent behind this task before it is done?
    pub fn may_go_on_behind(&self, task: &Task) -> bool {
        use lang::keywords::Keyword;
        task.keyword(Keyword::Debugger).is_none()
            && (task.keyword(Keyword::RunOnce).is_none() || self.is_alone())
            && !self.may_end_others(task)
    }

    /// Does a failure of the task end the play for other hosts, which must not have changed anything behind it?
    pub fn may_end_others(&self, task: &Task) -> bool {
        self.strategy == Strategy::Graph
            && !self.is_alone()
            && self.may_change_ahead()
            && task.keyword(lang::keywords::Keyword::AnyErrorsFatal).is_some()
    }

    /// Tell templates which hosts the play has now.
    pub fn publish_hosts(&self, all: &[String]) {
        let list = |names: Vec<String>| Value::list(names.into_iter().map(Value::from).collect());
        let failed = self.run.failed.borrow();
        let unreachable = self.run.unreachable.borrow();
        let hosts = self.hosts.borrow();
        let alive = |name: &String| {
            !failed.contains(name)
                && !unreachable.contains(name)
                && hosts.get(name).is_none_or(|h| !h.has_failed())
        };
        self.run.world.set_play_hosts(lang::vars::PlayHosts {
            all: list(all.to_vec()),
            active: list(all.iter().filter(|n| alive(n)).cloned().collect()),
            batch: list(hosts.keys().filter(|n| alive(n)).cloned().collect()),
        });
    }

    /// The handlers as a block to walk.
    pub fn handlers_block(&self) -> Arc<BlockNode> {
        crate::program::group(self.handlers.borrow().iter().cloned().map(Node::Task).collect())
    }

    /// How events describe a task. The title is rendered for the first host that comes to it.
    pub fn info(&self, node: &TaskNode, task: &Arc<Task>, host: &str) -> Arc<TaskInfo> {
        if let Some(info) = self.infos.borrow().get(&node.id) {
            return info.clone();
        }
        let info = Arc::new(self.describe(node, task, host));
        self.infos.borrow_mut().insert(node.id, info.clone());
        info
    }

    /// Describe it anew the next time: for another host, or with other variables.
    pub fn forget_info(&self, node: &TaskNode) {
        self.infos.borrow_mut().remove(&node.id);
    }

    fn describe(&self, node: &TaskNode, task: &Arc<Task>, host: &str) -> TaskInfo {
        use lang::keywords::Keyword;
        let state = crate::ahead::now(&self.run.world);
        let scope = self.scope(host, Some(task), &state);
        let keywords = settings::Keywords { task, templar: &self.run.templar, scope: &scope };
        let flag = |keyword, default| keywords.bool(keyword).ok().flatten().unwrap_or(default);
        let name = match &task.name {
            Some(name) if name.has_template() => match self.run.templar.render(name, &scope) {
                Ok(Value::Undefined(_)) | Err(_) => settings::text_of(name),
                Ok(rendered) => settings::text_of(&rendered),
            },
            Some(name) => settings::text_of(name),
            None => String::new(),
        };
        let shown = match (name.is_empty(), task.args.get("name").or(task.args.get("role"))) {
            (false, _) => name.clone(),
            (true, Some(role)) if task.is_include_role() => {
                format!("{} : {}", task.action.as_str(), settings::text_of(role))
            }
            (true, _) => task.action.as_str().to_owned(),
        };
        TaskInfo {
            id: node.id,
            title: task.titled(shown),
            name,
            action: task.action.as_str().to_owned(),
            resolved: task.module.full.to_string(),
            is_handler: task.is_handler(),
            path: format!("{}:{}", task.pos.file.display(), task.pos.line),
            pos: Some(task.pos.clone()),
            args: task.args.clone(),
            no_log: flag(Keyword::NoLog, self.run.options.no_log),
            check_mode: flag(Keyword::CheckMode, self.run.options.check),
            diff: flag(Keyword::Diff, self.run.options.diff),
            tags: Vec::new(),
        }
    }

    /// Report a task's outcome and take it in.
    pub fn settle(self: &Rc<Self>, executed: &Executed, info: &Arc<TaskInfo>) {
        self.report(executed, info);
        self.take_in(executed);
    }

    /// Tell of a task's outcome.
    pub fn report(&self, executed: &Executed, info: &Arc<TaskInfo>) {
        self.run.emit(Event::HostResult(self.result_of(executed, info)));
    }

    /// What a task's outcome means: variables, numbers, handlers, the host's way on.
    pub fn take_in(self: &Rc<Self>, executed: &Executed) {
        let host = &executed.host;
        let name = &host.name;
        self.learn(executed, name);
        let status = status_of(&executed.result);
        match status {
            Status::Unreachable => self.lose(host, executed),
            Status::Failed => self.fail(host, executed),
            Status::Skipped => self.run.count(name, |s| s.skipped += 1),
            Status::Ok | Status::Changed => self.run.count(name, |s| {
                s.ok += 1;
                s.changed += u32::from(status == Status::Changed);
            }),
        }
        if !matches!(status, Status::Unreachable | Status::Skipped)
            && let Some(role) = executed.task.role()
        {
            host.roles_begun.borrow_mut().insert(role.id);
        }
        if status != Status::Unreachable {
            self.notify_for(executed);
        }
    }

    /// A task's outcome as events carry it.
    pub fn result_of(&self, executed: &Executed, info: &Arc<TaskInfo>) -> TaskResult {
        let host = &executed.host;
        let done = ItemDone {
            result: executed.result.clone(),
            locals: Map::new(),
            label: None,
            delegated_to: executed.delegated_to.clone(),
            diff: if executed.is_loop { Vec::new() } else { executed.diff.clone() },
            scope: Arc::new(lang::template::EmptyScope),
            error: executed.error.clone(),
            no_log: executed.no_log,
            ignored: executed.ignored,
            elapsed: executed.elapsed,
            include: None,
        };
        let status = status_of(&executed.result);
        let mut result = self.task_result(host, info, status, &done);
        result.is_loop = executed.is_loop;
        result
    }

    fn lose(&self, host: &Rc<HostRun>, executed: &Executed) {
        if executed.ignored {
            self.run.count(&host.name, |s| {
                s.ok += 1;
                s.ignored += 1;
            });
            return;
        }
        self.run.count(&host.name, |s| s.unreachable += 1);
        self.run.unreachable.borrow_mut().insert(host.name.clone());
        host.unreachable.set(true);
        host.ahead.borrow_mut().abandon();
    }

    fn fail(&self, host: &Rc<HostRun>, executed: &Executed) {
        let name = &host.name;
        if executed.ignored {
            self.run.count(name, |s| {
                s.ok += 1;
                s.ignored += 1;
                s.changed += u32::from(executed.result.flag("changed"));
            });
            return;
        }
        host.ahead.borrow_mut().discard();
        let failure = host.cursor.borrow_mut().fail();
        // The cursor has moved to what comes next; the strategy must not move it again.
        match failure {
            cursor::Failure::Rescued => {
                self.run.count(name, |s| s.rescued += 1);
                let task = Value::map(self.failed_task(executed));
                let failed = Value::map(verdict::visible(&shown(&executed.result, executed.no_log)));
                self.run.world.change_host(name, |vars| {
                    vars.set("ansible_failed_task", task);
                    vars.set("ansible_failed_result", failed);
                });
            }
            cursor::Failure::Unwinding => self.run.count(name, |s| s.failed += 1),
            cursor::Failure::Final => {
                self.run.count(name, |s| s.failed += 1);
                self.run.failed.borrow_mut().insert(name.clone());
            }
        }
    }

    /// `ansible_failed_task`.
    fn failed_task(&self, executed: &Executed) -> Map {
        let task = &executed.task;
        let mut map = Map::new();
        map.put("name", task.name.as_ref().map_or_else(String::new, settings::text_of));
        map.put("action", task.action.as_str());
        map.put("args", task.args.clone().into_iter().map(|(k, v)| (k, v.untrusted())).collect::<Map>());
        map.put("tags", Value::list(Vec::new()));
        map.put("is_handler", task.is_handler());
        map.put("register", task.register().map_or(Value::Null, Value::from));
        map
    }

    /// Registered results and facts become variables.
    pub fn learn(&self, executed: &Executed, name: &str) {
        let task = &executed.task;
        let run_once = self.hosts_of_result(executed);
        if let Some(register) = task.register()
            && !executed.items.iter().any(|i| i.include.is_some())
        {
            let value = Value::map(self.projected(executed));
            for host in &run_once {
                self.run.world.change_host(host, |vars| vars.set(register, value.clone()));
            }
        }
        if executed.result.flag("skipped") && !executed.is_loop {
            return;
        }
        let results: Vec<(&Map, Option<&str>)> = if executed.is_loop {
            executed.items.iter().map(|i| (&i.result, i.delegated_to.as_deref())).collect()
        } else {
            vec![(&executed.result, executed.delegated_to.as_deref())]
        };
        let delegate_facts = self.delegate_facts(task, name);
        for (result, delegated) in results {
            let Some(Value::Map(facts)) = result.get("ansible_facts") else { continue };
            // `debug: var=ansible_facts` shows them and sets nothing.
            if task.module.is_builtin("debug") {
                continue;
            }
            if result.flag("failed") && task.module.short() != "set_fact" {
                continue;
            }
            let targets: Vec<String> = match delegated {
                Some(to) if delegate_facts => vec![to.to_owned()],
                _ => run_once.clone(),
            };
            for host in targets {
                self.take_facts(&host, task, result, facts);
            }
        }
    }

    /// With `run_once`, results belong to every host.
    fn hosts_of_result(&self, executed: &Executed) -> Vec<String> {
        if self.runs_once(&executed.task, &executed.host.name) && self.strategy != Strategy::Free {
            self.active().iter().map(|h| h.name.clone()).collect()
        } else {
            vec![executed.host.name.clone()]
        }
    }

    fn delegate_facts(&self, task: &Arc<Task>, host: &str) -> bool {
        let state = crate::ahead::now(&self.run.world);
        let scope = self.scope(host, Some(task), &state);
        let keywords = settings::Keywords { task, templar: &self.run.templar, scope: &scope };
        keywords.bool(lang::keywords::Keyword::DelegateFacts).ok().flatten().unwrap_or(false)
    }

    /// Does the task run for one host only, on behalf of all?
    pub fn runs_once(&self, task: &Arc<Task>, host: &str) -> bool {
        if task.keyword(lang::keywords::Keyword::RunOnce).is_none() {
            return false;
        }
        let state = crate::ahead::now(&self.run.world);
        let scope = self.scope(host, Some(task), &state);
        let keywords = settings::Keywords { task, templar: &self.run.templar, scope: &scope };
        keywords.bool(lang::keywords::Keyword::RunOnce).ok().flatten().unwrap_or(false)
    }

    fn take_facts(&self, host: &str, task: &Task, result: &Map, facts: &Arc<Map>) {
        let (known, restricted) = crate::facts::clean(facts);
        let sets = matches!(task.module.short(), "set_fact" | "include_vars");
        for name in restricted.iter().filter(|_| !sets && self.run.vars.inject_facts) {
            self.run.warn(format!("Removed restricted key from module data: {name}"));
        }
        let pairs = || facts.iter().map(|(k, v)| (k.clone(), v.clone()));
        self.run.world.change_host(host, |vars| match task.module.short() {
            "include_vars" => vars.include(pairs().collect()),
            "set_fact" => {
                for (key, value) in pairs() {
                    if let Some(key) = key.as_str() {
                        vars.set(key, value);
                    }
                }
                if result.flag("_ansible_facts_cacheable") {
                    vars.add_facts(pairs().collect());
                }
            }
            _ => vars.add_facts(known),
        });
        if !matches!(task.module.short(), "set_fact" | "include_vars")
            || result.flag("_ansible_facts_cacheable")
        {
            self.run.save_facts(host);
            if self.vars_files_may_change() {
                let vars = self.vars.borrow().clone();
                if let Err(error) = self.run.read_vars_files(&self.play, &vars, host) {
                    self.run.broken.borrow_mut().get_or_insert(error);
                }
            }
        }
    }

    /// May facts change which files of variables the play has?
    pub fn vars_files_may_change(&self) -> bool {
        self.play.vars_files().iter().any(Value::has_template)
    }

    /// The result as `register` takes it.
    fn projected(&self, executed: &Executed) -> Map {
        let mut result = verdict::visible(&executed.result);
        if executed.is_loop
            && let Some(Value::List(items)) = executed.result.get("results")
        {
            let items: Vec<Value> = items
                .iter()
                .map(|item| match item {
                    Value::Map(map) => Value::map(verdict::visible(map)),
                    other => other.clone(),
                })
                .collect();
            result.put("results", items);
        }
        if !executed.is_loop && !result.contains_key("failed") && !result.contains_key("skipped") {
            result.put("failed", false);
        }
        result
    }
}

/// What ends a play early.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    pub force_handlers: bool,
    pub any_errors_fatal: bool,
    pub max_fail_percentage: Option<f64>,
}

/// A host's outcome of a task that could not even be tried.
pub fn failed_map(message: impl Into<String>) -> Map {
    results::failure(message)
}
