//! A client that speaks just the framing, so that a test decides about every byte.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

use super::BOUND;
use crate::Proxy;
use crate::packet::{Frame, Frames, MAX_PAYLOAD};

#[derive(Debug)]
pub(super) struct Client {
    pub(super) stream: TcpStream,
    frames: Frames<TcpStream>,
}

impl Client {
    /// Connects without a handshake.
    pub(super) fn knock(proxy: &Proxy) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", proxy.port())).expect("the proxy listens");
        stream.set_read_timeout(Some(BOUND)).expect("the bound is not zero");
        let frames = Frames::new(stream.try_clone().expect("a file descriptor is left"));
        Self { stream, frames }
    }

    pub(super) fn connect(proxy: &Proxy) -> Self {
        Self::try_connect(proxy).expect("the fake server lets everybody in")
    }

    pub(super) fn try_connect(proxy: &Proxy) -> io::Result<Self> {
        let mut client = Self::knock(proxy);
        client.log_in()?;
        Ok(client)
    }

    fn log_in(&mut self) -> io::Result<()> {
        assert_eq!(self.frames.next()?.payload(), b"\x0agreeting");
        self.send_raw(Frame::new(1, &[0, 0, 0, 0]).bytes());
        assert_eq!(self.frames.next()?.payload(), b"\xfeswitch");
        self.send_raw(Frame::new(3, b"secret").bytes());
        assert_eq!(self.frames.next()?.payload(), &[0x00]);
        Ok(())
    }

    pub(super) fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the proxy reads");
    }

    pub(super) fn send(&mut self, byte: u8, body: &[u8]) {
        self.send_raw(&command(byte, body));
    }

    /// The next answer, its frames joined.
    pub(super) fn answer(&mut self) -> io::Result<Vec<u8>> {
        let mut frame = self.frames.next()?;
        let mut answer = frame.payload().to_vec();
        while frame.payload().len() == MAX_PAYLOAD {
            frame = self.frames.next()?;
            answer.extend_from_slice(frame.payload());
        }
        Ok(answer)
    }

    /// Sends a query and returns whether its own text came back.
    pub(super) fn query(&mut self, text: &str) -> io::Result<()> {
        self.send(0x03, text.as_bytes());
        assert_eq!(self.answer()?, text.as_bytes());
        Ok(())
    }

    pub(super) fn ping(&mut self) {
        self.send(0x0e, b"");
        assert_eq!(self.answer().expect("a ping is answered"), &[0x00]);
    }

    /// Prepares a statement and returns its identifier.
    pub(super) fn prepare(&mut self, sql: &str) -> u32 {
        self.send(0x16, sql.as_bytes());
        let ok = self.answer().expect("a preparation is answered");
        assert_eq!(self.answer().expect("and then described"), b"column");
        u32::from_le_bytes(*ok[1..].first_chunk().expect("it has an identifier"))
    }

    pub(super) fn execute(&mut self, statement: u32) {
        self.send(0x17, &statement.to_le_bytes());
        assert_eq!(self.answer().expect("an execution is answered"), &[0x00]);
    }

    pub(super) fn send_close(&mut self, statement: u32) {
        self.send(0x19, &statement.to_le_bytes());
    }

    pub(super) fn stop_sending(&self) {
        self.stream.shutdown(Shutdown::Write).expect("the proxy has not closed");
    }

    /// What still comes before the connection ends. Fails the test when it does not end within the bound.
    pub(super) fn rest(mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => rest,
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => rest,
            Err(error) => panic!("the connection should have ended: {error}"),
        }
    }
}

pub(super) fn command(byte: u8, body: &[u8]) -> Vec<u8> {
    frames(0, &[&[byte], body].concat())
}

/// `payload` in as many frames as it takes; one of exactly the greatest length is followed by an empty one.
pub(super) fn frames(sequence: u8, payload: &[u8]) -> Vec<u8> {
    let full = payload.chunks_exact(MAX_PAYLOAD);
    let last = full.remainder();
    let frames = (sequence..).zip(full.chain([last])).map(|(sequence, part)| Frame::new(sequence, part));
    frames.map(|frame| frame.bytes().to_vec()).collect::<Vec<_>>().concat()
}
