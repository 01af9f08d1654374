//! The live line of a terminal: which task runs where at this moment, below everything that was printed.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Duration;

use engine::event::{Event, Reporter};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Writes lines above the live line.
#[derive(Clone)]
pub struct Above {
    bar: ProgressBar,
    /// What has no line end yet.
    rest: Vec<u8>,
    stderr: bool,
}

impl Above {
    pub fn new(bar: &ProgressBar, stderr: bool) -> Self {
        Self { bar: bar.clone(), rest: Vec::new(), stderr }
    }
}

impl Write for Above {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        if let Some(end) = self.rest.iter().rposition(|b| *b == b'\n') {
            let lines: Vec<u8> = self.rest.drain(..=end).collect();
            self.bar.suspend(|| {
                if self.stderr { io::stderr().write_all(&lines) } else { io::stdout().write_all(&lines) }
            })?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.stderr { io::stderr().flush() } else { io::stdout().flush() }
    }
}

/// Keeps the live line up to date and passes every event on.
pub struct Live<R: Reporter> {
    inner: R,
    bar: ProgressBar,
    title: String,
    running: BTreeSet<String>,
    done: usize,
    hosts: usize,
}

/// A live line that draws on the terminal.
pub fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed:>4} {wide_msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

impl<R: Reporter> Live<R> {
    pub fn new(inner: R, bar: ProgressBar) -> Self {
        Self { inner, bar, title: String::new(), running: BTreeSet::new(), done: 0, hosts: 0 }
    }

    fn draw(&self) {
        let mut names: Vec<&str> = self.running.iter().take(4).map(String::as_str).collect();
        let more = self.running.len().saturating_sub(names.len());
        let more = format!("and {more} more");
        if self.running.len() > names.len() {
            names.push(&more);
        }
        if names.is_empty() {
            self.bar.set_message(String::new());
            return;
        }
        let counted =
            if self.hosts > 1 { format!(" ({} of {} done)", self.done, self.hosts) } else { String::new() };
        self.bar.set_message(format!("{} on {}{counted}", self.title, names.join(", ")));
    }
}

impl<R: Reporter> Reporter for Live<R> {
    fn event(&mut self, event: &Event) {
        match event {
            Event::PlayStart { hosts, .. } => self.hosts = hosts.len(),
            Event::TaskStart { task } | Event::HandlerStart { task } => {
                self.title = task.title.clone();
                self.done = 0;
            }
            Event::HostStart { host, .. } => drop(self.running.insert(host.clone())),
            Event::HostResult(result) => {
                self.running.remove(&result.host);
                self.done += 1;
            }
            Event::Stats { .. } => self.bar.finish_and_clear(),
            _ => {}
        }
        self.inner.event(event);
        if !matches!(event, Event::Stats { .. }) {
            self.draw();
        }
    }
}
