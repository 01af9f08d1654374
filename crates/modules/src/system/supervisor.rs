//! supervisor by its own client, `supervisorctl`.
//!
//! A password is in no argument and in no file: the client gets a configuration that refers to its environment,
//! which only its own user can read.

use std::path::PathBuf;

use crate::process::find_program;
use crate::system::{program, textfile};
use crate::words::quote;
use crate::{Host, ModuleError, Process, ProcessOutput, Result, fail};

/// Where the client itself looks for its configuration when it is not told (supervisord(1)), as far as that does
/// not depend on where it is started.
const CONFIGURATIONS: [&str; 2] = ["/etc/supervisord.conf", "/etc/supervisor/supervisord.conf"];
const USER: &str = "PROVISION_SUPERVISOR_USER";
const PASSWORD: &str = "PROVISION_SUPERVISOR_PASSWORD";

/// How to reach supervisor.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// Path of `supervisorctl`, or its name.
    pub program: Option<String>,
    pub config: Option<String>,
    pub server_url: Option<String>,
    pub username: Option<String>,
    pub password: Option<String>,
}

/// A line of `supervisorctl status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// `name`, or `group:name`.
    pub name: String,
    /// `RUNNING`, `STOPPED`, `FATAL` ...
    pub state: String,
}

impl Program {
    /// It is called this, or it is in the group of this name.
    pub fn is_in(&self, group: &str) -> bool {
        self.name == group || self.name.strip_prefix(group).is_some_and(|rest| rest.starts_with(':'))
    }
}

impl Client {
    fn path(&self, host: &Host) -> Result<PathBuf> {
        match &self.program {
            None => program::required(host, "supervisorctl"),
            Some(path) => find_program(host, path).ok_or_else(|| {
                fail!("Provided path to supervisorctl does not exist or isn't executable: {path}")
            }),
        }
    }

    /// Run a command; gives what happened, and the command as it may be shown.
    pub fn run(&self, host: &Host, words: &[&str]) -> Result<(ProcessOutput, String)> {
        let path = self.path(host)?;
        let mut options: Vec<String> = Vec::new();
        let mut option = |letter: &str, value: &Option<String>| {
            if let Some(value) = value {
                options.extend([letter.to_owned(), value.clone()]);
            }
        };
        let mut process = Process::new(&path);
        // Lives as long as the client runs.
        let mut secret = None;
        if let Some(password) = &self.password {
            let file = self.secret_configuration(host)?;
            option("-c", &Some(file.path().display().to_string()));
            process = process.env(PASSWORD, password.clone());
            process = process.env(USER, self.username.clone().unwrap_or_default());
            secret = Some(file);
        } else {
            option("-c", &self.config);
            option("-s", &self.server_url);
            option("-u", &self.username);
        }
        let shown = std::iter::once(path.display().to_string())
            .chain(options.iter().cloned())
            .chain(words.iter().map(|w| (*w).to_owned()));
        let shown: Vec<String> = shown.map(|w| quote(&w)).collect();
        let output = program::run(host, &process.args(&options).args(words))?;
        drop(secret);
        Ok((output, shown.join(" ")))
    }

    /// A configuration of the client that takes user and password from the environment.
    fn secret_configuration(&self, host: &Host) -> Result<tempfile::NamedTempFile> {
        let url = match &self.server_url {
            Some(url) => url.clone(),
            None => self.configured_url(host)?.unwrap_or_else(|| "http://localhost:9001".into()),
        };
        if url.contains(['\n', '\r']) {
            return Err(fail!("server_url must be one line"));
        }
        let text = format!(
            "[supervisorctl]\nserverurl={}\nusername=%(ENV_{USER})s\npassword=%(ENV_{PASSWORD})s\n",
            url.replace('%', "%%")
        );
        let write = || -> std::io::Result<tempfile::NamedTempFile> {
            use std::io::Write;
            let mut file =
                tempfile::Builder::new().prefix("supervisorctl").suffix(".conf").tempfile_in(host.tmp())?;
            file.write_all(text.as_bytes())?;
            file.flush()?;
            Ok(file)
        };
        write().map_err(|e| fail!("could not write a configuration for supervisorctl: {e}"))
    }

    fn configured_url(&self, host: &Host) -> Result<Option<String>> {
        let mut text = None;
        match &self.config {
            Some(path) => text = textfile::read(host, path)?,
            None => {
                for path in CONFIGURATIONS {
                    if text.is_none() {
                        text = textfile::read(host, path)?;
                    }
                }
            }
        }
        Ok(text.as_deref().and_then(server_url))
    }

    /// Run a command that has to succeed.
    pub fn check(&self, host: &Host, words: &[&str]) -> Result<String> {
        let (output, shown) = self.run(host, words)?;
        if output.success() {
            return Ok(output.out());
        }
        Err(ModuleError::new(output.err().trim_end())
            .with("cmd", shown)
            .with("rc", output.rc)
            .with("stdout", output.out())
            .with("stderr", output.err()))
    }

    /// All processes that supervisor knows. Nobody answering is an error with the client's own words.
    pub fn status(&self, host: &Host) -> Result<Vec<Program>> {
        let (output, _) = self.run(host, &["status"])?;
        // 3: some process is not running.
        if matches!(output.rc, 0 | 3) {
            return Ok(programs(&output.out()));
        }
        let said = format!("{}{}", output.out(), output.err());
        Err(fail!("supervisor does not answer: {}", said.trim()))
    }
}

/// Names and states; what else a line says is for people.
pub fn programs(text: &str) -> Vec<Program> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (name, state) = (words.next()?, words.next()?);
            let known =
                ["STOPPED", "STARTING", "RUNNING", "BACKOFF", "STOPPING", "EXITED", "FATAL", "UNKNOWN"];
            known.contains(&state).then(|| Program { name: name.to_owned(), state: state.to_owned() })
        })
        .collect()
}

/// `serverurl` of the section `supervisorctl`.
fn server_url(text: &str) -> Option<String> {
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line.starts_with("[supervisorctl]");
        } else if inside
            && let Some((key, value)) = line.split_once(['=', ':'])
            && key.trim() == "serverurl"
        {
            let value = value.split(" ;").next().unwrap_or_default();
            return Some(value.trim().to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    // Printed by supervisorctl 4.2.5.
    #[test]
    fn lines_of_status_are_read() {
        let text = "many:many_0                      RUNNING   pid 7, uptime 0:00:01\n\
                    pair:flaky                       FATAL     Exited too quickly (process log may have details)\n\
                    worker                           STOPPED   Nov 27 12:00 AM\n\
                    unix:///var/run/supervisor.sock no such file\n";
        let read: Vec<(String, String)> = programs(text).into_iter().map(|p| (p.name, p.state)).collect();
        let expected = [("many:many_0", "RUNNING"), ("pair:flaky", "FATAL"), ("worker", "STOPPED")];
        assert_eq!(read, expected.map(|(n, s)| (n.to_owned(), s.to_owned())));
        assert!(programs(text)[0].is_in("many"));
        assert!(!programs(text)[0].is_in("man"));
    }

    #[test]
    fn the_url_is_that_of_the_clients_section() {
        let text =
            "[inet_http_server]\nserverurl=no\n[supervisorctl]\nserverurl=unix:///run/s.sock ; where\n";
        assert_eq!(server_url(text).as_deref(), Some("unix:///run/s.sock"));
        assert_eq!(server_url("[supervisord]\n"), None);
    }
}
