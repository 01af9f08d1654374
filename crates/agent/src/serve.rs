//! The loop: from the first message to the end of the input.

use std::io::{BufReader, Read, Write};
use std::sync::{Arc, mpsc};
use std::thread;

use modules::{Host, facts};
use protocol::frame::{self, FrameError};
use protocol::{AgentHello, FromAgent, Outcome, Start, Step, ToAgent};

use crate::desk::{Desk, Seat, Turn};
use crate::escalate;
use crate::identity::User;
use crate::outbox::Outbox;
use crate::relay::Relay;
use crate::start::Program;
use crate::step::{self, Place};
use crate::store::{Shelf, Store};
use crate::tmp::TempDir;

/// Bytes read at once.
const READ_SIZE: usize = 64 << 10;

/// Why an agent ended before the end of its input.
#[derive(Debug)]
pub enum ServeError {
    /// What came in was not a message.
    Input(FrameError),
    /// The first message was not `Start`.
    NotStarted,
    /// The controller speaks another version of the protocol.
    Version(u32),
    /// There is no directory for temporary files.
    Temporary(String),
}

impl std::fmt::Display for ServeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Input(error) => write!(f, "the controller sent what is not a message: {error}"),
            Self::NotStarted => f.write_str("the first message is not a start"),
            Self::Version(theirs) => {
                write!(f, "the controller speaks version {theirs} of the protocol, not {}", protocol::VERSION)
            }
            Self::Temporary(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for ServeError {}

/// Be an agent: answer what comes from `input` on `output` until the input ends. `program` is what to start for
/// other users.
///
/// An error is also told to the controller, as a warning, if it can still be reached.
pub fn serve(
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
    program: Program,
) -> Result<(), ServeError> {
    let (outbox, mail) = Outbox::new();
    let desk = Arc::new(Desk::new(outbox.clone()));
    let writer = {
        let desk = desk.clone();
        mail.write_to(output, move || desk.end())
    };
    let served = converse(BufReader::with_capacity(READ_SIZE, input), &desk, &outbox, program);
    if let Err(error) = &served {
        outbox.send(FromAgent::Warning { text: error.to_string() });
    }
    outbox.close();
    let _ = writer.join();
    served
}

fn converse(
    mut input: impl Read + Send + 'static,
    desk: &Arc<Desk>,
    outbox: &Outbox,
    program: Program,
) -> Result<(), ServeError> {
    let start = match frame::read(&mut input).map_err(ServeError::Input)? {
        Some(ToAgent::Start(start)) => start,
        Some(_) => return Err(ServeError::NotStarted),
        None => return Ok(()),
    };
    let me = User::current();
    if start.version != protocol::VERSION {
        // The hello says which version this is.
        outbox.send(FromAgent::Hello(hello(&me)));
        return Err(ServeError::Version(start.version));
    }
    let (tmp, warning) = TempDir::new(start.remote_tmp.as_deref()).map_err(ServeError::Temporary)?;
    let facts = start.facts.as_ref().map(|request| facts::gather(request, &Host::new(tmp.path())));
    outbox.send(FromAgent::Hello(AgentHello { facts, ..hello(&me) }));
    if let Some(text) = warning {
        outbox.send(FromAgent::Warning { text });
    }
    let store = Arc::new(Store::new(tmp.path(), desk.clone()));
    let (tell_end, end) = mpsc::channel();
    {
        let (desk, store) = (desk.clone(), store.clone());
        thread::spawn(move || {
            let _ = tell_end.send(receive(input, &desk, &store));
            // The workers leave now, and how the input ended is known by then.
            desk.end();
        });
    }
    let office = Office { desk, store: &store, tmp: &tmp, program: &program, me: &me, start: &start };
    thread::scope(|scope| office.work_first(scope));
    // When it was the output that broke, the input may stay silent for ever: do not wait for it.
    end.try_recv().unwrap_or(Ok(()))
}

fn hello(me: &User) -> AgentHello {
    let machine = nix::sys::utsname::uname().map(|u| u.machine().to_string_lossy().into_owned());
    AgentHello {
        version: protocol::VERSION,
        pid: std::process::id(),
        user: me.name.clone(),
        machine: machine.unwrap_or_default(),
        facts: None,
    }
}

/// Put everything that comes in where the worker finds it, until the input ends.
fn receive(mut input: impl Read, desk: &Desk, store: &Store) -> Result<(), ServeError> {
    loop {
        match frame::read(&mut input) {
            Ok(Some(message)) => match message {
                ToAgent::Step(step) => desk.add(*step),
                ToAgent::Go { id } => desk.go(id),
                ToAgent::Flush { token } => desk.flush(token),
                ToAgent::Cancel { id } => desk.cancel(id),
                ToAgent::Blob { hash, offset, data, compressed, last } => {
                    store.receive(hash, offset, &data, compressed, last);
                }
                ToAgent::NoBlob { hash, reason } => store.refuse(hash, reason),
                // A second start changes nothing.
                ToAgent::Start(_) => {}
            },
            Ok(None) => return Ok(()),
            // A connection that breaks ends as one that is closed.
            Err(FrameError::Io(error)) if error.kind() != std::io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(ServeError::Input(error)),
        }
    }
}

/// What all workers have.
struct Office<'a> {
    desk: &'a Arc<Desk>,
    store: &'a Arc<Store>,
    tmp: &'a TempDir,
    program: &'a Program,
    me: &'a User,
    start: &'a Start,
}

impl Office<'_> {
    /// One step after the other. With the first that need not be alone, others begin to work, too.
    fn work_first<'s>(&'s self, scope: &'s thread::Scope<'s, '_>) {
        let mut others = 1..usize::from(self.start.parallel.max(1));
        self.work(0, |turn| {
            if turn.step.after.is_some() {
                for number in others.by_ref() {
                    scope.spawn(move || self.work(number, |_| {}));
                }
            }
        });
    }

    fn work(&self, number: usize, mut begin: impl FnMut(&Turn)) {
        let seat = Arc::new(Seat::new(self.desk, number));
        let mut relay = Relay::new(self.me.clone(), self.program.clone(), self.start.clone());
        while let Some(turn) = seat.next() {
            begin(&turn);
            let outcomes = self.do_step(&turn, &seat, &mut relay);
            if outcomes.is_empty() {
                seat.put_away();
            }
            outcomes.into_iter().for_each(|outcome| seat.answer(outcome));
        }
    }

    fn do_step(&self, turn: &Turn, seat: &Arc<Seat>, relay: &mut Relay) -> Vec<Outcome> {
        let Step { r#become, module, args, .. } = &turn.step;
        if module == "user"
            && args.get("state").is_some_and(|state| state == "absent")
            && let Some(name) = args.get("name").or(args.get("user")).and_then(|name| name.as_str())
        {
            relay.leave(name, seat);
        }
        match r#become.as_ref().filter(|b| !escalate::is_self(&relay.me, b)) {
            Some(wanted) => relay.run(&turn.step, wanted, seat, self.store),
            None => {
                let blobs = Arc::new(Shelf { store: self.store.clone(), seat: seat.clone() });
                step::run(turn, &Place { tmp: self.tmp.path(), blobs, program: self.program }, seat)
            }
        }
    }
}
