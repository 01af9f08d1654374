//! The one line that starts the agent on a host.

use protocol::{Start, ToAgent, frame};

use crate::agents::AgentBinaries;
use crate::error::ConnectError;

const TEMPLATE: &str = include_str!("script.sh");

/// What varies from one start to the next.
pub struct Parameters<'a> {
    pub agents: &'a AgentBinaries,
    pub start: &'a Start,
    /// Marks our lines in the output.
    pub mark: &'a str,
    /// Directories to try first.
    pub directories: &'a [String],
    /// Directories that turned out not to do.
    pub skip: &'a [String],
    /// A cached agent did not work: place it anew.
    pub fresh: bool,
}

/// The command for the user's login shell, whichever that is: `exec /bin/sh -c '...'`.
pub fn command(parameters: &Parameters<'_>) -> Result<String, ConnectError> {
    let start = encode_start(parameters.start)?;
    let mut directories = String::new();
    for directory in parameters.directories {
        // `/` as the directory that must exist: whatever is missing above it is made.
        directories.push_str(&format!("{} / ", directory_word(directory)?));
    }
    let mut skip = String::from(":");
    for directory in parameters.skip {
        skip.push_str(&word(directory)?);
        skip.push(':');
    }
    let mut script = format!(
        "n={}; s={start}; k=\"{skip}\"; f={}; {}; ",
        parameters.mark,
        u8::from(parameters.fresh),
        machines(parameters.agents),
    );
    let lines = TEMPLATE.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let body = lines.collect::<Vec<_>>().join(" ");
    script.push_str(&body.replace("DIRECTORIES ", &directories));
    Ok(format!("exec /bin/sh -c '{script}'"))
}

/// The agent's first message as one argument: it saves a round trip, as sshd takes no input before it has
/// started the command.
fn encode_start(start: &Start) -> Result<String, ConnectError> {
    let bytes = frame::encode(&ToAgent::Start(start.clone()))
        .map_err(|e| ConnectError::NoAgent { reason: e.to_string() })?;
    Ok(hex::encode(&bytes[4..]))
}

/// The shell function that knows the agents: `a`, `z`, `h`, `c` for the machine `m`.
fn machines(agents: &AgentBinaries) -> String {
    let several = agents.iter().len() > 1;
    let mut cases = String::new();
    for agent in agents.iter() {
        let machine = match agent.machine.as_str() {
            "x86_64" => "x86_64|amd64",
            "aarch64" => "aarch64|arm64",
            "i686" => "i?86",
            other => other,
        };
        // With a single agent the machine need not be asked for: if that file is there, it ran before.
        let unknown = if several { "" } else { "\"\"|" };
        cases.push_str(&format!(
            "{unknown}{machine}) a={} z={} h={} c={};; ",
            agent.file_name(),
            agent.size,
            agent.hash,
            agent.checksum
        ));
    }
    let ask = if several { "[ -n \"$m\" ] || m=$(uname -m); " } else { "" };
    format!("what() {{ {ask}case \"$m\" in {cases}*) a= z= h= c=;; esac; }}")
}

/// A directory in double quotes, with its `~` as the shell's `$HOME`.
fn directory_word(directory: &str) -> Result<String, ConnectError> {
    let plain = word(directory)?;
    Ok(match plain.strip_prefix("~/") {
        Some(rest) => format!("\"$HOME/{rest}\""),
        None if plain == "~" => "\"$HOME\"".into(),
        None => format!("\"{plain}\""),
    })
}

/// Text that means itself between double quotes inside single quotes, in every shell.
fn word(text: &str) -> Result<String, ConnectError> {
    let odd = |c: char| c.is_control() || "'\"\\!`$:".contains(c);
    if text.is_empty() || text.contains(odd) {
        return Err(ConnectError::AgentDirectory(text.to_owned()));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(agents: &AgentBinaries) -> String {
        let parameters = Parameters {
            agents,
            start: &Start::default(),
            mark: "provision-0",
            directories: &["~/a b".into(), "/opt/x".into()],
            skip: &["/tmp/y".into()],
            fresh: false,
        };
        command(&parameters).unwrap()
    }

    #[test]
    fn the_line_survives_every_login_shells_quotes() {
        let line = line(&AgentBinaries::new().with("x86_64", "x").with("aarch64", "y"));
        let inner = line.strip_prefix("exec /bin/sh -c '").unwrap().strip_suffix('\'').unwrap();
        assert!(!inner.contains(['\'', '\n', '!', '\\']), "{inner}");
        assert!(inner.contains("set -- \"$HOME/a b\" / \"/opt/x\" / \"$HOME/.cache/provision\""), "{inner}");
    }

    #[test]
    fn it_is_a_shell_script() {
        for agents in
            [AgentBinaries::new().with("x86_64", "x"), AgentBinaries::new().with("a", "x").with("b", "y")]
        {
            let status = std::process::Command::new("sh").arg("-nc").arg(line(&agents)).status().unwrap();
            assert!(status.success());
        }
    }

    #[test]
    fn directories_that_would_break_out_are_refused() {
        for bad in ["a'b", "$(x)", "a\nb", "", "a\\b"] {
            assert!(directory_word(bad).is_err(), "{bad:?}");
        }
    }
}
