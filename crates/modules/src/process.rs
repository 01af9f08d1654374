//! Running programs on the host.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::{Host, ModuleError, Result};

/// A program to run: arguments are passed as they are, never through a shell.
#[derive(Clone, Debug)]
pub struct Process {
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(String, String)>,
    cwd: Option<PathBuf>,
    stdin: Vec<u8>,
    umask: Option<u32>,
    timeout: Option<Duration>,
    c_locale: bool,
}

/// What it said.
#[derive(Clone, Debug, Default)]
pub struct ProcessOutput {
    /// Exit status; minus the signal's number if one ended it, as Python has it.
    pub rc: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl ProcessOutput {
    pub fn success(&self) -> bool {
        self.rc == 0
    }

    /// Standard output as text; what is not UTF-8 is replaced.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

impl Process {
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            cwd: None,
            stdin: Vec::new(),
            umask: None,
            timeout: None,
            c_locale: true,
        }
    }

    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args.extend(args.into_iter().map(|a| a.as_ref().to_owned()));
        self
    }

    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    pub fn cwd(mut self, dir: impl AsRef<Path>) -> Self {
        self.cwd = Some(dir.as_ref().to_owned());
        self
    }

    pub fn stdin(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.stdin = input.into();
        self
    }

    pub fn umask(mut self, umask: Option<u32>) -> Self {
        self.umask = umask;
        self
    }

    /// Stop it after this long.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Keep the user's locale. By default `LC_ALL=C.UTF-8`-independent parsing needs `LANGUAGE`, `LANG` and
    /// `LC_ALL` set to `C`, so that programs answer in English.
    pub fn user_locale(mut self) -> Self {
        self.c_locale = false;
        self
    }

    /// Run it to its end. An error means that it could not be started; an exit status is not an error.
    pub fn run(&self, host: &Host) -> io::Result<ProcessOutput> {
        let mut command = Command::new(&self.program);
        command.args(&self.args).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        command.stdin(if self.stdin.is_empty() { Stdio::null() } else { Stdio::piped() });
        if self.c_locale {
            command.env("LC_ALL", "C.UTF-8").env("LANG", "C.UTF-8").env("LANGUAGE", "C");
        }
        command.envs(host.environment()).envs(self.env.iter().map(|(k, v)| (k, v)));
        if let Some(dir) = &self.cwd {
            command.current_dir(dir);
        }
        if let Some(umask) = self.umask {
            // SAFETY: umask is async-signal-safe.
            unsafe {
                command.pre_exec(move || {
                    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(umask));
                    Ok(())
                })
            };
        }
        let mut child = spawn(&mut command)?;
        let group = Pid::from_raw(child.id() as i32);
        let input = child.stdin.take().map(|mut pipe| {
            let text = self.stdin.clone();
            thread::spawn(move || pipe.write_all(&text))
        });
        let out = collect(child.stdout.take());
        let err = collect(child.stderr.take());
        let limit = match (self.timeout.map(|t| Instant::now() + t), host.deadline()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let mut pause = Duration::from_micros(200);
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if host.is_cancelled() || limit.is_some_and(|l| Instant::now() >= l) {
                let _ = killpg(group, Signal::SIGKILL);
                child.wait()?;
                return Err(io::Error::new(io::ErrorKind::TimedOut, "it was stopped: time is up"));
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        };
        drop(input);
        let rc = status.code().unwrap_or_else(|| -status.signal().unwrap_or(1));
        Ok(ProcessOutput { rc, stdout: out.finish(), stderr: err.finish() })
    }

    /// Run it, and fail with its output unless it succeeds.
    pub fn check(&self, host: &Host) -> Result<ProcessOutput> {
        let name = self.program.to_string_lossy().into_owned();
        let output = self.run(host).map_err(|e| ModuleError::new(format!("could not run {name}: {e}")))?;
        if output.success() {
            return Ok(output);
        }
        let said = if output.stderr.is_empty() { output.out() } else { output.err() };
        Err(ModuleError::new(format!("{name} failed: {}", said.trim()))
            .with("rc", output.rc)
            .with("stdout", output.out())
            .with("stderr", output.err()))
    }
}

/// Output that is collected by a thread of its own, so that neither pipe can fill up.
struct Collected {
    thread: Option<thread::JoinHandle<()>>,
    bytes: std::sync::Arc<std::sync::Mutex<Vec<u8>>>,
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> Collected {
    let bytes = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let sink = bytes.clone();
    let thread = pipe.map(|mut pipe| {
        thread::spawn(move || {
            let mut piece = [0; 16384];
            while let Ok(n @ 1..) = pipe.read(&mut piece) {
                if let Ok(mut bytes) = sink.lock() {
                    bytes.extend_from_slice(&piece[..n]);
                }
            }
        })
    });
    Collected { thread, bytes }
}

impl Collected {
    /// What was written. A daemon that the program left behind may hold the pipe open for ever: after the
    /// program's end, wait for the end of output only as long as something may still be on its way.
    fn finish(self) -> Vec<u8> {
        if let Some(thread) = self.thread {
            let patience = Instant::now() + Duration::from_millis(500);
            while !thread.is_finished() && Instant::now() < patience {
                thread::sleep(Duration::from_micros(200));
            }
        }
        self.bytes.lock().map(|mut bytes| std::mem::take(&mut *bytes)).unwrap_or_default()
    }
}

/// Where a program is: in `PATH` of the task, then in the system directories that a user's `PATH` may lack.
pub fn find_program(host: &Host, name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return host.path(name).exists().then(|| PathBuf::from(name));
    }
    let path = host.env("PATH").unwrap_or_default();
    let system = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    path.split(':')
        .chain(system.split(':'))
        .filter(|dir| !dir.is_empty())
        .map(|dir| Path::new(dir).join(name))
        .find(|file| {
            use std::os::unix::fs::PermissionsExt;
            host.path(file).metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
        })
}

/// Start a program. One that was just written is busy for as long as another thread, which starts a program at the same
/// time, has not closed its copy of the descriptor.
fn spawn(command: &mut Command) -> io::Result<std::process::Child> {
    let mut tries = 0;
    loop {
        match command.spawn() {
            Err(e) if e.kind() == io::ErrorKind::ExecutableFileBusy && tries < 50 => {
                tries += 1;
                thread::sleep(Duration::from_millis(2));
            }
            started => return started,
        }
    }
}
