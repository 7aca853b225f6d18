//! Decides which clients are turned away during the handshake: those that switch to TLS or compression, whose packets the
//! proxy could not count. Everything else about the handshake passes unread.

use crate::packet::Frame;

// https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html
const CLIENT_COMPRESS: u32 = 0x20;
const CLIENT_SSL: u32 = 0x800;
const CLIENT_ZSTD_COMPRESSION_ALGORITHM: u32 = 1 << 26;
const UNREADABLE: u32 = CLIENT_COMPRESS | CLIENT_SSL | CLIENT_ZSTD_COMPRESSION_ALGORITHM;

const ER_UNKNOWN_ERROR: u16 = 1105;

/// The error packet for a client whose first packet asks for what the proxy cannot read, or `None` for all others.
pub(crate) fn refusal(first: &Frame) -> Option<Frame> {
    let flags = u32::from_le_bytes(*first.payload().first_chunk()?);
    (flags & UNREADABLE != 0).then(|| error_packet(first.sequence().wrapping_add(1)))
}

fn error_packet(sequence: u8) -> Frame {
    let mut payload = vec![0xff];
    payload.extend_from_slice(&ER_UNKNOWN_ERROR.to_le_bytes());
    payload.extend_from_slice(
        b"#HY000The test proxy refused this connection: it reads neither TLS nor compression. Connect without both.",
    );
    Frame::new(sequence, &payload)
}
