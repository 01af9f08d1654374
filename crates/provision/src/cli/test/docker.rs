//! What the test cannot do without, and what to say when it is missing.

use std::io::ErrorKind;
use std::process::{Command, Stdio};

use super::Failure;

/// What can be done on a machine that cannot start the hosts.
const INSTEAD: &str = "Instead, name two bare Debian 12 hosts of yours in inventory/hosts and run `provision \
    playbooks/site.yml -i inventory/hosts` and then `provision docker-test/verify.yml -i inventory/hosts`.\n\
    The tests of `cargo test --workspace` need no Docker.";

/// Programs that the scripts use, and Debian's packages that have them.
const PROGRAMS: [(&str, &[&str], &str); 2] =
    [("bash", &["--version"], "bash"), ("ssh-keygen", &["-?"], "openssh-client")];

/// Refuse at once if the hosts could not be started here.
pub fn check() -> Result<(), Failure> {
    let said = Command::new("docker").arg("version").stdin(Stdio::null()).output();
    match said {
        Err(e) if e.kind() == ErrorKind::NotFound => {
            return Err(missing(
                "Docker is not installed, and the hosts to test on are containers: on Debian, `apt-get install \
                 docker.io` brings it.",
            ));
        }
        Err(e) => return Err(missing(&format!("Docker cannot be started: {e}."))),
        Ok(output) if !output.status.success() => {
            let words = String::from_utf8_lossy(&output.stderr);
            let last = words.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it says nothing");
            return Err(missing(&format!(
                "Docker is installed, but its engine does not answer ({}): `systemctl start docker` starts it, and \
                 members of the group docker may use it.",
                last.trim().trim_end_matches('.')
            )));
        }
        Ok(_) => {}
    }
    for (program, arguments, package) in PROGRAMS {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if command.status().is_err_and(|e| e.kind() == ErrorKind::NotFound) {
            return Err(missing(&format!(
                "{program} is not installed, and the scripts that start the hosts use it: on Debian, `apt-get \
                 install {package}` brings it."
            )));
        }
    }
    Ok(())
}

fn missing(what: &str) -> Failure {
    Failure::new(format!("{what}\n{INSTEAD}"))
}
