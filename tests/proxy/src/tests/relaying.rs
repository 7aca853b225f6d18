//! What goes through unchanged, what is counted, and what is recorded.

use std::thread;

use super::client::command;
use super::fake_server::Event;
use super::{Client, start};
use crate::packet::{Frame, MAX_PAYLOAD};
use crate::{Command, Kind};

#[test]
fn a_command_with_an_answer_is_one_round_trip_and_the_handshake_none() {
    let (_server, proxy) = start();
    let mut client = Client::connect(&proxy);
    assert_eq!((proxy.connections(), proxy.round_trips()), (1, 0));
    client.query("SELECT 1").unwrap();
    client.ping();
    assert_eq!((proxy.connections(), proxy.round_trips()), (1, 2));
    Client::connect(&proxy).query("SELECT 2").unwrap();
    assert_eq!((proxy.connections(), proxy.round_trips()), (2, 3));
}

#[test]
fn commands_without_an_answer_are_no_round_trips() {
    let (server, proxy) = start();
    let mut client = Client::connect(&proxy);
    client.send(0x18, b"\x01\0\0\0\0\0data");
    client.send_close(1);
    client.send(0x01, b"");
    for byte in [0x18, 0x19, 0x01] {
        assert!(matches!(server.next(), Event::Command(sent, _) if sent == byte));
    }
    assert_eq!(proxy.round_trips(), 0);
}

#[test]
fn a_command_is_counted_wherever_the_stream_is_split() {
    let (server, proxy) = start();
    let mut client = Client::connect(&proxy);
    // As the driver sends them: the close of one statement and the next command in one segment.
    let both = [command(0x19, &[1, 0, 0, 0]), command(0x03, b"SELECT 1")].concat();
    for at in 0..=both.len() {
        let before = proxy.round_trips();
        client.send_raw(&both[..at]);
        client.send_raw(&both[at..]);
        assert_eq!(client.answer().unwrap(), b"SELECT 1");
        assert_eq!(proxy.round_trips() - before, 1, "split at {at}");
        assert_eq!(server.next(), Event::Command(0x19, vec![1, 0, 0, 0]));
        assert_eq!(server.next(), Event::query("SELECT 1"));
    }
}

#[test]
fn large_packets_pass_both_ways_and_are_one_round_trip() {
    // One byte is the command itself; each length is one at which something changes.
    for length in [16 << 20, 70 << 20, MAX_PAYLOAD - 2, MAX_PAYLOAD - 1, MAX_PAYLOAD, 2 * MAX_PAYLOAD - 1] {
        let (_server, proxy) = start();
        let mut client = Client::connect(&proxy);
        // A period of 26 divides no length of a frame, so a part that is lost or doubled shows.
        let mut text = "abcdefghijklmnopqrstuvwxyz".repeat(length / 26 + 1);
        text.truncate(length);
        assert!(client.query(&text).is_ok(), "{length} bytes");
        client.query("SELECT 1").unwrap();
        assert_eq!(proxy.round_trips(), 2, "{length} bytes");
    }
}

#[test]
fn each_command_is_recorded_with_its_connection_kind_and_text() {
    let (_server, proxy) = start();
    proxy.record();
    let (mut first, mut second) = (Client::connect(&proxy), Client::connect(&proxy));
    first.query("SELECT 'ä'").unwrap();
    second.ping();
    for (byte, body) in [(0x02, &b"bank"[..]), (0x1f, b""), (0x11, b"root"), (0x1a, b"\x01\0\0\0")] {
        first.send(byte, body);
        first.answer().unwrap();
    }
    first.send(0x18, b"\x01\0\0\0\0\0data");
    first.send(0x01, b"");
    assert_eq!(first.rest(), b"");
    let expected = [
        (1, Kind::Query, "SELECT 'ä'"),
        (2, Kind::Ping, ""),
        (1, Kind::InitDb, ""),
        (1, Kind::Reset, ""),
        (1, Kind::Other(0x11), ""),
        (1, Kind::Other(0x1a), ""),
        (1, Kind::LongData, ""),
        (1, Kind::Quit, ""),
    ];
    assert_eq!(proxy.take(), expected.map(|(connection, kind, text)| recorded(connection, kind, text)));
}

#[test]
fn an_execution_is_recorded_with_the_text_of_its_statement() {
    let (_server, proxy) = start();
    proxy.record();
    let mut client = Client::connect(&proxy);
    let insert = client.prepare("INSERT INTO t VALUES (?)");
    let update = client.prepare("UPDATE t SET a = ?");
    client.execute(insert);
    client.execute(update);
    client.send_close(insert);
    client.execute(insert);
    client.execute(update);
    client.send(0x1f, b"");
    client.answer().unwrap();
    client.execute(update);
    let expected = [
        (Kind::Prepare, "INSERT INTO t VALUES (?)"),
        (Kind::Prepare, "UPDATE t SET a = ?"),
        (Kind::Execute, "INSERT INTO t VALUES (?)"),
        (Kind::Execute, "UPDATE t SET a = ?"),
        (Kind::Close, ""),
        (Kind::Execute, ""),
        (Kind::Execute, "UPDATE t SET a = ?"),
        (Kind::Reset, ""),
        (Kind::Execute, ""),
    ];
    assert_eq!(proxy.take(), expected.map(|(kind, text)| recorded(1, kind, text)));
}

#[test]
fn a_preparation_that_fails_names_no_statement() {
    let (_server, proxy) = start();
    let mut client = Client::connect(&proxy);
    client.send(0x16, b"WRONG");
    let error = client.answer().unwrap();
    proxy.record();
    // The identifier that a reader of any first packet would have found in the error.
    client.execute(u32::from_le_bytes(*error[1..].first_chunk().unwrap()));
    assert_eq!(proxy.take(), [recorded(1, Kind::Execute, "")]);
}

#[test]
fn take_returns_what_came_since_the_last_take_and_record_begins_anew() {
    let (_server, proxy) = start();
    let mut client = Client::connect(&proxy);
    client.query("before").unwrap();
    proxy.record();
    assert_eq!(proxy.take(), []);
    client.query("first").unwrap();
    assert_eq!(proxy.take(), [recorded(1, Kind::Query, "first")]);
    client.query("forgotten").unwrap();
    proxy.record();
    client.query("second").unwrap();
    assert_eq!(proxy.take(), [recorded(1, Kind::Query, "second")]);
    assert_eq!(proxy.take(), []);
}

#[test]
#[should_panic(expected = "call Proxy::record() first")]
fn take_without_record_panics() {
    start().1.take();
}

#[test]
fn counters_and_connections_of_many_threads_add_up() {
    let (_server, proxy) = start();
    proxy.record();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut client = Client::connect(&proxy);
                for _ in 0..50 {
                    client.query("SELECT 1").unwrap();
                }
            });
        }
    });
    assert_eq!((proxy.connections(), proxy.round_trips(), proxy.take().len()), (8, 400, 400));
}

#[test]
fn a_client_that_stops_sending_still_gets_its_answer() {
    let (server, proxy) = start();
    let mut client = Client::connect(&proxy);
    let held = proxy.hold(crate::Packet::Command(1), crate::Side::BeforeServer);
    client.send(0x03, b"SELECT 1");
    client.stop_sending();
    assert!(held.wait());
    held.release();
    assert_eq!(client.answer().unwrap(), b"SELECT 1");
    assert_eq!((server.next(), server.next()), (Event::query("SELECT 1"), Event::End));
    assert_eq!(client.rest(), b"");
}

#[test]
fn the_end_of_one_side_reaches_the_other() {
    let (server, proxy) = start();
    drop(Client::connect(&proxy));
    assert_eq!(server.next(), Event::End);
}

#[test]
fn the_end_of_the_server_reaches_the_client() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let proxy = crate::Proxy::start(listener.local_addr().unwrap()).unwrap();
    let client = Client::knock(&proxy);
    drop(listener.accept().unwrap());
    assert_eq!(client.rest(), b"");
}

#[test]
fn a_server_that_cannot_be_reached_closes_the_connection() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let proxy = crate::Proxy::start(address).unwrap();
    assert_eq!(Client::knock(&proxy).rest(), b"");
}

#[test]
fn a_client_that_asks_for_tls_or_compression_is_refused_with_the_reason() {
    for flags in [0x20_u32, 0x800, 1 << 26] {
        let (server, proxy) = start();
        let mut client = Client::knock(&proxy);
        assert_eq!(client.answer().unwrap(), b"\x0agreeting");
        client.send_raw(Frame::new(1, &flags.to_le_bytes()).bytes());
        let refusal = client.answer().unwrap();
        assert_eq!(refusal[0], 0xff);
        assert!(String::from_utf8_lossy(&refusal).contains("neither TLS nor compression"), "{flags:#x}");
        assert_eq!((client.rest(), server.next()), (vec![], Event::End));
    }
}

#[test]
fn the_url_names_the_port_and_the_database() {
    let (_server, proxy) = start();
    assert_eq!(proxy.url("bank"), format!("mysql://root@127.0.0.1:{}/bank", proxy.port()));
}

fn recorded(connection: u64, kind: Kind, text: &str) -> Command {
    Command { connection, kind, text: text.to_owned() }
}
