//! Root becomes somebody else without asking.

use std::io::BufReader;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{setgid, setgroups, setuid};
use protocol::Become;

use super::{Refused, Started, shell_line};
use crate::identity::User;
use crate::start::Program;

/// sudo's `secure_path` as Debian and most others ship it.
const SECURE_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Variables that sudo keeps (`env_keep` and `env_check` of its manual, as far as they mean something here).
const KEPT: [&str; 5] = ["TERM", "LANG", "LANGUAGE", "TZ", "DISPLAY"];

/// The user to become, if this way can be taken.
pub fn applies(me: &User, wanted: &Become) -> Result<Option<User>, Refused> {
    let plain_flags = match (wanted.method.as_str(), &wanted.flags) {
        (_, None) => true,
        ("sudo", Some(flags)) => flags.iter().all(|f| ["-H", "-S", "-n"].contains(&f.as_str())),
        (_, Some(flags)) => flags.is_empty(),
    };
    let plain = plain_flags && wanted.exe.as_deref().unwrap_or("").is_empty() && wanted.method != "doas";
    if !me.uid.is_root() || !plain {
        return Ok(None);
    }
    let Some(user) = User::named(&wanted.user) else {
        return Err(Refused::ended(&match wanted.method.as_str() {
            "su" => format!(
                "su: user {} does not exist or the user entry does not contain all the required fields",
                wanted.user
            ),
            method => format!("{method}: unknown user {}", wanted.user),
        }));
    };
    // su runs the user's shell: where that is one that refuses, su shall say so.
    let refusing = ["nologin", "false"].iter().any(|s| user.shell.ends_with(s));
    Ok((wanted.method != "su" || !refusing).then_some(user))
}

/// Start the agent as `user`.
///
/// This is an `exec` of `/proc/self/exe`, not a mere `fork`: the new process holds nothing of root's memory, and
/// the file needs to be reachable by root only (but executable by everybody: the kernel asks the file for that). It costs about a millisecond, once for each user.
pub fn start(me: &User, user: &User, method: &str, program: &Program) -> Result<Started, Refused> {
    let path = if program.is_this && Path::new("/proc/self/exe").exists() {
        Path::new("/proc/self/exe")
    } else {
        &program.path
    };
    let mut command = Command::new(path);
    command.arg0(&program.path).args(&program.args).stdin(Stdio::piped()).stdout(Stdio::piped());
    if method == "sudo" {
        command.env_clear();
        command
            .envs(std::env::vars_os().filter(|(name, _)| {
                name.to_str().is_some_and(|n| KEPT.contains(&n) || n.starts_with("LC_"))
            }));
        command
            .env("PATH", SECURE_PATH)
            .env("MAIL", format!("/var/mail/{}", user.name))
            .env("SUDO_COMMAND", shell_line(&program.path, &program.args))
            .env("SUDO_USER", &me.name)
            .env("SUDO_UID", me.uid.to_string())
            .env("SUDO_GID", me.gid.to_string());
    }
    command
        .env("HOME", &user.home)
        .env("USER", &user.name)
        .env("LOGNAME", &user.name)
        .env("SHELL", &user.shell);
    let groups = user.groups();
    let (uid, gid) = (user.uid, user.gid);
    // SAFETY: system calls on values made before the fork; nothing is allocated, no lock is taken.
    unsafe {
        command.pre_exec(move || {
            setgroups(&groups)?;
            setgid(gid)?;
            setuid(uid)?;
            Ok(())
        });
    }
    let mut process = command
        .spawn()
        .map_err(|e| Refused(format!("could not start {} as {}: {e}", program.path.display(), user.name)))?;
    let (Some(to), Some(from)) = (process.stdin.take(), process.stdout.take()) else {
        return Err(Refused("no pipe to the agent".into()));
    };
    let from: std::os::fd::OwnedFd = from.into();
    let to: std::os::fd::OwnedFd = to.into();
    Ok(Started { process, to: to.into(), from: BufReader::new(from.into()), terminal: None })
}
