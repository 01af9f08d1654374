//! The agent as a program, embedded: `build.rs` made it.

use transport::{AgentBinaries, PackedAgent};

/// The agent: a static ELF program, packed. Its hash is its name on the hosts.
const EMBEDDED: PackedAgent = include!(concat!(env!("OUT_DIR"), "/agent.rs"));

/// The agents this executable carries.
pub fn embedded() -> AgentBinaries {
    // The build wrote the hash.
    AgentBinaries::new().with_packed(&EMBEDDED).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked() -> Vec<u8> {
        let mut program = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(EMBEDDED.gzip), &mut program).unwrap();
        assert_eq!(program.len(), EMBEDDED.size);
        assert_eq!(protocol::Hash::of(&program).to_string(), EMBEDDED.hash);
        program
    }

    /// It must not need anything of the host it is sent to: a program header of type PT_INTERP (3) would ask
    /// for a loader (System V ABI, "Program Header").
    #[test]
    fn the_agent_is_a_static_program_for_this_machine() {
        let program = unpacked();
        assert_eq!(EMBEDDED.machine, std::env::consts::ARCH);
        assert!(program.starts_with(b"\x7fELF\x02\x01"));
        let number = |at: usize, size: usize| {
            program[at..at + size].iter().rev().fold(0usize, |n, byte| n << 8 | usize::from(*byte))
        };
        let (table, size, count) = (number(32, 8), number(54, 2), number(56, 2));
        let kinds: Vec<usize> = (0..count).map(|n| number(table + n * size, 4)).collect();
        assert!(!kinds.contains(&3), "it is linked dynamically");
    }

    #[test]
    fn the_agent_speaks_this_version_of_the_protocol() {
        use std::io::Write;
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("agent");
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(&unpacked()).unwrap();
        drop(file);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        let output = std::process::Command::new(&path).arg("--version").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.ends_with(&format!("protocol {}\n", protocol::VERSION)), "{text}");
    }
}
