//! `log_path`: what the default output says, as records of a file.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use engine::event::{Event, Reporter};

use super::Style;
use super::default::{Default_, DefaultOptions};

/// The file. Each record has time, process and user in front, as Python's logging writes them for Ansible.
#[derive(Clone)]
pub struct Log {
    file: Arc<Mutex<File>>,
    user: String,
}

impl Log {
    /// Open the file to append to it.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        let uid = nix::unistd::Uid::current();
        let user = nix::unistd::User::from_uid(uid).ok().flatten().map_or(uid.to_string(), |user| user.name);
        Ok(Self { file: Arc::new(Mutex::new(file)), user })
    }

    /// Write one record.
    pub fn record(&self, text: &str) {
        let text = text.trim_start_matches('\n');
        if text.trim().is_empty() {
            return;
        }
        let level = if text.starts_with("[WARNING]") {
            "WARNING"
        } else if text.starts_with("[ERROR]") {
            "ERROR"
        } else {
            "INFO"
        };
        let time = chrono::Local::now().format("%Y-%m-%d %H:%M:%S,%3f");
        let line = format!("{time} p={} u={} n=ansible {level}| {text}\n", std::process::id(), self.user);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk must not end the run.
        let _ = file.write_all(line.as_bytes());
    }
}

/// Turns what is written between two flushes into records, one for a message of several lines.
struct Records {
    log: Log,
    text: Vec<u8>,
}

impl Write for Records {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let text = String::from_utf8_lossy(&self.text).into_owned();
        self.text.clear();
        self.log.record(text.strip_suffix('\n').unwrap_or(&text));
        Ok(())
    }
}

/// Hands every event to another reporter, and to the log.
pub struct Logged {
    inner: Box<dyn Reporter>,
    log: Default_<Records, Records>,
}

impl Logged {
    /// `look` says how verbose the log is.
    pub fn new(inner: Box<dyn Reporter>, log: &Log, look: DefaultOptions) -> Self {
        let records = || Records { log: log.clone(), text: Vec::new() };
        let look = DefaultOptions { style: Style { colours: false }, ..look };
        Self { inner, log: Default_::new(look, records(), records()) }
    }
}

impl Reporter for Logged {
    fn event(&mut self, event: &Event) {
        self.inner.event(event);
        self.log.event(event);
    }
}
