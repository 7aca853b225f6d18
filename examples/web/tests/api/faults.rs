//! A database that dies, is used up, is locked, or whose answer to COMMIT is lost: the client can tell "nothing happened" from "nobody
//! knows", and a purchase is never in doubt.

use std::net::TcpListener;
use std::process::Command;
use std::thread;

use ephemeral_mysql::{Profile, Server, shared};
use mysql::Conn;
use mysql::prelude::Queryable;
use nix::sys::signal::Signal;
use proxy::{Cut, Packet, Proxy, Side};
use unit_of_work::mysql;

use crate::service::{Web, event, rows, until};

/// Somebody else's transaction, which holds the row of a hold.
pub(crate) fn lock(server: &Server, hold: u64) -> Conn {
    let mut conn = rows(server);
    conn.query_drop("START TRANSACTION").expect("a transaction can be begun");
    conn.exec_drop("SELECT * FROM seat_hold WHERE id = ? FOR UPDATE", (hold,)).expect("the row can be locked");
    conn
}

/// Until some transaction waits for a row.
pub(crate) fn wait_for_lock_wait(server: &Server) {
    let mut conn = rows(server);
    until("somebody waits for a row", || {
        let row: Option<(String, u64)> =
            conn.query_first("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'").expect("it can be shown");
        row.is_some_and(|(_, waiting)| waiting > 0)
    });
}

/// A hold of somebody in an event of its own.
pub(crate) fn held(web: &Web, server: &Server) -> u64 {
    web.held(event(server, 1, 8, 8), "ada@example.org", &["A-1", "A-2"])
}

#[test]
fn a_server_that_dies_is_a_503_and_comes_back_by_itself() {
    // What is committed must survive the kill: the hold is asked for afterwards.
    let server = Server::builder().profile(Profile::Durable).start().expect("a private server starts");
    let web = Web::on(&server, &["--patience", "2"]);
    let hold = held(&web, &server);
    assert_eq!(web.get("/health").status, 200);
    server.kill();
    for reply in [web.buy(hold, "key"), web.get("/api/events"), web.get("/health")] {
        assert_eq!(reply.said(), (503, "unavailable"));
        assert!(reply.head.contains("\r\nretry-after: 1"), "{reply:?}");
        assert!(reply.detail().contains("nothing was changed"), "{reply:?}");
    }
    server.restart().expect("the server comes back");
    let purchase = web.bought(hold, "key");
    assert_eq!(web.settled(purchase), "paid");
    assert_eq!(web.get("/health").status, 200);
}

#[test]
fn a_pool_that_is_used_up_is_a_503() {
    let server = Server::start().expect("a private server starts");
    let web = Web::on(&server, &["--connections", "1", "--patience", "2"]);
    let hold = held(&web, &server);
    let mut locker = lock(&server, hold);
    thread::scope(|scope| {
        // It has the only connection and waits for the row.
        let waits = scope.spawn(|| web.buy(hold, "key"));
        wait_for_lock_wait(&server);
        assert_eq!(web.get("/api/events").said(), (503, "unavailable"));
        locker.query_drop("ROLLBACK").expect("the lock can be given back");
        assert_eq!(waits.join().expect("the client got an answer").status, 201);
    });
    let said = web.killed();
    assert!(
        said.contains("503 Service Unavailable unavailable") && said.contains("held by `web::office::purchases::buy`"),
        "{said}"
    );
}

#[test]
fn a_row_that_stays_locked_is_a_503_after_the_units_deadline() {
    let server = Server::start().expect("a private server starts");
    let web = Web::on(&server, &[]);
    let hold = held(&web, &server);
    let mut locker = lock(&server, hold);
    assert_eq!(web.buy(hold, "key").said(), (503, "unavailable"));
    locker.query_drop("ROLLBACK").expect("the lock can be given back");
    assert_eq!(web.get(&format!("/api/holds/{hold}")).body["state"], "open");
}

#[test]
fn a_hold_whose_commit_has_no_answer_is_said_to_be_unknown() {
    let server = Server::start().expect("a private server starts");
    let proxy = Proxy::start(("127.0.0.1", server.port())).expect("a proxy can be started");
    let web = Web::start(&["--url", &proxy.url("")]);
    let event = event(&server, 8, 8, 64);
    for row in 'A'..='H' {
        proxy.cut(Cut { at: Packet::Text("COMMIT"), side: Side::AfterServer });
        let customer = format!("{row}@example.org");
        let reply = web.hold(event, &customer, &[&format!("{row}-1")]);
        assert!(!proxy.cut_planned());
        if reply.status == 201 {
            continue; // The outbox's worker, which looks now and then, came first and lost the answer to its COMMIT.
        }
        assert_eq!(reply.said(), (504, "outcome-unknown"), "{reply:?}");
        assert!(reply.detail().contains("it may have been done, or not"), "{reply:?}");
        assert!(web.seats(event, "held").contains(&format!("{row}-1")), "it had been committed");
        return;
    }
    panic!("no hold lost the answer to its COMMIT");
}

#[test]
fn a_purchase_whose_commit_has_no_answer_is_looked_up() {
    let server = Server::start().expect("a private server starts");
    let proxy = Proxy::start(("127.0.0.1", server.port())).expect("a proxy can be started");
    let web = Web::start(&["--url", &proxy.url(""), "--payment-delay", "0"]);
    for (side, outcome) in [(Side::AfterServer, "committed"), (Side::BeforeServer, "rolled_back")] {
        let hold = held(&web, &server);
        // It travels with COMMIT, and with no other.
        proxy.cut(Cut { at: Packet::Text("INSERT INTO unit_of_work_outcome"), side });
        let purchase = web.bought(hold, outcome);
        assert!(!proxy.cut_planned());
        assert_eq!((web.settled(purchase).as_str(), web.buy(hold, outcome).status), ("paid", 200));
        let resolved = format!("unit_of_work_commits_resolved_total{{outcome=\"{outcome}\"}} 1");
        let figures = web.get("/metrics").text;
        assert!(figures.contains(&resolved), "{resolved}: {figures}");
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = taken.local_addr().expect("it has one").port().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_web")).args(["--url", &shared().url(""), "--port", &port]).output();
    let output = output.expect("the program can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{said}");
}

#[test]
fn it_starts_at_once_on_a_server_of_its_own_and_says_what_is_wrong_otherwise() {
    let web = Web::start(&[]);
    assert_eq!(web.get("/api/events").body.as_array().map(Vec::len), Some(3));
    web.signal(Signal::SIGINT);
    assert!(web.ended().0.success());
    let wrong = Command::new(env!("CARGO_BIN_EXE_web")).args(["--url", "mysql://a:secret@127.0.0.1:1"]).output();
    let wrong = wrong.expect("the program can be started");
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert!(!wrong.status.success() && said.starts_with("error: ") && !said.contains("secret"), "{said}");
}
