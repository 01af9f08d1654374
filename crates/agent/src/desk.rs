//! What lies on the worker's desk: the queue, the step in hand, and what the controller said meanwhile.
//!
//! Reader and worker meet here. Whatever must not come between two messages (a failure and the drop that follows
//! it) is sent while the lock is held.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use protocol::{FromAgent, Outcome, Permission, Step};

use crate::child::ChildEvent;
use crate::outbox::Outbox;

/// Shared between the threads of an agent.
pub struct Desk {
    state: Mutex<State>,
    news: Condvar,
    outbox: Outbox,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Step>,
    /// After an automatic drop: steps are discarded until the controller flushes.
    discarding: bool,
    discarded: Vec<u64>,
    /// No more input, or nobody to answer.
    ended: bool,
    hand: Option<Hand>,
    /// Queued steps that were cancelled before their turn.
    cancelled: HashSet<u64>,
    children: VecDeque<ChildEvent>,
    /// Counts arrivals of contents, for those who wait for one.
    contents: u64,
}

/// The step in hand.
struct Hand {
    id: u64,
    permitted: bool,
    dropped: bool,
    cancelled: Arc<AtomicBool>,
}

/// Why a wait ended.
#[derive(Debug, PartialEq)]
pub enum News {
    /// The step may change the host.
    Go,
    /// Nobody wants its answer any more.
    Dropped,
    Cancelled,
    /// A child said something.
    Child(ChildEvent),
    /// Contents arrived (or will not).
    Contents,
    /// The input ended.
    Ended,
    /// Time is up.
    Late,
}

/// A step for the worker.
pub struct Turn {
    pub step: Step,
    /// Becomes true when the controller cancels it.
    pub cancelled: Arc<AtomicBool>,
}

impl Desk {
    pub fn new(outbox: Outbox) -> Self {
        Self { state: Mutex::default(), news: Condvar::new(), outbox }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let answer = change(&mut self.lock());
        self.news.notify_all();
        answer
    }

    // What the reader calls.

    pub fn add(&self, step: Step) {
        self.with(|state| {
            if state.discarding {
                state.discarded.push(step.id);
            } else {
                state.queue.push_back(step);
            }
        });
    }

    pub fn go(&self, id: u64) {
        self.with(|state| {
            if let Some(hand) = state.hand.as_mut().filter(|h| h.id == id) {
                hand.permitted = true;
            } else if let Some(step) = state.queue.iter_mut().find(|s| s.id == id) {
                step.permission = Permission::Granted;
            }
        });
    }

    pub fn flush(&self, token: u64) {
        self.with(|state| {
            let mut dropped = Vec::new();
            if let Some(hand) = state.hand.as_mut().filter(|h| !h.permitted && !h.dropped) {
                hand.dropped = true;
                // Whatever it is waiting for, its answer is not wanted any more.
                hand.cancelled.store(true, Ordering::Relaxed);
                dropped.push(hand.id);
            }
            dropped.extend(state.queue.drain(..).map(|s| s.id));
            dropped.append(&mut state.discarded);
            state.discarding = false;
            state.cancelled.clear();
            self.outbox.send(FromAgent::Flushed { token, dropped });
        });
    }

    pub fn cancel(&self, id: u64) {
        self.with(|state| match &state.hand {
            Some(hand) if hand.id == id => hand.cancelled.store(true, Ordering::Relaxed),
            _ if state.queue.iter().any(|s| s.id == id) => {
                state.cancelled.insert(id);
            }
            _ => {}
        });
    }

    pub fn end(&self) {
        self.with(|state| {
            state.ended = true;
            state.queue.clear();
        });
    }

    pub fn contents_arrived(&self) {
        self.with(|state| state.contents += 1);
    }

    pub fn child_said(&self, event: ChildEvent) {
        self.with(|state| state.children.push_back(event));
    }

    // What the worker calls.

    /// Wait for the next step; `None` at the end of the input.
    pub fn next(&self) -> Option<Turn> {
        let mut state = self.lock();
        loop {
            if state.ended {
                return None;
            }
            if let Some(step) = state.queue.pop_front() {
                let cancelled = Arc::new(AtomicBool::new(state.cancelled.remove(&step.id)));
                state.hand = Some(Hand {
                    id: step.id,
                    permitted: step.permission == Permission::Granted,
                    dropped: false,
                    cancelled: cancelled.clone(),
                });
                return Some(Turn { step, cancelled });
            }
            state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Answer the step in hand. `drop_rest`: its failure ends the queue.
    pub fn answer(&self, outcome: Outcome, drop_rest: bool) {
        let mut state = self.lock();
        let Some(hand) = state.hand.take() else { return };
        if hand.dropped {
            return;
        }
        self.outbox.send(FromAgent::Outcome { id: hand.id, outcome });
        if drop_rest {
            self.drop_queue(&mut state, Vec::new());
        }
    }

    /// The step in hand is not valid any more: drop it with all that follows.
    pub fn drop_all(&self) {
        let mut state = self.lock();
        let Some(hand) = state.hand.take() else { return };
        let first = if hand.dropped { Vec::new() } else { vec![hand.id] };
        self.drop_queue(&mut state, first);
    }

    fn drop_queue(&self, state: &mut State, mut dropped: Vec<u64>) {
        dropped.extend(state.queue.drain(..).map(|s| s.id));
        state.cancelled.clear();
        state.discarding = true;
        self.outbox.send(FromAgent::Flushed { token: 0, dropped });
    }

    /// Put the step in hand away without an answer: it was dropped, or nobody listens.
    pub fn put_away(&self) {
        self.lock().hand = None;
    }

    /// Has the step in hand permission to change the host?
    pub fn is_permitted(&self) -> bool {
        self.lock().hand.as_ref().is_some_and(|h| h.permitted)
    }

    pub fn is_dropped(&self) -> bool {
        self.lock().hand.as_ref().is_some_and(|h| h.dropped)
    }

    /// Take permission for the step in hand, or say that it is ready and wait for permission.
    pub fn ask(&self) -> News {
        let state = self.lock();
        match &state.hand {
            Some(hand) if hand.dropped => return News::Dropped,
            Some(hand) if hand.permitted => return News::Go,
            Some(hand) => self.outbox.send(FromAgent::Ready { id: hand.id }),
            None => return News::Dropped,
        }
        drop(state);
        self.wait(Interest { permission: true, ..Interest::default() })
    }

    /// Send a message that belongs to the step in hand, unless it was dropped.
    pub fn say(&self, message: FromAgent) {
        let state = self.lock();
        if state.hand.as_ref().is_none_or(|h| !h.dropped) {
            self.outbox.send(message);
        }
    }

    /// Number of the step in hand.
    pub fn id_in_hand(&self) -> u64 {
        self.lock().hand.as_ref().map_or(0, |h| h.id)
    }

    /// The present count of arrivals, to be given to [`Interest::contents`].
    pub fn contents_count(&self) -> u64 {
        self.lock().contents
    }

    /// Wait for something of interest to the step in hand. Being dropped and the end of the input always are.
    pub fn wait(&self, interest: Interest) -> News {
        let mut state = self.lock();
        loop {
            if interest.child
                && let Some(event) = state.children.pop_front()
            {
                return News::Child(event);
            }
            if interest.contents.is_some_and(|seen| seen != state.contents) {
                return News::Contents;
            }
            match &state.hand {
                Some(hand) if hand.dropped && !interest.even_dropped => return News::Dropped,
                Some(hand) if interest.permission && hand.permitted => return News::Go,
                Some(hand) if hand.cancelled.load(Ordering::Relaxed) && !interest.even_cancelled => {
                    return News::Cancelled;
                }
                _ => {}
            }
            if state.ended && !interest.even_ended {
                return News::Ended;
            }
            let now = Instant::now();
            state = match interest.until {
                Some(until) if until <= now => return News::Late,
                Some(until) => {
                    self.news.wait_timeout(state, until - now).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.news.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

/// What a wait is for.
#[derive(Clone, Copy, Default)]
pub struct Interest {
    /// Permission for the step in hand.
    pub permission: bool,
    /// Messages of children.
    pub child: bool,
    /// Contents, more than this count.
    pub contents: Option<u64>,
    /// Go on waiting although the step was dropped, cancelled, or the input ended.
    pub even_dropped: bool,
    pub even_cancelled: bool,
    pub even_ended: bool,
    pub until: Option<Instant>,
}

impl Interest {
    pub fn within(mut self, time: Duration) -> Self {
        self.until = Some(Instant::now() + time);
        self
    }
}
