//! Many at once: what `serializable` is for. Counted from the rows afterwards, whatever the clients were told.

use std::thread;

use ephemeral_mysql::{Server, shared};
use fastrand::Rng;
use mysql::prelude::Queryable;
use unit_of_work::mysql;

use crate::faults::wait_for_lock_wait;
use crate::service::{Web, event, rows, until};

#[test]
fn of_64_buyers_of_10_seats_those_get_them_who_come_first_and_no_seat_is_sold_twice() {
    let web = Web::on(shared(), &["--connections", "32"]);
    let event = event(shared(), 1, 10, 10);
    thread::scope(|scope| {
        for buyer in 0..64 {
            let web = &web;
            scope.spawn(move || buy_one_or_two(web, event, buyer));
        }
    });
    let sql = "SELECT COUNT(*), COUNT(DISTINCT seat_row, seat_number), MAX(seat_number)
        FROM seat_hold JOIN held_seat ON hold = id WHERE event = ? AND ends_at > '9999-01-01'";
    let sold: Option<(u32, u32, u32)> = rows(shared()).exec_first(sql, (event,)).expect("rows can be read");
    assert_eq!(sold, Some((10, 10, 10)));
    let sql =
        "SELECT SUM(amount) FROM purchase JOIN seat_hold ON seat_hold.id = hold WHERE event = ? AND state <> 'refused'";
    let taken: Option<u64> = rows(shared()).exec_first(sql, (event,)).expect("rows can be read");
    assert_eq!(taken, Some(10 * 1000));
    web.assert_sound(event);
}

/// Tries until nothing is free: one seat, or two where one would leave one alone.
fn buy_one_or_two(web: &Web, event: u64, buyer: u64) {
    let mut random = Rng::with_seed(buyer);
    until("a buyer has seats, or there are none", || {
        let plan = web.seats(event, "free");
        let Some(first) = random.choice(&plan) else { return true };
        let beside = plan.iter().find(|seat| number(seat) == number(first) + 1).filter(|_| random.bool());
        let wanted: Vec<&str> = [first].into_iter().chain(beside).map(String::as_str).collect();
        let reply = web.patiently(|web| web.hold(event, &format!("{buyer}@example.org"), &wanted));
        match reply.status {
            201 => {
                let hold = reply.body["id"].as_u64().expect("it has a number");
                web.bought(hold, &format!("crowd-{event}-{hold}"));
                true
            }
            409 => false,
            _ => panic!("{reply:?}"),
        }
    });
}

fn number(seat: &str) -> u32 {
    seat.split_once('-').and_then(|(_, number)| number.parse().ok()).expect("a seat has a number")
}

#[test]
fn a_hold_that_ends_while_it_is_being_bought_is_not_sold_twice() {
    let server = Server::start().expect("a private server starts");
    let web = Web::on(&server, &[]);
    let events = [event(&server, 1, 4, 4), event(&server, 1, 4, 4)];
    let hold = web.held(events[0], "ada@example.org", &["A-1", "A-2"]);
    // Behind it, so that the seats of the next hold come to be in a gap that nobody locks.
    web.held(events[1], "eve@example.org", &["A-1", "A-2"]);
    // Who buys it has to wait for somebody who has the key, while its time is up.
    let mut other = rows(&server);
    other.query_drop("START TRANSACTION").expect("a transaction can be begun");
    let sql = "INSERT INTO purchase (hold, idempotency_key, amount) VALUES (0, 'key', 0)";
    other.query_drop(sql).expect("it can be inserted");
    let sql = "UPDATE seat_hold SET ends_at = UTC_TIMESTAMP(6) + INTERVAL 1 SECOND WHERE id = ?";
    rows(&server).exec_drop(sql, (hold,)).expect("time can be moved");
    thread::scope(|scope| {
        let late = scope.spawn(|| web.buy(hold, "key"));
        wait_for_lock_wait(&server);
        until("the hold is over", || web.get(&format!("/api/holds/{hold}")).body["state"] == "over");
        web.held(events[0], "bob@example.org", &["A-1", "A-2"]);
        other.query_drop("ROLLBACK").expect("it can be rolled back");
        // Or 503, on a machine on which it has waited too long.
        let late = late.join().expect("the client got an answer");
        assert!([409, 503].contains(&late.status), "{late:?}");
    });
    web.assert_sound(events[0]);
}

const CLIENTS: u64 = 12;
const VISITS: u32 = 40;

#[test]
fn under_load_no_rule_is_broken_and_every_cent_is_where_it_belongs() {
    let server = Server::start().expect("a private server starts");
    let web = Web::on(&server, &["--payment-failures", "1"]);
    let event = event(&server, 3, 8, 20);
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let web = &web;
            scope.spawn(move || visit(web, event, client));
        }
    });
    let mut rows = rows(&server);
    let mut number = |sql: &str| -> u64 { rows.query_first(sql).expect("rows can be read").expect("a sum is one row") };
    until("every payment is made", || number("SELECT COUNT(*) FROM outbox") == 0);
    web.assert_sound(event);
    let paid = number("SELECT COALESCE(SUM(amount), 0) FROM purchase WHERE state = 'paid'");
    let back = number("SELECT COALESCE(SUM(amount), 0) FROM purchase WHERE state = 'cancelled'");
    let sold = "SELECT COUNT(*) FROM seat_hold JOIN held_seat ON hold = id WHERE ends_at > '9999-01-01'";
    assert_eq!(paid, 1000 * number(sold), "what is paid is sold");
    assert_eq!(number("SELECT SUM(cents) FROM provider_book WHERE entry = 'charge'"), paid + back);
    assert_eq!(number("SELECT COALESCE(SUM(cents), 0) FROM provider_book WHERE entry = 'refund'"), back);
    assert!(paid > 0 && back > 0 && number("SELECT COUNT(*) FROM purchase WHERE state = 'refused'") > 0);
}

/// Holds, buys, gives back, cancels and invites at random; every third client has no money.
fn visit(web: &Web, event: u64, client: u64) {
    let mut random = Rng::with_seed(client);
    let word = if client.is_multiple_of(3) { "broke" } else { "rich" };
    let (mut holds, mut purchases) = (Vec::new(), Vec::new());
    for visit in 0..VISITS {
        let reply = match random.u8(0..10) {
            0..4 => {
                let (row, first) = (random.char('A'..='C'), random.u8(1..=8));
                let seats: Vec<_> =
                    (first..=(first + random.u8(0..3)).min(8)).map(|seat| format!("{row}-{seat}")).collect();
                let seats: Vec<_> = seats.iter().map(String::as_str).collect();
                let reply = web.hold(event, &format!("{word}{client}@example.org"), &seats);
                holds.extend(reply.body["id"].as_u64().filter(|_| reply.status == 201));
                reply
            }
            4..7 if !holds.is_empty() => {
                let reply = web.buy(holds[random.usize(..holds.len())], &format!("{client}-{}", random.u32(..VISITS)));
                purchases.extend(reply.body["id"].as_u64().filter(|_| reply.status == 201));
                reply
            }
            7 if !holds.is_empty() => web.delete(&format!("/api/holds/{}", holds[random.usize(..holds.len())])),
            8 if !purchases.is_empty() => {
                let purchase = purchases[random.usize(..purchases.len())];
                if visit % 2 == 0 {
                    web.settled(purchase);
                }
                web.order(&format!("/api/purchases/{purchase}/cancel"))
            }
            9 if visit % 8 == 0 => web.invite(event, &format!("Guest {client} {visit}")),
            _ => web.get(&format!("/api/events/{event}")),
        };
        // 503 on a machine that is too busy: nothing was done, says the answer, and the audit.
        assert!([200, 201, 204, 409, 503].contains(&reply.status), "{reply:?}");
    }
}
