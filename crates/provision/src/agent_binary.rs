//! The agent as a program, embedded: `build.rs` made it.

/// The machine that the embedded agent is for, as `uname -m` says it.
pub const MACHINE: &str = env!("PROVISION_AGENT_MACHINE");

/// The embedded agent: a static ELF program. It is embedded as it is: its hash is its name on the hosts, and
/// the connection compresses.
pub fn embedded() -> &'static [u8] {
    include_bytes!(concat!(env!("OUT_DIR"), "/provision-agent"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It must not need anything of the host it is sent to: a program header of type PT_INTERP (3) would ask
    /// for a loader (System V ABI, "Program Header").
    #[test]
    fn the_agent_is_a_static_program_for_this_machine() {
        let program = embedded();
        assert_eq!(MACHINE, std::env::consts::ARCH);
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
        file.write_all(embedded()).unwrap();
        drop(file);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        let output = std::process::Command::new(&path).arg("--version").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.ends_with(&format!("protocol {}\n", protocol::VERSION)), "{text}");
    }
}
