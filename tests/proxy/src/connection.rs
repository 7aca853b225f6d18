//! One connection: commands go to the server in one thread, answers to the client in another. This is where delays, holds
//! and cuts are carried out; which command they hit is decided in `plan`.
//!
//! A direction that ends passes on just that ("no more data"), so each side learns of the other's end as it would without
//! a proxy, and whatever is still under way arrives.

use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use crate::command::{Command, Kind, Statements};
use crate::controls::Controls;
use crate::handshake;
use crate::live::close;
use crate::packet::{Frame, Frames, first_payload};
use crate::plan::{Action, Plan};

/// How much of an answer is passed on at a time.
const CHUNK: usize = 64 * 1024;

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
                end(&self.client);
            });
            let Err(_end) = self.relay_commands();
            end(&self.server);
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
            None => write(&self.server, first.bytes()),
        }
    }

    fn relay_frame(&self, frame: &Frame) -> io::Result<()> {
        if let Some((byte, body)) = frame.command() {
            self.begin_command(byte, body)?;
        }
        write(&self.server, frame.bytes())
    }

    fn begin_command(&self, byte: u8, body: &[u8]) -> io::Result<()> {
        let command = self.state().statements.read(self.number, byte, body);
        self.controls.record.add(&command);
        if command.kind.is_round_trip() { self.begin_round_trip(command) } else { Ok(()) }
    }

    /// Does everything that comes before the command goes to the server, and prepares for its answer.
    fn begin_round_trip(&self, command: Command) -> io::Result<()> {
        let (before, after) = self.controls.plans.take_for(&command.text);
        self.controls.pause();
        self.carry_out(before)?;
        self.state().awaited = Some(Awaited { command, plans: after });
        Ok(())
    }

    /// Ends with the error, or the end of the stream, that ends this direction.
    fn relay_answers(&self) -> io::Result<Infallible> {
        let mut chunk = vec![0; CHUNK];
        // The beginning of an answer, until its first packet is complete.
        let mut start = Vec::new();
        loop {
            let read = (&*self.server).read(&mut chunk)?;
            if read == 0 {
                write(&self.client, &start)?;
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if self.state().awaited.is_none() {
                write(&self.client, &chunk[..read])?;
                continue;
            }
            start.extend_from_slice(&chunk[..read]);
            if let Some(first) = first_payload(&start) {
                self.begin_answer(first)?;
                write(&self.client, &start)?;
                start.clear();
            }
        }
    }

    /// Does everything that comes between the first packet of an answer and the client.
    fn begin_answer(&self, first: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let Some(Awaited { command, plans }) = state.awaited.take() else { return Ok(()) };
        if command.kind == Kind::Prepare {
            state.statements.learn(command.text, first);
        }
        drop(state);
        self.carry_out(plans)
    }

    /// Waits where the packet is held; fails where it is cut.
    fn carry_out(&self, plans: Vec<Plan>) -> io::Result<()> {
        for plan in plans {
            match plan.action {
                Action::Hold(gate) => gate.pass(),
                Action::Cut(cut) => {
                    // Told before it is done: a client that sees the end must find that the cut has happened.
                    cut.happened();
                    close(&self.client);
                    close(&self.server);
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
            }
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds this lock")
    }
}

/// Tells `receiver` that nothing more will come. Why is of no use to it: a socket can only end.
fn end(receiver: &TcpStream) {
    // It fails only on a socket that is closed already.
    let _ = receiver.shutdown(Shutdown::Write);
}

fn write(mut socket: &TcpStream, bytes: &[u8]) -> io::Result<()> {
    socket.write_all(bytes)
}
