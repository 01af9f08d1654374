//! Working ahead: sending a host the tasks behind the one it is at, as far as their arguments are known.
//!
//! A task is worked out in the world as it will be if everything before it succeeds. What an unfinished task will
//! set is *pending* there, and a task that asks for it ends the look ahead. So everything that is sent is exactly
//! what the task's own turn would have sent; when the path of the host turns out differently (a failure, a
//! handler, a host that drops out), the queue is dropped.
//!
//! Steps sent ahead may change the host right away only if nothing else could want to come between: when the host
//! is alone in its play, or the strategy has no barriers, and no verdict of the controller is open. Otherwise the
//! agent plans them, and answers at once those that have nothing to do.

use std::collections::{HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use lang::keywords::Keyword;
use lang::playbook::Task;
use lang::vars::{HostVars, RunState};
use lang::{Map, Value};
use protocol::Permission;

use crate::action::Prepared;
use crate::cursor::Cursor;
use crate::evaluate::{Evaluated, Item, Work};
use crate::graph::{Behind, Order, Sent, Touches};
use crate::host::HostRun;
use crate::link::Link;
use crate::play::{PlayRun, Strategy};
use crate::program::{Kind, TaskNode};
use crate::results::ResultMap;
use crate::run::link_key;
use crate::verdict;
use crate::world::{Ahead, World};

/// How many tasks a host may be ahead.
const DEPTH: usize = 400;
/// How many tasks all hosts of a batch together may be ahead: each takes some kilobytes here.
const ALL: usize = 10_000;
/// How many tasks a host may always be ahead.
const LEAST: usize = 10;

/// A task whose evaluation is known, with the steps that were sent for its items.
pub struct Task_ {
    pub node: Arc<TaskNode>,
    pub task: Arc<Task>,
    pub evaluated: Evaluated,
    /// For each item, the number of its step on the link.
    pub steps: Vec<Option<u64>>,
    /// The queue has been dropped since: of its steps, only those count that were begun before.
    pub stale: bool,
}

/// What a host has been sent ahead of its turn, in order.
#[derive(Default)]
pub struct Queue {
    pub tasks: VecDeque<Task_>,
    pub link: Option<Rc<Link>>,
    /// Tasks may be done out of their order (strategy `graph`): what was begun is never forgotten.
    pub keeps: bool,
}

impl Queue {
    /// Take the task out if it is the next one; anything else is dropped.
    pub fn take(&mut self, node: u64) -> Option<Task_> {
        if self.tasks.front().is_some_and(|t| t.node.id == node) {
            return self.tasks.pop_front();
        }
        self.discard();
        let at = self.tasks.iter().position(|t| t.node.id == node)?;
        self.tasks.remove(at)
    }

    /// Drop everything that was sent ahead and, if that is to be kept, not begun.
    pub fn discard(&mut self) {
        if !self.keeps {
            return self.abandon();
        }
        if let Some(link) = self.link.as_ref().filter(|_| self.tasks.iter().any(|t| !t.stale)) {
            link.flush();
            self.tasks.iter_mut().for_each(|task| task.stale = true);
        }
    }

    /// Drop and forget everything that was sent ahead.
    pub fn abandon(&mut self) {
        if self.tasks.is_empty() {
            return;
        }
        if let Some(link) = &self.link {
            link.flush();
            for id in self.tasks.drain(..).flat_map(|t| t.steps).flatten() {
                link.forget(id);
            }
        }
        self.tasks.clear();
    }
}

/// The state of a host some tasks further on.
struct Future<'a> {
    play: &'a PlayRun,
    host: &'a Rc<HostRun>,
    link: Rc<Link>,
    key: String,
    cursor: Cursor,
    vars: Arc<HostVars>,
    pending: Arc<HashSet<String>>,
    facts_pending: bool,
    controller_busy: bool,
    roles_done: HashSet<lang::role::RoleId>,
    /// Steps that notify a handler if they change something.
    notifying: Vec<u64>,
    /// Steps that must not have changed anything for what comes now.
    gates: Vec<u64>,
    /// A verdict of the controller is open: nothing may be changed ahead of it.
    open: bool,
    /// Strategy `graph`: what has been sent, and what a further step has to follow.
    order: Option<Order>,
    /// A flush of handlers was passed: what comes next follows everything.
    turned: bool,
}

/// Send `host` what comes behind `current`, the task it is at. `steps` are those of the current task.
pub fn look_ahead(
    play: &PlayRun,
    host: &Rc<HostRun>,
    link: &Rc<Link>,
    node: u64,
    current: &Arc<Task>,
    items: &[Item],
    steps: &[Option<u64>],
) {
    if !host.ahead.borrow().tasks.is_empty() || !play.may_look_ahead() || host.collecting.get() {
        return;
    }
    let mut cursor = host.cursor.borrow().clone();
    cursor.advance();
    let mut future = Future {
        play,
        host,
        link: link.clone(),
        key: link_key(&link.target),
        cursor,
        vars: play.run.world.host_vars(&host.name),
        pending: Arc::default(),
        facts_pending: false,
        controller_busy: false,
        roles_done: host.roles_done.borrow().clone(),
        notifying: Vec::new(),
        gates: Vec::new(),
        open: false,
        order: (play.strategy == Strategy::Graph).then(Order::default),
        turned: false,
    };
    if let Some(order) = &mut future.order {
        let sent = sent(play, node, current, items, play.is_barrier(host, current));
        let follows = order.follows(&sent);
        let open = is_open(current, steps);
        order.place(&sent, follows, steps.iter().flatten().last().copied().unwrap_or_default(), open);
    }
    host.ahead.borrow_mut().keeps = future.order.is_some();
    future.expect(current, steps);
    if current.is_handler() {
        // What it notifies runs before anything that comes behind the handlers.
        future.gates.append(&mut future.notifying);
    }
    link.note_ahead(&host.name);
    host.ahead.borrow_mut().link = Some(link.clone());
    let depth = depth(play);
    while host.ahead.borrow().tasks.len() < depth && future.next().is_some() {}
}

/// With many hosts the exchanges that a shorter queue costs do not matter, but its memory does.
fn depth(play: &PlayRun) -> usize {
    match play.strategy {
        Strategy::Graph => DEPTH,
        _ => (ALL / play.batch_size.max(1)).clamp(LEAST, DEPTH),
    }
}

impl Future<'_> {
    /// A task that is under way: what it may bring is not known yet.
    fn expect(&mut self, task: &Task, steps: &[Option<u64>]) {
        if let Some(name) = task.register() {
            Arc::make_mut(&mut self.pending).insert(name.to_owned());
        }
        if brings_facts(task) {
            self.facts_pending = true;
        }
        if !task.notify().is_empty() {
            self.notifying.extend(steps.iter().flatten());
        }
        self.open |= is_open(task, steps);
        let here = self.link.target.connection == transport::Connection::Local;
        self.controller_busy |= acts_on_controller(task) || (here && steps.iter().any(Option::is_some));
    }

    /// Send the next task; `None` when the look ahead ends here.
    fn next(&mut self) -> Option<()> {
        let notified = self.host.notified.borrow();
        let (_, node) = self.cursor.peek(&|task: &TaskNode| notified.contains(&task.id))?;
        let any_notified = !notified.is_empty();
        drop(notified);
        let task = match &node.kind {
            Kind::Flush => return self.flush(any_notified),
            Kind::RoleDone(role) => {
                self.roles_done.insert(role.id);
                self.cursor.advance();
                return Some(());
            }
            Kind::Task(task) => task.clone(),
        };
        if let Some(role) = task.role()
            && !role.allow_duplicates
            && self.roles_done.contains(&role.id)
        {
            self.cursor.advance();
            return Some(());
        }
        match task.module.short() {
            "meta" => {
                return match task.args.get("_raw_params").and_then(Value::as_str) {
                    Some("flush_handlers") if task.when().is_empty() => self.flush(any_notified),
                    Some("role_complete") => {
                        self.roles_done.extend(task.role().map(|role| role.id));
                        self.cursor.advance();
                        Some(())
                    }
                    Some("noop") if task.when().is_empty() => {
                        self.cursor.advance();
                        Some(())
                    }
                    _ => None,
                };
            }
            "include_tasks" | "include_role" | "add_host" | "group_by" | "include_vars" | "pause" => {
                return None;
            }
            _ => {}
        }
        if self.controller_busy && reads_controller(&task) {
            return None;
        }
        if !self.may_be_sent(&task) || (self.facts_pending && self.play.vars_files_may_change()) {
            return None;
        }
        let evaluated = self.evaluate(&node, &task)?;
        self.send(&node, &task, evaluated)
    }

    fn flush(&mut self, any_notified: bool) -> Option<()> {
        if any_notified {
            return None;
        }
        self.turned |= !self.notifying.is_empty();
        self.gates.append(&mut self.notifying);
        self.cursor.advance();
        Some(())
    }

    /// Tasks whose execution involves more than their host wait for their turn.
    fn may_be_sent(&self, task: &Task) -> bool {
        let alone = self.play.is_alone();
        let written = |keyword| task.keyword(keyword).is_some();
        !(written(Keyword::DelegateTo)
            || written(Keyword::Throttle)
            || written(Keyword::Debugger)
            // Nothing is known of such a module before it runs, not even that check mode changes nothing.
            || matches!(task.module.kind, lang::playbook::ModuleKind::Foreign(_))
            || task.own(Keyword::Async).is_some()
            || (written(Keyword::RunOnce) && !alone)
            || self.play.may_end_others(task)
            || task.loop_control.pause.is_some()
            || !task.loop_control.break_when.is_empty()
            || task.is_handler())
    }

    fn evaluate(&mut self, node: &TaskNode, task: &Arc<Task>) -> Option<Evaluated> {
        let alone = self.play.is_alone();
        let state: Arc<dyn RunState> = Arc::new(Ahead {
            now: self.play.run.world.clone(),
            host: self.host.name.clone(),
            vars: self.vars.clone(),
            pending: self.pending.clone(),
            facts_pending: self.facts_pending,
            elsewhere: if alone { Arc::default() } else { self.play.names_set.clone() },
            facts_elsewhere: !alone,
            controller_busy: self.controller_busy,
        });
        let evaluated = self.play.evaluate(&self.play.context(), node, task, &self.host.name, &state).ok()?;
        if matches!(&evaluated, Evaluated::Failed(_))
            || matches!(&evaluated, Evaluated::Loop { control, .. } if control.in_turn())
        {
            return None;
        }
        Some(evaluated)
    }

    /// Queue the steps of an evaluated task, and know what it will have brought.
    fn send(&mut self, node: &Arc<TaskNode>, task: &Arc<Task>, evaluated: Evaluated) -> Option<()> {
        let items: &[Item] = match &evaluated {
            Evaluated::Single(item) => std::slice::from_ref(item),
            Evaluated::Loop { items, .. } => items,
            Evaluated::Empty(_) | Evaluated::Failed(_) => &[],
        };
        let mut any_step = false;
        for item in items {
            match &item.work {
                Work::Skip(_) => {}
                Work::Fail(_) => return None,
                Work::Run(Prepared::Done(result)) => {
                    if result.flag("failed") || verdict::is_open(task) {
                        return None;
                    }
                }
                Work::Run(Prepared::Step(_)) => {
                    let place = item.place.as_ref()?;
                    if place.delegated || link_key(&place.target) != self.key {
                        return None;
                    }
                    any_step = true;
                }
                Work::Run(_) => return None,
            }
        }
        let place = match &self.order {
            Some(order) if any_step => {
                let barrier = std::mem::take(&mut self.turned)
                    || self.cursor.is_catching()
                    || crate::graph::barrier(task).is_some();
                let sent = sent(self.play, node.id, task, items, barrier);
                let follows = order.follows(&sent);
                Some((sent, follows))
            }
            _ => None,
        };
        let open = place.as_ref().map_or(self.open, |(_, follows)| follows.open);
        let may_change = self.play.may_change_ahead() && !open;
        let permission = if may_change { Permission::Granted } else { Permission::Ask };
        let mut behind = place.as_ref().and_then(|(_, follows)| follows.behind.clone());
        let mut steps: Vec<Option<u64>> = Vec::with_capacity(items.len());
        for item in items {
            let step = self.play.queue_item(&self.link, task, item, permission, &self.gates, behind.clone());
            if let (Some(behind), Some(step), Some((sent, _))) = (&mut behind, step, &place) {
                *behind = Behind::item(step, &sent.touches);
            }
            steps.push(step);
        }
        if let (Some(order), Some((sent, follows))) = (&mut self.order, place) {
            let last = steps.iter().flatten().last().copied().unwrap_or_default();
            order.place(&sent, follows, last, is_open(task, &steps));
        }
        if any_step {
            self.expect(task, &steps);
        } else {
            self.know(task, &evaluated);
        }
        self.host.ahead.borrow_mut().tasks.push_back(Task_ {
            node: node.clone(),
            task: task.clone(),
            evaluated,
            steps,
            stale: false,
        });
        self.cursor.advance();
        Some(())
    }

    /// A task without steps: what it brings is known already.
    fn know(&mut self, task: &Task, evaluated: &Evaluated) {
        if self.play.vars_files_may_change() && task.args.contains_key("cacheable") {
            self.facts_pending = true;
        }
        let mut facts = Map::new();
        let items: &[Item] = match evaluated {
            Evaluated::Single(item) => std::slice::from_ref(item),
            Evaluated::Loop { items, .. } => items,
            _ => &[],
        };
        for item in items {
            if let Work::Run(Prepared::Done(result)) = &item.work
                && !task.module.is_builtin("debug")
                && let Some(Value::Map(set)) = result.get("ansible_facts")
            {
                facts.extend(set.iter().map(|(k, v)| (k.clone(), v.clone())));
            }
        }
        if !facts.is_empty() {
            let vars = Arc::make_mut(&mut self.vars);
            for (name, value) in facts {
                if let Some(name) = name.as_str() {
                    Arc::make_mut(&mut self.pending).remove(name);
                    vars.set(name, value);
                }
            }
        }
        // The registered result of such a task could be known as well, but is rarely asked for in its own batch.
        if let Some(name) = task.register() {
            Arc::make_mut(&mut self.pending).insert(name.to_owned());
        }
    }
}

/// May the task have failed although the host has gone on?
fn is_open(task: &Task, steps: &[Option<u64>]) -> bool {
    // A loop goes on behind an item that failed, and has failed all the same at its end.
    verdict::is_open(task) || steps.iter().flatten().count() > 1
}

/// What the steps of a task touch.
pub fn touches_of(items: &[Item]) -> Touches {
    let mut touches = Touches::default();
    for item in items {
        if let Work::Run(Prepared::Step(plan)) = &item.work {
            let user = item.settings.as_ref().and_then(|s| s.r#become.as_ref()).map(|b| b.user.as_str());
            touches.add(Touches::of(&plan.module, &plan.args, user));
        }
    }
    touches
}

/// What is known of a task's steps.
fn sent(play: &PlayRun, node: u64, task: &Task, items: &[Item], barrier: bool) -> Sent {
    let touches = touches_of(items);
    let needs = play.needs.get(&node).cloned().unwrap_or_default();
    Sent { id: node, barrier, touches, says_needs: task.own(Keyword::Needs).is_some(), needs }
}

/// Does the task's module return facts?
pub fn brings_facts(task: &Task) -> bool {
    let short = task.module.short();
    matches!(short, "setup" | "getent" | "hostname")
        || short.ends_with("_facts")
        || matches!(
            task.module.kind,
            lang::playbook::ModuleKind::Templated | lang::playbook::ModuleKind::Foreign(_)
        )
}

/// Does the task's action read files of the controller?
fn reads_controller(task: &Task) -> bool {
    match task.module.short() {
        "copy" => task.args.contains_key("src"),
        "template" | "script" | "unarchive" | "assemble" | "uri" | "nginx_site" => true,
        _ => false,
    }
}

/// May the task change what lookups read on the controller?
fn acts_on_controller(task: &Task) -> bool {
    matches!(task.module.short(), "fetch") || task.keyword(Keyword::DelegateTo).is_some()
}

/// Every name that tasks of a play may set: what another host's variables may still become.
pub fn names_set(play: &lang::playbook::Play) -> HashSet<String> {
    let mut names = HashSet::new();
    let sections = play.sections();
    let items = sections.iter().flat_map(|(_, items)| items.iter()).chain(&play.handlers);
    for item in items {
        item.tasks(&mut |task| {
            names.extend(task.register().map(str::to_owned));
            if task.module.is_builtin("set_fact") {
                names.extend(task.args.keys().filter_map(|k| k.as_str().map(str::to_owned)));
            }
        });
    }
    names
}

/// The world as it is now.
pub fn now(world: &Arc<World>) -> Arc<dyn RunState> {
    world.clone()
}
