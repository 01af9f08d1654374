//! The life of a task on one host: worked out, sent, judged, reported.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lang::error::ErrorKind;
use lang::keywords::Keyword;
use lang::playbook::Task;
use lang::{Error, Key, Map, Value};
use protocol::{Diff, Permission, Step};

use crate::action::{Prepared, StepPlan};
use crate::ahead::{self, look_ahead, touches_of};
use crate::debugger::Attempt;
use crate::evaluate::{self, Context, Control, Evaluated, Item, Work, evaluate};
use crate::event::{Event, Status, TaskInfo, TaskResult};
use crate::graph::Behind;
use crate::host::HostRun;
use crate::link::{Finished, Link};
use crate::play::{PlayRun, Strategy};
use crate::profile::note_step;
use crate::program::TaskNode;
use crate::results::{self, ResultMap};
use crate::settings::{Keywords, Settings};
use crate::{map, verdict};

/// What a task came to on a host.
pub struct Executed {
    pub host: Rc<HostRun>,
    pub task: Arc<Task>,
    /// The whole result: what is registered.
    pub result: Map,
    pub diff: Vec<Diff>,
    pub ignored: bool,
    pub no_log: bool,
    pub is_loop: bool,
    /// The result of each item; of the task itself if it has no loop.
    pub items: Vec<ItemDone>,
    pub delegated_to: Option<String>,
    pub elapsed: Duration,
    /// What the failure was about, for the report.
    pub error: Option<Error>,
}

/// What one item came to.
pub struct ItemDone {
    pub result: Map,
    pub locals: Map,
    pub label: Option<Value>,
    pub delegated_to: Option<String>,
    pub diff: Vec<Diff>,
    pub scope: Arc<dyn lang::template::Scope>,
    pub error: Option<Error>,
    pub no_log: bool,
    pub ignored: bool,
    pub elapsed: Duration,
    /// Arguments of an include, which the strategy carries out.
    pub include: Option<Map>,
}

impl PlayRun {
    /// Run a task for `host` to its end. Items are reported as they finish; the caller reports the whole.
    pub async fn execute(
        self: &Rc<Self>,
        host: &Rc<HostRun>,
        node: &TaskNode,
        attempt: &Attempt,
        info: &Arc<TaskInfo>,
    ) -> Executed {
        let Some(profiler) = &self.run.profiler else {
            return self.execute_now(host, node, attempt, info).await;
        };
        let barrier = matches!(self.strategy, Strategy::Linear | Strategy::Debug | Strategy::Graph);
        let turn = profiler.begin(info, &host.name, barrier);
        let executed = turn.watch(self.execute_now(host, node, attempt, info)).await;
        profiler.end(turn);
        executed
    }

    async fn execute_now(
        self: &Rc<Self>,
        host: &Rc<HostRun>,
        node: &TaskNode,
        attempt: &Attempt,
        info: &Arc<TaskInfo>,
    ) -> Executed {
        let task = &attempt.task;
        let start = Instant::now();
        host.busy.set(true);
        if let Some(whole) = task.args.get("_variable_params") {
            let unsafe_args = "Using a template for task args is unsafe in some situations (see \
                               https://docs.ansible.com/ansible/devel/reference_appendices/faq.html#argsplat-unsafe).";
            self.run.warn(lang::excerpt::describe(&Error::new(unsafe_args).at(whole.pos())));
        }
        let known = host.ahead.borrow_mut().take(node.id);
        let known = match known {
            Some(known) if known.stale && !self.was_begun(host, &known).await => None,
            known => known,
        };
        let (evaluated, steps) = match known {
            Some(known) => (known.evaluated, known.steps),
            None => {
                let mut ctx = self.context();
                if !attempt.vars.is_empty() {
                    Arc::make_mut(&mut Arc::make_mut(&mut ctx.run).extra).extend(attempt.vars.clone());
                }
                let state = ahead::now(&self.run.world);
                let evaluated =
                    self.evaluate(&ctx, node, task, &host.name, &state).unwrap_or_else(Evaluated::Failed);
                (evaluated, Vec::new())
            }
        };
        let mut executed = self.conclude(host, node, task, info, evaluated, steps).await;
        executed.elapsed = start.elapsed();
        host.busy.set(false);
        executed
    }

    /// From what a task comes to, and the steps that were sent for it, to its result.
    pub async fn conclude(
        self: &Rc<Self>,
        host: &Rc<HostRun>,
        node: &TaskNode,
        task: &Arc<Task>,
        info: &Arc<TaskInfo>,
        evaluated: Evaluated,
        steps: Vec<Option<u64>>,
    ) -> Executed {
        let mut executed = Executed {
            host: host.clone(),
            task: task.clone(),
            result: Map::new(),
            diff: Vec::new(),
            ignored: false,
            no_log: false,
            is_loop: false,
            items: Vec::new(),
            delegated_to: None,
            elapsed: Duration::ZERO,
            error: None,
        };
        match evaluated {
            Evaluated::Failed(error) => {
                let state = ahead::now(&self.run.world);
                let settings = self.loose_settings(host, task, &state);
                executed.ignored = settings.0;
                executed.no_log = settings.1;
                executed.result = evaluate::failed_item(&error);
                executed.result.put("changed", false);
                verdict::note_exception(&mut executed.result);
                executed.error = Some(match error.kind() {
                    ErrorKind::Refused => error,
                    _ => Error::new("Task failed").at(Some(&task.pos)).caused_by(error),
                });
            }
            Evaluated::Empty(result) => executed.result = result,
            Evaluated::Single(item) => {
                let done = self.run_items(host, node, task, info, vec![*item], steps, None).await;
                if let Some(done) = done.into_iter().next() {
                    executed.result = done.result.clone();
                    executed.diff = done.diff.clone();
                    executed.ignored = done.ignored;
                    executed.no_log = done.no_log;
                    executed.error = done.error.clone();
                    executed.delegated_to = done.delegated_to.clone();
                    executed.items.push(done);
                }
            }
            Evaluated::Loop { items, control } => {
                let done = self.run_items(host, node, task, info, items, steps, Some(&control)).await;
                executed.is_loop = true;
                executed.no_log = done.iter().any(|d| d.no_log);
                executed.ignored = done.iter().any(|d| d.ignored && results::is_failure(&d.result))
                    && done.iter().filter(|d| results::is_failure(&d.result)).all(|d| d.ignored);
                executed.error = done.iter().find_map(|d| d.error.clone());
                executed.delegated_to = done.iter().find_map(|d| d.delegated_to.clone());
                executed.result = results::of_loop(done.iter().map(registered_item).collect());
                if done.iter().any(|d| d.no_log) {
                    executed.result.put("_ansible_no_log", true);
                }
                executed.items = done;
            }
        }
        executed
    }

    /// Work out a task for a host in a state of the world.
    pub fn evaluate(
        &self,
        ctx: &Context,
        node: &TaskNode,
        task: &Arc<Task>,
        host: &str,
        state: &Arc<dyn lang::vars::RunState>,
    ) -> lang::Result<Evaluated> {
        let work = || evaluate(ctx, state, host, task);
        match &self.run.profiler {
            Some(profiler) => profiler.evaluating(node.id, host, work),
            None => work(),
        }
    }

    /// `ignore_errors` and `no_log` of a task that could not be worked out.
    fn loose_settings(
        &self,
        host: &HostRun,
        task: &Arc<Task>,
        state: &Arc<dyn lang::vars::RunState>,
    ) -> (bool, bool) {
        let scope = self.scope(&host.name, Some(task), state);
        let keywords = Keywords { task, templar: &self.run.templar, scope: &scope };
        let flag = |keyword, default| keywords.bool(keyword).ok().flatten().unwrap_or(default);
        (
            flag(Keyword::IgnoreErrors, self.run.options.ignore_errors),
            flag(Keyword::NoLog, self.run.options.no_log),
        )
    }

    async fn run_items(
        self: &Rc<Self>,
        host: &Rc<HostRun>,
        node: &TaskNode,
        task: &Arc<Task>,
        info: &Arc<TaskInfo>,
        items: Vec<Item>,
        mut steps: Vec<Option<u64>>,
        control: Option<&Control>,
    ) -> Vec<ItemDone> {
        let sequential = control.is_some_and(Control::in_turn);
        if let Some(control) = control.filter(|control| control.collision) {
            self.run.warn(loop_collision(&control.loop_var, task.loop_control.loop_var.as_ref()));
        }
        steps.resize(items.len(), None);
        // Send all items before the first answer is waited for, and what comes behind them.
        let mut last_link = None;
        // With nothing under way, others may be done at the same time.
        let touches = (self.strategy == Strategy::Graph
            && host.ahead.borrow().tasks.is_empty()
            && !self.is_barrier(host, task))
        .then(|| touches_of(&items));
        let mut behind = touches.as_ref().map(|_| Behind::default());
        for (item, step) in items.iter().zip(&mut steps) {
            let Some(link) = self.link_of(item) else { continue };
            // Sent again here, it comes before what is sent ahead now.
            if step.is_some_and(|id| link.is_dropped(id)) {
                link.forget(step.take().unwrap_or_default());
            }
            if step.is_none() && !(sequential && last_link.is_some()) {
                if item.place.as_ref().is_some_and(|p| p.delegated) {
                    self.clear_link(&link, Some(host));
                }
                *step = self.queue_item(&link, task, item, Permission::Granted, &[], behind.clone());
                if let (Some(touches), Some(step)) = (&touches, *step) {
                    behind = Some(Behind::item(step, touches));
                }
            }
            last_link = Some(link);
        }
        let plain = items.iter().all(|i| {
            !i.place.as_ref().is_some_and(|p| p.delegated)
                && matches!(&i.work, Work::Skip(_) | Work::Run(Prepared::Step(_) | Prepared::Done(_)))
        });
        let background = items.iter().any(|i| i.settings.as_ref().is_some_and(|s| s.background > 0));
        if let Some(link) = &last_link
            && plain
            && !sequential
            && !background
            && self.may_go_on_behind(task)
        {
            look_ahead(self, host, link, node.id, task, &items, &steps);
        }
        let mut done = Vec::with_capacity(items.len());
        let count = items.len();
        let mut facts = Map::new();
        for (index, (mut item, step)) in items.into_iter().zip(steps).enumerate() {
            // Time has passed since it was worked out.
            if sequential && index > 0 && step.is_none() {
                let state = ahead::now(&self.run.world);
                match evaluate::item_again(&self.context(), &state, &host.name, task, &item, &facts) {
                    Ok(again) => item = again,
                    Err(e) => item.work = Work::Fail(e),
                }
            }
            let ignores = item.settings.as_ref().is_some_and(|s| s.ignore_errors);
            let mut finished = self.run_item(host, task, info, item, step).await;
            if control.is_some() {
                self.name_item(task, &mut finished, ignores);
                self.report_item(host, info, &finished);
            }
            let stop = match control {
                Some(control) => self.breaks(task, control, &finished),
                None => false,
            };
            if sequential && let Some(name) = task.register() {
                facts.insert(Key::from(name), Value::map(verdict::visible(&finished.result)));
            }
            if sequential
                && !task.module.is_builtin("debug")
                && let Some(Value::Map(set)) = finished.result.get("ansible_facts")
            {
                facts.extend(set.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
            done.push(finished);
            if stop {
                break;
            }
            if let Some(control) = control
                && control.pause > 0.0
                && index + 1 < count
            {
                tokio::time::sleep(Duration::from_secs_f64(control.pause.min(1e9))).await;
            }
        }
        done
    }

    /// The label of an item that is done; one that has none fails it.
    fn name_item(&self, task: &Task, done: &mut ItemDone, ignores: bool) {
        let scope = verdict::scope(task, &done.scope, &done.result);
        match evaluate::label(&self.run.templar, task, &scope) {
            None => {}
            Some(Ok(label)) => done.label = Some(label),
            Some(Err(e)) => {
                done.label = Some(Value::Null);
                done.result.put("failed", true);
                done.result.put("msg", format!("Failed to template loop_control.label: {e}"));
                done.ignored |= ignores;
            }
        }
    }

    /// `break_when` after an item.
    fn breaks(&self, task: &Task, control: &Control, done: &ItemDone) -> bool {
        if control.break_when.is_empty() || done.result.flag("skipped") {
            return false;
        }
        let scope = verdict::scope(task, &done.scope, &done.result);
        control.break_when.iter().all(|c| self.run.templar.condition(c, &scope).unwrap_or(false))
    }

    /// The link an item's step goes to; `None` if it has no step.
    fn link_of(&self, item: &Item) -> Option<Rc<Link>> {
        match &item.work {
            Work::Run(Prepared::Step(_)) => item.place.as_ref().map(|p| self.run.link(&p.target)),
            _ => None,
        }
    }

    /// Drop what was sent ahead on a link, for every host but `but`: a step that comes now (another attempt, a delegated
    /// task) would have to wait for it.
    pub fn clear_link(&self, link: &Rc<Link>, but: Option<&Rc<HostRun>>) {
        let hosts = self.hosts.borrow();
        for host in link.hosts_ahead().iter().filter_map(|name| hosts.get(name)) {
            if but.is_some_and(|but| Rc::ptr_eq(but, host)) {
                continue;
            }
            let mut queue = host.ahead.borrow_mut();
            if queue.link.as_ref().is_some_and(|l| Rc::ptr_eq(l, link)) {
                queue.discard();
            }
        }
    }

    /// Send the step of an item, if it has one.
    pub fn queue_item(
        &self,
        link: &Rc<Link>,
        task: &Task,
        item: &Item,
        permission: Permission,
        gates: &[u64],
        behind: Option<Behind>,
    ) -> Option<u64> {
        let Work::Run(Prepared::Step(plan)) = &item.work else { return None };
        let settings = item.settings.as_ref()?;
        Some(self.queue_step(link, task, plan, settings, permission, gates, behind))
    }

    fn queue_step(
        &self,
        link: &Rc<Link>,
        task: &Task,
        plan: &StepPlan,
        settings: &Settings,
        permission: Permission,
        gates: &[u64],
        behind: Option<Behind>,
    ) -> u64 {
        for (hash, content) in &plan.contents {
            self.run.contents.offer(*hash, content.clone());
        }
        let id = link.reserve_id();
        let text = format!("<{}> EXEC {}{}", link.target.name, becoming(settings), plan.module);
        self.run.emit(Event::Message { text, verbosity: 3 });
        link.queue(Step {
            id,
            module: plan.module.clone(),
            args: plan.args.clone(),
            r#become: settings.r#become.clone(),
            python: settings.python.clone(),
            environment: settings.environment.clone(),
            check: settings.check,
            diff: settings.diff,
            permission,
            continue_on_failure: settings.ignore_errors
                || verdict::decides_failure(task)
                || task.loop_.is_some(),
            unless_changed: gates.to_vec(),
            together: behind.as_ref().map(|b| b.together.clone()).unwrap_or_default(),
            after: behind.map(|b| b.after),
            timeout: settings.timeout,
            background: if settings.check { 0 } else { settings.background },
        });
        id
    }

    async fn run_item(
        self: &Rc<Self>,
        host: &Rc<HostRun>,
        task: &Arc<Task>,
        info: &Arc<TaskInfo>,
        item: Item,
        step: Option<u64>,
    ) -> ItemDone {
        let start = Instant::now();
        let Item { label, locals, scope, work, settings, place, value: _ } = item;
        let delegated_to =
            place.as_ref().filter(|p| p.delegated || task.keyword(Keyword::DelegateTo).is_some());
        let mut done = ItemDone {
            result: Map::new(),
            locals,
            label,
            delegated_to: delegated_to.map(|p| p.host.clone()),
            diff: Vec::new(),
            scope,
            error: None,
            no_log: settings.as_ref().is_some_and(|s| s.no_log),
            ignored: false,
            elapsed: Duration::ZERO,
            include: None,
        };
        let ignore_errors = settings.as_ref().is_some_and(|s| s.ignore_errors);
        let ignore_unreachable = settings.as_ref().is_some_and(|s| s.ignore_unreachable);
        match work {
            Work::Skip(result) => done.result = result,
            Work::Fail(error) => {
                done.result = evaluate::failed_item(&error);
                done.error = Some(Error::new("Task failed").at(Some(&task.pos)).caused_by(error));
            }
            Work::Run(Prepared::Include(args)) => {
                done.result = map! {"changed": false};
                done.include = Some(args);
            }
            Work::Run(prepared) => {
                let settings = settings.unwrap_or_else(Settings::none);
                self.attempt(host, task, info, prepared, &settings, place.as_ref(), step, &mut done).await;
            }
        }
        done.result.entry(Key::from("changed")).or_insert(Value::Bool(false));
        // An action may know by itself that its result must not be shown.
        done.no_log |= done.result.flag("_ansible_no_log");
        if done.no_log {
            done.result.put("_ansible_no_log", true);
        }
        // A verdict that says so itself leaves the module's exception in the result.
        let by_module = done.result.contains_key("exception");
        if done.result.flag("failed") {
            verdict::note_exception(&mut done.result);
        }
        done.ignored = (results::is_failure(&done.result) && ignore_errors)
            || (done.result.flag("unreachable") && ignore_unreachable);
        if results::is_failure(&done.result) && done.error.is_none() {
            done.result.entry(Key::from("msg")).or_insert(Value::str(UNKNOWN));
            done.error = Some(failure_report(task, &done.result, by_module));
        }
        if done.result.flag("unreachable") && done.error.is_none() {
            let msg = done.result.text("msg").unwrap_or_default().to_owned();
            // Facts that are gathered without being asked for have no place of their own.
            let pos = Some(&task.pos).filter(|pos| **pos != task.frame.pos);
            done.error = Some(Error::new(msg).at(pos));
        }
        done.elapsed = start.elapsed();
        done
    }

    /// Run until it is good or there are no retries left.
    async fn attempt(
        self: &Rc<Self>,
        host: &Rc<HostRun>,
        task: &Arc<Task>,
        info: &Arc<TaskInfo>,
        prepared: Prepared,
        settings: &Settings,
        place: Option<&evaluate::Place>,
        mut step: Option<u64>,
        done: &mut ItemDone,
    ) {
        let keywords = Keywords { task, templar: &self.run.templar, scope: &done.scope.clone() };
        let (retries, delay) = match (evaluate::attempts(&keywords), keywords.float(Keyword::Delay)) {
            (Ok(retries), Ok(delay)) => (retries, delay.unwrap_or(5.0).max(0.0)),
            (Err(e), _) | (_, Err(e)) => {
                done.result = evaluate::failed_item(&e);
                done.error = Some(Error::new("Task failed").at(Some(&task.pos)).caused_by(e));
                return;
            }
        };
        let mut attempts = 0u32;
        loop {
            attempts += 1;
            let (mut result, diff) = self.perform(host, task, &prepared, settings, place, step.take()).await;
            self.show_warnings(&mut result);
            if !diff.is_empty() {
                result.put("diff", results::diff_value(task.module.short(), &diff));
            }
            if settings.background > 0 && settings.poll > 0 && !settings.check {
                result = self.wait_for_job(host, task, info, result, settings, place, done).await;
            }
            if retries.is_some() {
                result.put("attempts", i64::from(attempts));
            }
            verdict::judge(&self.run.templar, task, &done.scope, &mut result);
            done.diff = diff;
            let Some(retries) = retries.filter(|_| !result.flag("skipped") && !result.flag("unreachable"))
            else {
                done.result = result;
                return;
            };
            match verdict::is_met(&self.run.templar, task, &done.scope, &result) {
                Ok(true) => {
                    done.result = result;
                    return;
                }
                Ok(false) if attempts <= retries => {
                    let retry = TaskResult {
                        result: shown(&result, done.no_log),
                        ..self.task_result(host, info, Status::Failed, done)
                    };
                    self.run.emit(Event::Retry { result: retry, retries, attempts });
                    tokio::time::sleep(Duration::from_secs_f64(delay.min(1e9))).await;
                }
                Ok(false) => {
                    if !task.until().is_empty() {
                        result.put("failed", true);
                    }
                    // Ansible counts the retries, not the attempts.
                    result.put("attempts", i64::from(retries.max(1)));
                    done.result = result;
                    return;
                }
                Err(e) => {
                    done.result = evaluate::failed_item(&e);
                    done.error = Some(Error::new("Task failed").at(Some(&task.pos)).caused_by(e));
                    return;
                }
            }
        }
    }

    /// One attempt.
    async fn perform(
        self: &Rc<Self>,
        host: &Rc<HostRun>,
        task: &Arc<Task>,
        prepared: &Prepared,
        settings: &Settings,
        place: Option<&evaluate::Place>,
        step: Option<u64>,
    ) -> (Map, Vec<Diff>) {
        match prepared {
            Prepared::Done(result) => (result.clone(), Vec::new()),
            Prepared::Include(_) => (Map::new(), Vec::new()),
            Prepared::Local(local) => (self.run_local(host, local, settings).await, Vec::new()),
            Prepared::Remote(remote) => match place {
                Some(place) => {
                    let start = Instant::now();
                    let done = self.run_remote(host, task, remote, settings, place).await;
                    self.run.timings.note(&place.host, &task.pos, start.elapsed().as_secs_f64());
                    done
                }
                None => (results::failure("the task has no host to run on"), Vec::new()),
            },
            Prepared::Step(plan) => match place {
                Some(place) => {
                    let link = self.run.link(&place.target);
                    if step.is_none() {
                        self.clear_link(&link, None);
                    }
                    self.finish_step(&link, task, plan, settings, step).await
                }
                None => (results::failure("the task has no host to run on"), Vec::new()),
            },
        }
    }

    /// Wait for a step's outcome; send it (again) if it is not on its way.
    pub async fn finish_step(
        &self,
        link: &Rc<Link>,
        task: &Task,
        plan: &StepPlan,
        settings: &Settings,
        step: Option<u64>,
    ) -> (Map, Vec<Diff>) {
        let mut id = match step {
            Some(id) => id,
            None => self.queue_step(link, task, plan, settings, Permission::Granted, &[], None),
        };
        loop {
            let finished = link.finish(id).await;
            let connecting = link.take_connecting();
            match finished {
                Ok(Finished::Outcome(outcome)) => {
                    let seconds = outcome.elapsed_us as f64 / 1e6;
                    self.run.timings.note(&link.target.name, &task.pos, seconds);
                    note_step(Duration::from_micros(outcome.elapsed_us), connecting);
                    for text in link.take_warnings() {
                        self.run.warn(text);
                    }
                    let mut result = results::from_outcome(&outcome.result);
                    if let Some(entry) = modules::find(&plan.module)
                        && !result.contains_key("invocation")
                    {
                        result.put("invocation", invocation(entry, &plan.args));
                    }
                    if let Some(finish) = &plan.finish {
                        finish(&mut result);
                    }
                    return (result, outcome.diff);
                }
                Ok(Finished::Dropped) => {
                    // It would wait for ever behind steps that wait for their turn.
                    self.clear_link(link, None);
                    id = self.queue_step(link, task, plan, settings, Permission::Granted, &[], None);
                }
                Err(error) => {
                    note_step(Duration::ZERO, connecting);
                    return (
                        map! {"unreachable": true, "changed": false, "msg": format!("Task failed: {error}")},
                        Vec::new(),
                    );
                }
            }
        }
    }

    /// Warnings of a result are shown once; they stay in it for whoever registers it.
    fn show_warnings(&self, result: &mut Map) {
        let with_places = result.shift_remove(results::SHOWN_WARNINGS);
        if let Some(Value::List(warnings)) = with_places.as_ref().or(result.get("warnings")) {
            for warning in warnings.iter() {
                self.run.warn(crate::settings::text_of(warning));
            }
        }
        if let Some(Value::List(list)) = result.get("deprecations") {
            for entry in list.iter() {
                self.run.deprecate(match entry {
                    Value::Map(map) => deprecation(map),
                    other => crate::settings::text_of(other),
                });
            }
        }
    }

    /// A result as events carry it.
    pub fn task_result(
        &self,
        host: &HostRun,
        info: &Arc<TaskInfo>,
        status: Status,
        done: &ItemDone,
    ) -> TaskResult {
        TaskResult {
            task: info.clone(),
            host: host.name.clone(),
            delegated_to: done.delegated_to.clone(),
            status,
            result: shown(&done.result, done.no_log),
            diff: if done.no_log { Vec::new() } else { done.diff.clone() },
            ignored: done.ignored,
            item_label: done
                .label
                .clone()
                .map(|l| if done.no_log { Value::str("(censored due to no_log)") } else { l }),
            is_loop: false,
            elapsed: done.elapsed,
            verbose_always: done.result.flag("_ansible_verbose_always"),
            verbose_override: done.result.flag("_ansible_verbose_override"),
            error: done.error.clone(),
        }
    }

    fn report_item(&self, host: &HostRun, info: &Arc<TaskInfo>, done: &ItemDone) {
        if done.include.is_some() {
            return;
        }
        let status = status_of(&done.result);
        let mut result = self.task_result(host, info, status, done);
        // An item's own error is shown with it only when there are several to tell apart.
        for (key, value) in &done.locals {
            if !done.no_log && !result.result.contains_key(key) && is_registered_local(key) {
                result.result.insert(key.clone(), value.clone());
            }
        }
        if !done.no_log
            && let Some(name) = done.locals.get("ansible_loop_var").and_then(Value::as_str)
        {
            let value = done.locals.get(name).cloned().unwrap_or_default();
            result.result.put(name, value);
        }
        self.run.emit(Event::ItemResult(result));
    }
}

impl Settings {
    /// Settings of something that has none.
    pub fn none() -> Self {
        Self {
            check: false,
            diff: false,
            no_log: false,
            ignore_errors: false,
            ignore_unreachable: false,
            environment: Default::default(),
            timeout: 0,
            background: 0,
            poll: 0,
            r#become: None,
            python: None,
        }
    }
}

/// The warning that a loop variable hides another one.
fn loop_collision(name: &str, written: Option<&Value>) -> String {
    let help = "You should set the `loop_var` value in the `loop_control` option for the task to something else to \
                avoid variable collisions and unexpected behavior.";
    let warning = format!("The loop variable '{name}' is already in use.");
    match written.and_then(Value::pos) {
        Some(pos) => lang::excerpt::describe(&Error::new(warning).with_help(help).at(Some(pos))),
        None => format!("{warning}\nOrigin: <unknown>\n\n{name}\n\n{help}\n"),
    }
}

/// How another user is become, for the message about a step: `sudo -H -S -n -u root `.
fn becoming(settings: &Settings) -> String {
    let Some(wanted) = &settings.r#become else { return String::new() };
    let program = wanted.exe.as_deref().unwrap_or(&wanted.method);
    let flags = match (&wanted.flags, wanted.method.as_str()) {
        (Some(flags), _) => flags.join(" "),
        (None, "sudo") => "-H -S -n".to_owned(),
        (None, _) => String::new(),
    };
    let user = if wanted.method == "su" { wanted.user.clone() } else { format!("-u {}", wanted.user) };
    let words = [program, &flags, &user].into_iter().filter(|word| !word.is_empty());
    words.map(|word| format!("{word} ")).collect()
}

/// What a result means.
pub fn status_of(result: &Map) -> Status {
    if result.flag("unreachable") {
        Status::Unreachable
    } else if results::is_failure(result) {
        Status::Failed
    } else if result.flag("skipped") {
        Status::Skipped
    } else if result.flag("changed") {
        Status::Changed
    } else {
        Status::Ok
    }
}

/// An item's result as the registered result of the loop has it.
fn registered_item(done: &ItemDone) -> Map {
    let mut result = done.result.clone();
    for (key, value) in &done.locals {
        result.insert(key.clone(), value.clone());
    }
    result
}

fn is_registered_local(key: &Key) -> bool {
    key.as_str().is_some_and(|k| k.starts_with("ansible_") || !k.is_empty())
}

/// What may be shown of a result.
pub fn shown(result: &Map, no_log: bool) -> Map {
    if !no_log {
        return result.clone();
    }
    let mut censored = Map::new();
    for key in ["attempts", "changed", "retries", "failed", "unreachable", "skipped"] {
        if let Some(value) = result.get(key) {
            censored.put(key, value.clone());
        }
    }
    censored.put(
        "censored",
        "the output has been hidden due to the fact that 'no_log: true' was specified for this result",
    );
    censored
}

/// The arguments a module was called with, as `invocation` shows them: secrets hidden, defaults filled in.
fn invocation(entry: &modules::Entry, args: &protocol::Map) -> Value {
    let mut shown = Map::new();
    let normal = entry.check(args).unwrap_or_else(|_| args.clone());
    for arg in &(entry.spec)().args {
        let value = match normal.get(arg.name) {
            None => Value::Null,
            Some(value) if arg.secret && !value.is_null() => Value::str(modules::secrets::WHOLE),
            // The action has taken the content itself, which may be a secret.
            Some(_) if entry.name == "copy" && arg.name == "content" => Value::Null,
            Some(value) if value.get("$blob").is_some() || value.get("$base64").is_some() => Value::Null,
            Some(value) => Value::from_json(value),
        };
        shown.insert(Key::from(arg.name), value);
    }
    map! {"module_args": shown}.into()
}

/// What a deprecation of a result says, with when it is to go if it says that.
fn deprecation(entry: &Map) -> String {
    let msg = entry.text("msg").unwrap_or_default().to_owned();
    let (collection, date, version) =
        (entry.text("collection_name"), entry.text("date"), entry.text("version"));
    if collection.is_none() && date.is_none() && version.is_none() {
        return msg;
    }
    let plugin = match entry.get("deprecator") {
        Some(Value::Map(plugin)) => plugin.text("type").zip(plugin.text("resolved_name")),
        _ => None,
    };
    let mut text = "This feature will be removed".to_owned();
    if let Some((kind, name)) = plugin {
        let kind = if kind == "module" { kind.to_owned() } else { format!("{kind} plugin") };
        text.push_str(&match name.rsplit('.').next() {
            Some(short) if name != "ansible.builtin" => format!(" from {kind} '{short}'"),
            _ => format!(" from the {kind} API"),
        });
    }
    if let Some(collection) = collection {
        text.push_str(if plugin.is_some() { " in" } else { " from" });
        text.push_str(&match collection {
            "ansible.builtin" => " ansible-core".to_owned(),
            name => format!(" collection '{name}'"),
        });
    }
    text.push_str(&match (collection, date, version) {
        (None, ..) => " in the future.".to_owned(),
        (_, Some(date), _) => format!(" in a release after {date}."),
        (_, _, Some(version)) => format!(" version {version}."),
        _ => " in a future release.".to_owned(),
    });
    let stop = if msg.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{msg}{stop} {text}")
}

/// The message of a failure without one.
const UNKNOWN: &str = "Task failed: Action failed: Unknown error.";

/// The error of a failed result, for the report.
fn failure_report(task: &Task, result: &Map, by_module: bool) -> Error {
    let judged = result.contains_key("failed_when_result") || result.contains_key("changed_when_result");
    let kind = if (judged && !by_module) || crate::action::is_controller_action(&task.module.full) {
        "Action failed"
    } else {
        "Module failed"
    };
    let msg = result.get(modules::foreign::ERROR).or(result.get("msg")).filter(|m| !m.is_null());
    let msg = msg.map(crate::settings::text_of).unwrap_or_default();
    let msg = msg.trim();
    if result.contains_key("module_stdout") && result.contains_key("module_stderr") {
        return unreadable_report(task, msg);
    }
    if msg.starts_with("Task failed: ") {
        return Error::new(msg).at(Some(&task.pos));
    }
    let text =
        if msg.is_empty() { format!("Task failed: {kind}.") } else { format!("Task failed: {kind}: {msg}") };
    Error::new(text).at(Some(&task.pos))
}

/// The error of a module whose output was no result.
fn unreadable_report(task: &Task, msg: &str) -> Error {
    let advice = if msg.starts_with("The module interpreter") {
        "Consider overriding the configured interpreter path for this host. "
    } else {
        ""
    };
    Error::new("Task failed: Action failed")
        .at(Some(&task.pos))
        .with_help(format!("{advice}See stdout/stderr for the returned output."))
        .caused_by(Error::new(msg))
}
