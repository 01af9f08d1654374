//! Where a run's time goes (`--profile`).
//!
//! The run is measured as it happens: every *turn* (one host at one task, from its start to its result) notes when it
//! began and ended, how long the connection took to come up, and what the host says its modules took. Work of the
//! controller is measured on the thread that owns the run. From the turns comes the *critical path*: the turn that
//! ended last, the one it had to wait for, and so on back to the beginning. Its parts add up to the time of the run.
//!
//! Tasks that were sent ahead show where the time really went: the host worked on them during earlier turns, so
//! their own turns are short, while the time on the host is what it is.

mod path;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use nix::time::{ClockId, clock_gettime};

use crate::event::TaskInfo;

/// What a stretch of time was spent on. Nothing is in two of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Bringing up the connection and the agent.
    pub connecting: Duration,
    /// Modules at work on the host.
    pub modules: Duration,
    /// Templates, conditions and everything else that makes a task's arguments.
    pub evaluation: Duration,
    /// Reporters.
    pub output: Duration,
    /// Other work of the controller's thread.
    pub dispatch: Duration,
    /// The rest: the network, retries' delays, pauses, other programs on the controller.
    pub waiting: Duration,
}

impl Parts {
    /// All of it.
    pub fn total(&self) -> Duration {
        self.named().iter().map(|(_, time)| *time).sum()
    }

    /// The parts with their names, in the order they are shown.
    pub fn named(&self) -> [(&'static str, Duration); 6] {
        [
            ("connecting", self.connecting),
            ("waiting", self.waiting),
            ("modules", self.modules),
            ("evaluation", self.evaluation),
            ("dispatch", self.dispatch),
            ("output", self.output),
        ]
    }

    fn add(&mut self, other: &Self) {
        self.connecting += other.connecting;
        self.modules += other.modules;
        self.evaluation += other.evaluation;
        self.output += other.output;
        self.dispatch += other.dispatch;
        self.waiting += other.waiting;
    }
}

/// The whole picture, made at the end of the run.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// From the start of the program.
    pub total: Duration,
    /// Before the first play: configuration, inventory, playbooks.
    pub loading: Duration,
    /// What the rest of the time was spent on, along the critical path.
    pub parts: Parts,
    /// Tasks in the order they began.
    pub tasks: Vec<TaskProfile>,
    /// Hosts in the order they began.
    pub hosts: Vec<HostProfile>,
    /// What had to wait for what, from the first to the last.
    pub path: Vec<Leg>,
}

/// One task on all its hosts.
#[derive(Clone, Debug)]
pub struct TaskProfile {
    pub task: Arc<TaskInfo>,
    /// How many hosts it ran on.
    pub hosts: usize,
    /// Its time on the critical path.
    pub critical: Duration,
    /// Time of modules on the hosts: of all together, and of the host that took longest.
    pub modules: Duration,
    pub slowest: Duration,
    pub slowest_host: String,
    /// Time that its arguments took on the controller, for all hosts.
    pub evaluation: Duration,
}

/// One host in all tasks.
#[derive(Clone, Debug)]
pub struct HostProfile {
    pub host: String,
    pub tasks: usize,
    /// Its time on the critical path.
    pub critical: Duration,
    pub connecting: Duration,
    pub modules: Duration,
    pub evaluation: Duration,
    /// When it was done, from the start of the first play.
    pub finished: Duration,
}

/// A turn on the critical path.
#[derive(Clone, Debug)]
pub struct Leg {
    pub task: Arc<TaskInfo>,
    pub host: String,
    /// When it began, from the start of the first play.
    pub start: Duration,
    pub parts: Parts,
}

/// The clocks at one moment.
#[derive(Clone, Copy, Debug, Default)]
struct Moment {
    /// From the start of the run.
    at: Duration,
    /// Work of this thread.
    cpu: Duration,
    evaluation: Duration,
    output: Duration,
}

/// One host at one task.
#[derive(Clone, Debug)]
struct Turn {
    task: Arc<TaskInfo>,
    host: Rc<str>,
    start: Moment,
    end: Moment,
    connecting: Duration,
    modules: Duration,
    /// Other hosts' turns come before it, too.
    barrier: bool,
}

/// What happens in a turn that only those deep below it see.
#[derive(Default)]
pub struct Notes {
    connecting: Cell<Duration>,
    modules: Cell<Duration>,
}

tokio::task_local! {
    /// The turn that runs at this moment.
    static NOTES: Rc<Notes>;
}

/// Gathers the times of a run.
pub struct Profiler {
    begun: Instant,
    cpu: Duration,
    loading: Duration,
    evaluation: Cell<Duration>,
    output: Cell<Duration>,
    evaluations: RefCell<HashMap<(u64, Rc<str>), Duration>>,
    hosts: RefCell<HashMap<String, Rc<str>>>,
    turns: RefCell<Vec<Turn>>,
}

/// A turn that is under way.
pub struct Running {
    task: Arc<TaskInfo>,
    host: Rc<str>,
    start: Moment,
    barrier: bool,
    notes: Rc<Notes>,
}

impl Profiler {
    /// Begin; the program has been running since `started`.
    pub fn new(started: Instant) -> Self {
        Self {
            begun: Instant::now(),
            cpu: thread_time(),
            loading: started.elapsed(),
            evaluation: Cell::default(),
            output: Cell::default(),
            evaluations: RefCell::default(),
            hosts: RefCell::default(),
            turns: RefCell::default(),
        }
    }

    /// A host begins a task. `barrier`: it had to wait for the other hosts.
    pub fn begin(&self, task: &Arc<TaskInfo>, host: &str, barrier: bool) -> Running {
        Running {
            task: task.clone(),
            host: self.name(host),
            start: self.now(),
            barrier,
            notes: Rc::default(),
        }
    }

    /// It is done.
    pub fn end(&self, running: Running) {
        let Running { task, host, start, barrier, notes } = running;
        let turn = Turn {
            task,
            host,
            start,
            end: self.now(),
            connecting: notes.connecting.get(),
            modules: notes.modules.get(),
            barrier,
        };
        self.turns.borrow_mut().push(turn);
    }

    /// Work out the arguments of a task on a host.
    pub fn evaluating<T>(&self, task: u64, host: &str, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let done = work();
        let took = begun.elapsed();
        self.evaluation.set(self.evaluation.get() + took);
        *self.evaluations.borrow_mut().entry((task, self.name(host))).or_default() += took;
        done
    }

    /// Let reporters see an event.
    pub fn reporting(&self, work: impl FnOnce()) {
        let begun = Instant::now();
        work();
        self.output.set(self.output.get() + begun.elapsed());
    }

    /// The picture so far.
    pub fn picture(&self) -> Profile {
        let turns = self.turns.borrow();
        let end = self.now();
        let (path, parts) = path::critical(&turns, &end);
        let mut tasks: IndexMap<u64, TaskProfile> = IndexMap::new();
        let mut hosts: IndexMap<Rc<str>, HostProfile> = IndexMap::new();
        let mut order: Vec<&Turn> = turns.iter().collect();
        order.sort_by_key(|turn| turn.start.at);
        for turn in order {
            let task = tasks.entry(turn.task.id).or_insert_with(|| TaskProfile::new(&turn.task));
            task.hosts += 1;
            task.modules += turn.modules;
            if turn.modules > task.slowest {
                task.slowest = turn.modules;
                task.slowest_host = turn.host.to_string();
            }
            let host = hosts.entry(turn.host.clone()).or_insert_with(|| HostProfile::new(&turn.host));
            host.tasks += 1;
            host.connecting += turn.connecting;
            host.modules += turn.modules;
            host.finished = turn.end.at;
        }
        for ((task, host), took) in self.evaluations.borrow().iter() {
            if let Some(task) = tasks.get_mut(task) {
                task.evaluation += *took;
            }
            if let Some(host) = hosts.get_mut(host) {
                host.evaluation += *took;
            }
        }
        for leg in &path {
            let took = leg.parts.total();
            if let Some(task) = tasks.get_mut(&leg.task.id) {
                task.critical += took;
            }
            if let Some(host) = hosts.get_mut(leg.host.as_str()) {
                host.critical += took;
            }
        }
        Profile {
            total: self.loading + end.at,
            loading: self.loading,
            parts,
            tasks: tasks.into_values().collect(),
            hosts: hosts.into_values().collect(),
            path,
        }
    }

    fn now(&self) -> Moment {
        Moment {
            at: self.begun.elapsed(),
            cpu: thread_time().saturating_sub(self.cpu),
            evaluation: self.evaluation.get(),
            output: self.output.get(),
        }
    }

    /// One copy of each name.
    fn name(&self, host: &str) -> Rc<str> {
        if let Some(name) = self.hosts.borrow().get(host) {
            return name.clone();
        }
        let name: Rc<str> = host.into();
        self.hosts.borrow_mut().insert(host.to_owned(), name.clone());
        name
    }
}

impl Running {
    /// Do the work of the turn.
    pub async fn watch<T>(&self, work: impl Future<Output = T>) -> T {
        NOTES.scope(self.notes.clone(), work).await
    }
}

/// The turn in hand has the outcome of a step that took the host so long, over a connection that came up in this time
/// after the turn's start.
pub fn note_step(modules: Duration, connecting: Duration) {
    let _ = NOTES.try_with(|notes| {
        notes.modules.set(notes.modules.get() + modules);
        notes.connecting.set(notes.connecting.get().max(connecting));
    });
}

impl TaskProfile {
    fn new(task: &Arc<TaskInfo>) -> Self {
        Self {
            task: task.clone(),
            hosts: 0,
            critical: Duration::ZERO,
            modules: Duration::ZERO,
            slowest: Duration::ZERO,
            slowest_host: String::new(),
            evaluation: Duration::ZERO,
        }
    }
}

impl HostProfile {
    fn new(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            tasks: 0,
            critical: Duration::ZERO,
            connecting: Duration::ZERO,
            modules: Duration::ZERO,
            evaluation: Duration::ZERO,
            finished: Duration::ZERO,
        }
    }
}

/// What this thread has worked so far.
fn thread_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}
