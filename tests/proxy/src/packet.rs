//! The framing of the client/server protocol: three bytes of length, one of sequence, the payload. A payload of 0xffffff
//! bytes is continued in the next frame.
//!
//! What a payload means is decided elsewhere.
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html>

use std::io::{self, BufReader, Read};

const HEADER: usize = 4;

/// The longest payload of one frame; exactly this length announces a continuation.
pub(crate) const MAX_PAYLOAD: usize = 0x00ff_ffff;

/// One frame as it goes over the wire.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame(Vec<u8>);

impl Frame {
    /// The frame that carries `payload`, which must fit in one.
    pub(crate) fn new(sequence: u8, payload: &[u8]) -> Self {
        assert!(payload.len() <= MAX_PAYLOAD, "{} bytes do not fit in one frame", payload.len());
        let [low, middle, high, ..] = payload.len().to_le_bytes();
        let mut bytes = vec![low, middle, high, sequence];
        bytes.extend_from_slice(payload);
        Self(bytes)
    }

    /// Header and payload.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.0[HEADER..]
    }

    pub(crate) fn sequence(&self) -> u8 {
        self.0[HEADER - 1]
    }

    /// The first byte and the rest of the command that begins with this frame, if one does. Both sides start again at
    /// sequence 0 with each command; what a client sends during a handshake, or to continue a long command, counts on.
    pub(crate) fn command(&self) -> Option<(u8, &[u8])> {
        let (&byte, body) = self.payload().split_first()?;
        (self.sequence() == 0).then_some((byte, body))
    }
}

/// Cuts a stream of bytes into frames, however the network split it.
#[derive(Debug)]
pub(crate) struct Frames<R>(BufReader<R>);

impl<R: Read> Frames<R> {
    pub(crate) fn new(stream: R) -> Self {
        Self(BufReader::new(stream))
    }

    /// Waits for the next complete frame.
    ///
    /// The end of the stream is `UnexpectedEof`, between two frames as well as within one: an unfinished frame means nothing
    /// to whoever would receive it.
    pub(crate) fn next(&mut self) -> io::Result<Frame> {
        let mut header = [0; HEADER];
        self.0.read_exact(&mut header)?;
        let mut bytes = vec![0; frame_length(header)];
        bytes[..HEADER].copy_from_slice(&header);
        self.0.read_exact(&mut bytes[HEADER..])?;
        Ok(Frame(bytes))
    }
}

/// The length of a frame including its header.
fn frame_length([low, middle, high, _sequence]: [u8; HEADER]) -> usize {
    HEADER + (usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16)
}
