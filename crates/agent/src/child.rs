//! A child: this program under another identity, speaking the same protocol.

use std::fs::File;
use std::io::Write;
use std::process;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use protocol::{FromAgent, ToAgent, frame};

use crate::desk::Desk;
use crate::escalate::Started;

/// How long a child may take to leave after its input ended.
const LEAVE: Duration = Duration::from_secs(5);

/// Something that child number `child` said, or why it says nothing any more.
#[derive(Debug, PartialEq)]
pub struct ChildEvent {
    pub child: u64,
    pub said: Result<FromAgent, String>,
}

/// A running child.
pub struct Child {
    pub number: u64,
    process: process::Child,
    to: Option<File>,
    _terminal: Option<File>,
}

impl Child {
    /// Take over a child that has announced itself; what it says goes to the desk.
    pub fn new(number: u64, started: Started, desk: &Arc<Desk>) -> Self {
        let Started { process, to, mut from, terminal } = started;
        let desk = desk.clone();
        thread::spawn(move || {
            loop {
                let said = match frame::read::<FromAgent>(&mut from) {
                    Ok(Some(message)) => Ok(message),
                    Ok(None) => Err("it ended".to_owned()),
                    Err(error) => Err(error.to_string()),
                };
                let last = said.is_err();
                desk.child_said(ChildEvent { child: number, said });
                if last {
                    return;
                }
            }
        });
        Self { number, process, to: Some(to), _terminal: terminal }
    }

    /// Send it a message.
    pub fn send(&mut self, message: &ToAgent) -> std::io::Result<()> {
        let frame = frame::encode(message).map_err(std::io::Error::other)?;
        match &mut self.to {
            Some(to) => to.write_all(&frame),
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl Drop for Child {
    /// End its input, so that it cleans up and leaves; it does not get long.
    fn drop(&mut self) {
        self.to = None;
        let until = Instant::now() + LEAVE;
        let mut pause = Duration::from_micros(200);
        while Instant::now() < until {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
