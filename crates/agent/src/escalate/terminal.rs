//! Through su or doas: they ask for passwords on a terminal, so one is made for them. The protocol does not run
//! over it.
//!
//! That a password is being asked for is not read from words (they depend on the language) but from the terminal:
//! whoever asks for one turns its echo off. Only where something in between has a terminal of its own and keeps this one
//! raw (`sudo su`), what was said last has to do: all prompts end in a colon.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::libc;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::termios::{LocalFlags, tcgetattr};
use nix::unistd::{pipe2, setsid};
use protocol::Become;

use super::dialog::{Dialog, Heard};
use super::door::Door;
use super::{Refused, Started, executable, not_started, quote, shell_line};
use crate::identity::User;
use crate::start::Program;
use crate::tmp::unique_name;

/// Start the agent by `method`, `su` or `doas`.
pub fn start(method: &str, wanted: &Become, program: &Program, file: &Path) -> Result<Started, Refused> {
    let word = unique_name("agent");
    let (exe, first) = executable(wanted, method)?;
    let (master, slave) = open_terminal().map_err(|e| Refused(format!("no terminal for {method}: {e}")))?;
    let pipes = || -> nix::Result<_> { Ok((pipe2(OFlag::O_CLOEXEC)?, pipe2(OFlag::O_CLOEXEC)?)) };
    let ((theirs_in, to), (from, theirs_out)) =
        pipes().map_err(|e| Refused(format!("no pipe to {method}: {e}")))?;

    let mut args = program.args.clone();
    args.extend(["--announce".into(), word.clone()]);
    let mut command = Command::new(&exe);
    command.args(first);
    let mut door = None;
    if method == "su" {
        // Its own three are the terminal.
        let user = User::named(&wanted.user)
            .ok_or_else(|| Refused::ended(&format!("su: user {} does not exist", wanted.user)))?;
        let opened = Door::new(user.uid).map_err(|e| Refused(format!("no socket for su: {e}")))?;
        args.extend(["--door".into(), opened.name().to_owned()]);
        door = Some(opened);
        let line = format!("/bin/sh -c {}", quote(&format!("exec {}", shell_line(file, &args))));
        command.args(wanted.flags.iter().flatten()).arg(&wanted.user).arg("-c").arg(line);
        command.stdin(copy(&slave)?).stdout(copy(&slave)?).stderr(copy(&slave)?);
    } else {
        // doas closes other descriptors, and asks on the terminal whatever its own three are.
        command.args(wanted.flags.iter().flatten());
        if wanted.password.is_none() {
            command.arg("-n");
        }
        command.arg("-u").arg(&wanted.user).arg(file).args(&args);
        command.stdin(copy(&theirs_in)?).stdout(copy(&theirs_out)?).stderr(copy(&slave)?);
    }
    let terminal = slave.as_raw_fd();
    // SAFETY: system calls on descriptors that are open until the spawn is over; nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            setsid()?;
            if libc::ioctl(terminal, libc::TIOCSCTTY as _, 0) < 0 {
                return Err(std::io::Error::last_os_error());
            }
            Ok(())
        });
    }
    let mut process = command.spawn().map_err(|e| not_started(&exe, &e))?;
    drop((command, slave));
    // Kept until they are handed out, or there is nobody who could come for them.
    let mut theirs = door.is_some().then_some((theirs_in, theirs_out));

    let mut keyboard = copy_file(&master)?;
    let mut dialog = Dialog::new(from.into(), master, &word);
    let mut answered_at = None;
    let end = loop {
        if let (Some(door), Some((input, output))) = (&door, &theirs) {
            match door.hand_out(input, output) {
                Ok(false) if matches!(process.try_wait(), Ok(None)) => {}
                Ok(_) => theirs = None,
                Err(error) => break Some(Refused(format!("no connection to {method}: {error}"))),
            }
        }
        match dialog.listen() {
            Heard::Announced => break None,
            Heard::End if answered_at.is_some() && is_incorrect(&dialog.text()) => {
                break Some(Refused::incorrect(method));
            }
            Heard::End if wanted.password.is_none() && is_missing(&dialog.text()) => {
                break Some(Refused::missing(method));
            }
            Heard::End => break Some(Refused::ended(&dialog.text())),
            Heard::Late => break Some(Refused("Timed out waiting for become success.".into())),
            Heard::Something => {}
        }
        let asking = is_asking(&keyboard, &dialog.said[answered_at.unwrap_or(0)..]);
        match (&wanted.password, answered_at) {
            _ if !asking => {}
            (None, _) => break Some(Refused::missing(method)),
            (Some(password), None) => {
                answered_at = Some(dialog.said.len());
                let line = format!("{}\n", password.expose());
                if keyboard.write_all(line.as_bytes()).is_err() {
                    break Some(Refused::ended(&dialog.text()));
                }
            }
            // Asked again, with words after the line's end.
            (Some(_), Some(at)) if dialog.said.len() > at + 2 => break Some(Refused::incorrect(method)),
            _ => {}
        }
    };
    if let Some(refused) = end {
        let _ = process.kill();
        let _ = process.wait();
        return Err(refused);
    }
    let (from, terminal) = dialog.into_parts();
    Ok(Started { process, to: to.into(), from: BufReader::new(from), terminal: Some(terminal) })
}

/// A terminal: our end, and the one for the program.
fn open_terminal() -> std::io::Result<(File, OwnedFd)> {
    let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname_r(&master)?;
    let slave = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOCTTY).open(name)?;
    fcntl(&master, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    let master = fcntl(&master, FcntlArg::F_DUPFD_CLOEXEC(3))?;
    // SAFETY: the descriptor was made on the line above and belongs to nobody else.
    Ok((unsafe { File::from_raw_fd(master) }, slave.into()))
}

fn copy(fd: &OwnedFd) -> Result<Stdio, Refused> {
    fd.try_clone().map(Stdio::from).map_err(|e| Refused(format!("no more descriptors: {e}")))
}

fn copy_file(file: &File) -> Result<File, Refused> {
    file.try_clone().map_err(|e| Refused(format!("no more descriptors: {e}")))
}

/// Is somebody asking for a password, after what was `said`?
fn is_asking(terminal: &File, said: &[u8]) -> bool {
    let Ok(modes) = tcgetattr(terminal) else { return false };
    let raw = !modes.local_flags.contains(LocalFlags::ICANON);
    let prompt = || {
        let said = String::from_utf8_lossy(said);
        said.trim_end().ends_with([':', '：'])
    };
    !modes.local_flags.contains(LocalFlags::ECHO) && (!raw || prompt())
}

fn is_incorrect(text: &str) -> bool {
    let signs = ["Authentication failure", "Authentication failed", "incorrect password", "Incorrect"];
    signs.iter().any(|s| text.contains(s))
}

/// doas that may not ask says so.
fn is_missing(text: &str) -> bool {
    ["Authentication required", "Authorization required", "a tty is required"]
        .iter()
        .any(|s| text.contains(s))
}
