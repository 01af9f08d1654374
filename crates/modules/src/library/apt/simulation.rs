//! What `apt-get install` would do, from what its simulation says.

use crate::{Host, Result};

use super::AptArgs;
use super::command::Apt;

/// A package that would be unpacked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Install {
    /// `name`, or `name:architecture` for a foreign one.
    pub name: String,
    pub version: String,
    /// The version that would go.
    pub old: Option<String>,
}

/// All that one call would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Simulation {
    /// In the order in which they would be unpacked.
    pub installs: Vec<Install>,
    /// Packages would go.
    pub removes: bool,
    pub said: String,
}

impl Simulation {
    /// Ask `apt-get`, which takes no lock for that.
    pub fn ask(args: &AptArgs, names: &[String], host: &Host) -> Result<Self> {
        let answer = Apt::new("install", names.to_vec()).run(args, host, true)?;
        let said = answer.result.get("stdout").and_then(|out| out.as_str()).unwrap_or_default();
        Ok(Self::parse(said))
    }

    fn parse(said: &str) -> Self {
        let installs = said.lines().filter_map(|line| install(line.strip_prefix("Inst ")?)).collect();
        let removes = said.lines().any(|line| line.starts_with("Remv ") || line.starts_with("Purg "));
        Self { installs, removes, said: said.to_owned() }
    }

    /// Would a newer or older version take the place of any?
    pub fn replaces(&self) -> bool {
        self.installs.iter().any(|install| install.old.is_some())
    }
}

impl Install {
    /// Is it what `apt-get install` is asked for with this word?
    pub fn is(&self, word: &str) -> bool {
        word.split_once('=') == Some((&self.name, &self.version))
    }
}

/// `zalpha [1.0] (2.0 stable [all])`
fn install(line: &str) -> Option<Install> {
    let (name, rest) = line.split_once(' ')?;
    let (old, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((old, rest)) => (Some(old.to_owned()), rest),
        None => (None, rest),
    };
    let version = rest.strip_prefix('(')?.split([' ', ')']).next()?;
    Some(Install { name: name.to_owned(), version: version.to_owned(), old })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_simulation_says_is_understood() {
        let both = Simulation::parse(
            "Inst zalpha [1.0] (2.0 localhost, Debian:12/stable [all])\nInst zdep (1.0 localhost [all])\n\
             Conf zdep (1.0 localhost [all])\n",
        );
        let zalpha = Install { name: "zalpha".into(), version: "2.0".into(), old: Some("1.0".into()) };
        assert_eq!(both.installs[0], zalpha);
        assert!(both.installs[1].is("zdep=1.0") && both.installs.len() == 2);
        assert!(both.replaces());
        assert!(!both.removes && Simulation::parse("Remv zconflict [1.0]\n").removes);
    }
}
