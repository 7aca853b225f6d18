//! A server that knows enough of the protocol to be talked to, and reports what reached it.
//!
//! It answers a query with its text, a preparation with a new statement identifier and one more packet, everything else
//! with OK; it never answers what has no answer, and ends with `COM_QUIT`.

use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use super::BOUND;
use crate::packet::{Frame, Frames, MAX_PAYLOAD};

const COM_QUIT: u8 = 0x01;

/// What reached the server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A complete command: its first byte, and the rest.
    Command(u8, Vec<u8>),
    /// The end of a connection.
    End,
}

impl Event {
    pub(super) fn query(text: &str) -> Self {
        Self::Command(0x03, text.as_bytes().to_vec())
    }
}

#[derive(Debug)]
pub(super) struct FakeServer {
    port: u16,
    events: Receiver<Event>,
}

impl FakeServer {
    /// Starts a server whose threads end with the test process: a blocked `accept` has nothing to clean up.
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port is free");
        let port = listener.local_addr().expect("the listener is bound").port();
        let (sender, events) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let sender = sender.clone();
                thread::spawn(move || {
                    let _ended = serve(&stream, &sender);
                    let _nobody_asks_any_more = sender.send(Event::End);
                });
            }
        });
        Self { port, events }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The next thing that reached the server.
    pub(super) fn next(&self) -> Event {
        self.events.recv_timeout(BOUND).expect("something should have reached the server")
    }
}

fn serve(mut stream: &TcpStream, events: &Sender<Event>) -> io::Result<()> {
    let mut frames = Frames::new(stream);
    stream.write_all(Frame::new(0, b"\x0agreeting").bytes())?;
    assert_eq!(frames.next()?.sequence(), 1);
    // Two packets before the final OK: an authentication that goes back and forth.
    stream.write_all(Frame::new(2, b"\xfeswitch").bytes())?;
    assert_eq!(frames.next()?.sequence(), 3);
    stream.write_all(Frame::new(4, &[0x00]).bytes())?;
    for statement in 1_u32.. {
        let (byte, body) = next_command(&mut frames)?;
        let answer = answer(byte, &body, statement);
        events.send(Event::Command(byte, body)).map_err(io::Error::other)?;
        write_in_pieces(stream, &answer)?;
        if byte == COM_QUIT {
            break;
        }
    }
    Ok(())
}

fn next_command(frames: &mut Frames<&TcpStream>) -> io::Result<(u8, Vec<u8>)> {
    let mut frame = frames.next()?;
    assert_eq!(frame.sequence(), 0);
    let (byte, mut body) = (frame.payload()[0], frame.payload()[1..].to_vec());
    while frame.payload().len() == MAX_PAYLOAD {
        frame = frames.next()?;
        body.extend_from_slice(frame.payload());
    }
    Ok((byte, body))
}

fn answer(byte: u8, body: &[u8], statement: u32) -> Vec<u8> {
    match byte {
        0x03 => super::client::frames(1, body),
        0x16 if body.starts_with(b"WRONG") => Frame::new(1, b"\xff\x28\x04#42000syntax").bytes().to_vec(),
        0x16 => {
            let ok = [&[0x00], &statement.to_le_bytes()[..], &[0; 7]].concat();
            [Frame::new(1, &ok).bytes(), Frame::new(2, b"column").bytes()].concat()
        }
        COM_QUIT | 0x18 | 0x19 => Vec::new(),
        _ => Frame::new(1, &[0x00]).bytes().to_vec(),
    }
}

/// The first bytes go out one by one, so that the header and the beginning of an answer arrive split.
fn write_in_pieces(mut stream: &TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (first, rest) = bytes.split_at(bytes.len().min(12));
    for byte in first {
        stream.write_all(&[*byte])?;
    }
    stream.write_all(rest)
}
