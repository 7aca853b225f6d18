//! One connection: commands go to the server in one thread, answers to the client in another. This is where delays, holds,
//! losses and cuts are carried out; which packet they hit is decided in `plan`.
//!
//! A direction that ends passes on just that ("no more data"), so each side learns of the other's end as it would without
//! a proxy, and whatever is still under way arrives. Unless it was cut: then each side learns what the cut's ending says.

use std::convert::Infallible;
use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use crate::command::{Command, Kind, Statements};
use crate::controls::Controls;
use crate::ending::Ending;
use crate::handshake;
use crate::packet::{Frame, Frames};
use crate::plan::{Action, Direction, DueCut, Plan};

#[derive(Debug)]
pub(crate) struct Connection {
    number: u64,
    client: Arc<TcpStream>,
    server: Arc<TcpStream>,
    controls: Arc<Controls>,
    state: Mutex<State>,
}

/// What the two directions tell each other.
#[derive(Debug, Default)]
struct State {
    statements: Statements,
    /// Set from the moment a command goes to the server until the first packet of its answer is complete. One is enough:
    /// a client sends no command before it has read the answer to the last one.
    awaited: Option<Awaited>,
    /// Whether the current command, and the current answer, are lost.
    lost_command: Fate,
    lost_answer: Fate,
    /// How it was cut, once it is.
    severed: Option<Ending>,
}

/// What becomes of the frames of a command or an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fate {
    #[default]
    Passed,
    Lost,
}

/// An answer that is to come.
#[derive(Debug)]
struct Awaited {
    command: Command,
    plans: Vec<Plan>,
}

impl Connection {
    pub(crate) fn new(number: u64, client: Arc<TcpStream>, server: Arc<TcpStream>, controls: Arc<Controls>) -> Self {
        Self { number, client, server, controls, state: Mutex::default() }
    }

    /// Passes everything on until both directions have ended.
    pub(crate) fn relay(&self) {
        for socket in [&self.client, &self.server] {
            // It fails only on a socket that is closed already, which the first read will tell.
            let _ = socket.set_nodelay(true);
        }
        thread::scope(|scope| {
            scope.spawn(|| {
                let Err(_end) = self.relay_answers();
                self.end(Direction::ToClient);
            });
            let Err(_end) = self.relay_commands();
            self.end(Direction::ToServer);
        });
    }

    /// Ends with the error, or the end of the stream, that ends this direction.
    fn relay_commands(&self) -> io::Result<Infallible> {
        let mut frames = Frames::new(&*self.client);
        self.relay_handshake(&frames.next()?)?;
        loop {
            self.relay_frame(&frames.next()?)?;
        }
    }

    fn relay_handshake(&self, first: &Frame) -> io::Result<()> {
        match handshake::refusal(first) {
            Some(refusal) => {
                write(&self.client, refusal.bytes())?;
                Err(io::ErrorKind::Unsupported.into())
            }
            None => self.pass(Direction::ToServer, first),
        }
    }

    fn relay_frame(&self, frame: &Frame) -> io::Result<()> {
        if let Some((byte, body)) = frame.command() {
            self.begin_command(byte, body)?;
        }
        self.pass(Direction::ToServer, frame)
    }

    fn begin_command(&self, byte: u8, body: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let command = state.statements.read(self.number, byte, body);
        (state.lost_command, state.lost_answer) = (Fate::Passed, Fate::Passed);
        drop(state);
        self.controls.record.add(&command);
        if command.kind.is_round_trip() { self.begin_round_trip(command) } else { Ok(()) }
    }

    /// Does everything that comes before the command goes to the server, and prepares for its answer.
    fn begin_round_trip(&self, command: Command) -> io::Result<()> {
        let (before, after) = self.controls.plans.take_for(&command.text);
        self.controls.pause();
        let fate = self.carry_out(before)?;
        let mut state = self.state();
        state.lost_command = fate;
        state.awaited = (fate == Fate::Passed).then_some(Awaited { command, plans: after });
        Ok(())
    }

    /// Ends with the error, or the end of the stream, that ends this direction.
    fn relay_answers(&self) -> io::Result<Infallible> {
        let mut frames = Frames::new(&*self.server);
        loop {
            let frame = frames.next()?;
            self.begin_answer(frame.payload())?;
            self.pass(Direction::ToClient, &frame)?;
        }
    }

    /// Does everything that comes between the first packet of an answer and the client; nothing for other packets.
    fn begin_answer(&self, first: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let Some(Awaited { command, plans }) = state.awaited.take() else { return Ok(()) };
        if command.kind == Kind::Prepare {
            state.statements.learn(command.text, first);
        }
        drop(state);
        let fate = self.carry_out(plans)?;
        self.state().lost_answer = fate;
        Ok(())
    }

    /// Waits where the packet is held or delayed; fails where it is cut.
    fn carry_out(&self, plans: Vec<Plan>) -> io::Result<Fate> {
        for plan in plans {
            match plan.action {
                Action::Hold(gate) => gate.pass(),
                Action::Delay(time) => self.controls.live.pause(time),
                Action::Lose => return Ok(Fate::Lost),
                Action::Cut(cut, ending) => {
                    // Told before it is done: a client that sees the end must find that the cut has happened.
                    cut.happened();
                    return Err(self.sever(ending));
                }
            }
        }
        Ok(Fate::Passed)
    }

    /// Hands a packet on, unless it is lost or the connection is cut, there or before.
    fn pass(&self, direction: Direction, frame: &Frame) -> io::Result<()> {
        let receiver = self.receiver(direction);
        if let Some(DueCut { part, ending, pending }) = self.controls.plans.take_frame_cut(direction) {
            write(receiver, part.of(frame.bytes()))?;
            pending.happened();
            return Err(self.sever(ending));
        }
        match self.fate(direction) {
            Fate::Passed => write(receiver, frame.bytes()),
            Fate::Lost => Ok(()),
        }
    }

    fn fate(&self, direction: Direction) -> Fate {
        let state = self.state();
        match direction {
            _ if state.severed.is_some() => Fate::Lost,
            Direction::ToServer => state.lost_command,
            Direction::ToClient => state.lost_answer,
        }
    }

    fn sever(&self, ending: Ending) -> io::Error {
        self.state().severed = Some(ending);
        ending.tell(&self.client, &self.server);
        io::ErrorKind::ConnectionAborted.into()
    }

    /// A direction has ended. Tells its receiver that nothing more will come, unless a cut has decided what that one learns.
    fn end(&self, direction: Direction) {
        let severed = self.state().severed;
        match severed {
            // Why is of no use to the receiver: a socket can only end. It fails only on one that is closed already.
            None => drop(self.receiver(direction).shutdown(Shutdown::Write)),
            Some(Ending::Close | Ending::Reset) => {}
            // Whoever was not told goes on sending, and must find nobody who refuses; until its own end.
            Some(Ending::HalfOpen | Ending::Silent) => drop(io::copy(&mut self.sender(direction), &mut io::sink())),
        }
    }

    fn receiver(&self, direction: Direction) -> &TcpStream {
        match direction {
            Direction::ToServer => &self.server,
            Direction::ToClient => &self.client,
        }
    }

    fn sender(&self, direction: Direction) -> &TcpStream {
        match direction {
            Direction::ToServer => &self.client,
            Direction::ToClient => &self.server,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds this lock")
    }
}

fn write(mut socket: &TcpStream, bytes: &[u8]) -> io::Result<()> {
    socket.write_all(bytes)
}
