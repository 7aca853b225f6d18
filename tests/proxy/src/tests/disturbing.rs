//! Cuts, holds and delays: which command they hit, and what each side then sees.

use std::io;
use std::time::{Duration, Instant};

use super::fake_server::Event;
use super::{Client, start};
use crate::{Cut, Packet, Side};

/// Sends a query that is cut, and checks that nothing of its answer came back.
fn query_cut(mut client: Client, text: &str) {
    client.send(0x03, text.as_bytes());
    assert_eq!(client.rest(), b"");
}

#[test]
fn a_command_cut_before_the_server_never_reaches_it() {
    let (server, proxy) = start();
    let client = Client::connect(&proxy);
    proxy.cut(Cut { at: Packet::Text("COMMIT"), side: Side::BeforeServer });
    query_cut(client, "COMMIT");
    assert!(!proxy.cut_planned());
    assert_eq!(server.next(), Event::End);
    assert_eq!(proxy.round_trips(), 1);
}

#[test]
fn a_command_cut_after_the_server_reaches_it_and_its_answer_reaches_nobody() {
    let (server, proxy) = start();
    let client = Client::connect(&proxy);
    proxy.cut(Cut { at: Packet::Text("COMMIT"), side: Side::AfterServer });
    query_cut(client, "COMMIT");
    assert!(!proxy.cut_planned());
    assert_eq!((server.next(), server.next()), (Event::query("COMMIT"), Event::End));
}

#[test]
fn the_nth_round_trip_is_cut_counted_from_the_plan_over_all_connections() {
    for side in [Side::BeforeServer, Side::AfterServer] {
        let (_server, proxy) = start();
        let (mut first, mut second) = (Client::connect(&proxy), Client::connect(&proxy));
        first.query("before the plan").unwrap();
        proxy.cut(Cut { at: Packet::Command(3), side });
        first.query("1").unwrap();
        first.send_close(1);
        second.query("2").unwrap();
        assert!(proxy.cut_planned());
        query_cut(first, "3");
        assert!(!proxy.cut_planned());
        second.query("the other connection goes on").unwrap();
    }
}

#[test]
fn a_text_matches_in_any_case_from_its_beginning_and_only_once() {
    let (_server, proxy) = start();
    let mut client = Client::connect(&proxy);
    proxy.cut(Cut { at: Packet::Text("Commit and"), side: Side::BeforeServer });
    for other in ["", "COMMIT", "-- COMMIT AND", "COMMITÄAND"] {
        client.query(other).unwrap();
    }
    assert!(proxy.cut_planned());
    query_cut(client, "cOMMIT AND NO CHAIN");
    assert!(!proxy.cut_planned());
    Client::connect(&proxy).query("COMMIT AND NO CHAIN").unwrap();
}

#[test]
fn a_text_matches_the_preparation_and_then_each_execution() {
    for (n, expected_at_server) in [(1, 0x16), (2, 0x17)] {
        let (server, proxy) = start();
        let mut client = Client::connect(&proxy);
        let cut = || proxy.cut(Cut { at: Packet::Text("insert"), side: Side::AfterServer });
        if n == 1 {
            cut();
            client.send(0x16, b"INSERT INTO t VALUES (?)");
        } else {
            let statement = client.prepare("INSERT INTO t VALUES (?)");
            assert!(matches!(server.next(), Event::Command(0x16, _)));
            cut();
            client.send(0x17, &statement.to_le_bytes());
        }
        assert_eq!(client.rest(), b"");
        assert!(matches!(server.next(), Event::Command(byte, _) if byte == expected_at_server));
        assert_eq!(server.next(), Event::End);
    }
}

#[test]
fn what_has_no_answer_is_never_matched() {
    let (server, proxy) = start();
    let mut client = Client::connect(&proxy);
    proxy.cut(Cut { at: Packet::Text(""), side: Side::BeforeServer });
    client.send_close(1);
    assert!(matches!(server.next(), Event::Command(0x19, _)));
    assert!(proxy.cut_planned());
    query_cut(client, "SELECT 1");
}

#[test]
fn a_new_cut_replaces_the_one_before() {
    let (_server, proxy) = start();
    assert!(!proxy.cut_planned());
    let mut client = Client::connect(&proxy);
    proxy.cut(Cut { at: Packet::Text("first"), side: Side::BeforeServer });
    proxy.cut(Cut { at: Packet::Text("second"), side: Side::BeforeServer });
    client.query("first").unwrap();
    assert!(proxy.cut_planned());
    query_cut(client, "second");
}

#[test]
#[should_panic(expected = "counted from 1")]
fn a_cut_at_command_0_panics() {
    start().1.cut(Cut { at: Packet::Command(0), side: Side::BeforeServer });
}

#[test]
fn a_held_command_arrives_when_released() {
    let (server, proxy) = start();
    let (mut client, mut other) = (Client::connect(&proxy), Client::connect(&proxy));
    let held = proxy.hold(Packet::Text("COMMIT"), Side::BeforeServer);
    client.send(0x03, b"COMMIT");
    assert!(held.wait());
    other.query("meanwhile").unwrap();
    held.release();
    assert_eq!(client.answer().unwrap(), b"COMMIT");
    assert_eq!((server.next(), server.next()), (Event::query("meanwhile"), Event::query("COMMIT")));
    assert!(held.wait(), "the packet has been there");
    client.query("COMMIT").unwrap();
}

#[test]
fn a_held_command_arrives_late_though_its_client_has_gone() {
    let (server, proxy) = start();
    let (mut client, mut other) = (Client::connect(&proxy), Client::connect(&proxy));
    let held = proxy.hold(Packet::Command(1), Side::BeforeServer);
    client.send(0x03, b"COMMIT");
    assert!(held.wait());
    drop(client);
    other.query("meanwhile").unwrap();
    drop(held);
    assert_eq!(server.next(), Event::query("meanwhile"));
    assert_eq!((server.next(), server.next()), (Event::query("COMMIT"), Event::End));
}

#[test]
fn a_held_answer_waits_while_the_server_has_done_its_work() {
    let (server, proxy) = start();
    let mut client = Client::connect(&proxy);
    let held = proxy.hold(Packet::Text("COMMIT"), Side::AfterServer);
    client.send(0x03, b"COMMIT");
    assert!(held.wait());
    assert_eq!(server.next(), Event::query("COMMIT"));
    client.stream.set_nonblocking(true).unwrap();
    assert_eq!(client.answer().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    client.stream.set_nonblocking(false).unwrap();
    held.release();
    assert_eq!(client.answer().unwrap(), b"COMMIT");
}

#[test]
fn a_held_answer_goes_on_though_its_client_has_gone() {
    let (server, proxy) = start();
    let mut client = Client::connect(&proxy);
    let held = proxy.hold(Packet::Command(1), Side::AfterServer);
    client.send(0x03, b"COMMIT");
    assert!(held.wait());
    drop(client);
    // The server learns of the client's end while the answer is still under way.
    assert_eq!((server.next(), server.next()), (Event::query("COMMIT"), Event::End));
    held.release();
    Client::connect(&proxy).query("SELECT 1").unwrap();
}

#[test]
fn a_command_can_be_held_and_its_answer_then_cut() {
    let (server, proxy) = start();
    let mut client = Client::connect(&proxy);
    proxy.cut(Cut { at: Packet::Text("COMMIT"), side: Side::AfterServer });
    let held = proxy.hold(Packet::Text("COMMIT"), Side::BeforeServer);
    client.send(0x03, b"COMMIT");
    assert!(held.wait());
    assert!(proxy.cut_planned());
    held.release();
    assert_eq!(client.rest(), b"");
    assert!(!proxy.cut_planned());
    assert_eq!((server.next(), server.next()), (Event::query("COMMIT"), Event::End));
}

#[test]
fn what_is_held_and_cut_on_the_same_side_is_held_first() {
    let (_server, proxy) = start();
    let mut client = Client::connect(&proxy);
    proxy.cut(Cut { at: Packet::Command(1), side: Side::BeforeServer });
    let held = proxy.hold(Packet::Command(1), Side::BeforeServer);
    client.send(0x03, b"COMMIT");
    assert!(held.wait());
    assert!(proxy.cut_planned());
    held.release();
    assert_eq!(client.rest(), b"");
}

#[test]
fn a_hold_released_before_its_packet_comes_does_not_stop_it() {
    let (_server, proxy) = start();
    let mut client = Client::connect(&proxy);
    let released = proxy.hold(Packet::Text("a"), Side::BeforeServer);
    released.release();
    drop(proxy.hold(Packet::Text("b"), Side::AfterServer));
    client.query("a").unwrap();
    client.query("b").unwrap();
    assert!(released.wait());
}

#[test]
fn each_round_trip_is_delayed_once() {
    let (_server, proxy) = start();
    let mut client = Client::connect(&proxy);
    let delay = Duration::from_millis(20);
    proxy.delay(delay);
    let begin = Instant::now();
    client.query("1").unwrap();
    client.query("2").unwrap();
    assert!(begin.elapsed() >= 2 * delay);
}

#[test]
fn what_has_no_answer_is_not_delayed_and_zero_switches_the_delay_off() {
    let (server, proxy) = start();
    let mut client = Client::connect(&proxy);
    // Whatever is delayed by this outlasts every bound of these tests.
    proxy.delay(Duration::from_secs(3600));
    client.send_close(1);
    assert!(matches!(server.next(), Event::Command(0x19, _)));
    proxy.delay(Duration::ZERO);
    client.query("SELECT 1").unwrap();
}
