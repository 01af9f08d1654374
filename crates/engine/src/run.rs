//! A run: what its plays share.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;
use lang::playbook::Hooks;
use lang::template::Templar;
use lang::vars::RunVars;
use lang::{Map, Value};

use crate::event::{Event, HostStats, Reporter};
use crate::link::{Connector, Contents, Link};
use crate::local::Made;
use crate::options::Options;
use crate::profile::Profiler;
use crate::user::User;
use crate::world::World;

/// Everything that lasts for the whole run.
pub struct Run {
    pub options: Arc<Options>,
    pub templar: Arc<Templar>,
    pub vars: Arc<RunVars>,
    pub world: Arc<World>,
    pub hooks: Arc<dyn Hooks>,
    pub loader: lang::playbook::Loader,
    pub secrets: Option<Arc<lang::vault::VaultSecrets>>,
    pub connector: Rc<dyn Connector>,
    pub user: Arc<dyn User>,
    /// Reads the inventory anew (`meta: refresh_inventory`).
    pub reload_inventory: Box<dyn Fn() -> lang::Result<lang::inventory::Inventory>>,
    pub reporter: RefCell<Box<dyn Reporter>>,
    pub contents: Rc<Contents>,
    pub links: RefCell<HashMap<String, Rc<Link>>>,
    pub stats: RefCell<IndexMap<String, HostStats>>,
    /// `set_stats`: for the run, and for each host.
    pub custom: RefCell<Map>,
    pub custom_per_host: RefCell<IndexMap<String, Map>>,
    /// Hosts that take no part in further plays.
    pub failed: RefCell<HashSet<String>>,
    pub unreachable: RefCell<HashSet<String>>,
    /// The task to start at has been reached.
    pub started: Cell<bool>,
    /// `--step`: go on without asking.
    pub step_freely: Cell<bool>,
    /// Measures the run, if somebody wants to know.
    pub profiler: Option<Profiler>,
    /// The user wants it to end.
    pub interrupted: Cell<bool>,
    pub timings: crate::timings::Timings,
    /// Hosts and groups of tasks, for when the inventory is read again.
    pub made: RefCell<Vec<Made>>,
    /// Warnings that were already given: each counts once.
    pub warned: RefCell<HashSet<String>>,
    /// What went wrong with the run itself, beyond any host.
    pub broken: RefCell<Option<lang::Error>>,
}

/// What a run is begun with.
pub struct RunInput {
    pub options: Options,
    pub templar: Arc<Templar>,
    pub vars: RunVars,
    pub inventory: lang::inventory::Inventory,
    pub hooks: Arc<dyn Hooks>,
    pub loader: lang::playbook::Loader,
    pub secrets: Option<Arc<lang::vault::VaultSecrets>>,
    pub connector: Rc<dyn Connector>,
    pub user: Arc<dyn User>,
    /// Reads the inventory anew (`meta: refresh_inventory`).
    pub reload_inventory: Box<dyn Fn() -> lang::Result<lang::inventory::Inventory>>,
    pub reporter: Box<dyn Reporter>,
}

/// How a run ended; the numbers are ansible-playbook's exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Ok = 0,
    Error = 1,
    Failed = 2,
    Unreachable = 4,
}

impl Run {
    /// A run that has not begun.
    pub fn new(input: RunInput) -> Self {
        Self {
            profiler: input.options.profile.map(Profiler::new),
            options: Arc::new(input.options),
            templar: input.templar,
            vars: Arc::new(input.vars),
            world: World::new(input.inventory),
            hooks: input.hooks,
            loader: input.loader,
            secrets: input.secrets,
            connector: input.connector,
            user: input.user,
            reload_inventory: input.reload_inventory,
            reporter: RefCell::new(input.reporter),
            contents: Rc::default(),
            links: RefCell::default(),
            stats: RefCell::default(),
            custom: RefCell::default(),
            custom_per_host: RefCell::default(),
            failed: RefCell::default(),
            unreachable: RefCell::default(),
            started: Cell::new(false),
            step_freely: Cell::new(false),
            interrupted: Cell::new(false),
            timings: crate::timings::Timings::default(),
            made: RefCell::default(),
            warned: RefCell::default(),
            broken: RefCell::default(),
        }
    }

    pub fn emit(&self, event: Event) {
        let report = || self.reporter.borrow_mut().event(&event);
        match &self.profiler {
            Some(profiler) => profiler.reporting(report),
            None => report(),
        }
    }

    /// `[WARNING]: text`, once.
    pub fn warn(&self, text: impl Into<String>) {
        let text = text.into();
        if self.warned.borrow_mut().insert(text.clone()) {
            self.emit(Event::Warning { text });
        }
    }

    /// `[DEPRECATION WARNING]: text`, once.
    pub fn deprecate(&self, text: impl Into<String>) {
        let text = text.into();
        if self.warned.borrow_mut().insert(text.clone()) {
            self.emit(Event::Deprecated { text });
        }
    }

    /// Change the numbers of a host.
    pub fn count(&self, host: &str, change: impl FnOnce(&mut HostStats)) {
        change(self.stats.borrow_mut().entry(host.to_owned()).or_default());
    }

    /// The link to a target, made when there is none.
    pub fn link(&self, target: &transport::Target) -> Rc<Link> {
        let key = link_key(target);
        if let Some(link) = self.links.borrow().get(&key)
            && !link.is_down()
        {
            return link.clone();
        }
        let remote_tmp = self.options.connection.remote_tmp.clone();
        let link = Link::new(
            target.clone(),
            self.connector.clone(),
            self.contents.clone(),
            remote_tmp,
            self.options.tasks_per_host,
        );
        self.links.borrow_mut().insert(key, link.clone());
        link
    }

    /// Forget the link to a target (`meta: reset_connection`).
    pub fn reset(&self, target: &transport::Target) {
        if let Some(link) = self.links.borrow_mut().remove(&link_key(target)) {
            link.close();
        }
    }

    /// End all connections.
    pub fn close(&self) {
        for (_, link) in self.links.borrow_mut().drain() {
            link.close();
        }
    }

    /// The end: the recap's numbers.
    pub fn finish(&self) -> Verdict {
        let mut hosts: Vec<(String, HostStats)> =
            self.stats.borrow().iter().map(|(h, s)| (h.clone(), *s)).collect();
        hosts.sort_by(|a, b| a.0.cmp(&b.0));
        let custom_per_host =
            self.custom_per_host.borrow().iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        let profile = self.profiler.as_ref().map(|profiler| Arc::new(profiler.picture()));
        let custom = self.custom.borrow().clone();
        self.emit(Event::Stats { hosts, custom, custom_per_host, profile });
        self.verdict()
    }

    pub fn verdict(&self) -> Verdict {
        if self.broken.borrow().is_some() {
            Verdict::Error
        } else if !self.unreachable.borrow().is_empty() {
            Verdict::Unreachable
        } else if !self.failed.borrow().is_empty() {
            Verdict::Failed
        } else {
            Verdict::Ok
        }
    }
}

/// Everything of a target that makes it another connection.
pub fn link_key(target: &transport::Target) -> String {
    let secret = target.password.as_ref().map(|p| protocol::Hash::of(p.expose().as_bytes()));
    let mut shown = target.clone();
    shown.password = None;
    shown.name = String::new();
    format!("{shown:?}{secret:?}")
}

/// A `set_stats`.
pub fn set_stats(stats: &mut Map, data: &Map, aggregate: bool) {
    for (key, value) in data {
        let merged = match (aggregate, stats.get(key), value) {
            (true, Some(Value::Int(a)), Value::Int(b)) => Value::Int(a.saturating_add(*b)),
            (true, Some(Value::Float(a)), Value::Float(b)) => Value::Float(a + b),
            (true, Some(Value::Str(a)), Value::Str(b)) => {
                Value::from(format!("{}{}", a.as_str(), b.as_str()))
            }
            (true, Some(Value::List(a)), Value::List(b)) => {
                a.iter().chain(b.iter()).cloned().collect::<Vec<_>>().into()
            }
            (true, Some(Value::Map(a)), Value::Map(b)) => {
                let mut merged = (**a).clone();
                merged.extend(b.iter().map(|(k, v)| (k.clone(), v.clone())));
                merged.into()
            }
            _ => value.clone(),
        };
        stats.insert(key.clone(), merged);
    }
}
