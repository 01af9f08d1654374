//! Waiting for an agent to announce itself, while its starter may ask for a password.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// How long a starter may take, in all.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How often to look when nothing is heard.
const PAUSE: Duration = Duration::from_millis(20);
/// More than this before the announcement is not a login message any more.
const NOISE_LIMIT: usize = 1 << 20;

/// What came of waiting for a moment.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// The agent is there.
    Announced,
    /// Something else was said, or time passed.
    Something,
    /// Its output ended: there will be no agent.
    End,
    /// It took too long.
    Late,
}

/// A conversation with a starter.
pub struct Dialog {
    from: File,
    talk: File,
    announcement: Vec<u8>,
    noise: Vec<u8>,
    /// What it said on its other channel (standard error or the terminal).
    pub said: Vec<u8>,
    until: Instant,
}

impl Dialog {
    /// `from` is where the agent will speak, `talk` where its starter asks and complains.
    pub fn new(from: File, talk: File, announcement: &str) -> Self {
        Self {
            from,
            talk,
            announcement: format!("{announcement}\n").into_bytes(),
            noise: Vec::new(),
            said: Vec::new(),
            until: Instant::now() + PATIENCE,
        }
    }

    /// Listen until something is said, or a short while.
    pub fn listen(&mut self) -> Heard {
        if Instant::now() >= self.until {
            return Heard::Late;
        }
        let (agent, talk) = ready(self.from.as_fd(), self.talk.as_fd());
        // Complaints first: they explain an end.
        if talk {
            self.hear_talk();
        }
        if !agent {
            return Heard::Something;
        }
        // Byte by byte: what follows the announcement is for somebody else.
        let mut byte = [0];
        match self.from.read(&mut byte) {
            Ok(1) if self.noise.len() < NOISE_LIMIT => self.noise.push(byte[0]),
            _ => {
                self.drain();
                return Heard::End;
            }
        }
        if self.noise.ends_with(&self.announcement) { Heard::Announced } else { Heard::Something }
    }

    fn hear_talk(&mut self) -> bool {
        let mut piece = [0; 4096];
        match self.talk.read(&mut piece) {
            Ok(n @ 1..) => {
                self.said.extend_from_slice(&piece[..n]);
                true
            }
            _ => false,
        }
    }

    /// Take what was said just before the end.
    fn drain(&mut self) {
        let until = Instant::now() + Duration::from_millis(200);
        while Instant::now() < until {
            if ready(self.talk.as_fd(), self.talk.as_fd()).0 && !self.hear_talk() {
                return;
            }
        }
    }

    /// All that was said so far, as text; what went to standard output counts when there is nothing else.
    pub fn text(&self) -> String {
        let said = if self.said.iter().all(u8::is_ascii_whitespace) { &self.noise } else { &self.said };
        String::from_utf8_lossy(said).replace('\r', "")
    }

    /// Both channels, for the agent that has announced itself.
    pub fn into_parts(self) -> (File, File) {
        (self.from, self.talk)
    }
}

fn ready(a: BorrowedFd<'_>, b: BorrowedFd<'_>) -> (bool, bool) {
    let mut fds = [PollFd::new(a, PollFlags::POLLIN), PollFd::new(b, PollFlags::POLLIN)];
    let timeout = PollTimeout::try_from(PAUSE).unwrap_or(PollTimeout::ZERO);
    if poll(&mut fds, timeout).is_err() {
        return (false, false);
    }
    let any = |fd: &PollFd| fd.any().unwrap_or(false);
    (any(&fds[0]), any(&fds[1]))
}
