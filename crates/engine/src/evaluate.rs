//! Working out what a task does on one host: its condition, the items of its loop, its final arguments.
//!
//! Evaluation changes nothing and can be done ahead of the task's turn. When it meets a value that an unfinished
//! task will set it ends with an error of kind `Pending`: then the task has to wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lang::error::ErrorKind;
use lang::keywords::Keyword;
use lang::playbook::{LoopWith, ModuleKind, Task};
use lang::template::{Overlay, Scope, Templar};
use lang::vars::{PlayVars, RunState, RunVars, TaskScope};
use lang::{Error, Key, Map, Result, Value};
use transport::Target;

use crate::action::{self, Prepared};
use crate::delegation::{self, DelegatedScope};
use crate::map;
use crate::options::Options;
use crate::results::{self, ResultMap};
use crate::settings::{Keywords, Settings, text_of, to_bool, to_int};

/// What evaluation needs to know of the run.
#[derive(Clone)]
pub struct Context {
    pub options: Arc<Options>,
    pub templar: Arc<Templar>,
    pub hooks: Arc<dyn lang::playbook::Hooks>,
    pub run: Arc<RunVars>,
    pub play: Arc<PlayVars>,
}

/// What a task does on a host.
pub enum Evaluated {
    /// There is no loop.
    Single(Box<Item>),
    Loop {
        items: Vec<Item>,
        control: Control,
    },
    /// There are no items.
    Empty(Map),
    /// The loop itself cannot be worked out.
    Failed(Error),
}

/// `loop_control`, rendered.
#[derive(Clone, Debug, Default)]
pub struct Control {
    pub loop_var: String,
    pub index_var: Option<String>,
    /// Seconds between items.
    pub pause: f64,
    pub break_when: Vec<Value>,
    /// The result has `ansible_loop` in it.
    pub extended: bool,
    /// Items look at what the one before them has registered.
    pub asks_itself: bool,
    /// The loop variable hides another one.
    pub collision: bool,
}

impl Control {
    /// Is each item worked out anew when its turn comes?
    pub fn in_turn(&self) -> bool {
        self.pause > 0.0 || !self.break_when.is_empty() || self.asks_itself
    }
}

/// One item of a loop, or the task itself if it has none.
pub struct Item {
    pub value: Option<Value>,
    /// What the reporter shows.
    pub label: Option<Value>,
    /// Loop variables, which the item's result shows as well.
    pub locals: Map,
    pub scope: Arc<dyn Scope>,
    pub work: Work,
    pub settings: Option<Settings>,
    /// Where it runs.
    pub place: Option<Place>,
}

/// The host that an item runs on.
#[derive(Clone, Debug)]
pub struct Place {
    pub host: String,
    /// Another one than the task is for.
    pub delegated: bool,
    pub target: Target,
}

/// What is to be done for an item.
pub enum Work {
    /// Its condition is false: the result says so.
    Skip(Map),
    /// It cannot be worked out.
    Fail(Error),
    Run(Prepared),
}

/// Evaluate `task` for `host`. An error is always of kind `Pending`.
pub fn evaluate(ctx: &Context, state: &Arc<dyn RunState>, host: &str, task: &Arc<Task>) -> Result<Evaluated> {
    let base =
        TaskScope::new(ctx.run.clone(), ctx.play.clone(), state.clone(), host.into(), Some(task.clone()));
    let scope: Arc<dyn Scope> = Arc::new(base);
    let Some(loop_) = &task.loop_ else {
        let item = evaluate_item(ctx, state, host, task, scope, None, Map::new())?;
        return Ok(Evaluated::Single(Box::new(item)));
    };
    let values = match loop_values(ctx, task, loop_, &scope) {
        Ok(values) => values,
        Err(e) if e.is_pending() => return Err(e),
        // A loop that asks for what is not there does not matter if the task is skipped anyway.
        Err(e) if is_undefined(&e) => {
            return Ok(match first_false(ctx, task, &scope) {
                Ok(Some(condition)) => Evaluated::Empty(skipped(&condition)),
                Err(e) if e.is_pending() => return Err(e),
                _ => Evaluated::Failed(e),
            });
        }
        Err(e) => return Ok(Evaluated::Failed(e.with_kind(ErrorKind::Refused))),
    };
    let mut control = match control(ctx, task, &scope) {
        Ok(control) => control,
        Err(e) if e.is_pending() => return Err(e),
        Err(e) => return Ok(Evaluated::Failed(e.with_kind(ErrorKind::Refused))),
    };
    if values.is_empty() {
        return Ok(Evaluated::Empty(map! {
            "changed": false, "skipped": true, "skipped_reason": "No items in the list", "results": Vec::new()
        }));
    }
    let extended_items = flag(ctx, &scope, task.loop_control.extended_allitems.as_ref())?.unwrap_or(true);
    control.collision = scope.get(&control.loop_var).is_ok_and(|known| known.is_some());
    let watched = task.register().map(|name| Arc::new(Watched::new(name, scope.clone())));
    let scope: Arc<dyn Scope> = match &watched {
        Some(watched) => watched.clone(),
        None => scope,
    };
    let mut items = Vec::with_capacity(values.len());
    // What `set_fact` sets for an item is there for the next.
    let mut facts = Map::new();
    for (index, value) in values.iter().enumerate() {
        let mut locals = Map::new();
        locals.insert(Key::from(control.loop_var.as_str()), value.clone());
        locals.insert(Key::from("ansible_loop_var"), Value::from(control.loop_var.as_str()));
        if let Some(name) = &control.index_var {
            locals.insert(Key::from(name.as_str()), Value::Int(index as i64));
            locals.insert(Key::from("ansible_index_var"), Value::from(name.as_str()));
        }
        if control.extended {
            locals.insert(Key::from("ansible_loop"), extended(&values, index, extended_items));
        }
        let below: Arc<dyn Scope> = match facts.is_empty() {
            true => scope.clone(),
            false => Arc::new(Overlay { vars: facts.clone(), below: scope.clone() }),
        };
        let inner: Arc<dyn Scope> = Arc::new(Overlay { vars: locals.clone(), below });
        let mut item = evaluate_item(ctx, state, host, task, inner, Some(value.clone()), locals)?;
        item.label = Some(value.clone());
        if let Work::Run(Prepared::Done(result)) = &item.work
            && !task.module.is_builtin("debug")
            && let Some(Value::Map(set)) = result.get("ansible_facts")
        {
            facts.extend(set.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        items.push(item);
    }
    control.asks_itself = watched.is_some_and(|watched| watched.asked());
    Ok(Evaluated::Loop { items, control })
}

/// The condition that is false, if any is; conditions are looked at in order.
pub fn first_false(ctx: &Context, task: &Task, scope: &Arc<dyn Scope>) -> Result<Option<Value>> {
    for condition in task.when() {
        if !ctx.templar.condition(condition, scope)? {
            return Ok(Some(condition.clone()));
        }
    }
    Ok(None)
}

fn skipped(condition: &Value) -> Map {
    map! {
        "changed": false,
        "skipped": true,
        "skip_reason": "Conditional result was False",
        "false_condition": condition.clone().untrusted(),
    }
}

pub fn loop_values(
    ctx: &Context,
    task: &Task,
    loop_: &lang::playbook::Loop,
    scope: &Arc<dyn Scope>,
) -> Result<Vec<Value>> {
    match &loop_.with {
        LoopWith::Loop => {
            let rendered = ctx.templar.render(&loop_.value, scope)?;
            match rendered {
                Value::List(items) => Ok(items.to_vec()),
                Value::Undefined(message) => {
                    Err(Error::new(message.as_ref()).at(loop_.value.pos().or(Some(&loop_.pos))))
                }
                other => Err(Error::new(format!(
                    "The `loop` value must resolve to a 'list', not '{}'.",
                    other.type_name()
                ))
                .at(loop_.value.pos().or(Some(&loop_.pos)))
                .with_help("Provide a list of items/templates, or a template resolving to a list.")),
            }
        }
        LoopWith::Lookup(name) => {
            let place = |e: Error| e.at(loop_.value.pos().or(Some(&task.pos)));
            let terms = match &loop_.value {
                // It may name files by variables that do not exist.
                Value::List(items) if &**name == "first_found" => {
                    let rendered = items.iter().map(|item| ctx.templar.render(item, scope));
                    let undefined = |e: &Error| e.kind() == lang::error::ErrorKind::Undefined;
                    let known = rendered.filter(|item| !item.as_ref().is_err_and(undefined));
                    known.collect::<Result<Vec<_>>>().map_err(place)?
                }
                value => match ctx.templar.render(value, scope).map_err(place)? {
                    Value::List(items) => items.to_vec(),
                    other => vec![other],
                },
            };
            let mut options = Map::new();
            if &**name == "first_found" {
                options.put("_subdir", folder_of(task.module.short()));
            }
            ctx.templar.lookup(name, terms, &options, scope).map_err(|e| e.at(Some(&loop_.pos)))
        }
    }
}

/// Folder of each directory in which `with_first_found` looks first, by the action.
fn folder_of(action: &str) -> &'static str {
    match action {
        _ if action.contains("template") => "templates",
        _ if action.contains("var") => "vars",
        _ => "files",
    }
}

fn flag(ctx: &Context, scope: &Arc<dyn Scope>, value: Option<&Value>) -> Result<Option<bool>> {
    let Some(value) = value else { return Ok(None) };
    let rendered = ctx.templar.render(value, scope)?;
    Ok(to_bool(&rendered))
}

fn control(ctx: &Context, task: &Task, scope: &Arc<dyn Scope>) -> Result<Control> {
    let control = &task.loop_control;
    let rendered = |keyword: &str, value: &Option<Value>| -> Result<Option<Value>> {
        let Some(value) = value else { return Ok(None) };
        match ctx.templar.render(value, scope) {
            Ok(Value::Null | Value::Omit) => Ok(None),
            Ok(Value::Undefined(message)) => Err(processing(keyword, value, Error::new(message.as_ref()))),
            Ok(rendered) => Ok(Some(rendered)),
            Err(e) if e.is_pending() => Err(e),
            Err(e) => Err(processing(keyword, value, e)),
        }
    };
    let text = |keyword, value| Ok::<_, Error>(rendered(keyword, value)?.map(|value| text_of(&value)));
    let pause = match (rendered("pause", &control.pause)?, &control.pause) {
        (Some(value), Some(written)) => text_of(&value).trim().parse().map_err(|_| {
            let shown = lang::template::python_repr(&value);
            let wrong = format!("The value {shown} could not be converted to 'float'.");
            processing("pause", written, Error::new(wrong).at(written.pos()))
        })?,
        _ => 0.0,
    };
    Ok(Control {
        loop_var: text("loop_var", &control.loop_var)?.unwrap_or_else(|| "item".into()),
        index_var: text("index_var", &control.index_var)?,
        pause,
        break_when: control.break_when.clone(),
        extended: flag(ctx, scope, control.extended.as_ref())?.unwrap_or(false),
        asks_itself: false,
        collision: false,
    })
}

/// The error of a field of `loop_control`.
fn processing(keyword: &str, written: &Value, cause: Error) -> Error {
    Error::new(format!("Error processing keyword '{keyword}'")).at(written.pos()).caused_by(cause)
}

/// A scope that knows whether somebody asked for a name.
struct Watched {
    name: String,
    asked: AtomicBool,
    below: Arc<dyn Scope>,
}

impl Watched {
    fn new(name: &str, below: Arc<dyn Scope>) -> Self {
        Self { name: name.to_owned(), asked: AtomicBool::new(false), below }
    }

    fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Scope for Watched {
    fn get(&self, name: &str) -> Result<Option<Value>> {
        if name == self.name {
            self.asked.store(true, Ordering::Relaxed);
        }
        self.below.get(name)
    }

    fn below(&self) -> Option<&dyn Scope> {
        Some(&*self.below)
    }
}

/// `ansible_loop`, by the page "Loops" of the documentation.
fn extended(values: &[Value], index: usize, all: bool) -> Value {
    let length = values.len();
    let mut map = map! {
        "index": index as i64 + 1,
        "index0": index as i64,
        "first": index == 0,
        "last": index + 1 == length,
        "length": length as i64,
        "revindex": (length - index) as i64,
        "revindex0": (length - index - 1) as i64,
    };
    if all {
        map.put("allitems", values.to_vec());
    }
    if let Some(next) = values.get(index + 1) {
        map.put("nextitem", next.clone());
    }
    if let Some(previous) = index.checked_sub(1).and_then(|i| values.get(i)) {
        map.put("previtem", previous.clone());
    }
    map.into()
}

/// `loop_control.label` of an item, which may look at what came of it.
pub fn label(templar: &Templar, task: &Task, done: &Arc<dyn Scope>) -> Option<Result<Value>> {
    let label = task.loop_control.label.as_ref()?;
    Some(match templar.render(label, done) {
        Ok(Value::Undefined(message)) => Err(Error::new(message.as_ref())),
        other => other,
    })
}

/// Is it about something that is not defined, at whatever depth?
fn is_undefined(error: &Error) -> bool {
    error.kind() == ErrorKind::Undefined || error.cause().is_some_and(is_undefined)
}

/// An item whose turn has come, with what those before it have set.
pub fn item_again(
    ctx: &Context,
    state: &Arc<dyn RunState>,
    host: &str,
    task: &Arc<Task>,
    known: &Item,
    facts: &Map,
) -> Result<Item> {
    let base: Arc<dyn Scope> = Arc::new(TaskScope::new(
        ctx.run.clone(),
        ctx.play.clone(),
        state.clone(),
        host.into(),
        Some(task.clone()),
    ));
    let below: Arc<dyn Scope> = Arc::new(Overlay { vars: facts.clone(), below: base });
    let scope: Arc<dyn Scope> = Arc::new(Overlay { vars: known.locals.clone(), below });
    let mut item = evaluate_item(ctx, state, host, task, scope, known.value.clone(), known.locals.clone())?;
    item.label = known.label.clone();
    Ok(item)
}

fn evaluate_item(
    ctx: &Context,
    state: &Arc<dyn RunState>,
    host: &str,
    task: &Arc<Task>,
    scope: Arc<dyn Scope>,
    value: Option<Value>,
    locals: Map,
) -> Result<Item> {
    // Worked out once: it may be a random one.
    let delegate = delegation::delegate(ctx, task, &scope);
    let scope: Arc<dyn Scope> = match &delegate {
        Ok(Some(name)) => Arc::new(DelegatedScope {
            ctx: ctx.clone(),
            state: state.clone(),
            task: task.clone(),
            name: name.clone(),
            below: scope,
        }),
        _ => scope,
    };
    let mut item = Item {
        value,
        label: None,
        locals,
        scope: scope.clone(),
        work: Work::Skip(Map::new()),
        settings: None,
        place: None,
    };
    // `no_log` and `ignore_errors` count even when the condition fails.
    let keywords = Keywords { task, templar: &ctx.templar, scope: &scope };
    // A host that is none is an error whatever the condition says.
    match delegate.clone().and_then(|_| first_false(ctx, task, &scope)) {
        Err(e) if e.is_pending() => return Err(e),
        Err(e) => {
            item.settings = basic_settings(&keywords, ctx)?;
            item.work = Work::Fail(e);
            return Ok(item);
        }
        Ok(Some(condition)) => {
            item.settings = basic_settings(&keywords, ctx)?;
            item.work = Work::Skip(skipped(&condition));
            return Ok(item);
        }
        Ok(None) => {}
    }
    match work_of(ctx, state, host, task, &scope, delegate.unwrap_or_default(), &mut item) {
        Ok(work) => item.work = work,
        Err(e) if e.is_pending() => return Err(e),
        Err(e) => {
            if item.settings.is_none() {
                item.settings = basic_settings(&keywords, ctx)?;
            }
            item.work = Work::Fail(e);
        }
    }
    Ok(item)
}

/// What decides how a failure or a skipped item is treated, as far as it can be rendered.
fn basic_settings(keywords: &Keywords<'_>, ctx: &Context) -> Result<Option<Settings>> {
    let bool = |keyword| match keywords.bool(keyword) {
        Err(e) if e.is_pending() => Err(e),
        other => Ok(other.ok().flatten()),
    };
    Ok(Some(Settings {
        check: ctx.options.check,
        diff: ctx.options.diff,
        no_log: bool(Keyword::NoLog)?.unwrap_or(ctx.options.no_log),
        ignore_errors: bool(Keyword::IgnoreErrors)?.unwrap_or(ctx.options.ignore_errors),
        ignore_unreachable: bool(Keyword::IgnoreUnreachable)?.unwrap_or(false),
        environment: Default::default(),
        timeout: 0,
        background: 0,
        poll: 0,
        r#become: None,
        python: None,
    }))
}

fn work_of(
    ctx: &Context,
    state: &Arc<dyn RunState>,
    host: &str,
    task: &Arc<Task>,
    scope: &Arc<dyn Scope>,
    delegate: Option<String>,
    item: &mut Item,
) -> Result<Work> {
    let keywords = Keywords { task, templar: &ctx.templar, scope };
    item.settings = Some(keywords.settings(&ctx.options)?);
    let name = module_name(ctx, task, scope)?;
    let args = render_args(ctx, task, scope, &name)?;
    let place_name = delegate.clone().unwrap_or_else(|| host.to_owned());
    let delegated = delegate.is_some() && place_name != host;
    let there: Option<Arc<dyn Scope>> = delegate.is_some().then(|| {
        let mut there = TaskScope::new(
            ctx.run.clone(),
            ctx.play.clone(),
            state.clone(),
            place_name.as_str().into(),
            Some(task.clone()),
        );
        there.local = item.locals.clone();
        Arc::new(there) as Arc<dyn Scope>
    });
    let at_place = Keywords { task, templar: &ctx.templar, scope: there.as_ref().unwrap_or(scope) };
    // Where it runs is only asked for what runs there: `debug` works without a way to the host.
    let place = || -> Result<Place> {
        let mut target = at_place.target(&place_name, &ctx.options)?;
        if delegate.is_some() && state.inventory(&place_name).is_none() && action::is_localhost(&place_name) {
            target.connection = transport::Connection::Local;
        }
        Ok(Place { host: place_name.clone(), delegated, target })
    };
    let input = action::Input { ctx, task, scope, host, args, settings: item.settings.as_ref() };
    let prepared = match &task.module.kind {
        ModuleKind::Foreign(path) => action::foreign(&name, path, &input, &at_place)?,
        ModuleKind::Absent => return Err(task.module.absent().at(Some(&task.pos))),
        _ => action::prepare(&name, input)?,
    };
    let place = match prepared {
        Prepared::Done(_) | Prepared::Local(_) => delegate.is_some().then(|| Place {
            host: place_name.clone(),
            delegated,
            target: Target::new(place_name.clone(), transport::Connection::Local),
        }),
        _ => Some(place()?),
    };
    item.place = place;
    if let (Prepared::Step(_), Some(settings)) = (&prepared, &mut item.settings) {
        settings.python = at_place.python(&ctx.options)?;
    }
    Ok(Work::Run(prepared))
}

/// The module's canonical name; that of a templated action is only known now.
fn module_name(ctx: &Context, task: &Task, scope: &Arc<dyn Scope>) -> Result<String> {
    if !matches!(task.module.kind, ModuleKind::Templated) {
        return Ok(task.module.full.to_string());
    }
    let rendered = ctx.templar.render(&Value::Str(task.action.clone()), scope)?;
    let name = text_of(&rendered);
    action::canonical(&name).ok_or_else(|| {
        Error::new(format!(
            "Could not resolve action '{name}' to a module or action plugin: the module was not found"
        ))
        .at(Some(&task.pos))
    })
}

/// The arguments that `module_defaults` has for a module.
pub fn module_defaults(ctx: &Context, task: &Task, scope: &Arc<dyn Scope>, name: &str) -> Result<Map> {
    let mut args = Map::new();
    for defaults in task.keywords(Keyword::ModuleDefaults) {
        let rendered = match ctx.templar.render(defaults, scope) {
            Ok(rendered) => rendered,
            Err(e) => return Err(args_failed(task, name, e)),
        };
        let dicts = match rendered {
            Value::List(items) => items.to_vec(),
            other => vec![other],
        };
        for dict in dicts {
            let Value::Map(dict) = dict else { continue };
            for (key, value) in dict.iter() {
                let Some(key) = key.as_str() else { continue };
                if action::defaults_apply(key, name)
                    && let Value::Map(values) = value
                {
                    args.extend(values.iter().map(|(k, v)| (k.clone(), v.clone())));
                }
            }
        }
    }
    Ok(args)
}

/// Arguments that are not written one by one: those of `module_defaults`, and of `args` that is a template.
fn other_args(ctx: &Context, task: &Task, scope: &Arc<dyn Scope>, name: &str) -> Result<Map> {
    let failed = |e| args_failed(task, name, e);
    // Facts are gathered by `setup`, whose defaults count where the action says nothing.
    let mut args = match name {
        "ansible.builtin.gather_facts" => module_defaults(ctx, task, scope, "ansible.builtin.setup")?,
        _ => Map::new(),
    };
    args.extend(module_defaults(ctx, task, scope, name)?);
    if let Some(whole) = task.args.get("_variable_params") {
        match ctx.templar.render(whole, scope).map_err(failed)? {
            Value::Map(map) => args.extend(map.iter().map(|(k, v)| (k.clone(), v.clone()))),
            Value::Null | Value::Omit => {}
            other => {
                let wrong = format!("Task args must resolve to a 'dict' not '{}'.", other.type_name());
                return Err(failed(Error::new(wrong).at(whole.pos())));
            }
        }
    }
    Ok(args)
}

fn args_failed(task: &Task, name: &str, cause: Error) -> Error {
    Error::new(format!("Finalization of task args for '{name}' failed")).at(Some(&task.pos)).caused_by(cause)
}

/// All arguments, those that are written one by one not rendered yet.
pub fn given_args(ctx: &Context, task: &Task, scope: &Arc<dyn Scope>, name: &str) -> Result<Map> {
    let mut args = other_args(ctx, task, scope, name)?;
    let own = task.args.iter().filter(|(key, _)| key.as_str() != Some("_variable_params"));
    args.extend(own.map(|(key, value)| (key.clone(), value.clone())));
    Ok(args)
}

/// The final arguments: defaults of `module_defaults`, then what is written, without those that are `omit`.
fn render_args(ctx: &Context, task: &Task, scope: &Arc<dyn Scope>, name: &str) -> Result<Map> {
    if task.args.contains_key("_raw_params") && !lang::playbook::takes_text(name) {
        let error = Error::new(format!("Action '{name}' does not support raw params."));
        return Err(error.at(task.action.pos().or(Some(&task.pos))));
    }
    let failed = |e| args_failed(task, name, e);
    let mut args = other_args(ctx, task, scope, name)?;
    for (key, value) in &task.args {
        if key.as_str() == Some("_variable_params") || action::is_lazy_arg(name, key.as_str()) {
            continue;
        }
        // An encrypted text stays one until it is read.
        if matches!(value, Value::Vault(_)) && name == "ansible.builtin.set_fact" {
            args.insert(key.clone(), value.clone());
            continue;
        }
        let rendered = ctx.templar.render(value, scope).map_err(|e| {
            let resolving = format!("Error while resolving value for '{key}'");
            failed(Error::new(resolving).at(value.pos()).caused_by(e))
        })?;
        args.insert(key.clone(), rendered);
    }
    for (key, value) in &task.args {
        if action::is_lazy_arg(name, key.as_str()) {
            args.insert(key.clone(), value.clone());
        }
    }
    args.retain(|_, v| !matches!(v, Value::Omit));
    if let Some((key, Value::Undefined(message))) =
        args.iter().find(|(_, v)| matches!(v, Value::Undefined(_)))
    {
        let resolving = format!("Error while resolving value for '{key}'");
        return Err(failed(Error::new(resolving).caused_by(Error::new(message.as_ref()))));
    }
    Ok(args)
}

/// `retries` of a task: how many attempts there are at most, and whether the condition is asked at all.
pub fn attempts(keywords: &Keywords<'_>) -> Result<Option<u32>> {
    let until = keywords.task.own(Keyword::Until).is_some();
    let retries = keywords.value(Keyword::Retries)?.as_ref().and_then(to_int);
    Ok(match (until, retries) {
        (false, None) => None,
        (true, None) => Some(3),
        (_, Some(n)) => Some(n.clamp(0, i64::from(u32::MAX)) as u32),
    })
}

/// A result for an item that could not be worked out.
pub fn failed_item(error: &Error) -> Map {
    match error.kind() {
        ErrorKind::Refused => results::failure(error.to_string()),
        _ => results::failure(format!("Task failed: {error}")),
    }
}
