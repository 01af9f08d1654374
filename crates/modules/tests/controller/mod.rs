//! The little of the controller that modules split between both sides need in a test.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;

use modules::{Blobs, Host, Map, Value};
use protocol::{Hash, Outcome};

/// Contents by hash, as the controller would send them.
#[derive(Default)]
pub struct Contents(Mutex<HashMap<String, PathBuf>>);

impl Blobs for Contents {
    fn fetch(&self, hash: Hash) -> io::Result<PathBuf> {
        let known = self.0.lock().unwrap();
        known.get(&hash.to_string()).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

/// Nothing yet.
pub struct Server;

impl Server {
    pub fn start(_: &[Value]) -> Self {
        Self
    }

    pub fn port(&self) -> u16 {
        0
    }
}

/// Run a call as the agent does.
pub fn call(module: &str, args: Map, host: &Host, _contents: &Contents) -> Outcome {
    agent(module, &args, host)
}

pub fn agent(module: &str, args: &Map, host: &Host) -> Outcome {
    let entry = modules::find(module).unwrap_or_else(|| panic!("no module {module}"));
    match (entry.plan)(args, host) {
        Err(error) => error.into_outcome(),
        Ok(plan) if host.check() => plan.outcome(),
        Ok(plan) => plan.carry_out(host),
    }
}
