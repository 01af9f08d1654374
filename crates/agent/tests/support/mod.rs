//! A controller for tests: talks to an agent over a pair of sockets.
#![allow(dead_code)]

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use agent::{Program, ServeError, serve};
use modules::Value;
use protocol::frame::{self, BLOB_PIECE};
use protocol::{FromAgent, Hash, Map, Outcome, Permission, Start, Step, ToAgent, VERSION};
use serde_json::json;

/// A running agent, in a thread of the test.
pub struct Agent {
    stream: UnixStream,
    thread: JoinHandle<Result<(), ServeError>>,
    pub hello: protocol::AgentHello,
    next: u64,
    pub dir: tempfile::TempDir,
}

/// The program as it was built for this test.
pub fn program() -> Program {
    Program { path: env!("CARGO_BIN_EXE_provision-agent").into(), args: Vec::new(), is_this: false }
}

impl Agent {
    pub fn start() -> Self {
        Self::start_with(Start { version: VERSION, ..Start::default() })
    }

    pub fn start_with(start: Start) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let remote_tmp = start.remote_tmp.clone().or(Some(dir.path().join("tmp").display().to_string()));
        let start = Start { remote_tmp, ..start };
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let output = theirs.try_clone().unwrap();
        let thread = thread::spawn(move || serve(theirs, output, program()));
        let mut agent = Self { stream: ours, thread, hello: Default::default(), next: 0, dir };
        agent.send(&ToAgent::Start(start));
        match agent.receive() {
            FromAgent::Hello(hello) => agent.hello = hello,
            other => panic!("instead of a hello: {other:?}"),
        }
        agent
    }

    pub fn send(&mut self, message: &ToAgent) {
        frame::write(&mut self.stream, message).unwrap();
    }

    /// Send a step; its id is the number of steps before it plus one.
    pub fn step(&mut self, step: Step) -> u64 {
        self.next += 1;
        self.send(&ToAgent::Step(Box::new(Step { id: self.next, ..step })));
        self.next
    }

    pub fn receive(&mut self) -> FromAgent {
        frame::read(&mut self.stream).unwrap().expect("the agent is gone")
    }

    pub fn outcome(&mut self) -> (u64, Outcome) {
        match self.receive() {
            FromAgent::Outcome { id, outcome } => (id, outcome),
            other => panic!("instead of an outcome: {other:?}"),
        }
    }

    pub fn flushed(&mut self) -> (u64, Vec<u64>) {
        match self.receive() {
            FromAgent::Flushed { token, dropped } => (token, dropped),
            other => panic!("instead of flushed: {other:?}"),
        }
    }

    pub fn expect(&mut self, expected: FromAgent) {
        assert_eq!(self.receive(), expected);
    }

    /// Send a content in pieces.
    pub fn content(&mut self, content: &[u8]) {
        self.content_as(Hash::of(content), content);
    }

    /// Send a content under a hash that need not be its own.
    pub fn content_as(&mut self, hash: Hash, content: &[u8]) {
        let mut offset = 0;
        loop {
            let end = (offset + BLOB_PIECE).min(content.len());
            let last = end == content.len();
            let data = content[offset..end].to_vec();
            self.send(&ToAgent::Blob { hash, offset: offset as u64, data, compressed: false, last });
            offset = end;
            if last {
                return;
            }
        }
    }

    /// Write bytes that need not be a message.
    pub fn raw(&mut self, bytes: &[u8]) {
        use std::io::Write;
        self.stream.write_all(bytes).unwrap();
    }

    /// End the agent's input; what it still says, and how it ended.
    pub fn end(self) -> (Vec<FromAgent>, Result<(), ServeError>) {
        let Self { mut stream, thread, dir, .. } = self;
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        while let Ok(Some(message)) = frame::read(&mut stream) {
            rest.push(message);
        }
        let ended = thread.join().unwrap();
        let left = std::fs::read_dir(dir.path().join("tmp")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "temporary files are left");
        (rest, ended)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

/// A step with arguments, allowed to change the host.
pub fn call(module: &str, args: Value) -> Step {
    let Value::Object(args) = args else { panic!("arguments are an object") };
    Step {
        id: 0,
        module: module.into(),
        args,
        r#become: None,
        environment: Default::default(),
        check: false,
        diff: false,
        permission: Permission::Granted,
        continue_on_failure: false,
        unless_changed: Vec::new(),
        after: None,
        together: Vec::new(),
        python: None,
        timeout: 0,
        background: 0,
    }
}

pub fn ping() -> Step {
    call("ping", json!({}))
}

pub fn crash() -> Step {
    call("ping", json!({"data": "crash"}))
}

/// A step that makes a directory.
pub fn mkdir(path: &Path) -> Step {
    call("file", json!({"path": path, "state": "directory"}))
}

pub fn shell(line: &str) -> Step {
    call("shell", json!({"_raw_params": line}))
}

pub fn asking(step: Step) -> Step {
    Step { permission: Permission::Ask, ..step }
}

pub fn text<'a>(result: &'a Map, key: &str) -> &'a str {
    result.get(key).and_then(Value::as_str).unwrap_or_default()
}
