//! The host as a module sees it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::blob::{Blobs, NoBlobs};

/// One call's view of the host: its root, environment, temporary directory and how to ask for contents.
#[derive(Clone)]
pub struct Host {
    root: PathBuf,
    tmp: PathBuf,
    environment: BTreeMap<String, String>,
    check: bool,
    diff: bool,
    blobs: Arc<dyn Blobs>,
    cancelled: Arc<AtomicBool>,
    deadline: Option<Instant>,
    background: bool,
    python: Option<String>,
}

impl Host {
    /// The machine this process runs on. `tmp` is a directory only this user can enter.
    pub fn new(tmp: impl Into<PathBuf>) -> Self {
        Self::at("/", tmp)
    }

    /// A scratch root, for tests: every path of the host is below `root`.
    pub fn at(root: impl Into<PathBuf>, tmp: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            tmp: tmp.into(),
            environment: BTreeMap::new(),
            check: false,
            diff: false,
            blobs: Arc::new(NoBlobs),
            cancelled: Arc::default(),
            deadline: None,
            background: false,
            python: None,
        }
    }

    pub fn with_environment(mut self, environment: BTreeMap<String, String>) -> Self {
        self.environment = environment;
        self
    }

    /// The Python interpreter that the user has named (`ansible_python_interpreter`).
    pub fn with_python(mut self, python: Option<String>) -> Self {
        self.python = python;
        self
    }

    pub fn with_modes(mut self, check: bool, diff: bool) -> Self {
        self.check = check;
        self.diff = diff;
        self
    }

    pub fn with_blobs(mut self, blobs: Arc<dyn Blobs>) -> Self {
        self.blobs = blobs;
        self
    }

    /// Stop when `cancelled` becomes true or at `deadline`.
    pub fn with_limits(mut self, cancelled: Arc<AtomicBool>, deadline: Option<Instant>) -> Self {
        self.cancelled = cancelled;
        self.deadline = deadline;
        self
    }

    /// For a step in the background (`async`).
    pub fn in_background(mut self) -> Self {
        self.background = true;
        self
    }

    /// Is it for a step in the background?
    pub fn is_background(&self) -> bool {
        self.background
    }

    /// Where a path of the host is for this process.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        if self.root == Path::new("/") {
            return path.to_owned();
        }
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Is this the real machine (not a scratch root)? Only then services and processes mean anything.
    pub fn is_real(&self) -> bool {
        self.root == Path::new("/")
    }

    /// A directory for temporary files, mode 0700, removed when the agent ends.
    pub fn tmp(&self) -> &Path {
        &self.tmp
    }

    /// Variables that the task adds to the environment of processes.
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// A variable as a process of this task sees it.
    pub fn env(&self, name: &str) -> Option<String> {
        self.environment.get(name).cloned().or_else(|| std::env::var(name).ok())
    }

    /// Check mode? Plans rarely need to know: not carrying out is the agent's business.
    /// The Python interpreter that the user has named; `None` if any does.
    pub fn python(&self) -> Option<&str> {
        self.python.as_deref()
    }

    pub fn check(&self) -> bool {
        self.check
    }

    /// Does anybody want to see differences? If not, do not make them.
    pub fn diff(&self) -> bool {
        self.diff
    }

    pub fn blobs(&self) -> &dyn Blobs {
        &*self.blobs
    }

    /// Is it time to stop? Long loops ask this.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) || self.deadline.is_some_and(|d| Instant::now() >= d)
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}
