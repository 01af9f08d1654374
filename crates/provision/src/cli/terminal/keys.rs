//! Single keys: how a pause is answered.

use std::io::Write;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use engine::user::{PauseAnswer, PauseQuestion};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

const CTRL_C: u8 = 3;
const BACKSPACE: [u8; 2] = [8, 127];

/// Can keys be read? Not from a pipe, and not by a job in the background.
pub fn in_foreground() -> bool {
    super::is_terminal(0)
        && nix::unistd::tcgetpgrp(std::io::stdin()).is_ok_and(|group| group == nix::unistd::getpgrp())
}

/// Wait for a line, or until the time is over; Ctrl-C asks whether to go on.
pub fn pause(question: &PauseQuestion) -> PauseAnswer {
    let raw = RawTerminal::new();
    if let Some(prompt) = &question.prompt {
        show(prompt.replace('\n', "\r\n").as_bytes());
    }
    let end = question.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let answer = read(end, question.echo);
    drop(raw);
    answer
}

fn read(end: Option<Instant>, echo: bool) -> PauseAnswer {
    let mut answer = PauseAnswer::default();
    let mut text: Vec<u8> = Vec::new();
    let mut asked = false;
    while let Some(key) = next_key(if asked { None } else { end }) {
        match key {
            CTRL_C => {
                asked = true;
                show(b"Press 'C' to continue the play or 'A' to abort \r\n");
            }
            b'a' | b'A' if asked => {
                answer.abort = true;
                return answer;
            }
            b'c' | b'C' if asked => return answer,
            _ if asked => {}
            // A line does not end a pause that has a time, and is not its answer.
            _ if end.is_some() => {}
            b'\r' | b'\n' => {
                show(b"\r\n");
                break;
            }
            key if BACKSPACE.contains(&key) => {
                while text.pop().is_some_and(|byte| byte & 0xC0 == 0x80) {}
                if echo {
                    show(b"\r\x1b[K");
                    show(&text);
                }
            }
            key => {
                text.push(key);
                if echo {
                    show(&[key]);
                }
            }
        }
    }
    answer.text = String::from_utf8_lossy(&text).into_owned();
    answer
}

/// The next key; `None` at the end of the input or of the time.
fn next_key(end: Option<Instant>) -> Option<u8> {
    let stdin = std::io::stdin();
    loop {
        let timeout = match end {
            None => PollTimeout::NONE,
            Some(end) => {
                let left = end.checked_duration_since(Instant::now())?.min(Duration::from_secs(3600));
                // Rounded up: not a little too early, again and again.
                PollTimeout::try_from(left.as_millis() + 1).unwrap_or(PollTimeout::MAX)
            }
        };
        match poll(&mut [PollFd::new(std::os::fd::AsFd::as_fd(&stdin), PollFlags::POLLIN)], timeout) {
            Ok(0) | Err(nix::errno::Errno::EINTR) => continue,
            Ok(_) => {}
            Err(_) => return None,
        }
        let mut byte = [0u8; 1];
        return matches!(nix::unistd::read(&stdin, &mut byte), Ok(1)).then_some(byte[0]);
    }
}

fn show(bytes: &[u8]) {
    let mut out = std::io::stdout();
    let _ = out.write_all(bytes);
    let _ = out.flush();
}

/// The terminal without echo, and with Ctrl-C as a key; as it was when dropped.
struct RawTerminal(Option<nix::sys::termios::Termios>);

impl RawTerminal {
    fn new() -> Self {
        use nix::sys::termios::{InputFlags, LocalFlags, SetArg, tcgetattr, tcsetattr};
        // SAFETY: standard input is open for as long as the program runs.
        let stdin = unsafe { BorrowedFd::borrow_raw(0) };
        let Ok(before) = tcgetattr(stdin) else { return Self(None) };
        let mut raw = before.clone();
        raw.local_flags.remove(LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG);
        raw.input_flags.remove(InputFlags::ICRNL);
        let _ = tcsetattr(stdin, SetArg::TCSANOW, &raw);
        Self(Some(before))
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // SAFETY: as above.
            let stdin = unsafe { BorrowedFd::borrow_raw(0) };
            let _ = nix::sys::termios::tcsetattr(stdin, nix::sys::termios::SetArg::TCSANOW, before);
        }
    }
}
