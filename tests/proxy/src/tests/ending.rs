//! Refusing, swallowing and closing connections, and the end of the proxy itself.

use std::net::TcpStream;
use std::time::Duration;

use super::fake_server::Event;
use super::{Client, start};
use crate::{Packet, Side};

#[test]
fn refused_connections_are_closed_and_live_ones_go_on() {
    let (_server, proxy) = start();
    let mut live = Client::connect(&proxy);
    proxy.refuse();
    assert_eq!(Client::knock(&proxy).rest(), b"");
    live.query("SELECT 1").unwrap();
    proxy.open();
    Client::connect(&proxy).query("SELECT 2").unwrap();
    assert_eq!(proxy.connections(), 2);
}

#[test]
fn a_black_hole_accepts_and_never_answers() {
    let (server, proxy) = start();
    let mut live = Client::connect(&proxy);
    proxy.black_hole();
    let mut lost = Client::knock(&proxy);
    lost.send(0x0e, b"");
    // Connections are accepted one after the other: when the next has been refused, the one before is in the black hole.
    proxy.refuse();
    assert_eq!(Client::knock(&proxy).rest(), b"");
    proxy.open();
    Client::connect(&proxy).query("through").unwrap();
    live.query("also through").unwrap();
    assert_eq!(proxy.connections(), 2);
    assert_eq!(server.next(), Event::query("through"), "the lost connection never reached the server");
    proxy.close_all();
    assert_eq!(lost.rest(), b"");
}

#[test]
fn close_all_closes_live_connections_on_both_sides_and_lets_new_ones_in() {
    let (server, proxy) = start();
    let clients = [Client::connect(&proxy), Client::connect(&proxy)];
    proxy.close_all();
    for client in clients {
        assert_eq!(client.rest(), b"");
        assert_eq!(server.next(), Event::End);
    }
    Client::connect(&proxy).query("SELECT 1").unwrap();
}

#[test]
fn close_all_stops_what_is_held() {
    let (server, proxy) = start();
    let mut client = Client::connect(&proxy);
    let held = proxy.hold(Packet::Command(1), Side::BeforeServer);
    client.send(0x03, b"COMMIT");
    assert!(held.wait());
    proxy.close_all();
    assert_eq!(client.rest(), b"");
    held.release();
    assert_eq!(server.next(), Event::End);
    drop(proxy);
}

#[test]
fn dropping_closes_live_held_delayed_and_swallowed_connections_and_the_port() {
    let (server, proxy) = start();
    let port = proxy.port();
    let (live, mut delayed, mut held) = (Client::connect(&proxy), Client::connect(&proxy), Client::connect(&proxy));
    let (before, after) =
        (proxy.hold(Packet::Text("held"), Side::BeforeServer), proxy.hold(Packet::Text("answer"), Side::AfterServer));
    held.send(0x03, b"held");
    assert!(before.wait());
    let mut answered = Client::connect(&proxy);
    answered.send(0x03, b"answer");
    assert!(after.wait());
    assert_eq!(server.next(), Event::query("answer"));
    let delaying = proxy.round_trips();
    proxy.delay(Duration::from_secs(3600));
    delayed.send(0x03, b"delayed");
    while proxy.round_trips() == delaying {
        std::thread::yield_now();
    }
    proxy.black_hole();
    let swallowed = Client::knock(&proxy);
    drop(proxy);
    for client in [live, delayed, held, answered, swallowed] {
        assert_eq!(client.rest(), b"");
    }
    for _ in 0..4 {
        assert_eq!(server.next(), Event::End);
    }
    TcpStream::connect(("127.0.0.1", port)).expect_err("nobody listens any more");
}

#[test]
fn a_hold_outlives_its_proxy() {
    let (_server, proxy) = start();
    let never = proxy.hold(Packet::Command(1), Side::BeforeServer);
    drop(proxy);
    never.release();
}
