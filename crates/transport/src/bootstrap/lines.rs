//! The marked lines in a host's output, between whatever else it prints.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use crate::error::{ConnectError, Place, after_colon};
use crate::link::{Link, Output};

/// What is kept of other output, for error messages.
const JUNK: usize = 2000;
/// Longest line taken as one of ours.
const LONGEST: usize = 16 << 10;

/// What the command on the host says.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// The agent starts now; what follows is its own.
    Run,
    Missing {
        machine: String,
        system: String,
        gzip: bool,
    },
    /// This directory does not do.
    No(Place),
    /// The agent is awaited.
    Send,
    /// The directory failed after the agent was sent; the command has ended.
    Bad(Place),
    /// No directory is left; the command has ended.
    Nowhere,
}

/// Reads marked lines from a process, and writes to it.
pub struct Lines {
    link: Link,
    mark: Vec<u8>,
    unread: BytesMut,
    junk: Vec<u8>,
    stderr: Vec<u8>,
    waiting: VecDeque<Output>,
}

impl Lines {
    pub fn new(link: Link, mark: String) -> Self {
        let mark = mark.into_bytes();
        Self {
            link,
            mark,
            unread: BytesMut::new(),
            junk: Vec::new(),
            stderr: Vec::new(),
            waiting: VecDeque::new(),
        }
    }

    /// The next of our lines.
    pub async fn next(&mut self) -> Result<Line, ConnectError> {
        loop {
            if let Some(line) = self.take_line() {
                return Ok(line);
            }
            let output = match self.waiting.pop_front() {
                Some(output) => Some(output),
                None => self.link.output.recv().await,
            };
            match output {
                Some(Output::Stdout(bytes)) => self.unread.extend_from_slice(&bytes),
                Some(Output::Stderr(bytes)) => keep(&mut self.stderr, &bytes),
                Some(Output::Exit(status)) => return Err(self.failed(&format!("it ended with {status}"))),
                Some(Output::Broken(reason)) => return Err(self.failed(&reason)),
                None => return Err(self.failed("the connection ended")),
            }
        }
    }

    /// Write; `false` when the process no longer takes it.
    pub async fn write(&mut self, bytes: Bytes) -> bool {
        let mut written = std::pin::pin!(self.link.input.write(bytes));
        loop {
            tokio::select! {
                biased;
                output = self.link.output.recv() => match output {
                    Some(Output::Stderr(bytes)) => keep(&mut self.stderr, &bytes),
                    Some(output) => {
                        self.waiting.push_back(output);
                        return false;
                    }
                    None => return false,
                },
                done = &mut written => return done.is_ok(),
            }
        }
    }

    /// The process, and what of its output was read but is no line of ours.
    pub fn into_parts(self) -> (Link, Bytes) {
        (self.link, self.unread.freeze())
    }

    fn take_line(&mut self) -> Option<Line> {
        loop {
            let Some(at) = find(&self.unread, &self.mark) else {
                // The mark may be cut in two.
                let junk = self.unread.len().saturating_sub(self.mark.len());
                keep(&mut self.junk, &self.unread.split_to(junk));
                return None;
            };
            keep(&mut self.junk, &self.unread.split_to(at));
            let end = match self.unread.iter().position(|b| *b == b'\n') {
                Some(end) => end,
                None if self.unread.len() < LONGEST => return None,
                None => self.unread.len() - 1,
            };
            let line = self.unread.split_to(end + 1);
            let line = String::from_utf8_lossy(line[self.mark.len()..].trim_ascii_start()).into_owned();
            match parse(line.trim_end_matches(['\n', '\r'])) {
                Some(line) => return Some(line),
                None => keep(&mut self.junk, line.as_bytes()),
            }
        }
    }

    fn failed(&self, reason: &str) -> ConnectError {
        let said: Vec<u8> =
            [&self.junk[..], &self.unread.chunk()[..self.unread.len().min(JUNK)], &self.stderr[..]].concat();
        let said: String =
            String::from_utf8_lossy(&said).chars().filter(|c| *c == '\n' || !c.is_control()).collect();
        ConnectError::NoAgent { reason: format!("{reason}{}", after_colon(&said)) }
    }
}

fn parse(line: &str) -> Option<Line> {
    let mut fields = line.split('\t');
    let kind = fields.next()?;
    let mut field = || fields.next().unwrap_or_default().trim().to_owned();
    Some(match kind {
        "run" => Line::Run,
        "missing" => Line::Missing { machine: field(), system: field(), gzip: field() == "gzip" },
        "no" => Line::No(Place { directory: field(), reason: field() }),
        "send" => Line::Send,
        "bad" => Line::Bad(Place { directory: field(), reason: field() }),
        "none" => Line::Nowhere,
        _ => return None,
    })
}

fn find(text: &[u8], mark: &[u8]) -> Option<usize> {
    text.windows(mark.len()).position(|window| window == mark)
}

fn keep(kept: &mut Vec<u8>, bytes: &[u8]) {
    kept.extend_from_slice(&bytes[..bytes.len().min(JUNK.saturating_sub(kept.len()))]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        for (line, expected) in [
            ("run\t/root/.cache/provision", Some(Line::Run)),
            (
                "missing\tx86_64\tLinux\tgzip",
                Some(Line::Missing { machine: "x86_64".into(), system: "Linux".into(), gzip: true }),
            ),
            (
                "no\t/a b\tno space",
                Some(Line::No(Place { directory: "/a b".into(), reason: "no space".into() })),
            ),
            ("none", Some(Line::Nowhere)),
            ("hello", None),
        ] {
            assert_eq!(parse(line), expected);
        }
    }
}
