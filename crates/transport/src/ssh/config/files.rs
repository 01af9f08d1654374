//! Reading `ssh_config` files: which lines are for this host.
//!
//! Host and Match blocks, Include with its patterns, the first value of each option winning, and unknown
//! options refused also in blocks for other hosts, as ssh_config(5) says and ssh(1) does. The crates
//! ssh2-config 0.9 and russh-config 0.58 were looked at: neither has Match, tokens or places of errors.

use std::path::{Path, PathBuf};

use super::options::Options;
use super::{pattern, tokens, words};
use crate::error::ConfigError;

/// Files may include files this deep (OpenSSH's limit).
const MAX_DEPTH: usize = 16;

/// Whom a configuration is read for.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The name given to ssh.
    pub original: String,
    /// The user here.
    pub local_user: String,
    /// Home directory here.
    pub home: PathBuf,
}

/// Reads files into options.
pub struct Reader<'a> {
    pub subject: &'a Subject,
    pub options: Options,
    /// This is the second pass, in which `Match final` holds.
    pub final_pass: bool,
    /// A `Match final` was seen.
    pub wants_final: bool,
}

impl Reader<'_> {
    /// Read `path` if it exists; `user` says whether it is the user's own (for relative Includes).
    pub fn read_file(&mut self, path: &Path, user: bool, required: bool) -> Result<(), ConfigError> {
        self.file(path, user, required, true, 0)
    }

    fn file(
        &mut self,
        path: &Path,
        user: bool,
        required: bool,
        enclosing: bool,
        depth: usize,
    ) -> Result<(), ConfigError> {
        let text = match std::fs::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(e) if !required && e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(e) => {
                let reason = format!("Can't open user config file: {e}");
                return Err(ConfigError { place: path.display().to_string(), reason });
            }
        };
        let mut here = enclosing;
        for (number, line) in text.lines().enumerate() {
            let Some((keyword, rest)) = words::keyword(line) else { continue };
            let place = format!("{} line {}", path.display(), number + 1);
            let bad = |reason: String| ConfigError { place: place.clone(), reason };
            match keyword.as_str() {
                "host" => {
                    let patterns = self.words(rest, &place)?;
                    here = enclosing
                        && pattern::list_matches(patterns.iter().map(String::as_str), &self.subject.original);
                }
                "match" => here = self.match_line(rest, enclosing, &place)?,
                "include" => {
                    if depth + 1 >= MAX_DEPTH {
                        return Err(bad("Too many recursive configuration includes".into()));
                    }
                    for pattern in self.words(rest, &place)? {
                        self.include(&pattern, user, &place, here, depth + 1)?;
                    }
                }
                _ => self.options.set(&keyword, rest, &place, here)?,
            }
        }
        Ok(())
    }

    fn words(&self, rest: &str, place: &str) -> Result<Vec<String>, ConfigError> {
        let bad = |reason: &str| ConfigError { place: place.to_owned(), reason: reason.to_owned() };
        let words = words::split(rest).ok_or_else(|| bad("unbalanced quotes"))?;
        if words.is_empty() { Err(bad("missing argument")) } else { Ok(words) }
    }

    fn include(
        &mut self,
        pattern: &str,
        user: bool,
        place: &str,
        active: bool,
        depth: usize,
    ) -> Result<(), ConfigError> {
        let expanded = tokens::tilde(pattern, &self.subject.home);
        let full = match (expanded.is_absolute(), user) {
            (true, _) => expanded,
            (false, true) => self.subject.home.join(".ssh").join(expanded),
            (false, false) => Path::new("/etc/ssh").join(expanded),
        };
        let bad = |reason: String| ConfigError { place: place.to_owned(), reason };
        let paths =
            glob::glob(&full.to_string_lossy()).map_err(|e| bad(format!("Include {pattern}: {e}")))?;
        for path in paths.flatten() {
            self.file(&path, user, true, active, depth)?;
        }
        Ok(())
    }

    /// Does a Match line hold? A criterion that is not reached because one before it failed is still
    /// checked for its words, but a command is not run.
    fn match_line(&mut self, rest: &str, enclosing: bool, place: &str) -> Result<bool, ConfigError> {
        let bad = |reason: String| ConfigError { place: place.to_owned(), reason };
        let words = self.words(rest, place)?;
        let mut words = words.iter().peekable();
        let (mut holds, mut count, mut seen_all) = (enclosing, 0, false);
        while let Some(word) = words.next() {
            count += 1;
            let (negated, attribute) =
                word.strip_prefix('!').map_or((false, word.as_str()), |rest| (true, rest));
            let (attribute, inline) =
                attribute.split_once('=').map_or((attribute, None), |(a, v)| (a, Some(v)));
            let attribute = attribute.to_ascii_lowercase();
            let result = match attribute.as_str() {
                "all" => {
                    seen_all = true;
                    true
                }
                "canonical" => false,
                "final" => {
                    self.wants_final = true;
                    self.final_pass
                }
                "host" | "originalhost" | "user" | "localuser" | "exec" | "tagged" | "localnetwork"
                | "version" => {
                    let argument = match inline {
                        Some(argument) => argument,
                        None => words
                            .next()
                            .ok_or_else(|| bad(format!("Missing Match criteria for {attribute}")))?,
                    };
                    self.criterion(&attribute, argument, holds).map_err(bad)?
                }
                _ => return Err(bad(format!("Unsupported Match attribute {word}"))),
            };
            holds &= result != negated;
        }
        if seen_all && count > 1 && !words_are_all_with_final(rest) {
            return Err(bad("'all' cannot be combined with other Match attributes".into()));
        }
        Ok(holds)
    }

    fn criterion(&self, attribute: &str, argument: &str, reached: bool) -> Result<bool, String> {
        let list = |text: &str| pattern::list_matches(argument.split(','), text);
        Ok(match attribute {
            "originalhost" => list(&self.subject.original),
            "host" => list(&self.host_now()),
            "user" => list(self.options.text("user").unwrap_or(&self.subject.local_user)),
            "localuser" => list(&self.subject.local_user),
            "tagged" => list(self.options.text("tag").unwrap_or("")),
            "exec" => reached && self.run(argument)?,
            other => return Err(format!("Match {other} is not supported")),
        })
    }

    /// The host's name as far as it is known at this line.
    fn host_now(&self) -> String {
        let original = &self.subject.original;
        match self.options.text("hostname") {
            Some(name) => tokens::expand(name, &[('h', original)]).unwrap_or_else(|_| name.to_owned()),
            None => original.clone(),
        }
    }

    /// `Match exec`: the command is run as ssh does, by the user's shell; it holds when it exits with 0.
    fn run(&self, command: &str) -> Result<bool, String> {
        let host = self.host_now();
        let user = self.options.text("user").unwrap_or(&self.subject.local_user);
        let home = self.subject.home.to_string_lossy();
        let command = tokens::expand(
            command,
            &[
                ('h', host.as_str()),
                ('n', &self.subject.original),
                ('k', self.options.text("hostkeyalias").unwrap_or(&host)),
                ('p', self.options.text("port").unwrap_or("22")),
                ('r', user),
                ('u', &self.subject.local_user),
                ('d', &home),
                ('L', tokens::local_host().split('.').next().unwrap_or("")),
                ('l', &tokens::local_host()),
            ],
        )?;
        let shell = std::env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into());
        let status = std::process::Command::new(shell)
            .arg("-c")
            .arg(&command)
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .map_err(|e| format!("Match exec {command:?}: {e}"))?;
        Ok(status.success())
    }
}

/// `all` may only stand alone or behind `canonical` or `final`.
fn words_are_all_with_final(rest: &str) -> bool {
    let words: Vec<String> =
        rest.split_whitespace().map(|w| w.trim_start_matches('!').to_ascii_lowercase()).collect();
    matches!(words.iter().map(String::as_str).collect::<Vec<_>>()[..], ["canonical" | "final", "all"])
}
