//! The agent as a program: one for each kind of machine, carried inside the `provision` executable.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use protocol::Hash;

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
    pub content: Bytes,
    pub hash: Hash,
    /// What `cksum` prints for it (POSIX).
    pub checksum: u32,
    packed: OnceLock<Bytes>,
}

impl AgentBinaries {
    /// No agent yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Add the agent for hosts whose `uname -m` is `machine`.
    pub fn with(mut self, machine: &str, content: impl Into<Bytes>) -> Self {
        let content = content.into();
        let binary = AgentBinary {
            machine: machine.to_owned(),
            hash: Hash::of(&content),
            checksum: posix_checksum(&content),
            content,
            packed: OnceLock::new(),
        };
        self.by_machine.insert(machine.to_owned(), Arc::new(binary));
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

    /// The content as gzip has it; packed once, however many hosts want it.
    pub(crate) fn packed(&self) -> Bytes {
        let pack = || {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            let packed = encoder.write_all(&self.content).and_then(|()| encoder.finish());
            // Writing to memory does not fail; if it did, the plain content would serve as well.
            packed.map_or_else(|_| Bytes::new(), Bytes::from)
        };
        self.packed.get_or_init(pack).clone()
    }
}

/// The CRC of POSIX `cksum`: polynomial 0x04C11DB7, then the length, inverted.
fn posix_checksum(content: &[u8]) -> u32 {
    let mut table = [0u32; 256];
    for (index, entry) in table.iter_mut().enumerate() {
        let mut crc = (index as u32) << 24;
        for _ in 0..8 {
            crc = if crc & 0x8000_0000 == 0 { crc << 1 } else { (crc << 1) ^ 0x04C1_1DB7 };
        }
        *entry = crc;
    }
    let step = |crc: u32, byte: u8| (crc << 8) ^ table[((crc >> 24) as u8 ^ byte) as usize];
    let mut crc = content.iter().fold(0, |crc, byte| step(crc, *byte));
    let mut length = content.len();
    while length != 0 {
        crc = step(crc, length as u8);
        length >>= 8;
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_cksum() {
        // printf '' | cksum; printf 123456789 | cksum; head -c 100000 /dev/zero | cksum
        assert_eq!(posix_checksum(b""), 4294967295);
        assert_eq!(posix_checksum(b"123456789"), 930766865);
        assert_eq!(posix_checksum(&[0; 100_000]), 1260869142);
    }
}
