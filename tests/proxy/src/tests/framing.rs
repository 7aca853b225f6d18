//! Frames come out whole wherever the network split them.

use std::io::{self, Read};

use crate::packet::{Frame, Frames, MAX_PAYLOAD};

/// Two pieces, one `read` each.
fn split(bytes: &[u8], at: usize) -> impl Read + '_ {
    bytes[..at].chain(&bytes[at..])
}

#[test]
fn frames_are_the_same_wherever_the_stream_is_split() {
    let expected = [Frame::new(0, b"\x03SELECT 1"), Frame::new(7, b""), Frame::new(255, b"x")];
    let bytes = expected.iter().map(Frame::bytes).collect::<Vec<_>>().concat();
    for at in 0..=bytes.len() {
        let mut frames = Frames::new(split(&bytes, at));
        for frame in &expected {
            assert_eq!(&frames.next().expect("it is complete"), frame, "split at {at}");
        }
        assert_eq!(frames.next().expect_err("nothing is left").kind(), io::ErrorKind::UnexpectedEof);
    }
}

#[test]
fn a_frame_that_ends_early_is_the_end_of_the_stream() {
    let frame = Frame::new(0, b"\x03SELECT 1");
    for length in 0..frame.bytes().len() {
        let end = Frames::new(&frame.bytes()[..length]).next().expect_err("it is not complete");
        assert_eq!(end.kind(), io::ErrorKind::UnexpectedEof, "{length} bytes");
    }
}

#[test]
fn a_frame_has_length_sequence_and_payload() {
    let frame = Frame::new(9, &vec![b'x'; 0x01_02_03]);
    assert_eq!(frame.bytes()[..4], [0x03, 0x02, 0x01, 9]);
    assert_eq!((frame.sequence(), frame.payload().len()), (9, 0x01_02_03));
    assert_eq!(Frame::new(0, &vec![0; MAX_PAYLOAD]).bytes()[..4], [0xff, 0xff, 0xff, 0]);
}

#[test]
fn only_a_frame_with_sequence_0_and_a_payload_begins_a_command() {
    assert_eq!(Frame::new(0, b"\x03SELECT 1").command(), Some((0x03, &b"SELECT 1"[..])));
    assert_eq!(Frame::new(1, &[0x0e]).command(), None);
    assert_eq!(Frame::new(0, &[]).command(), None);
}
