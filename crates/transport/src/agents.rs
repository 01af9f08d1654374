//! The agent as a program: one for each kind of machine, carried inside the `provision` executable.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use protocol::{Hash, posix_checksum};

/// All agents there are.
#[derive(Clone, Debug, Default)]
pub struct AgentBinaries {
    by_machine: BTreeMap<String, Arc<AgentBinary>>,
    /// Program and arguments of the agent on this machine, for local connections. It speaks the protocol
    /// on its standard input and output.
    pub local: Option<Vec<OsString>>,
}

/// The agent for one kind of machine.
#[derive(Debug)]
pub struct AgentBinary {
    /// `uname -m`.
    pub machine: String,
    /// Bytes of the program.
    pub size: usize,
    pub hash: Hash,
    /// What `cksum` prints for it (POSIX).
    pub checksum: u32,
    content: OnceLock<Bytes>,
    packed: OnceLock<Bytes>,
}

/// An agent as `provision` carries it: packed when it was built, with what is said of it without unpacking.
#[derive(Clone, Copy, Debug)]
pub struct PackedAgent {
    /// `uname -m`.
    pub machine: &'static str,
    /// The program as gzip has it.
    pub gzip: &'static [u8],
    pub size: usize,
    /// SHA-256 of the program, as hexadecimal digits.
    pub hash: &'static str,
    /// What `cksum` prints for the program (POSIX).
    pub checksum: u32,
}

impl AgentBinaries {
    /// No agent yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Add the agent for hosts whose `uname -m` is `machine`.
    pub fn with(self, machine: &str, content: impl Into<Bytes>) -> Self {
        let content = content.into();
        self.add(AgentBinary {
            machine: machine.to_owned(),
            size: content.len(),
            hash: Hash::of(&content),
            checksum: posix_checksum(&content),
            content: content.into(),
            packed: OnceLock::new(),
        })
    }

    /// Add an agent that was packed before. `None` if its hash is none.
    pub fn with_packed(self, agent: &PackedAgent) -> Option<Self> {
        Some(self.add(AgentBinary {
            machine: agent.machine.to_owned(),
            size: agent.size,
            hash: Hash::from_hex(agent.hash)?,
            checksum: agent.checksum,
            content: OnceLock::new(),
            packed: Bytes::from_static(agent.gzip).into(),
        }))
    }

    fn add(mut self, binary: AgentBinary) -> Self {
        self.by_machine.insert(binary.machine.clone(), Arc::new(binary));
        self
    }

    /// The command of a local agent.
    pub fn with_local(mut self, command: Vec<OsString>) -> Self {
        self.local = Some(command);
        self
    }

    /// The agent for a machine; machines that run each other's programs share one.
    pub fn for_machine(&self, machine: &str) -> Option<&Arc<AgentBinary>> {
        let canonical = match machine {
            "amd64" => "x86_64",
            "arm64" => "aarch64",
            "i386" | "i486" | "i586" => "i686",
            other => other,
        };
        self.by_machine.get(machine).or_else(|| self.by_machine.get(canonical))
    }

    /// Machines there is an agent for.
    pub fn machines(&self) -> Vec<String> {
        self.by_machine.keys().cloned().collect()
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<AgentBinary>> {
        self.by_machine.values()
    }
}

impl AgentBinary {
    /// Its file name on hosts.
    pub fn file_name(&self) -> String {
        format!("agent-{}", &self.hash.to_string()[..24])
    }

    /// The program itself.
    pub(crate) fn content(&self) -> Bytes {
        let unpack = || {
            let mut content = Vec::with_capacity(self.size);
            // A host that gets less than it should finds that by the checksum.
            let _ = flate2::read::GzDecoder::new(&*self.packed()).read_to_end(&mut content);
            content.into()
        };
        self.content.get_or_init(unpack).clone()
    }

    /// The program as gzip has it; packed once, however many hosts want it.
    pub(crate) fn packed(&self) -> Bytes {
        let pack = || {
            let content = self.content.get().map_or(&[][..], |content| content);
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            let packed = encoder.write_all(content).and_then(|()| encoder.finish());
            // Writing to memory does not fail; if it did, the plain content would serve as well.
            packed.map_or_else(|_| Bytes::new(), Bytes::from)
        };
        self.packed.get_or_init(pack).clone()
    }
}
