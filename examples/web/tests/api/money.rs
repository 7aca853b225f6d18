//! The payment provider when it fails, is slow, or has charged when nobody is there to hear it: every payment is made once.

use std::time::{Duration, Instant};

use ephemeral_mysql::Server;
use mysql::prelude::{FromRow, Queryable};
use nix::sys::signal::Signal;
use unit_of_work::mysql;

use crate::service::{Web, event, rows, until};

fn server() -> Server {
    Server::start().expect("a private server starts")
}

fn row<T: FromRow>(server: &Server, sql: &str) -> Option<T> {
    rows(server).query_first(sql).expect("rows can be read")
}

/// The provider's book: calls and cents, of all charges.
fn charges(server: &Server) -> Option<(u32, u32, u32)> {
    row(
        server,
        "SELECT COUNT(*), CAST(SUM(calls) AS UNSIGNED), CAST(SUM(cents) AS UNSIGNED) FROM provider_book WHERE entry = 'charge'",
    )
}

/// A purchase of two seats; its number.
fn purchase(web: &Web, server: &Server) -> u64 {
    let event = event(server, 1, 4, 4);
    let hold = web.held(event, "ada@example.org", &["A-1", "A-2"]);
    web.bought(hold, "once")
}

/// Until the provider has been asked, or has charged.
fn wait_for(server: &Server, condition: &str) {
    let sql = format!("SELECT 1 FROM provider_book WHERE {condition}");
    until(condition, || row::<u8>(server, &sql).is_some());
}

#[test]
fn a_provider_that_fails_is_asked_again_and_charges_once() {
    let server = server();
    let web = Web::on(&server, &["--payment-failures", "2"]);
    let purchase = purchase(&web, &server);
    assert_eq!(web.settled(purchase), "paid");
    assert_eq!(charges(&server), Some((1, 3, 2000)), "at first it did nothing, then its answer was lost");
    assert_eq!(row::<u32>(&server, "SELECT COUNT(*) FROM outbox"), Some(0));
}

#[test]
fn a_refund_is_paid_once_too() {
    let server = server();
    let web = Web::on(&server, &["--payment-failures", "2"]);
    let purchase = purchase(&web, &server);
    assert_eq!(web.settled(purchase), "paid");
    assert_eq!(web.order(&format!("/api/purchases/{purchase}/cancel")).status, 200);
    wait_for(&server, "entry = 'refund' AND calls = 3 AND cents = 2000 AND NOT EXISTS (SELECT 1 FROM outbox)");
    assert_eq!(charges(&server), Some((1, 3, 2000)));
}

#[test]
fn nobody_waits_for_a_provider_that_is_slow_and_a_kill_before_its_answer_charges_nobody_twice() {
    let server = server();
    let web = Web::on(&server, &["--payment-delay", "600000"]);
    let purchase = purchase(&web, &server);
    wait_for(&server, "cents = 2000");
    assert_eq!(web.get(&format!("/api/purchases/{purchase}")).body["state"], "pending");
    assert_eq!(web.order(&format!("/api/purchases/{purchase}/cancel")).said(), (409, "being-paid"));
    web.killed();
    let web = Web::on(&server, &[]);
    assert_eq!(web.settled(purchase), "paid");
    assert_eq!(charges(&server), Some((1, 2, 2000)));
    assert_eq!(row::<u32>(&server, "SELECT COUNT(*) FROM outbox"), Some(0));
}

#[test]
fn a_purchase_whose_provider_was_never_reached_is_charged_after_a_kill() {
    let server = server();
    let web = Web::on(&server, &["--payment-failures", "1"]);
    // As if the kill had come between COMMIT and the first call.
    let event = event(&server, 1, 4, 4);
    let hold = web.held(event, "ada@example.org", &["A-1", "A-2"]);
    rows(&server).query_drop("RENAME TABLE provider_book TO burnt").expect("root may");
    let purchase = web.bought(hold, "once");
    web.killed();
    rows(&server).query_drop("RENAME TABLE burnt TO provider_book").expect("root may");
    let web = Web::on(&server, &[]);
    assert_eq!(web.settled(purchase), "paid");
    assert_eq!(charges(&server), Some((1, 1, 2000)));
}

#[test]
fn who_is_asked_to_end_waits_for_the_answer_that_is_on_its_way() {
    let server = server();
    let web = Web::on(&server, &["--payment-delay", "500"]);
    let purchase = purchase(&web, &server);
    wait_for(&server, "cents = 2000");
    web.signal(Signal::SIGTERM);
    let (status, said) = web.ended();
    assert!(status.success(), "{said}");
    let sql = format!("SELECT state FROM purchase WHERE id = {purchase}");
    assert_eq!(row::<String>(&server, &sql).as_deref(), Some("paid"));
}

#[test]
fn who_is_asked_twice_to_end_does_not_wait_for_it() {
    let server = server();
    let web = Web::on(&server, &["--payment-delay", "600000"]);
    purchase(&web, &server);
    wait_for(&server, "cents = 2000");
    web.signal(Signal::SIGTERM);
    web.wait_until_nobody_gets_in();
    web.signal(Signal::SIGTERM);
    let (status, said) = web.ended();
    assert!(!status.success() && said.contains("a second signal"), "{said}");
}

#[test]
fn an_answer_that_cannot_be_written_down_is_asked_for_again_but_not_at_once() {
    let server = server();
    let web = Web::on(&server, &[]);
    let sql = "CREATE TRIGGER stuck BEFORE DELETE ON outbox FOR EACH ROW SIGNAL SQLSTATE '45000'";
    rows(&server).query_drop(sql).expect("root may");
    let began = Instant::now();
    let purchase = purchase(&web, &server);
    wait_for(&server, "calls > 1");
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    rows(&server).query_drop("DROP TRIGGER stuck").expect("root may");
    assert_eq!(web.settled(purchase), "paid");
    let sql = "SELECT CAST(SUM(cents) AS UNSIGNED) FROM provider_book";
    assert_eq!(row::<u32>(&server, sql), Some(2000));
}

#[test]
fn other_purchases_do_not_wait_for_one_that_is_slow() {
    let server = server();
    let web = Web::on(&server, &[]);
    let events = [event(&server, 1, 4, 4), event(&server, 1, 4, 4)];
    let slow = web.held(events[0], "slow@example.org", &["A-1", "A-2"]);
    let slow = web.bought(slow, "slow");
    wait_for(&server, "cents = 2000");
    let other = web.held(events[1], "ada@example.org", &["A-1", "A-2"]);
    let other = web.bought(other, "other");
    assert_eq!(web.settled(other), "paid");
    assert_eq!(web.get(&format!("/api/purchases/{slow}")).body["state"], "pending");
    assert_eq!(charges(&server), Some((2, 2, 4000)), "nobody was asked twice");
}

#[test]
fn other_purchases_do_not_wait_for_one_that_fails() {
    let server = server();
    let web = Web::on(&server, &["--payment-failures", "1"]);
    // A provider that has failed for this key so often that the next try is a minute away.
    let first = purchase(&web, &server);
    assert_eq!(web.settled(first), "paid");
    let sql = "INSERT INTO outbox (purchase, errand, tries, due_at)
        SELECT id, 'refund', 9, UTC_TIMESTAMP(6) + INTERVAL 1 MINUTE FROM purchase";
    rows(&server).query_drop(sql).expect("it can be inserted");
    let event = event(&server, 1, 4, 4);
    let second = web.held(event, "bob@example.org", &["A-1", "A-2"]);
    let second = web.bought(second, "second");
    assert_eq!(web.settled(second), "paid");
    assert_eq!(row::<u32>(&server, "SELECT COUNT(*) FROM outbox"), Some(1));
}
