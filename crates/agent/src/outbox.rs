//! Answers on their way to the controller.
//!
//! A thread of its own writes them, as many at a time as there are, so that a hundred steps with nothing to do
//! become a few packets and never wait for the network.

use std::io::Write;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use protocol::{FromAgent, Outcome, frame};

/// Bytes collected before they are written even though more is waiting.
const BATCH: usize = 256 << 10;

/// Takes messages; cheap to clone, never blocks.
#[derive(Clone)]
pub struct Outbox(Sender<Option<FromAgent>>);

/// Messages that were not written yet.
pub struct Mail(Receiver<Option<FromAgent>>);

impl Outbox {
    pub fn new() -> (Self, Mail) {
        let (sender, receiver) = mpsc::channel();
        (Self(sender), Mail(receiver))
    }

    /// Send a message. That the controller is gone shows elsewhere: at the end of the input.
    pub fn send(&self, message: FromAgent) {
        let _ = self.0.send(Some(message));
    }

    /// Nothing comes after what was sent so far.
    pub fn close(&self) {
        let _ = self.0.send(None);
    }
}

impl Mail {
    /// Write to `output` until the outbox is closed. `broken` is called when that is not possible any more.
    pub fn write_to(
        self,
        output: impl Write + Send + 'static,
        broken: impl FnOnce() + Send + 'static,
    ) -> JoinHandle<()> {
        thread::spawn(move || {
            if self.write_all(output).is_err() {
                broken();
            }
        })
    }

    fn write_all(&self, mut output: impl Write) -> std::io::Result<()> {
        let mut open = true;
        while open && let Ok(Some(first)) = self.0.recv() {
            let mut bytes = bytes_of(&first);
            while bytes.len() < BATCH {
                match self.0.try_recv() {
                    Ok(Some(next)) => bytes.extend(bytes_of(&next)),
                    Ok(None) => {
                        open = false;
                        break;
                    }
                    Err(_) => break,
                }
            }
            output.write_all(&bytes)?;
            output.flush()?;
        }
        Ok(())
    }
}

/// One message as a frame; a result that is longer than a frame may be becomes a failure that says so.
fn bytes_of(message: &FromAgent) -> Vec<u8> {
    frame::encode(message).unwrap_or_else(|error| {
        let text = format!("the result cannot be sent: {error}");
        let instead = match message {
            FromAgent::Outcome { id, .. } => FromAgent::Outcome { id: *id, outcome: Outcome::failure(text) },
            _ => FromAgent::Warning { text },
        };
        frame::encode(&instead).unwrap_or_default()
    })
}
