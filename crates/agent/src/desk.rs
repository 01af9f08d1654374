//! What lies on the workers' desk: the queue, the steps in hand, and what the controller said meanwhile.
//!
//! Reader and workers meet here; each worker has a [`Seat`], and one step in hand, or several that are done together.
//! Whatever must not come
//! between two messages (a failure and the drop that follows it) is sent while the lock is held.

use std::collections::{BTreeMap, HashSet, VecDeque};
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
    /// Dropped steps that are not named before the steps in hand are answered.
    withheld: Option<Vec<u64>>,
    /// Steps that changed something or failed.
    not_unchanged: HashSet<u64>,
    /// No more input, or nobody to answer.
    ended: bool,
    /// By the number of the seat, and that of the step.
    hands: BTreeMap<(usize, u64), Hand>,
    /// Queued steps that were cancelled before their turn.
    cancelled: HashSet<u64>,
    children: VecDeque<ChildEvent>,
    /// Counts arrivals of contents, for those who wait for one.
    contents: u64,
}

/// A step in hand.
struct Hand {
    id: u64,
    /// Nothing else may be in hand with it.
    alone: bool,
    permitted: bool,
    dropped: bool,
    cancelled: Arc<AtomicBool>,
    continue_on_failure: bool,
}

impl Hand {
    fn of(step: &Step, permitted: bool, cancelled: Arc<AtomicBool>) -> Self {
        Self {
            id: step.id,
            alone: step.after.is_none(),
            permitted,
            dropped: false,
            cancelled,
            continue_on_failure: step.continue_on_failure,
        }
    }
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

/// A worker's place at the desk.
pub struct Seat {
    desk: Arc<Desk>,
    number: usize,
}

impl State {
    /// The step that a seat may take now: the first that has nothing to wait for.
    fn next(&self, seat: usize) -> Option<usize> {
        if self.hands.values().any(|hand| hand.alone) {
            return None;
        }
        let mut open: HashSet<u64> = self.hands.values().map(|hand| hand.id).collect();
        for (at, step) in self.queue.iter().enumerate() {
            match &step.after {
                // Nothing behind it may be taken before it. The first seat has the children that are there already.
                None => return (open.is_empty() && seat == 0).then_some(at),
                Some(after) => {
                    if !after.iter().chain(&step.unless_changed).any(|id| open.contains(id)) {
                        return Some(at);
                    }
                }
            }
            open.insert(step.id);
        }
        None
    }

    /// The step that a seat has in hand; the first of those that are done together.
    fn hand(&self, seat: usize) -> Option<&Hand> {
        self.hands.range((seat, 0)..=(seat, u64::MAX)).next().map(|(_, hand)| hand)
    }

    fn put_away(&mut self, seat: usize) -> Option<Hand> {
        let id = self.hand(seat)?.id;
        self.hands.remove(&(seat, id))
    }

    /// The first step in the queue that may be done together with those that a seat has in hand, as `fits` sees it.
    fn fellow(&self, seat: usize, fits: &dyn Fn(&Step) -> bool) -> Option<usize> {
        let of_seat = |id: &u64| self.hands.contains_key(&(seat, *id));
        let mut open: HashSet<u64> = self.hands.values().map(|hand| hand.id).collect();
        for (at, step) in self.queue.iter().enumerate() {
            let after = step.after.as_ref()?;
            let follows = |id: &u64| !open.contains(id) || (of_seat(id) && step.together.contains(id));
            let gate = |id: &u64| !open.contains(id) && !self.not_unchanged.contains(id);
            if !step.together.is_empty()
                && step.permission == Permission::Granted
                && after.iter().all(follows)
                && step.unless_changed.iter().all(gate)
                && !self.cancelled.contains(&step.id)
                && fits(step)
            {
                return Some(at);
            }
            open.insert(step.id);
        }
        None
    }

    /// Drop the steps in hand that have no permission yet.
    fn drop_hands(&mut self) -> Vec<u64> {
        let hands = self.hands.values_mut().filter(|h| !h.permitted && !h.dropped);
        hands
            .map(|hand| {
                hand.dropped = true;
                // Whatever it is waiting for, its answer is not wanted any more.
                hand.cancelled.store(true, Ordering::Relaxed);
                hand.id
            })
            .collect()
    }
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
            if let Some(hand) = state.hands.values_mut().find(|h| h.id == id) {
                hand.permitted = true;
            } else if let Some(step) = state.queue.iter_mut().find(|s| s.id == id) {
                step.permission = Permission::Granted;
            }
        });
    }

    pub fn flush(&self, token: u64) {
        self.with(|state| {
            // What was dropped before and not said yet is said now.
            let mut dropped = state.withheld.take().unwrap_or_default();
            dropped.extend(state.drop_hands());
            dropped.extend(state.queue.drain(..).map(|s| s.id));
            dropped.sort_unstable();
            dropped.append(&mut state.discarded);
            state.discarding = false;
            state.cancelled.clear();
            self.outbox.send(FromAgent::Flushed { token, dropped });
        });
    }

    pub fn cancel(&self, id: u64) {
        self.with(|state| match state.hands.values().find(|h| h.id == id) {
            Some(hand) => hand.cancelled.store(true, Ordering::Relaxed),
            None if state.queue.iter().any(|s| s.id == id) => {
                state.cancelled.insert(id);
            }
            None => {}
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

    /// What a failure, or a step that is not valid any more, leads to.
    fn drop_queue(&self, state: &mut State, mut dropped: Vec<u64>) {
        dropped.extend(state.drop_hands());
        dropped.extend(state.queue.drain(..).map(|s| s.id));
        dropped.sort_unstable();
        state.cancelled.clear();
        state.discarding = true;
        state.withheld.get_or_insert_default().extend(dropped);
        self.say_dropped(state);
    }

    /// Name the steps that were dropped by themselves, once nothing is left in hand that will be answered.
    fn say_dropped(&self, state: &mut State) {
        if state.hands.values().all(|hand| hand.dropped)
            && let Some(dropped) = state.withheld.take()
        {
            self.outbox.send(FromAgent::Flushed { token: 0, dropped });
        }
    }
}

impl Seat {
    pub fn new(desk: &Arc<Desk>, number: usize) -> Self {
        Self { desk: desk.clone(), number }
    }

    /// Where children leave what they say.
    pub fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }

    /// Wait for the next step; `None` at the end of the input.
    pub fn next(&self) -> Option<Turn> {
        let mut state = self.desk.lock();
        loop {
            if state.ended {
                return None;
            }
            if let Some(at) = state.next(self.number)
                && let Some(step) = state.queue.remove(at)
            {
                let cancelled = Arc::new(AtomicBool::new(state.cancelled.remove(&step.id)));
                let hand = Hand::of(&step, step.permission == Permission::Granted, cancelled.clone());
                state.hands.insert((self.number, step.id), hand);
                if step.unless_changed.iter().any(|id| state.not_unchanged.contains(id)) {
                    self.drop_all(&mut state);
                    continue;
                }
                return Some(Turn { step, cancelled });
            }
            state = self.desk.news.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Answer the step in hand. Its failure ends the queue, unless it says otherwise.
    pub fn answer(&self, outcome: Outcome) {
        self.desk.with(|state| {
            let Some(hand) = state.put_away(self.number) else { return };
            let drop_rest = outcome.failed() && !hand.continue_on_failure;
            if !hand.dropped {
                if outcome.changed() || outcome.failed() {
                    state.not_unchanged.insert(hand.id);
                }
                self.desk.outbox.send(FromAgent::Outcome { id: hand.id, outcome });
                if drop_rest {
                    self.desk.drop_queue(state, Vec::new());
                }
            }
            self.desk.say_dropped(state);
        });
    }

    /// The step in hand is not valid any more: drop it with all that follows.
    fn drop_all(&self, state: &mut State) {
        let Some(hand) = state.put_away(self.number) else { return };
        self.desk.drop_queue(state, vec![hand.id]);
    }

    /// Put the step in hand away without an answer: it was dropped, or nobody listens.
    pub fn put_away(&self) {
        self.desk.with(|state| {
            state.put_away(self.number);
            self.desk.say_dropped(state);
        });
    }

    /// Take a further step in hand that may be done together with those that are. It can still be dropped, until
    /// [`Seat::begin`].
    pub fn join(&self, fits: impl Fn(&Step) -> bool) -> Option<Turn> {
        let mut state = self.desk.lock();
        let at = state.fellow(self.number, &fits)?;
        let step = state.queue.remove(at)?;
        let cancelled = Arc::<AtomicBool>::default();
        state.hands.insert((self.number, step.id), Hand::of(&step, false, cancelled.clone()));
        Some(Turn { step, cancelled })
    }

    /// The steps that joined begin with the first. False if they were dropped: then it is alone again.
    pub fn begin(&self) -> bool {
        self.desk.with(|state| {
            let all = state.hands.range_mut((self.number, 0)..=(self.number, u64::MAX));
            let mut joined: Vec<&mut Hand> = all.skip(1).map(|(_, hand)| hand).collect();
            if joined.iter().all(|hand| !hand.dropped) {
                joined.iter_mut().for_each(|hand| hand.permitted = true);
                return true;
            }
            let ids: Vec<u64> = joined.iter().map(|hand| hand.id).collect();
            ids.iter().for_each(|id| drop(state.hands.remove(&(self.number, *id))));
            self.desk.say_dropped(state);
            false
        })
    }

    /// Put a step that joined back to its place in the queue.
    pub fn hand_back(&self, step: Step) {
        self.desk.with(|state| {
            let Some(hand) = state.hands.remove(&(self.number, step.id)) else { return };
            if hand.dropped {
                return self.desk.say_dropped(state);
            }
            if hand.cancelled.load(Ordering::Relaxed) {
                state.cancelled.insert(step.id);
            }
            let at = state.queue.partition_point(|queued| queued.id < step.id);
            state.queue.insert(at, step);
        });
    }

    fn look<T>(&self, look: impl FnOnce(&Hand) -> T) -> Option<T> {
        self.desk.lock().hand(self.number).map(look)
    }

    /// Has the step in hand permission to change the host?
    pub fn is_permitted(&self) -> bool {
        self.look(|hand| hand.permitted).unwrap_or(false)
    }

    pub fn is_dropped(&self) -> bool {
        self.look(|hand| hand.dropped).unwrap_or(false)
    }

    /// Number of the step in hand.
    pub fn id_in_hand(&self) -> u64 {
        self.look(|hand| hand.id).unwrap_or(0)
    }

    /// Take permission for the step in hand, or say that it is ready and wait for permission.
    pub fn ask(&self) -> News {
        let state = self.desk.lock();
        match state.hand(self.number) {
            Some(hand) if hand.dropped => return News::Dropped,
            Some(hand) if hand.permitted => return News::Go,
            Some(hand) => self.desk.outbox.send(FromAgent::Ready { id: hand.id }),
            None => return News::Dropped,
        }
        drop(state);
        self.wait(Interest { permission: true, ..Interest::default() })
    }

    /// Send a message that belongs to the step in hand, unless it was dropped.
    pub fn say(&self, message: FromAgent) {
        let state = self.desk.lock();
        if state.hand(self.number).is_none_or(|h| !h.dropped) {
            self.desk.outbox.send(message);
        }
    }

    /// The present count of arrivals, to be given to [`Interest::contents`].
    pub fn contents_count(&self) -> u64 {
        self.desk.lock().contents
    }

    /// Forget what a child has said that is there no more.
    pub fn forget_child(&self, number: u64) {
        self.desk.lock().children.retain(|event| event.child != number);
    }

    /// Wait for something of interest to the step in hand. Being dropped and the end of the input always are.
    pub fn wait(&self, interest: Interest) -> News {
        let mut state = self.desk.lock();
        loop {
            if let Some(child) = interest.child
                && let Some(at) = state.children.iter().position(|event| event.child == child)
                && let Some(event) = state.children.remove(at)
            {
                return News::Child(event);
            }
            if interest.contents.is_some_and(|seen| seen != state.contents) {
                return News::Contents;
            }
            match state.hand(self.number) {
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
            let news = &self.desk.news;
            state = match interest.until {
                Some(until) if until <= now => return News::Late,
                Some(until) => {
                    news.wait_timeout(state, until - now).unwrap_or_else(PoisonError::into_inner).0
                }
                None => news.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

/// What a wait is for.
#[derive(Clone, Copy, Default)]
pub struct Interest {
    /// Permission for the step in hand.
    pub permission: bool,
    /// Messages of this child.
    pub child: Option<u64>,
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
