//! How it ends: what has begun is finished, unless somebody is impatient.

use std::io::Write;
use std::net::TcpStream;
use std::thread;

use ephemeral_mysql::Server;
use mysql::prelude::Queryable;
use nix::sys::signal::Signal;
use unit_of_work::mysql;

use crate::faults::{held, lock, wait_for_lock_wait};
use crate::service::{Web, rows};

#[test]
fn ctrl_c_and_sigterm_finish_what_has_begun() {
    let server = Server::start().expect("a private server starts");
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let web = Web::on(&server, &[]);
        let hold = held(&web, &server);
        let mut locker = lock(&server, hold);
        thread::scope(|scope| {
            let begun = scope.spawn(|| web.buy(hold, signal.as_str()));
            wait_for_lock_wait(&server);
            web.signal(signal);
            web.wait_until_nobody_gets_in();
            locker.query_drop("ROLLBACK").expect("the lock can be given back");
            assert_eq!(begun.join().expect("the client got an answer").status, 201);
        });
        let (status, said) = web.ended();
        assert!(status.success(), "{said}");
    }
}

#[test]
fn a_second_signal_ends_at_once_and_what_was_running_is_rolled_back() {
    let server = Server::start().expect("a private server starts");
    let web = Web::on(&server, &[]);
    let hold = held(&web, &server);
    let mut locker = lock(&server, hold);
    let mut client = TcpStream::connect(&web.address).expect("the service listens");
    write!(
        client,
        "POST /api/holds/{hold}/purchase HTTP/1.1\r\nhost: 127.0.0.1\r\nidempotency-key: key\r\ncontent-length: 0\r\n\r\n"
    )
    .expect("the service reads");
    wait_for_lock_wait(&server);
    web.signal(Signal::SIGTERM);
    web.wait_until_nobody_gets_in();
    web.signal(Signal::SIGINT);
    let (status, said) = web.ended();
    assert!(!status.success() && said.contains("a second signal"), "{said}");
    locker.query_drop("ROLLBACK").expect("the lock can be given back");
    let mut rows = rows(&server);
    // With a lock, so that it is read after what was cut off has ended.
    let sql = "SELECT ends_at < '9999-01-01' FROM seat_hold WHERE id = ? FOR UPDATE";
    assert_eq!(rows.exec_first(sql, (hold,)).expect("the row can be read"), Some(true));
    assert_eq!(rows.query_first("SELECT COUNT(*) FROM purchase").expect("rows can be read"), Some(0));
}

#[test]
fn a_client_that_does_not_go_on_is_not_waited_for() {
    let server = Server::start().expect("a private server starts");
    let web = Web::on(&server, &["--patience", "1"]);
    let mut client = TcpStream::connect(&web.address).expect("the service listens");
    write!(client, "GET /api/events HTTP/1.1\r\nhost: 127.").expect("the service reads");
    assert_eq!(web.get("/health").status, 200, "and has read the first client's by now");
    web.signal(Signal::SIGTERM);
    let (status, said) = web.ended();
    assert!(status.success(), "{said}");
}
