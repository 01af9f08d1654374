//! Steps for other users: handed to a child, whose messages are passed on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::{Become, FromAgent, Hash, Outcome, Permission, Start, Step, ToAgent};

use crate::child::{Child, ChildEvent};
use crate::desk::{Interest, News, Seat};
use crate::escalate::{self, Copies, Refused, Started};
use crate::identity::User;
use crate::start::Program;
use crate::store::{Store, pieces};

/// How long a child may take to answer the first message.
const HELLO: Duration = Duration::from_secs(30);

/// The children of this agent, one for each identity, kept until it ends.
pub struct Relay {
    pub me: User,
    program: Program,
    start: Start,
    children: Vec<(Identity, Child)>,
    copies: Copies,
}

/// What makes two steps belong to the same child.
#[derive(PartialEq, Eq)]
struct Identity {
    method: String,
    user: String,
    exe: Option<String>,
    flags: Option<Vec<String>>,
}

impl Identity {
    fn of(wanted: &Become) -> Self {
        let Become { method, user, exe, flags, password: _ } = wanted.clone();
        Self { method, user, exe, flags }
    }
}

/// How the work of a child on a step ended.
enum End {
    Answer(Outcome),
    /// Nobody wants an answer.
    Nobody,
    /// The child is gone.
    Lost(String),
}

impl Relay {
    /// `start` is how this agent was told to work; the children are told the same.
    pub fn new(me: User, program: Program, start: Start) -> Self {
        let start = Start { facts: None, ..start };
        Self { me, program, start, children: Vec::new(), copies: Copies::default() }
    }

    /// Have a step done under another identity. `None`: nobody wants the answer.
    pub fn run(
        &mut self,
        step: &Step,
        wanted: &Become,
        seat: &Arc<Seat>,
        store: &Arc<Store>,
    ) -> Option<Outcome> {
        let at = match self.child(wanted, seat) {
            Ok(at) => at,
            Err(refused) => return Some(refused.outcome()),
        };
        match hand_over(&mut self.children[at].1, step, seat, store) {
            End::Answer(outcome) => Some(outcome),
            End::Nobody => None,
            End::Lost(reason) => {
                let (_, child) = self.children.remove(at);
                seat.forget_child(child.number);
                Some(Outcome::failure(format!("The agent running as {} was lost: {reason}", wanted.user)))
            }
        }
    }

    fn started(&mut self, wanted: &Become) -> Result<Started, Refused> {
        for _ in 0..20 {
            match escalate::start(&self.me, wanted, &self.program, &mut self.copies) {
                // A copy that was just written, while another worker starts a program: see `modules::Process`.
                Err(refused) if refused.0.contains("Text file busy") => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                started => return started,
            }
        }
        escalate::start(&self.me, wanted, &self.program, &mut self.copies)
    }

    /// The child for an identity; started if there is none.
    fn child(&mut self, wanted: &Become, seat: &Seat) -> Result<usize, Refused> {
        let identity = Identity::of(wanted);
        if let Some(at) = self.children.iter().position(|(i, _)| *i == identity) {
            return Ok(at);
        }
        let started = self.started(wanted)?;
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let mut child = Child::new(COUNT.fetch_add(1, Ordering::Relaxed), started, seat.desk());
        child
            .send(&ToAgent::Start(self.start.clone()))
            .map_err(|e| Refused(format!("the agent for {} does not listen: {e}", wanted.user)))?;
        greet(&child, wanted, seat)?;
        self.children.push((identity, child));
        Ok(self.children.len() - 1)
    }
}

/// Wait for the child's hello.
fn greet(child: &Child, wanted: &Become, seat: &Seat) -> Result<(), Refused> {
    let interest = Interest {
        child: Some(child.number),
        even_dropped: true,
        even_cancelled: true,
        even_ended: true,
        ..Interest::default()
    };
    let interest = interest.within(HELLO);
    loop {
        let reason = match seat.wait(interest) {
            News::Child(ChildEvent { said: Ok(FromAgent::Hello(hello)), .. }) => {
                if hello.version == protocol::VERSION {
                    return Ok(());
                }
                "it speaks another version of the protocol".to_owned()
            }
            News::Child(ChildEvent { said: Ok(FromAgent::Warning { text }), .. }) => {
                seat.say(FromAgent::Warning { text });
                continue;
            }
            News::Child(ChildEvent { said: Ok(_), .. }) => "it answered out of turn".to_owned(),
            News::Child(ChildEvent { said: Err(reason), .. }) => reason,
            _ => "it did not answer".to_owned(),
        };
        return Err(Refused(format!("the agent for {} did not start: {reason}", wanted.user)));
    }
}

fn hand_over(child: &mut Child, step: &Step, seat: &Arc<Seat>, store: &Arc<Store>) -> End {
    let mut permitted = seat.is_permitted();
    let mut cancelled = false;
    let mut dropped = false;
    // The rules of the queue are kept here: the child has one step at a time.
    let handed = Step {
        r#become: None,
        continue_on_failure: true,
        unless_changed: Vec::new(),
        after: None,
        python: None,
        permission: if permitted { Permission::Granted } else { Permission::Ask },
        ..step.clone()
    };
    if let Err(end) = send(child, &ToAgent::Step(Box::new(handed))) {
        return end;
    }
    loop {
        let news = seat.wait(Interest {
            child: Some(child.number),
            permission: !permitted,
            even_dropped: dropped,
            even_cancelled: cancelled || dropped,
            // A step that may be changing the host is finished.
            even_ended: permitted || dropped,
            ..Interest::default()
        });
        let sent = match news {
            News::Go => {
                permitted = true;
                send(child, &ToAgent::Go { id: step.id })
            }
            News::Cancelled => {
                cancelled = true;
                send(child, &ToAgent::Cancel { id: step.id })
            }
            News::Dropped => {
                dropped = true;
                send(child, &ToAgent::Flush { token: 1 })
            }
            News::Ended => return End::Nobody,
            News::Contents | News::Late => Ok(()),
            News::Child(ChildEvent { said: Err(reason), .. }) => return End::Lost(reason),
            News::Child(ChildEvent { said: Ok(message), .. }) => match message {
                FromAgent::Outcome { outcome, .. } if !dropped => return End::Answer(outcome),
                FromAgent::Flushed { .. } if dropped => return End::Nobody,
                FromAgent::Ready { id } => {
                    if !permitted {
                        seat.say(FromAgent::Ready { id });
                    }
                    Ok(())
                }
                FromAgent::Want { hashes, .. } => {
                    hashes.into_iter().try_for_each(|hash| pass_content(child, store, seat, hash))
                }
                warning @ FromAgent::Warning { .. } => {
                    seat.say(warning);
                    Ok(())
                }
                FromAgent::Outcome { .. } | FromAgent::Flushed { .. } | FromAgent::Hello(_) => Ok(()),
            },
        };
        if let Err(end) = sent {
            return end;
        }
    }
}

fn send(child: &mut Child, message: &ToAgent) -> Result<(), End> {
    child.send(message).map_err(|e| End::Lost(e.to_string()))
}

/// Give a content to a child, after getting it from the controller if need be.
fn pass_content(child: &mut Child, store: &Arc<Store>, seat: &Arc<Seat>, hash: Hash) -> Result<(), End> {
    let passed = match store.fetch(hash, seat) {
        Ok(path) => pieces(&path, hash, |piece| child.send(&piece)),
        Err(error) => child.send(&ToAgent::NoBlob { hash, reason: error.to_string() }),
    };
    passed.map_err(|e| End::Lost(e.to_string()))
}
