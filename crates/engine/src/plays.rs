//! From playbooks to batches of hosts: what each play is for, in which order, with which limits.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use lang::keywords::{Keyword, Place};
use lang::patterns::Order;
use lang::playbook::{Attrs, LoopControl, ModuleRef, Play, Playbook, Task, TaskId};
use lang::template::{Scope, Templar};
use lang::vars::{PlayVars, RunState, TaskScope};
use lang::{Error, Map, Result, Str, Value};

use crate::event::Event;
use crate::host::HostRun;
use crate::play::{Limits, PlayRun, Strategy};
use crate::program::{self, BlockNode, Kind, Node, TaskNode};
use crate::run::{Run, Verdict};
use crate::scope::calculate;
use crate::settings::{text_of, to_bool, to_int};
use crate::user::VarsPrompt;
use crate::{free, graph, include, linear, map, select};

impl Run {
    /// Run playbooks one after the other. The numbers are reported by [`Run::finish`].
    pub async fn playbooks(self: &Rc<Self>, playbooks: &[Playbook]) -> Verdict {
        for playbook in playbooks {
            let plays = playbook.plays.len();
            self.emit(Event::PlaybookStart { plays, path: playbook.path.to_string_lossy().into_owned() });
            for play in &playbook.plays {
                match self.play(play).await {
                    Ok(true) => {}
                    Ok(false) => return self.verdict(),
                    Err(e) => {
                        *self.broken.borrow_mut() = Some(e);
                        return Verdict::Error;
                    }
                }
                if self.broken.borrow().is_some() {
                    return Verdict::Error;
                }
                if self.interrupted.get() {
                    return self.verdict();
                }
            }
        }
        self.verdict()
    }

    /// One play on all its batches. False if nothing may follow: every host of a batch has failed.
    async fn play(self: &Rc<Self>, play: &Arc<Play>) -> Result<bool> {
        self.world.clear_vars_files();
        let read = self.world.change_inventory(|inventory| {
            inventory.read_vars_files(Some(&play.basedir), self.secrets.as_deref(), self.vars.merge)
        });
        read?;
        let unasked = self.play_scope(&Arc::new(PlayVars::new(play.clone(), Map::new())));
        let mut prompts = Map::new();
        for prompt in &play.vars_prompt {
            let (name, value) = self.ask(prompt, &unasked).await?;
            prompts.insert(name.into(), value);
        }
        let vars = Arc::new(PlayVars::new(play.clone(), prompts));
        let scope = self.play_scope(&vars);
        let patterns = patterns(&self.templar, &play.hosts, &scope)?;
        let pattern = patterns.join(",");
        let keyword = |keyword| play_keyword(play, &self.templar, &scope, keyword);
        let name = match &play.name {
            Some(name) => match self.templar.render(name, &scope) {
                Ok(name) if !matches!(name, Value::Undefined(_)) => text_of(&name),
                _ => text_of(name),
            },
            None => pattern.clone(),
        };
        let name = if name.is_empty() { pattern.clone() } else { name };
        let strategy_name =
            keyword(Keyword::Strategy)?.map_or(self.options.strategy.clone(), |s| text_of(&s));
        let strategy = strategy(&strategy_name).map_err(|e| e.at(Some(&play.pos)))?;
        let matched = self.matched(&patterns)?;
        for warning in &matched.warnings {
            if self.options.host_pattern_mismatch_is_error {
                return Err(warning.clone());
            }
            if !self.options.host_pattern_mismatch_is_silent {
                self.warn(warning.to_string());
            }
        }
        let mut hosts = matched.hosts;
        if let Some(order) = keyword(Keyword::Order)? {
            Order::parse(&text_of(&order)).map_err(|e| e.at(Some(&play.pos)))?.apply(&mut hosts);
        }
        let all = hosts.clone();
        let matched_any = !hosts.is_empty();
        hosts.retain(|h| !self.failed.borrow().contains(h) && !self.unreachable.borrow().contains(h));
        let check_mode = match keyword(Keyword::CheckMode)? {
            Some(value) => to_bool(&value).unwrap_or(self.options.check),
            None => self.options.check,
        };
        let started =
            Event::PlayStart { name, pattern, hosts: hosts.clone(), strategy: strategy_name, check_mode };
        if hosts.is_empty() {
            self.emit(started);
            if !matched_any {
                self.emit(Event::NoHostsMatched);
            }
            return Ok(true);
        }
        for host in &hosts {
            if let Some(error) = self.world.broken(host) {
                return Err(error);
            }
            if self.world.host_vars(host).facts().is_empty() {
                self.load_facts(host);
            }
            self.read_vars_files(play, &vars, host)?;
        }
        let limits = self.limits(play, &scope)?;
        let serial = keyword(Keyword::Serial)?;
        let batches = batches(&hosts, serial.as_ref()).map_err(|e| e.at(Some(&play.pos)))?;
        let root = self.program(play, &limits, &scope)?;
        let handlers = include::handler_nodes(&play.handlers);
        let (root, needs) = self.needs(play, &vars, strategy, &hosts[0], root, &handlers)?;
        for batch in batches {
            self.emit(started.clone());
            let run = PlayRun::new(
                self.clone(),
                play.clone(),
                vars.clone(),
                strategy,
                &batch,
                &root,
                handlers.clone(),
                limits,
                needs.clone(),
            );
            run.publish_hosts(&all);
            self.skip_known_facts(&run, play, &scope)?;
            match strategy {
                Strategy::Linear | Strategy::Debug | Strategy::Graph => linear::run(&run, &all).await,
                Strategy::Free | Strategy::HostPinned => free::run(&run, &all).await,
            }
            for host in run.hosts.borrow().values() {
                host.ahead.borrow_mut().abandon();
                if host.cursor.borrow().has_failed() {
                    self.failed.borrow_mut().insert(host.name.clone());
                }
            }
            if self.broken.borrow().is_some() || self.interrupted.get() {
                return Ok(false);
            }
            if run.play_ended.get() {
                return Ok(true);
            }
            let lost =
                |h: &&String| self.failed.borrow().contains(*h) || self.unreachable.borrow().contains(*h);
            let failed = batch.iter().filter(lost).count();
            if failed == batch.len() || run.gave_up.get() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What `needs` says: the program in an order that suits it, and for each node those that it needs.
    fn needs(
        &self,
        play: &Arc<Play>,
        vars: &Arc<PlayVars>,
        strategy: Strategy,
        host: &str,
        root: Arc<BlockNode>,
        handlers: &[Arc<TaskNode>],
    ) -> Result<(Arc<BlockNode>, HashMap<u64, Vec<u64>>)> {
        if !program::tasks(&root).iter().any(|task| task.own(Keyword::Needs).is_some()) {
            return Ok((root, HashMap::new()));
        }
        let graph = self.graph_of(play, vars, host, &root, handlers).map_err(one_of)?;
        let needs = graph.needs();
        let root = match strategy {
            Strategy::Graph => graph::arrange(&root, &graph),
            _ => root,
        };
        graph::check_order(&root, &graph, &needs)?;
        Ok((root, needs))
    }

    /// The hosts of patterns, within `--limit`.
    fn matched(&self, patterns: &[String]) -> Result<lang::patterns::Matched> {
        let inventory = self.world.inventory();
        let matched = inventory.list_hosts_in(patterns)?;
        match &self.options.limit {
            Some(limit) => inventory.limit(matched, &lang::patterns::limit_patterns(limit)?),
            None => Ok(matched),
        }
    }

    /// The hosts of a play.
    pub(crate) fn hosts_of(&self, play: &Play, scope: &Arc<dyn Scope>) -> Result<Vec<String>> {
        Ok(self.matched(&patterns(&self.templar, &play.hosts, scope)?)?.hosts)
    }

    pub(crate) fn play_scope(&self, vars: &Arc<PlayVars>) -> Arc<dyn Scope> {
        let state = crate::ahead::now(&self.world);
        Arc::new(TaskScope::new(self.vars.clone(), vars.clone(), state, "".into(), None))
    }

    pub(crate) fn limits(&self, play: &Arc<Play>, scope: &Arc<dyn Scope>) -> Result<Limits> {
        let flag = |keyword, default| -> Result<bool> {
            let value = play_keyword(play, &self.templar, scope, keyword)?;
            Ok(value.as_ref().and_then(to_bool).unwrap_or(default))
        };
        let percent = play_keyword(play, &self.templar, scope, Keyword::MaxFailPercentage)?;
        let percent =
            match percent {
                Some(value) => {
                    let text = text_of(&value);
                    let number = text.trim().trim_end_matches('%').trim().parse::<f64>();
                    Some(number.map_err(|_| {
                        Error::new(format!("'{text}' is not a percentage")).at(Some(&play.pos))
                    })?)
                }
                None => self.options.max_fail_percentage,
            };
        Ok(Limits {
            force_handlers: flag(Keyword::ForceHandlers, self.options.force_handlers)?,
            any_errors_fatal: flag(Keyword::AnyErrorsFatal, self.options.any_errors_fatal)?,
            max_fail_percentage: percent,
        })
    }

    /// Everything a host of the play goes through.
    pub(crate) fn program(
        &self,
        play: &Arc<Play>,
        limits: &Limits,
        scope: &Arc<dyn Scope>,
    ) -> Result<Arc<BlockNode>> {
        let mut parts: Vec<Node> = Vec::new();
        if let Some(task) = self.gather_task(play, scope)? {
            parts.push(Node::Task(TaskNode::new(Kind::Task(task))));
        }
        let flush = || Node::Task(TaskNode::new(Kind::Flush));
        let roles_and_tasks: Vec<_> = play.role_tasks.iter().chain(&play.tasks).cloned().collect();
        for items in [&play.pre_tasks, &roles_and_tasks, &play.post_tasks] {
            let block = program::group(program::nodes(items).into_iter().map(|(_, n)| n).collect());
            let render = |value: &Value| self.templar.render(value, scope).map_err(|e| e.at(value.pos()));
            let block = select::filter(&block, &self.options, &render)?;
            let nodes: Vec<Node> = block.items.iter().map(|(_, n)| n.clone()).collect();
            if limits.force_handlers {
                // Handlers run although something has failed.
                parts.push(Node::Block(Arc::new(BlockNode {
                    items: program::number(nodes),
                    always: program::number(vec![flush()]),
                    ..BlockNode::default()
                })));
            } else {
                parts.extend(nodes);
                parts.push(flush());
            }
        }
        let root = program::group(parts);
        Ok(self.starting_at_task(root))
    }

    /// `--start-at-task`: everything before it is left out.
    fn starting_at_task(&self, root: Arc<BlockNode>) -> Arc<BlockNode> {
        let Some(name) = &self.options.start_at_task else { return root };
        if self.started.get() {
            return root;
        }
        let found = Cell::new(false);
        let block = start_at(&root, name, &found);
        if found.get() {
            self.started.set(true);
        }
        Arc::new(block)
    }

    /// The task that gathers facts by itself, if the play wants it.
    fn gather_task(&self, play: &Arc<Play>, scope: &Arc<dyn Scope>) -> Result<Option<Arc<Task>>> {
        let wanted = play_keyword(play, &self.templar, scope, Keyword::GatherFacts)?;
        let wanted = match wanted.as_ref().map(|w| (w, to_bool(w))) {
            Some((_, Some(wanted))) => wanted,
            Some((value, None)) => {
                return Err(Error::new(format!("gather_facts has to be a boolean, not {}", text_of(value)))
                    .at(Some(&play.pos)));
            }
            None => self.options.gathering != "explicit",
        };
        if !wanted {
            return Ok(None);
        }
        let mut args = Map::new();
        for (keyword, name) in [
            (Keyword::GatherSubset, "gather_subset"),
            (Keyword::GatherTimeout, "gather_timeout"),
            (Keyword::FactPath, "fact_path"),
        ] {
            if let Some(value) = play.keyword(keyword) {
                args.insert(name.into(), value.clone());
            }
        }
        let mut attrs = Attrs::default();
        attrs.set(Keyword::Tags, Value::str("always"), play.pos.clone());
        // Each host has facts of its own, also where tasks run once for all.
        if play.keyword(Keyword::RunOnce).is_some() {
            attrs.set(Keyword::RunOnce, Value::Bool(false), play.pos.clone());
        }
        Ok(Some(Arc::new(Task {
            id: TaskId::next(),
            name: Some(Value::str("Gathering Facts")),
            attrs,
            vars: Map::new(),
            action: Str::plain("gather_facts"),
            module: ModuleRef::native("ansible.builtin.gather_facts"),
            args,
            loop_: None,
            loop_control: LoopControl::default(),
            include: None,
            listen: Vec::new(),
            place: Place::Task,
            implicit: true,
            frame: play.frame.clone(),
            pos: play.pos.clone(),
        })))
    }

    /// `gathering: smart`: hosts whose facts are known do not gather them again.
    fn skip_known_facts(&self, run: &Rc<PlayRun>, play: &Arc<Play>, scope: &Arc<dyn Scope>) -> Result<()> {
        if self.options.gathering != "smart"
            || play_keyword(play, &self.templar, scope, Keyword::GatherFacts)?.is_some()
        {
            return Ok(());
        }
        for host in run.hosts.borrow().values() {
            if !self.world.host_vars(&host.name).facts().is_empty() {
                skip_first(host);
            }
        }
        Ok(())
    }

    /// `vars_files` of the play for one host: names may depend on its variables.
    pub fn read_vars_files(&self, play: &Arc<Play>, vars: &Arc<PlayVars>, host: &str) -> Result<()> {
        if play.vars_files().is_empty() {
            return Ok(());
        }
        let state = crate::ahead::now(&self.world);
        let scope: Arc<dyn Scope> =
            Arc::new(TaskScope::new(self.vars.clone(), vars.clone(), state, host.into(), None));
        let (map, warnings) =
            lang::vars::read_vars_files(&*self.hooks, &self.templar, play, &scope, &self.vars)?;
        warnings.iter().for_each(|warning| self.warn(warning.to_string()));
        self.world.set_vars_files(host, Arc::new(map));
        Ok(())
    }

    /// Ask for a variable of `vars_prompt`, unless `-e` has it.
    async fn ask(&self, prompt: &lang::playbook::Prompt, scope: &Arc<dyn Scope>) -> Result<(String, Value)> {
        if let Some(value) = self.vars.extra.get(prompt.name.as_str()) {
            return Ok((prompt.name.clone(), value.clone()));
        }
        let text = |value: &Option<Value>| -> Result<Option<String>> {
            let Some(value) = value else { return Ok(None) };
            Ok(Some(text_of(&self.templar.render(value, scope)?)))
        };
        let flag = |value: &Value| -> Result<bool> {
            Ok(to_bool(&self.templar.render(value, scope)?).unwrap_or(false))
        };
        let question = VarsPrompt {
            text: text(&prompt.prompt)?.unwrap_or_else(|| prompt.name.clone()),
            private: flag(&prompt.private)?,
            confirm: flag(&prompt.confirm)?,
            default: text(&prompt.default)?,
        };
        let answer = if self.user.is_interactive() {
            Some(self.user.prompt(&question).await.unwrap_or_default())
        } else {
            self.warn("Not prompting as we are not in interactive mode");
            question.default
        };
        let Some(answer) = answer else { return Ok((prompt.name.clone(), Value::Null)) };
        let value = match text(&prompt.encrypt)? {
            Some(scheme) => {
                let vars = map! {
                    "answer": answer,
                    "scheme": scheme,
                    "salt": text(&prompt.salt)?.map_or(Value::Null, Value::from),
                };
                Value::from(text_of(&calculate(&self.templar, "answer | password_hash(scheme, salt)", vars)?))
            }
            // What is typed may be a template, unless the playbook says that it is not.
            None if !flag(&prompt.unsafe_)? => Value::template(answer),
            None => Value::from(answer),
        };
        Ok((prompt.name.clone(), value))
    }
}

/// Several errors as one.
fn one_of(errors: Vec<Error>) -> Error {
    let mut errors = errors.into_iter().rev();
    let last = errors.next().unwrap_or_else(|| Error::new("the graph cannot be made"));
    errors.fold(last, |later, error| error.caused_by(later))
}

/// Leave the first task (gathering facts) out.
fn skip_first(host: &Rc<HostRun>) {
    let found = host.cursor.borrow_mut().peek(&|_| false);
    if found.is_some_and(|(_, node)| {
        node.task().is_some_and(|t| t.implicit && t.module.is_builtin("gather_facts"))
    }) {
        host.cursor.borrow_mut().advance();
    }
}

/// A keyword of a play, rendered without a host.
pub(crate) fn play_keyword(
    play: &Arc<Play>,
    templar: &Templar,
    scope: &Arc<dyn Scope>,
    keyword: Keyword,
) -> Result<Option<Value>> {
    let Some(value) = play.keyword(keyword) else { return Ok(None) };
    if !value.has_template() {
        return Ok(Some(value.clone()));
    }
    let rendered = templar.render(value, scope).map_err(|e| {
        Error::new(format!("Error processing keyword '{keyword}'")).at(Some(&play.pos)).caused_by(e)
    })?;
    Ok(match rendered {
        Value::Null | Value::Omit => None,
        value => Some(value),
    })
}

/// The patterns of `hosts:`.
pub fn patterns(templar: &Templar, hosts: &Value, scope: &Arc<dyn Scope>) -> Result<Vec<String>> {
    let rendered = if hosts.has_template() { templar.render(hosts, scope)? } else { hosts.clone() };
    Ok(match rendered {
        Value::List(items) => items.iter().map(text_of).collect(),
        other => vec![text_of(&other)],
    })
}

fn strategy(name: &str) -> Result<Strategy> {
    Ok(match name.strip_prefix("ansible.builtin.").unwrap_or(name) {
        "linear" => Strategy::Linear,
        "free" => Strategy::Free,
        "host_pinned" => Strategy::HostPinned,
        "debug" => Strategy::Debug,
        "graph" => Strategy::Graph,
        // Mitogen's strategies promise Ansible's results, faster: so do ours.
        "mitogen_linear" | "mitogen" => Strategy::Linear,
        "mitogen_free" => Strategy::Free,
        "mitogen_host_pinned" => Strategy::HostPinned,
        _ => {
            return Err(Error::new(format!("Invalid play strategy specified: {name}"))
                .with_help("supported are linear, free, host_pinned, debug and graph"));
        }
    })
}

/// `serial`: sizes of batches, absolute or in per cent; the last one repeats.
pub fn batches(hosts: &[String], serial: Option<&Value>) -> Result<Vec<Vec<String>>> {
    let sizes: Vec<Value> = match serial {
        None => return Ok(vec![hosts.to_vec()]),
        Some(Value::List(items)) if items.is_empty() => return Ok(vec![hosts.to_vec()]),
        Some(Value::List(items)) => items.to_vec(),
        Some(one) => vec![one.clone()],
    };
    let mut batches = Vec::new();
    let mut rest = hosts;
    let mut index = 0;
    while !rest.is_empty() {
        let size = batch_size(&sizes[index.min(sizes.len() - 1)], hosts.len())?;
        if size == 0 || size >= rest.len() {
            batches.push(rest.to_vec());
            break;
        }
        batches.push(rest[..size].to_vec());
        rest = &rest[size..];
        index += 1;
    }
    Ok(batches)
}

/// Hosts in a batch; 0 for all that are left.
fn batch_size(size: &Value, all: usize) -> Result<usize> {
    let text = text_of(size);
    let wrong = || Error::new(format!("'{text}' is not a number of hosts or a percentage for 'serial'"));
    if let Some(percent) = text.trim().strip_suffix('%') {
        let percent: f64 = percent.trim().parse().map_err(|_| wrong())?;
        return Ok(((percent / 100.0 * all as f64) as usize).max(1));
    }
    let number = to_int(size).ok_or_else(wrong)?;
    Ok(usize::try_from(number).unwrap_or(0))
}

/// The block from the task with that name on.
fn start_at(block: &BlockNode, name: &str, found: &Cell<bool>) -> BlockNode {
    let part = |nodes: &[(u32, Node)]| {
        let mut kept = Vec::new();
        for (_, node) in nodes {
            match node {
                Node::Block(inner) => {
                    let inner = start_at(inner, name, found);
                    if !(inner.items.is_empty() && inner.rescue.is_empty() && inner.always.is_empty()) {
                        kept.push(Node::Block(Arc::new(inner)));
                    }
                }
                Node::Task(task) => {
                    if !found.get() && task.task().is_some_and(|t| is_named(t, name)) {
                        found.set(true);
                    }
                    let always = task.task().is_none_or(|t| t.implicit);
                    if found.get() || always {
                        kept.push(node.clone());
                    }
                }
            }
        }
        program::number(kept)
    };
    block.with_parts(part)
}

fn is_named(task: &Task, name: &str) -> bool {
    let own = task.name.as_ref().map(text_of).unwrap_or_default();
    let title = task.title();
    let matches = |text: &str| text == name || glob::Pattern::new(name).is_ok_and(|p| p.matches(text));
    matches(&own) || matches(&title)
}
