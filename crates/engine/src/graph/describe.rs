//! What is known of a play's tasks before they run, for one host.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use lang::keywords::{Keyword, Kind as KeywordKind};
use lang::playbook::{LoopWith, ModuleKind, Task};
use lang::template::{Overlay, Scope};
use lang::vars::{RunState, TaskScope};
use lang::{Error, Key, Map, Pos, Value};

use super::{Kind, Names, Spec, Touches, touches};
use crate::action::find_file;
use crate::ahead::brings_facts;
use crate::evaluate::{self, Context};
use crate::program::{self, BlockNode, Node, TaskNode};
use crate::settings::{Keywords, text_of};

/// Whose eyes look at the play.
pub struct Look {
    pub ctx: Context,
    /// The world before the play, in which what it will set is pending.
    pub state: Arc<dyn RunState>,
    /// Empty for no host in particular.
    pub host: String,
}

/// The tasks below `root` in the order of the play, handlers where they would run. What is wrong with `notify`
/// is added to `errors`.
pub fn describe(
    look: &Look,
    root: &BlockNode,
    handlers: &[Arc<TaskNode>],
    errors: &mut Vec<Error>,
) -> Vec<Spec> {
    let handlers = handlers.iter().filter_map(|node| look.handler(node)).collect();
    let mut walk =
        Walk { look, handlers, specs: Vec::new(), segment: 0, dynamic: false, unknown: Vec::new() };
    walk.block(root, false);
    // A role that is included while the play runs may bring the handler.
    if !walk.dynamic {
        errors.append(&mut walk.unknown);
    }
    walk.specs
}

struct Walk<'a> {
    look: &'a Look,
    handlers: Vec<Spec>,
    specs: Vec<Spec>,
    /// Where the tasks begin that notify for the next flush.
    segment: usize,
    /// Something is included while the play runs.
    dynamic: bool,
    unknown: Vec<Error>,
}

impl Walk<'_> {
    /// `catches`: a failure in it does not end the play.
    fn block(&mut self, block: &BlockNode, catches: bool) {
        // Of our own making, to flush handlers, is a block without a written one.
        let written = block.block.is_some();
        let catches = catches || written && !(block.rescue.is_empty() && block.always.is_empty());
        for (_, node) in block.items.iter().chain(&block.rescue).chain(&block.always) {
            match node {
                Node::Block(inner) => self.block(inner, catches),
                Node::Task(node) => self.node(node, catches),
            }
        }
    }

    fn node(&mut self, node: &TaskNode, catches: bool) {
        let task = match &node.kind {
            program::Kind::Flush => return self.flush(node.id),
            program::Kind::RoleDone(_) => return,
            program::Kind::Task(task) => task,
        };
        if task.module.is_builtin("meta") {
            return match task.args.get("_raw_params").and_then(Value::as_str) {
                Some("flush_handlers") if task.when().is_empty() => self.flush(node.id),
                Some("noop") => {}
                other => {
                    let mut spec = self.look.spec(node.id, task);
                    spec.title = format!("meta: {}", other.unwrap_or_default());
                    self.specs.push(spec);
                }
            };
        }
        self.dynamic |= task.include.is_some();
        let mut spec = self.look.spec(node.id, task);
        if catches {
            spec.barrier.get_or_insert_with(|| "a failure in its block is taken care of".into());
        }
        self.check_notify(task, &spec);
        self.specs.push(spec);
    }

    fn check_notify(&mut self, task: &Task, spec: &Spec) {
        for name in &spec.notifies {
            if !self.handlers.iter().any(|handler| handler.names.contains(name)) {
                let text = format!("notify names a handler that is not in the play: '{name}'");
                let pos = task.attrs.pos(Keyword::Notify).or(Some(&task.pos));
                let names = self.handlers.iter().flat_map(|h| h.names.iter().map(String::as_str));
                let mut error = Error::new(text).at(pos);
                if let Some(near) = lang::keywords::nearest(name, names) {
                    error = error.with_help(format!("did you mean '{near}'?"));
                }
                self.unknown.push(error);
            }
        }
    }

    /// The handlers that may have been notified since the last time.
    fn flush(&mut self, id: u64) {
        let segment = &self.specs[std::mem::replace(&mut self.segment, self.specs.len())..];
        let mut notified: HashSet<&str> =
            segment.iter().flat_map(|spec| spec.notifies.iter().map(String::as_str)).collect();
        let mut chosen = vec![false; self.handlers.len()];
        loop {
            let more = self.handlers.iter().zip(&chosen).position(|(h, chosen)| {
                !chosen && h.names.iter().any(|name| notified.contains(name.as_str()))
            });
            let Some(more) = more else { break };
            chosen[more] = true;
            notified.extend(self.handlers[more].notifies.iter().map(String::as_str));
        }
        let any = segment.iter().any(|spec| spec.notifies_unknown || !spec.notifies.is_empty());
        if !any {
            return;
        }
        self.specs.push(Spec {
            id,
            title: "handlers".into(),
            kind: Kind::Flush,
            barrier: Some("handlers run here".into()),
            ..Spec::default()
        });
        let chosen = self.handlers.iter().zip(chosen).filter(|(_, chosen)| *chosen);
        self.specs.extend(chosen.map(|(handler, _)| handler.clone()));
        self.segment = self.specs.len();
    }
}

impl Look {
    fn scope(&self, task: &Arc<Task>) -> Arc<dyn Scope> {
        Arc::new(TaskScope::new(
            self.ctx.run.clone(),
            self.ctx.play.clone(),
            self.state.clone(),
            self.host.as_str().into(),
            Some(task.clone()),
        ))
    }

    fn handler(&self, node: &TaskNode) -> Option<Spec> {
        let task = node.task()?;
        let mut spec = self.spec(node.id, task);
        spec.kind = Kind::Handler;
        spec.barrier = Some("handlers run one after the other".into());
        spec.needs = None;
        spec.names.extend(task.listen.iter().map(ToString::to_string));
        Some(spec)
    }

    /// What is known of a task.
    fn spec(&self, id: u64, task: &Arc<Task>) -> Spec {
        let scope = self.scope(task);
        let name = task.name.as_ref().and_then(|name| self.text(name, &scope)).unwrap_or_default();
        let shown = if name.is_empty() { task.action.as_str().to_owned() } else { name.clone() };
        let title = match task.role() {
            Some(role) => format!("{} : {shown}", role.full_name()),
            None => shown,
        };
        let mut names = Vec::new();
        if !name.is_empty() {
            names.push(name.clone());
            if let Some(role) = task.role() {
                names.push(format!("{} : {name}", role.name));
                names.push(format!("{} : {name}", role.full_name()));
                names.dedup();
            }
        }
        let barrier = barrier(task);
        let (notifies, notifies_unknown) = self.notifies(task, &scope);
        let mut sets: Vec<String> = task.register().map(str::to_owned).into_iter().collect();
        if task.module.is_builtin("set_fact") {
            let own = |key: &&str| !matches!(*key, "cacheable");
            sets.extend(task.args.keys().filter_map(Key::as_str).filter(own).map(str::to_owned));
        }
        Spec {
            id,
            title,
            names,
            // The task that gathers facts was not written anywhere.
            pos: (!task.implicit).then(|| task.pos.clone()),
            kind: Kind::Task,
            touches: match barrier {
                None if !touches::is_of_controller(task.module.short()) => self.touches(task, &scope),
                _ => Touches::default(),
            },
            barrier,
            sets,
            uses: self.uses(task, &scope),
            notifies,
            notifies_unknown,
            needs: needs(task),
        }
    }

    fn text(&self, value: &Value, scope: &Arc<dyn Scope>) -> Option<String> {
        if !value.has_template() {
            return Some(text_of(value));
        }
        match self.ctx.templar.render(value, scope) {
            Ok(Value::Undefined(_)) | Err(_) => Some(text_of(value)),
            Ok(rendered) => Some(text_of(&rendered)),
        }
    }

    /// Names of handlers, and whether there may be others.
    fn notifies(&self, task: &Task, scope: &Arc<dyn Scope>) -> (Vec<String>, bool) {
        let mut names = Vec::new();
        let mut unknown = false;
        for value in task.notify() {
            match self.ctx.templar.render(value, scope) {
                Ok(Value::List(items)) => names.extend(items.iter().map(text_of)),
                Ok(Value::Null | Value::Omit) => {}
                Ok(Value::Undefined(_)) | Err(_) => unknown = true,
                Ok(one) => names.push(text_of(&one)),
            }
        }
        (names, unknown)
    }

    fn touches(&self, task: &Arc<Task>, scope: &Arc<dyn Scope>) -> Touches {
        let Some(loop_) = &task.loop_ else { return self.touches_once(task, scope) };
        let values = match evaluate::loop_values(&self.ctx, task, loop_, scope) {
            Ok(values) => values,
            // Without the items: what depends on them is unknown, the rest is not.
            Err(_) => return self.touches_once(task, scope),
        };
        let name = match &task.loop_control.loop_var {
            Some(name) => self.text(name, scope).unwrap_or_default(),
            None => "item".to_owned(),
        };
        let mut all = Touches::default();
        for value in values {
            let vars = Map::from_iter([(Key::from(name.as_str()), value)]);
            let scope: Arc<dyn Scope> = Arc::new(Overlay { vars, below: scope.clone() });
            all.add(self.touches_once(task, &scope));
        }
        all
    }

    fn touches_once(&self, task: &Arc<Task>, scope: &Arc<dyn Scope>) -> Touches {
        if let Ok(Some(_)) = evaluate::first_false(&self.ctx, task, scope) {
            return Touches::default();
        }
        let not_yet = |what: &str| Touches::unknown(format!("{what} is only known when it runs"));
        let Ok(given) = evaluate::given_args(&self.ctx, task, scope, &task.module.full) else {
            return not_yet("what it is called with");
        };
        let mut args = Map::new();
        for (key, value) in given {
            match self.ctx.templar.render(&value, scope) {
                Ok(Value::Omit) => {}
                Ok(Value::Undefined(_)) | Err(_) if !touches::is_mere_content(&key.to_string()) => {
                    return not_yet(&key.to_string());
                }
                Ok(Value::Undefined(_)) | Err(_) => {}
                Ok(rendered) => drop(args.insert(key, rendered)),
            }
        }
        let user = match (Keywords { task, templar: &self.ctx.templar, scope }).text(Keyword::BecomeUser) {
            Ok(user) => user,
            Err(_) => return not_yet("become_user"),
        };
        let module = modules::find(&task.module.full).map_or(task.module.short(), |entry| entry.name);
        Touches::of(module, &touches::json(&args), user.as_deref())
    }

    /// Every variable that the task may ask for, also through others.
    fn uses(&self, task: &Arc<Task>, scope: &Arc<dyn Scope>) -> Names {
        let mut names = Names::default();
        let frames = task.frame.chain().filter(|f| f.passes_keywords());
        for (keyword, value, _) in task.attrs.iter().chain(frames.flat_map(|f| f.attrs.iter())) {
            match keyword.entry().kind {
                _ if matches!(keyword, Keyword::Name | Keyword::Needs) => {}
                KeywordKind::Conditions => names.add_conditions(value),
                _ => names.add_value(value),
            }
        }
        if let Some(loop_) = &task.loop_ {
            names.add_value(&loop_.value);
            // Other lookups may read files or names of variables.
            names.anything |=
                matches!(&loop_.with, LoopWith::Lookup(name) if matches!(&**name, "vars" | "template"));
        }
        let control = &task.loop_control;
        for value in
            [&control.loop_var, &control.index_var, &control.label, &control.pause].into_iter().flatten()
        {
            names.add_value(value);
        }
        control.break_when.iter().for_each(|condition| names.add_conditions(condition));
        for (key, value) in &task.args {
            match (task.module.short(), key.as_str()) {
                ("debug", Some("var")) | ("assert", Some("that")) => names.add_conditions(value),
                _ => names.add_value(value),
            }
        }
        if let Some(text) = self.template_file(task, scope) {
            match text {
                Some(text) => names.add_text(&text),
                None => names.anything = true,
            }
        }
        let mut seen: BTreeSet<String> = BTreeSet::new();
        while let Some(name) = names.names.iter().find(|name| !seen.contains(*name)).cloned() {
            if let Ok(Some(value)) = scope.get(&name) {
                names.add_value(&value);
            }
            seen.insert(name);
        }
        names
    }

    /// The text of the task's template; the inner `None` if it cannot be read.
    fn template_file(&self, task: &Task, scope: &Arc<dyn Scope>) -> Option<Option<String>> {
        if !matches!(task.module.short(), "template" | "nginx_site") {
            return None;
        }
        let src = task.args.get("src")?;
        let read = || {
            let src = match self.ctx.templar.render(src, scope).ok()? {
                Value::Str(text) => text.as_str().to_owned(),
                _ => return None,
            };
            let path: PathBuf = find_file(scope.search_path(), "templates", &src).ok()?;
            let bytes = self.ctx.hooks.read(&path).ok()?;
            String::from_utf8(bytes).ok()
        };
        Some(read())
    }
}

/// `needs` of a task, as written.
fn needs(task: &Task) -> Option<Vec<(String, Pos)>> {
    let value = task.own(Keyword::Needs)?;
    let pos = task.attrs.pos(Keyword::Needs).unwrap_or(&task.pos);
    let named = |value: &Value| (text_of(value), value.pos().unwrap_or(pos).clone());
    Some(match value {
        Value::List(items) => items.iter().map(named).collect(),
        Value::Null => Vec::new(),
        one => vec![named(one)],
    })
}

/// Why the play turns at this task, so that everything keeps its order against it.
pub fn barrier(task: &Task) -> Option<String> {
    let short = task.module.short();
    if matches!(task.module.kind, ModuleKind::Foreign(_) | ModuleKind::Templated) {
        return Some(format!("what {} does is not known", task.action.as_str()));
    }
    if brings_facts(task) {
        return Some(format!("{short} brings facts"));
    }
    let why = match short {
        "meta" | "add_host" | "group_by" | "include_vars" | "pause" | "reboot" | "wait_for_connection" => {
            format!("{short} is about the run itself")
        }
        "include_tasks" | "include_role" => "what is included is only known when it runs".into(),
        "assert" | "fail" | "validate_argument_spec" => format!("{short} may end the play"),
        "raw" | "fetch" => format!("what {short} does is not known"),
        _ => {
            for (keyword, why) in [
                (Keyword::DelegateTo, "it runs on another host"),
                (Keyword::RunOnce, "it runs once for all hosts"),
                (Keyword::Throttle, "not all hosts may run it at once"),
                (Keyword::Debugger, "the debugger may stop there"),
                (Keyword::AnyErrorsFatal, "a failure in it ends the play for all hosts"),
            ] {
                if task.keyword(keyword).is_some() {
                    return Some(why.into());
                }
            }
            for (keyword, why) in [
                (Keyword::Async, "it runs in the background"),
                (Keyword::Until, "it is tried again"),
                (Keyword::Retries, "it is tried again"),
            ] {
                if task.own(keyword).is_some() {
                    return Some(why.into());
                }
            }
            if task.loop_control.pause.is_some() || !task.loop_control.break_when.is_empty() {
                return Some("its loop pauses or breaks".into());
            }
            return None;
        }
    };
    Some(why)
}
