//! `wait_for`: until a port, a file or a text in one is as wished, or for some time.

mod drained;

use std::fs;
use std::io::Read;
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::args::Expanded;
use crate::files::add_path_info;
use crate::python_regex::{Captures, Flags, Kind, PythonRegex};
use crate::{
    Effects, Host, Map, Module, ModuleError, Plan, Resource, Result, Value, args, fail, http, result,
};

args! {
    pub struct WaitForArgs {
        /// Machine whose port it is.
        host: String = default("127.0.0.1");
        /// Seconds for all of it.
        timeout: i64 = default("300");
        /// Seconds for one connection.
        connect_timeout: i64 = default("5");
        /// Seconds before the first look.
        delay: i64 = default("0");
        /// Port that is to be open, closed or without connections.
        port: Option<i64>;
        /// States of connections that count for `drained`.
        active_connection_states: Vec<String> = default("ESTABLISHED,FIN_WAIT1,FIN_WAIT2,SYN_RECV,SYN_SENT,TIME_WAIT"), elements("str");
        /// Path that is to be there or not.
        path: Option<Expanded>;
        /// Text that is to be in the file or to come from the port.
        search_regex: Option<String>;
        /// What is waited for.
        state: String = choices(&["absent", "drained", "present", "started", "stopped"]), default("started");
        /// Machines whose connections do not count for `drained`.
        exclude_hosts: Option<Vec<String>>;
        /// Seconds between looks.
        sleep: i64 = default("1");
        /// What to say when the time is over.
        msg: Option<String>;
    }
}

pub struct WaitFor;

impl Module for WaitFor {
    type Args = WaitForArgs;
    const NAME: &'static str = "wait_for";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Wait for a port, a file or some time.";

    fn effects(args: &WaitForArgs) -> Effects {
        Effects::reads(args.path.iter().map(|p| Resource::Path(p.0.clone()))).outside()
    }

    fn plan(args: WaitForArgs, host: &Host) -> Result<Plan> {
        if host.check() {
            return Ok(Plan::unchanged(
                result! {"skipped": true, "msg": "remote module (wait_for) does not support check mode"},
            ));
        }
        let wait = Wait::new(&args, host)?;
        let (groups, names) = wait.run()?;
        let mut result = result! {
            "state": args.state, "port": args.port, "search_regex": args.search_regex,
            "match_groups": groups, "match_groupdict": names,
            "path": args.path.as_ref().map(|p| p.0.clone()), "elapsed": wait.elapsed(),
        };
        add_path_info(host, &mut result);
        Ok(Plan::unchanged(result))
    }
}

struct Wait<'a> {
    args: &'a WaitForArgs,
    host: &'a Host,
    regex: Option<PythonRegex>,
    start: Instant,
    end: Instant,
}

/// Groups of a match, by number and by name.
type Found = (Vec<Value>, Map);

impl<'a> Wait<'a> {
    fn new(args: &'a WaitForArgs, host: &'a Host) -> Result<Self> {
        let refused = |msg: &str| Err(fail!("{msg}").with("elapsed", 0));
        if args.port.is_some() && args.path.is_some() {
            return refused("port and path parameter can not both be passed to wait_for");
        }
        if args.path.is_some() && matches!(args.state.as_str(), "stopped" | "drained") {
            let msg = format!(
                "state={} should only be used for checking a port in the wait_for module",
                args.state
            );
            return refused(&msg);
        }
        if args.exclude_hosts.is_some() && args.state != "drained" {
            return refused("exclude_hosts should only be with state=drained");
        }
        if let Some(odd) = args.active_connection_states.iter().find(|s| drained::code(s).is_none()) {
            return refused(&format!("unknown active_connection_state ({odd}) defined"));
        }
        if args.state == "drained" && args.port.is_none() {
            return refused("state=drained should only be used for checking a port in the wait_for module");
        }
        let regex = args.search_regex.as_ref().map(|text| {
            let flags = Flags { multi_line: true, ..Flags::default() };
            PythonRegex::new(text, flags, Kind::Text).map_err(|e| fail!("Invalid regular expression: {e}"))
        });
        let start = Instant::now();
        let timeout = Duration::from_secs(args.timeout.max(0).unsigned_abs());
        Ok(Self { args, host, regex: regex.transpose()?, start, end: start + timeout })
    }

    fn elapsed(&self) -> u64 {
        self.start.elapsed().as_secs()
    }

    fn run(&self) -> Result<Found> {
        let args = self.args;
        self.pause(seconds(args.delay))?;
        // The limit counts from the end of the delay only where there is nothing to look at.
        if args.port.is_none() && args.path.is_none() && args.state != "drained" {
            self.pause(seconds(args.timeout))?;
            return Ok(Found::default());
        }
        loop {
            let last = Instant::now() >= self.end;
            if last {
                return Err(self.failed());
            }
            if let Some(found) = self.look()? {
                return Ok(found);
            }
            self.pause(seconds(args.sleep))?;
        }
    }

    /// Is it as wished?
    fn look(&self) -> Result<Option<Found>> {
        let yes = |is: bool| Ok(is.then(Found::default));
        match (self.args.state.as_str(), &self.args.path, self.args.port) {
            ("absent" | "stopped", Some(path), _) => yes(!self.host.path(&path.0).exists()),
            ("absent" | "stopped", None, Some(_)) => yes(self.connect().is_none()),
            ("drained", _, Some(port)) => {
                let excluded = self.args.exclude_hosts.as_deref().unwrap_or_default();
                let states = &self.args.active_connection_states;
                yes(drained::active(self.host, &self.args.host, port, states, excluded)? == 0)
            }
            (_, Some(path), _) => {
                let real = self.host.path(&path.0);
                let Some(regex) = &self.regex else { return yes(real.exists()) };
                let Ok(content) = fs::read(real) else { return Ok(None) };
                search(regex, &content)
            }
            (_, None, Some(_)) => match (self.connect(), &self.regex) {
                (None, _) => Ok(None),
                (Some(stream), None) => {
                    let _ = stream.shutdown(Shutdown::Both);
                    yes(true)
                }
                (Some(stream), Some(regex)) => self.listen(stream, regex),
            },
            _ => yes(true),
        }
    }

    fn connect(&self) -> Option<TcpStream> {
        let port = u16::try_from(self.args.port?).ok()?;
        let left = self.end.saturating_duration_since(Instant::now());
        let limit = seconds(self.args.connect_timeout).min(left).max(Duration::from_millis(1));
        let addresses = http::resolve(self.host, &self.args.host, port).ok()?;
        addresses.iter().find_map(|address| TcpStream::connect_timeout(address, limit).ok())
    }

    /// Read until the text came, the other side closed or the time is over.
    fn listen(&self, mut stream: TcpStream, regex: &PythonRegex) -> Result<Option<Found>> {
        let mut said = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let left = self.end.saturating_duration_since(Instant::now());
            if left.is_zero() || self.host.is_cancelled() || said.len() > 64 << 20 {
                return Ok(None);
            }
            let _ = stream.set_read_timeout(Some(left.min(Duration::from_millis(500))));
            match stream.read(&mut buffer) {
                Ok(0) => return Ok(None),
                Ok(n) => {
                    said.extend_from_slice(&buffer[..n]);
                    if let Some(found) = search(regex, &said)? {
                        let _ = stream.shutdown(Shutdown::Both);
                        return Ok(Some(found));
                    }
                }
                Err(e)
                    if matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
                Err(_) => return Ok(None),
            }
        }
    }

    fn failed(&self) -> ModuleError {
        let args = self.args;
        let target = match (&args.path, args.port) {
            (Some(path), _) => path.0.clone(),
            (None, port) => format!("{}:{}", args.host, port.unwrap_or_default()),
        };
        let msg = match (args.state.as_str(), &args.path, &args.search_regex) {
            ("absent" | "stopped", Some(_), _) => format!("Timeout when waiting for {target} to be absent."),
            ("absent" | "stopped", None, _) => format!("Timeout when waiting for {target} to stop."),
            ("drained", ..) => format!("Timeout when waiting for {target} to drain"),
            (_, _, Some(regex)) => format!("Timeout when waiting for search string {regex} in {target}"),
            (_, Some(_), None) => format!("Timeout when waiting for file {target}"),
            (_, None, None) => format!("Timeout when waiting for {target}"),
        };
        ModuleError::new(args.msg.clone().unwrap_or(msg)).with("elapsed", self.elapsed())
    }

    fn pause(&self, time: Duration) -> Result<()> {
        let until = Instant::now() + time;
        loop {
            if self.host.is_cancelled() {
                return Err(fail!("it was stopped").with("elapsed", self.elapsed()));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(Duration::from_millis(200)));
        }
    }
}

fn seconds(number: i64) -> Duration {
    Duration::from_secs(number.max(0).unsigned_abs())
}

fn search(regex: &PythonRegex, content: &[u8]) -> Result<Option<Found>> {
    let text = String::from_utf8_lossy(content);
    Ok(regex.search(&text).map(|captures| groups(regex, &captures)))
}

fn groups(regex: &PythonRegex, captures: &Captures<'_>) -> Found {
    let value = |m: Option<&str>| m.map_or(Value::Null, Value::from);
    let numbered = (1..captures.len()).map(|i| value(captures.get(i).map(|m| m.as_str()))).collect();
    let named = regex.group_names();
    (numbered, named.map(|name| (name.to_owned(), value(captures.name(name).map(|m| m.as_str())))).collect())
}
