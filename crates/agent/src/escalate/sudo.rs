//! Through sudo: the password goes to its standard input when its prompt, which we choose, is seen.

use std::io::{BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use protocol::Become;

use super::dialog::{Dialog, Heard};
use super::{Refused, Started, executable, not_started};
use crate::start::Program;
use crate::tmp::unique_name;

pub fn start(wanted: &Become, program: &Program, file: &Path) -> Result<Started, Refused> {
    let word = unique_name("agent");
    let prompt = format!("[{}] password:", unique_name("sudo"));
    let (exe, first) = executable(wanted, "sudo")?;
    let mut command = Command::new(&exe);
    command
        .args(first)
        .args(flags(wanted))
        .arg("-p")
        .arg(&prompt)
        .arg("-u")
        .arg(&wanted.user)
        .arg("--")
        .arg(file);
    command.args(&program.args).args(["--announce", &word]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    // Messages are understood in English only.
    command.env("LC_MESSAGES", "C").env("LANGUAGE", "C");
    let mut process = command.spawn().map_err(|e| not_started(&exe, &e))?;
    let (Some(mut to), Some(from), Some(talk)) =
        (process.stdin.take(), process.stdout.take(), process.stderr.take())
    else {
        return Err(Refused("no pipe to sudo".into()));
    };
    let mut dialog = Dialog::new(OwnedFd::from(from).into(), OwnedFd::from(talk).into(), &word);
    let mut answered = 0;
    let end = loop {
        match dialog.listen() {
            Heard::Announced => break None,
            Heard::End if is_missing(&dialog.text()) => break Some(Refused::missing("sudo")),
            Heard::End => break Some(Refused::ended(&hide(&dialog.text(), &prompt))),
            Heard::Late => break Some(Refused("Timed out waiting for become success.".into())),
            Heard::Something => {}
        }
        let asked = count(&dialog.said, prompt.as_bytes());
        if asked > answered {
            match &wanted.password {
                _ if answered > 0 => break Some(Refused::incorrect("sudo")),
                None => break Some(Refused::missing("sudo")),
                Some(password) => {
                    let line = format!("{}\n", password.expose());
                    if to.write_all(line.as_bytes()).is_err() {
                        break Some(Refused::ended(&hide(&dialog.text(), &prompt)));
                    }
                    answered = asked;
                }
            }
        }
    };
    if let Some(refused) = end {
        drop(to);
        let _ = process.kill();
        let _ = process.wait();
        return Err(refused);
    }
    let (from, talk) = dialog.into_parts();
    forward(talk);
    Ok(Started { process, to: OwnedFd::from(to).into(), from: BufReader::new(from), terminal: None })
}

/// What the agent writes to standard error is for whoever reads ours.
fn forward(mut talk: std::fs::File) {
    std::thread::spawn(move || std::io::copy(&mut talk, &mut std::io::stderr()));
}

/// `become_flags` or Ansible's default. With a password there must be no `-n`, and `-S` makes sudo read it.
fn flags(wanted: &Become) -> Vec<String> {
    let default = || ["-H", "-S", "-n"].map(str::to_owned).to_vec();
    let mut flags = wanted.flags.clone().unwrap_or_else(default);
    if wanted.password.is_some() {
        flags.retain(|f| f != "-n" && f != "--non-interactive");
        for flag in &mut flags {
            // `-nH` is `-n -H`.
            if flag.len() > 2
                && flag.starts_with('-')
                && !flag.starts_with("--")
                && flag[1..].chars().all(|c| "nHSEkbiKABPs".contains(c))
            {
                flag.retain(|c| c != 'n');
            }
        }
        if !flags
            .iter()
            .any(|f| f == "--stdin" || (f.starts_with('-') && !f.starts_with("--") && f.contains('S')))
        {
            flags.push("-S".into());
        }
    }
    flags
}

/// Did it end because it was not given a password?
fn is_missing(text: &str) -> bool {
    let signs = ["a password is required", "a terminal is required to read the password", "no tty present"];
    signs.iter().any(|s| text.contains(s))
}

fn count(text: &[u8], word: &[u8]) -> usize {
    text.windows(word.len()).filter(|w| *w == word).count()
}

fn hide(text: &str, prompt: &str) -> String {
    text.replace(prompt, "")
}
