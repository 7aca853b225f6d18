//! What each side learns of a cut, by its ending; cuts at single packets; and packets that are late or lost.

use std::io;
use std::time::{Duration, Instant};

use super::fake_server::Event;
use super::{Client, start};
use crate::{Cut, Direction, Ending, FrameCut, Packet, Part, Side};

/// For what must not come: long enough for it to come on an idle machine, and only ever waited for in vain.
const A_MOMENT: Duration = Duration::from_millis(50);

fn cut(number: u64, direction: Direction, part: Part) -> FrameCut {
    FrameCut { direction, number, part, ending: Ending::Close }
}

fn hears_nothing(client: &mut Client) {
    client.stream.set_read_timeout(Some(A_MOMENT)).unwrap();
    let silence = client.answer().unwrap_err().kind();
    assert!(matches!(silence, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), "{silence}");
}

#[test]
fn a_reset_reaches_both_sides() {
    for side in [Side::BeforeServer, Side::AfterServer] {
        let (server, proxy) = start();
        let mut client = Client::connect(&proxy);
        proxy.cut_by(Cut { at: Packet::Text("COMMIT"), side }, Ending::Reset);
        client.send(0x03, b"COMMIT");
        assert_eq!(client.answer().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        if side == Side::AfterServer {
            assert_eq!(server.next(), Event::query("COMMIT"));
        }
        assert_eq!(server.next(), Event::End);
        assert!(!proxy.cut_planned());
    }
}

#[test]
fn a_half_open_connection_ends_for_the_client_and_not_for_the_server() {
    for side in [Side::BeforeServer, Side::AfterServer] {
        let (server, proxy) = start();
        let (mut client, mut other) = (Client::connect(&proxy), Client::connect(&proxy));
        proxy.cut_by(Cut { at: Packet::Text("COMMIT"), side }, Ending::HalfOpen);
        client.send(0x03, b"COMMIT");
        assert_eq!(client.rest(), b"");
        if side == Side::AfterServer {
            assert_eq!(server.next(), Event::query("COMMIT"));
        }
        other.query("the next thing that the server hears").unwrap();
        assert_eq!(server.next(), Event::query("the next thing that the server hears"));
        proxy.close_all();
        assert_eq!((server.next(), server.next()), (Event::End, Event::End));
    }
}

#[test]
fn of_a_silent_cut_nobody_learns() {
    for side in [Side::BeforeServer, Side::AfterServer] {
        let (server, proxy) = start();
        let (mut client, mut other) = (Client::connect(&proxy), Client::connect(&proxy));
        proxy.cut_by(Cut { at: Packet::Text("COMMIT"), side }, Ending::Silent);
        client.send(0x03, b"COMMIT");
        hears_nothing(&mut client);
        // Neither is what it sends refused, nor does it arrive.
        client.send(0x0e, b"");
        drop(client);
        if side == Side::AfterServer {
            assert_eq!(server.next(), Event::query("COMMIT"));
        }
        other.query("the next thing that the server hears").unwrap();
        assert_eq!(server.next(), Event::query("the next thing that the server hears"));
        drop(proxy);
        assert_eq!((server.next(), server.next()), (Event::End, Event::End));
    }
}

#[test]
fn a_packet_to_the_server_is_cut_before_within_and_after_it() {
    for (part, arrives) in [(Part::Nothing, false), (Part::Half, false), (Part::All, true)] {
        let (server, proxy) = start();
        let mut client = Client::connect(&proxy);
        proxy.cut_frame(cut(2, Direction::ToServer, part));
        client.query("first").unwrap();
        assert_eq!(server.next(), Event::query("first"));
        assert!(proxy.cut_planned());
        client.send(0x03, b"second");
        assert_eq!(client.rest(), b"");
        assert!(!proxy.cut_planned());
        if arrives {
            assert_eq!(server.next(), Event::query("second"));
        }
        assert_eq!(server.next(), Event::End);
    }
}

#[test]
fn a_packet_to_the_client_is_cut_before_within_and_after_it() {
    // The answer to a preparation has two packets of 16 and 10 bytes.
    for (part, bytes) in [(Part::Nothing, 16), (Part::Half, 16 + 5), (Part::All, 16 + 10)] {
        let (server, proxy) = start();
        let mut client = Client::connect(&proxy);
        proxy.cut_frame(cut(2, Direction::ToClient, part));
        client.send(0x16, b"INSERT INTO t VALUES (?)");
        assert_eq!(client.rest().len(), bytes, "{part:?}");
        assert!(matches!(server.next(), Event::Command(0x16, _)));
        assert_eq!(server.next(), Event::End);
    }
}

#[test]
fn a_handshake_is_cut_as_well() {
    for (direction, number) in [(Direction::ToClient, 1), (Direction::ToServer, 1), (Direction::ToClient, 3)] {
        let (_server, proxy) = start();
        proxy.cut_frame(cut(number, direction, Part::Nothing));
        Client::try_connect(&proxy).expect_err("it cannot log in");
        assert!(!proxy.cut_planned());
        Client::connect(&proxy).query("the next one").unwrap();
    }
}

#[test]
fn a_cut_at_a_packet_replaces_one_at_a_command_and_the_reverse() {
    let (_server, proxy) = start();
    let mut client = Client::connect(&proxy);
    proxy.cut(Cut { at: Packet::Command(1), side: Side::BeforeServer });
    proxy.cut_frame(cut(1, Direction::ToServer, Part::Nothing));
    proxy.cut(Cut { at: Packet::Text("this"), side: Side::BeforeServer });
    client.query("not this").unwrap();
    assert!(proxy.cut_planned());
}

#[test]
fn an_answer_can_be_late() {
    let (server, proxy) = start();
    let mut client = Client::connect(&proxy);
    let late = 2 * A_MOMENT;
    for side in [Side::BeforeServer, Side::AfterServer] {
        proxy.hold_for(Packet::Text("COMMIT"), side, late);
        let begun = Instant::now();
        client.query("COMMIT").unwrap();
        assert!(begun.elapsed() >= late);
        client.query("COMMIT").unwrap();
        assert_eq!((server.next(), server.next()), (Event::query("COMMIT"), Event::query("COMMIT")));
    }
}

#[test]
fn a_lost_command_never_arrives_and_its_connection_goes_on() {
    let (server, proxy) = start();
    let mut client = Client::connect(&proxy);
    proxy.lose(Packet::Text("COMMIT"), Side::BeforeServer);
    client.send(0x03, b"COMMIT");
    hears_nothing(&mut client);
    client.query("COMMIT again").unwrap();
    assert_eq!(server.next(), Event::query("COMMIT again"));
}

#[test]
fn a_lost_answer_is_lost_to_its_last_packet() {
    let (server, proxy) = start();
    let mut client = Client::connect(&proxy);
    proxy.lose(Packet::Text("INSERT"), Side::AfterServer);
    client.send(0x16, b"INSERT INTO t VALUES (?)");
    hears_nothing(&mut client);
    client.query("SELECT 1").unwrap();
    assert!(matches!(server.next(), Event::Command(0x16, _)));
    assert_eq!(server.next(), Event::query("SELECT 1"));
}
