//! The connection to one agent, and the queue of steps on it.
//!
//! Steps are put into the queue ahead of their turn; [`Link::finish`] later claims them in the same order. What
//! is queued before the connection is up travels with the connection's first message.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::LocalBoxFuture;
use protocol::frame::BLOB_PIECE;
use protocol::{AgentHello, FromAgent, Hash, Outcome, Permission, Start, Step, ToAgent};
use tokio::sync::{Notify, mpsc};

/// Makes connections; implemented over `transport` and, in tests, by a scripted fleet.
pub trait Connector {
    /// Bring an agent up and send it `early` right behind its start.
    fn connect(
        &self,
        target: transport::Target,
        start: Start,
        early: Vec<ToAgent>,
    ) -> LocalBoxFuture<'static, Result<Channel, LinkError>>;

    /// Run a command on the host without an agent (`raw`).
    fn exec(
        &self,
        target: transport::Target,
        command: String,
        input: Vec<u8>,
    ) -> LocalBoxFuture<'static, Result<modules::ProcessOutput, LinkError>>;
}

/// A running agent as the engine sees it.
pub struct Channel {
    pub hello: AgentHello,
    pub sender: mpsc::UnboundedSender<ToAgent>,
    /// Ends with an error that says why, when the connection ends.
    pub receiver: mpsc::UnboundedReceiver<Result<FromAgent, LinkError>>,
    pub agent_uploaded: bool,
}

/// Why a host cannot be reached (any more). The text is what `msg` shows.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct LinkError(pub String);

/// What became of a step that was to be finished.
#[derive(Debug)]
pub enum Finished {
    Outcome(Box<Outcome>),
    /// It was dropped from the queue before it began.
    Dropped,
}

/// Content that an agent may ask for.
#[derive(Clone, Debug)]
pub enum Content {
    Bytes(Arc<[u8]>),
    File(PathBuf),
}

/// Contents by their hash, for all links.
#[derive(Default)]
pub struct Contents(RefCell<HashMap<Hash, Content>>);

impl Contents {
    pub fn offer(&self, hash: Hash, content: Content) {
        self.0.borrow_mut().insert(hash, content);
    }

    fn get(&self, hash: &Hash) -> Option<Content> {
        self.0.borrow().get(hash).cloned()
    }
}

enum State {
    Idle,
    Connecting,
    Up(mpsc::UnboundedSender<ToAgent>),
    Down(LinkError),
}

enum Slot {
    /// `permitted`: it may be changing the host already.
    Queued {
        permitted: bool,
    },
    Ready,
    Done(Box<Outcome>),
    Dropped,
}

/// One connection. Used from one thread.
pub struct Link {
    pub target: transport::Target,
    connector: Rc<dyn Connector>,
    contents: Rc<Contents>,
    state: RefCell<State>,
    /// Messages that wait for the connection.
    outbox: RefCell<Vec<ToAgent>>,
    slots: RefCell<BTreeMap<u64, Slot>>,
    /// Hosts for which tasks were sent ahead on it.
    hosts_ahead: RefCell<BTreeSet<String>>,
    next_id: Cell<u64>,
    next_token: Cell<u64>,
    /// The agent has dropped its queue by itself: it ignores steps until it sees a `Flush`.
    must_flush: Cell<bool>,
    /// `Flush` messages that were not answered yet: their token, and the number of the next step at that time. The
    /// agent carries out what was sent behind them, whatever it dropped before.
    flushes: RefCell<VecDeque<(u64, u64)>>,
    hello: RefCell<Option<AgentHello>>,
    warnings: RefCell<Vec<String>>,
    changed: Notify,
    /// When it began to connect, and how long that took if nobody has asked yet.
    connecting: Cell<Option<Instant>>,
    connected_in: Cell<Duration>,
    remote_tmp: Option<String>,
    /// How many steps may be in hand at the same time.
    parallel: u16,
}

impl Link {
    pub fn new(
        target: transport::Target,
        connector: Rc<dyn Connector>,
        contents: Rc<Contents>,
        remote_tmp: Option<String>,
        parallel: u16,
    ) -> Rc<Self> {
        Rc::new(Self {
            target,
            connector,
            contents,
            state: RefCell::new(State::Idle),
            outbox: RefCell::default(),
            slots: RefCell::default(),
            hosts_ahead: RefCell::default(),
            next_id: Cell::new(1),
            next_token: Cell::new(1),
            must_flush: Cell::new(false),
            flushes: RefCell::default(),
            hello: RefCell::default(),
            warnings: RefCell::default(),
            changed: Notify::new(),
            connecting: Cell::default(),
            connected_in: Cell::default(),
            remote_tmp,
            parallel,
        })
    }

    /// Tasks are sent ahead on it for `host`.
    pub fn note_ahead(&self, host: &str) {
        let mut hosts = self.hosts_ahead.borrow_mut();
        if !hosts.contains(host) {
            hosts.insert(host.to_owned());
        }
    }

    /// Hosts for which tasks may have been sent ahead on it.
    pub fn hosts_ahead(&self) -> Vec<String> {
        self.hosts_ahead.borrow().iter().cloned().collect()
    }

    /// Number for the next step.
    pub fn reserve_id(&self) -> u64 {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        id
    }

    /// Put a step into the queue. Its `id` comes from [`Link::reserve_id`].
    pub fn queue(&self, step: Step) {
        if self.must_flush.replace(false) {
            self.send_flush(step.id);
        }
        let permitted = step.permission == Permission::Granted;
        self.slots.borrow_mut().insert(step.id, Slot::Queued { permitted });
        self.send(ToAgent::Step(Box::new(step)));
    }

    /// Drop everything that is queued and has not begun. A step with permission may be in hand (also for another
    /// host, which delegated it): the agent says whether it was dropped or carried out.
    pub fn flush(&self) {
        let mut any = self.must_flush.replace(false);
        for slot in self.slots.borrow_mut().values_mut() {
            if matches!(slot, Slot::Queued { permitted: false } | Slot::Ready) {
                *slot = Slot::Dropped;
            }
            any |= matches!(slot, Slot::Dropped | Slot::Queued { .. });
        }
        if any {
            self.send_flush(self.next_id.get());
        }
    }

    fn send_flush(&self, next_step: u64) {
        let token = self.token();
        self.flushes.borrow_mut().push_back((token, next_step));
        self.send(ToAgent::Flush { token });
    }

    /// Forget a step that nobody will claim.
    pub fn forget(&self, id: u64) {
        self.slots.borrow_mut().remove(&id);
    }

    /// Has the step been dropped from the queue?
    pub fn is_dropped(&self, id: u64) -> bool {
        matches!(self.slots.borrow().get(&id), Some(Slot::Dropped) | None)
    }

    /// Has this step's outcome arrived already?
    pub fn is_done(&self, id: u64) -> bool {
        matches!(self.slots.borrow().get(&id), Some(Slot::Done(_)))
    }

    /// Wait until it is known whether a step is done or dropped, after a flush. Is it done?
    pub async fn was_done(&self, id: u64) -> bool {
        loop {
            let changed = self.changed.notified();
            match self.slots.borrow().get(&id) {
                Some(Slot::Done(_)) => return true,
                Some(Slot::Dropped) | None => return false,
                Some(Slot::Queued { .. } | Slot::Ready) => {}
            }
            if self.is_down() {
                return false;
            }
            changed.await;
        }
    }

    /// Wait for the outcome of a step, letting it change the host.
    pub async fn finish(self: &Rc<Self>, id: u64) -> Result<Finished, LinkError> {
        loop {
            let changed = self.changed.notified();
            self.connect_if_idle();
            {
                let mut slots = self.slots.borrow_mut();
                match slots.get(&id) {
                    Some(Slot::Done(_)) => {
                        if let Some(Slot::Done(outcome)) = slots.remove(&id) {
                            return Ok(Finished::Outcome(outcome));
                        }
                    }
                    Some(Slot::Dropped) | None => {
                        slots.remove(&id);
                        return Ok(Finished::Dropped);
                    }
                    Some(Slot::Ready) => {
                        slots.insert(id, Slot::Queued { permitted: true });
                        drop(slots);
                        self.send(ToAgent::Go { id });
                    }
                    Some(Slot::Queued { .. }) => {}
                }
            }
            if let State::Down(error) = &*self.state.borrow() {
                return Err(error.clone());
            }
            changed.await;
        }
    }

    /// Stop a running step.
    pub fn cancel(&self, id: u64) {
        self.send(ToAgent::Cancel { id });
    }

    /// Run a command without the agent, with `input` on its standard input.
    pub async fn exec_with(
        &self,
        command: String,
        input: Vec<u8>,
    ) -> Result<modules::ProcessOutput, LinkError> {
        self.connector.exec(self.target.clone(), command, input).await
    }

    /// Warnings the agent sent since the last call.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.borrow_mut())
    }

    /// Who answered, once somebody has.
    pub fn hello(&self) -> Option<AgentHello> {
        self.hello.borrow().clone()
    }

    /// How long it took to connect, to whoever asks first; zero from then on.
    pub fn take_connecting(&self) -> Duration {
        self.connected_in.take()
    }

    /// Did the connection fail or end?
    pub fn is_down(&self) -> bool {
        matches!(&*self.state.borrow(), State::Down(_))
    }

    /// End the connection: the agent finishes the step in hand and leaves.
    pub fn close(&self) {
        let reason = LinkError("the connection was closed".to_owned());
        *self.state.borrow_mut() = State::Down(reason);
        self.changed.notify_waiters();
    }

    fn token(&self) -> u64 {
        let token = self.next_token.get();
        self.next_token.set(token + 1);
        token
    }

    fn send(&self, message: ToAgent) {
        match &*self.state.borrow() {
            // A closed channel is noticed by the receiving side, which knows why.
            State::Up(sender) => drop(sender.send(message)),
            State::Idle | State::Connecting => self.outbox.borrow_mut().push(message),
            State::Down(_) => {}
        }
    }

    fn connect_if_idle(self: &Rc<Self>) {
        if !matches!(&*self.state.borrow(), State::Idle) {
            return;
        }
        *self.state.borrow_mut() = State::Connecting;
        self.connecting.set(Some(Instant::now()));
        let start = Start {
            version: protocol::VERSION,
            facts: None,
            remote_tmp: self.remote_tmp.clone(),
            parallel: self.parallel,
            blob_cache: 0,
        };
        let early = std::mem::take(&mut *self.outbox.borrow_mut());
        let connecting = self.connector.connect(self.target.clone(), start, early);
        let link = self.clone();
        tokio::task::spawn_local(async move {
            let result = connecting.await;
            if let Some(begun) = link.connecting.take() {
                link.connected_in.set(begun.elapsed());
            }
            match result {
                Ok(channel) => link.receive(channel).await,
                Err(error) => link.down(error),
            }
        });
    }

    async fn receive(self: Rc<Self>, channel: Channel) {
        let Channel { hello, sender, mut receiver, .. } = channel;
        *self.hello.borrow_mut() = Some(hello);
        for message in std::mem::take(&mut *self.outbox.borrow_mut()) {
            let _ = sender.send(message);
        }
        *self.state.borrow_mut() = State::Up(sender);
        self.changed.notify_waiters();
        while let Some(message) = receiver.recv().await {
            match message {
                Ok(message) => self.on_message(message),
                Err(error) => return self.down(error),
            }
            if self.is_down() {
                return;
            }
        }
        self.down(LinkError("the connection to the host was lost".to_owned()));
    }

    fn on_message(self: &Rc<Self>, message: FromAgent) {
        let mut slots = self.slots.borrow_mut();
        match message {
            FromAgent::Hello(hello) => *self.hello.borrow_mut() = Some(hello),
            FromAgent::Ready { id } => {
                if let Some(slot @ Slot::Queued { .. }) = slots.get_mut(&id) {
                    *slot = Slot::Ready;
                }
            }
            FromAgent::Outcome { id, outcome } => {
                if let Some(slot) = slots.get_mut(&id) {
                    *slot = Slot::Done(Box::new(outcome));
                }
            }
            FromAgent::Flushed { token, dropped } => {
                for id in dropped {
                    if let Some(slot) = slots.get_mut(&id) {
                        *slot = Slot::Dropped;
                    }
                }
                let mut flushes = self.flushes.borrow_mut();
                if token == 0 {
                    // What was on its way is ignored by the agent, too, up to a flush that it has not seen yet.
                    let end = flushes.front().map_or(u64::MAX, |(_, next_step)| *next_step);
                    self.must_flush.set(flushes.is_empty());
                    for (_, slot) in slots.range_mut(..end) {
                        if matches!(slot, Slot::Queued { .. } | Slot::Ready) {
                            *slot = Slot::Dropped;
                        }
                    }
                } else {
                    while flushes.front().is_some_and(|(sent, _)| *sent <= token) {
                        flushes.pop_front();
                    }
                }
            }
            FromAgent::Want { hashes, .. } => {
                drop(slots);
                for hash in hashes {
                    let link = self.clone();
                    tokio::task::spawn_local(async move { link.send_content(hash).await });
                }
            }
            FromAgent::Warning { text } => self.warnings.borrow_mut().push(text),
        }
        self.changed.notify_waiters();
    }

    async fn send_content(&self, hash: Hash) {
        let content = match self.contents.get(&hash) {
            Some(content) => content,
            None => return self.send(ToAgent::NoBlob { hash, reason: "unknown content".to_owned() }),
        };
        let mut offset = 0;
        loop {
            let piece = match read_piece(&content, offset).await {
                Ok(piece) => piece,
                Err(e) => return self.send(ToAgent::NoBlob { hash, reason: e.to_string() }),
            };
            let length = piece.data.len() as u64;
            let last = piece.last;
            self.send(ToAgent::Blob { hash, offset, data: piece.data, compressed: false, last });
            offset += length;
            if last {
                return;
            }
        }
    }

    fn down(&self, error: LinkError) {
        *self.state.borrow_mut() = State::Down(error);
        self.changed.notify_waiters();
    }
}

struct Piece {
    data: Vec<u8>,
    last: bool,
}

async fn read_piece(content: &Content, offset: u64) -> std::io::Result<Piece> {
    use tokio::io::{AsyncReadExt, AsyncSeekExt};
    match content {
        Content::Bytes(bytes) => {
            let start = offset as usize;
            let end = bytes.len().min(start + BLOB_PIECE);
            Ok(Piece { data: bytes[start.min(end)..end].to_vec(), last: end == bytes.len() })
        }
        Content::File(path) => {
            let mut file = tokio::fs::File::open(path).await?;
            let size = file.metadata().await?.len();
            file.seek(std::io::SeekFrom::Start(offset)).await?;
            let mut data = Vec::with_capacity(BLOB_PIECE);
            file.take(BLOB_PIECE as u64).read_to_end(&mut data).await?;
            let last = offset + data.len() as u64 >= size;
            Ok(Piece { data, last })
        }
    }
}
