//! Steps for other users: handed to a child, whose messages are passed on.

use std::collections::VecDeque;
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
use crate::together;

/// How long a child may take to answer the first message.
const HELLO: Duration = Duration::from_secs(30);

/// The children of this agent, kept until it ends: one for each way to become somebody. Another password is another way: it may be
/// the wrong one.
pub struct Relay {
    pub me: User,
    program: Program,
    start: Start,
    children: Vec<(Become, Child)>,
    copies: Copies,
}

/// How the work of a child on a step ended.
enum End {
    /// The outcomes of the steps that are still in hand.
    Answers(Vec<Outcome>),
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

    /// Have a step done under another identity, perhaps together with others: see [`step::run`](crate::step::run).
    pub fn run(
        &mut self,
        step: &Step,
        wanted: &Become,
        seat: &Arc<Seat>,
        store: &Arc<Store>,
    ) -> Vec<Outcome> {
        let at = match self.child(wanted, seat) {
            Ok(at) => at,
            Err(refused) => return vec![refused.outcome()],
        };
        match Handing::new(&mut self.children[at].1, step, seat).run(store) {
            End::Answers(outcomes) => outcomes,
            End::Nobody => Vec::new(),
            End::Lost(reason) => {
                let (_, child) = self.children.remove(at);
                seat.forget_child(child.number);
                vec![Outcome::failure(format!("The agent running as {} was lost: {reason}", wanted.user))]
            }
        }
    }

    /// Let the children of a user go: one that runs programs cannot be removed.
    pub fn leave(&mut self, user: &str, seat: &Seat) {
        for (_, child) in self.children.extract_if(.., |(wanted, _)| wanted.user == user) {
            seat.forget_child(child.number);
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
        if let Some(at) = self.children.iter().position(|(become_, _)| become_ == wanted) {
            return Ok(at);
        }
        let started = self.started(wanted)?;
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let mut child = Child::new(COUNT.fetch_add(1, Ordering::Relaxed), started, seat.desk());
        child
            .send(&ToAgent::Start(self.start.clone()))
            .map_err(|e| Refused(format!("the agent for {} does not listen: {e}", wanted.user)))?;
        greet(&child, wanted, seat)?;
        self.children.push((wanted.clone(), child));
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

/// A step handed to a child, with those that may be done together with it.
struct Handing<'a> {
    child: &'a mut Child,
    seat: &'a Arc<Seat>,
    /// In hand, as the controller sent them.
    steps: VecDeque<Step>,
    /// May others be done together with the first?
    shares: bool,
    permitted: bool,
    cancelled: bool,
    dropped: bool,
    /// From the one on whose failure ended the child's queue.
    outcomes: Vec<Outcome>,
    /// The child was told to drop what it has.
    flushed: bool,
}

impl<'a> Handing<'a> {
    fn new(child: &'a mut Child, step: &Step, seat: &'a Arc<Seat>) -> Self {
        Self {
            child,
            seat,
            steps: VecDeque::from([step.clone()]),
            shares: together::in_common(step).is_some(),
            permitted: seat.is_permitted(),
            cancelled: false,
            dropped: false,
            outcomes: Vec::new(),
            flushed: false,
        }
    }

    fn run(mut self, store: &Arc<Store>) -> End {
        let end = match self.hand_over(store) {
            Ok(end) | Err(end) => end,
        };
        if let End::Lost(_) = &end {
            self.steps.drain(1..).for_each(|fellow| self.seat.hand_back(fellow));
        }
        end
    }

    fn hand_over(&mut self, store: &Arc<Store>) -> Result<End, End> {
        // When the child knows that it would change something, what could be done with it is looked for.
        let permission = if self.permitted && !self.shares { Permission::Granted } else { Permission::Ask };
        let first = self.handed(&self.steps[0]);
        self.send(&ToAgent::Step(Box::new(Step { permission, ..first })))?;
        let mut ready = false;
        loop {
            let failing = !self.outcomes.is_empty();
            let news = self.seat.wait(Interest {
                child: Some(self.child.number),
                permission: !self.permitted,
                even_dropped: self.dropped || failing,
                even_cancelled: self.cancelled || self.dropped || failing,
                // A step that may be changing the host is finished.
                even_ended: self.permitted || self.dropped,
                ..Interest::default()
            });
            match news {
                News::Go => {
                    self.permitted = true;
                    if ready || !self.shares {
                        self.go()?;
                    }
                }
                News::Cancelled => {
                    self.cancelled = true;
                    self.send(&ToAgent::Cancel { id: self.seat.id_in_hand() })?;
                }
                News::Dropped => {
                    self.dropped = true;
                    self.flush()?;
                }
                News::Ended => return Ok(End::Nobody),
                News::Contents | News::Late => {}
                News::Child(ChildEvent { said: Err(reason), .. }) => return Err(End::Lost(reason)),
                News::Child(ChildEvent { said: Ok(message), .. }) => match message {
                    FromAgent::Outcome { outcome, .. } if !self.dropped => {
                        if let Some(end) = self.take(outcome) {
                            return Ok(end);
                        }
                    }
                    // The child failed what is not wanted any more.
                    FromAgent::Flushed { token: 0, .. } if !failing => {}
                    FromAgent::Flushed { token: 0, .. } => {
                        // What was not done is dropped here, with the rest of the queue.
                        self.steps
                            .drain(self.outcomes.len()..)
                            .for_each(|fellow| self.seat.hand_back(fellow));
                        self.flush()?;
                    }
                    FromAgent::Flushed { .. } if self.dropped => return Ok(End::Nobody),
                    FromAgent::Flushed { .. } => return Ok(End::Answers(std::mem::take(&mut self.outcomes))),
                    FromAgent::Ready { id } => {
                        ready = true;
                        if self.permitted {
                            self.go()?;
                        } else {
                            self.seat.say(FromAgent::Ready { id });
                        }
                    }
                    FromAgent::Want { hashes, .. } => {
                        for hash in hashes {
                            pass_content(self.child, store, self.seat, hash)?;
                        }
                    }
                    warning @ FromAgent::Warning { .. } => self.seat.say(warning),
                    FromAgent::Outcome { .. } | FromAgent::Hello(_) => {}
                },
            }
        }
    }

    /// A step as the child gets it. The rules of the queue are kept here: the child has one step at a time, or those
    /// that may be done together.
    fn handed(&self, step: &Step) -> Step {
        Step {
            r#become: None,
            continue_on_failure: step.continue_on_failure || !self.shares,
            unless_changed: Vec::new(),
            after: step.after.clone().filter(|_| self.shares),
            python: None,
            ..step.clone()
        }
    }

    /// Let the child begin, with all that may be done together.
    fn go(&mut self) -> Result<(), End> {
        let first = self.steps[0].clone();
        if let Some(fits) = together::fits(&first) {
            while let Some(fellow) = self.seat.join(&fits) {
                self.steps.push_back(fellow.step);
            }
            if !self.seat.begin() {
                self.steps.truncate(1);
            }
        }
        for fellow in self.steps.iter().skip(1).map(|fellow| self.handed(fellow)).collect::<Vec<_>>() {
            self.send(&ToAgent::Step(Box::new(fellow)))?;
        }
        self.send(&ToAgent::Go { id: first.id })
    }

    /// The next step's outcome.
    fn take(&mut self, outcome: Outcome) -> Option<End> {
        let step = self.steps.get(self.outcomes.len())?;
        let ends_queue = outcome.failed() && !self.handed(step).continue_on_failure;
        if ends_queue || !self.outcomes.is_empty() {
            // The child is going to say what it has dropped.
            self.outcomes.push(outcome);
            return None;
        }
        self.steps.pop_front();
        if self.steps.is_empty() {
            return Some(End::Answers(vec![outcome]));
        }
        self.cancelled = false;
        self.seat.answer(outcome);
        None
    }

    fn flush(&mut self) -> Result<(), End> {
        if std::mem::replace(&mut self.flushed, true) {
            return Ok(());
        }
        self.send(&ToAgent::Flush { token: 1 })
    }

    fn send(&mut self, message: &ToAgent) -> Result<(), End> {
        send(self.child, message)
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
