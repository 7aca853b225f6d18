//! Faults on the way to a server: connections that are cut at every place of a unit, and replies that come too late. What many
//! breakages do to the pool is `breakages`, values that do not fit are `values`, and that no secret is told in the messages about
//! any of it is `secrets`. Faults of the server itself (kill -9, read-only flips) are not here.

mod breakages;
pub(crate) mod secrets;
mod values;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use proxy::{Cut, Packet, Proxy, Side};
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Database, Error, ErrorKind, Outcome, Retry, Tx};

use crate::world::{World, until};

const SELECT: &str = "SELECT balance FROM account WHERE id = ?";
const UPDATE: &str = "UPDATE account SET balance = balance + ? WHERE id = ?";
const SIDES: [Side; 2] = [Side::BeforeServer, Side::AfterServer];

/// Five packets on a warm session: four statements and COMMIT.
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    for id in [1, 2] {
        tx.exec_first::<i64, _, _>(SELECT, (id,))?;
    }
    tx.exec_drop(UPDATE, (-10, 1))?;
    tx.exec_drop(UPDATE, (10, 2))
}

/// Cuts at one packet of a transfer, and holds what the caller is told against what is in the database.
fn cut_at(world: &World, db: &Database, proxy: &Proxy, cut: Cut<'_>) -> Result<(), Error> {
    let before = world.balances();
    proxy.cut(cut);
    let told = db.unit("transfer").run(transfer);
    assert!(!proxy.cut_planned(), "{cut:?} met no packet");
    world.assert_clean(db);
    let moved = vec![before[0] - 10, before[1] + 10];
    let outcome = told.as_ref().map_or_else(Error::outcome, |()| Some(Outcome::Committed));
    match outcome {
        Some(Outcome::Committed) => assert_eq!(world.balances(), moved, "{cut:?}: {told:?}"),
        Some(Outcome::RolledBack | Outcome::NotStarted) => assert_eq!(world.balances(), before, "{cut:?}: {told:?}"),
        Some(Outcome::Unknown) => assert!([moved, before].contains(&world.balances()), "{cut:?}: {told:?}"),
        other => panic!("{cut:?}: {other:?}: {told:?}"),
    }
    told
}

#[test]
fn s79_cut_at_any_packet_of_a_warm_transfer_the_answer_agrees_with_the_rows() {
    let world = World::with_accounts(1..=2);
    for side in SIDES {
        for packet in 1..=5 {
            let (db, proxy) = world.proxied();
            db.unit("warm").run(transfer).expect("nothing is cut yet");
            let told = cut_at(&world, &db, &proxy, Cut { at: Packet::Command(packet), side });
            let kind = told.map_err(|error| error.kind());
            let expected = if packet == 5 { Err(ErrorKind::CommitUnknown) } else { Ok(()) };
            assert_eq!(kind, expected, "packet {packet}, {side:?}");
        }
    }
}

#[test]
fn s79_cut_at_any_packet_of_a_cold_transfer_the_answer_agrees_with_the_rows() {
    // Two texts are prepared, so seven packets; and the session that replaces the cut one is cut in turn.
    let world = World::with_accounts(1..=2);
    for side in SIDES {
        for packet in 1..=7 {
            let (db, proxy) = world.proxied();
            let told = cut_at(&world, &db, &proxy, Cut { at: Packet::Command(packet), side });
            let kind = told.map_err(|error| error.kind());
            let expected = if packet == 7 { Err(ErrorKind::CommitUnknown) } else { Ok(()) };
            assert_eq!(kind, expected, "packet {packet}, {side:?}");
        }
    }
}

#[test]
fn s79_a_unit_that_is_never_run_again_is_told_that_it_was_rolled_back() {
    let world = World::with_accounts(1..=2);
    for side in SIDES {
        for packet in 2..=4 {
            let (db, proxy) = world.proxied_with(|builder| builder.retry(Retry::NEVER));
            db.unit("warm").run(transfer).expect("nothing is cut yet");
            let error = cut_at(&world, &db, &proxy, Cut { at: Packet::Command(packet), side }).expect_err("it was cut");
            let seen = (error.kind(), error.outcome(), error.attempts());
            assert_eq!(seen, (ErrorKind::ConnectionLost, Some(Outcome::RolledBack), 1), "packet {packet}, {side:?}");
        }
    }
}

#[test]
fn s80_a_late_reply_is_never_read_by_anyone() {
    let world = World::with_accounts(1..=2);
    let limit = Duration::from_millis(300);
    let (db, proxy) = world.proxied_with(|builder| builder.network_timeout(limit).max_connections(1));
    let say = |n: u64| db.unit("say").run::<_, Error>(|tx| Ok((tx.query_first(format!("SELECT {n}"))?, tx.attempt())));
    assert_eq!(say(1).expect("a unit"), (Some(1_u64), 1));
    let late = proxy.hold(Packet::Text("SELECT 11"), Side::AfterServer);
    assert_eq!(say(11).expect("the second attempt"), (Some(11), 2));
    for n in [22, 33] {
        assert_eq!(say(n).expect("a unit"), (Some(n), 1), "the late reply is still on its way");
    }
    late.release();
    for n in [44, 55] {
        assert_eq!(say(n).expect("a unit"), (Some(n), 1), "the late reply has come");
    }
    assert_eq!(proxy.connections(), 2, "the first one was dropped");
}

#[test]
fn s80_a_late_reply_that_comes_before_the_unit_ends_is_not_taken_for_that_of_its_rollback() {
    let world = World::with_accounts(1..=2);
    let limit = Duration::from_millis(300);
    let (db, proxy) = world.proxied_with(|builder| builder.network_timeout(limit).max_connections(1));
    let late = proxy.hold(Packet::Text("SELECT 11"), Side::AfterServer);
    let unit = db.unit("late").run::<_, Error>(|tx| {
        let said = tx.query_first::<u64, _>("SELECT 11");
        if tx.attempt() == 1 {
            let error = said.as_ref().expect_err("it is held");
            assert_eq!(error.kind(), ErrorKind::ConnectionLost);
            // Not the operating system's "Resource temporarily unavailable" alone.
            assert!(error.to_string().contains("did not answer within the network timeout"), "{error}");
            late.release();
        }
        Ok((said.unwrap_or_default(), tx.attempt()))
    });
    assert_eq!(unit.expect("the second attempt"), (Some(11), 2));
    for n in [22_u64, 33] {
        let said = db.unit("say").run::<_, Error>(|tx| tx.query_first(format!("SELECT {n}")));
        assert_eq!(said.expect("a unit"), Some(n));
    }
}

#[test]
fn s80_a_late_reply_to_commit_is_not_taken_for_anything() {
    let world = World::with_accounts(1..=2);
    let limit = Duration::from_millis(300);
    let (db, proxy) = world.proxied_with(|builder| builder.network_timeout(limit));
    let late = proxy.hold(Packet::Text("COMMIT"), Side::AfterServer);
    let error = db.unit("transfer").run(transfer).expect_err("nobody knows");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::CommitUnknown, Some(Outcome::Unknown)));
    late.release();
    assert_eq!(world.balances(), [90, 110]);
    db.unit("transfer").run(transfer).expect("another session");
    assert_eq!(world.balances(), [80, 120]);
}

#[test]
fn s80_the_next_attempt_does_not_wait_for_the_ghost() {
    let world = World::with_accounts(1..=2);
    let limit = Duration::from_millis(500);
    let (db, proxy) = world.proxied_with(|builder| builder.network_timeout(limit));
    let ghost = AtomicU64::new(0);
    let unit = db.unit("slow").run::<_, Error>(|tx| {
        tx.exec_drop(UPDATE, (1, 1))?;
        if tx.attempt() == 1 {
            let id: Option<u64> = tx.query_first("SELECT CONNECTION_ID()")?;
            ghost.store(id.expect("a row"), Ordering::Relaxed);
            proxy.record();
            // Goes on for minutes, whether anybody listens or not, unless it is killed; and it holds the lock on account 1.
            tx.query_drop("SELECT BENCHMARK(1000000000000, SHA2('x', 256))")?;
        }
        Ok(tx.attempt())
    });
    let attempts = unit.expect("the next attempt gets the lock");
    let ghost = ghost.into_inner();
    let sent: Vec<_> = proxy.take().into_iter().map(|command| command.text).collect();
    let killed = sent.iter().position(|text| *text == format!("KILL CONNECTION {ghost}"));
    let again = sent.iter().position(|text| text.starts_with("UPDATE"));
    assert!(killed.is_some() && killed < again, "{sent:?}");
    // The kill takes effect in its own time, and the lock is free only then.
    assert!((2..=5).contains(&attempts), "{attempts} attempts");
    until("the ghost has ended", || {
        world.count(&format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id = {ghost}")) == 0
    });
    assert_eq!(world.balances(), [101, 100]);
    world.assert_clean(&db);
}

#[test]
fn s80_the_ghost_is_killed_also_when_all_other_connections_died_with_it() {
    // As when a firewall or a proxy restarts: the server goes on with the statement, and no session is left to kill it with.
    let world = World::with_accounts(1..=2);
    let (db, proxy) = world.proxied_with(|builder| builder.network_timeout(Duration::from_secs(2)));
    let free = thread::scope(|scope| scope.spawn(|| db.unit("warm").run(transfer)).join());
    free.expect("no panic").expect("nothing is cut yet");
    let unit = thread::scope(|scope| {
        let (ready, begun) = mpsc::channel();
        let (world, proxy) = (&world, &proxy);
        let cutter = scope.spawn(move || {
            let benchmark = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT BENCHMARK%' AND db = DATABASE()";
            begun.recv().expect("the unit speaks");
            until("the statement runs", || world.count(benchmark) == 1);
            proxy.close_all();
        });
        let unit = db.unit("slow").run::<_, Error>(|tx| {
            tx.exec_drop(UPDATE, (1, 1))?;
            if tx.attempt() == 1 {
                // Another session, free for the next attempt, and soon as dead as this one.
                let other =
                    thread::scope(|scope| scope.spawn(|| db.unit("other").run(|tx| tx.query_drop("DO 1"))).join());
                other.expect("no panic")?;
                ready.send(()).expect("the cutter listens");
                tx.query_drop("SELECT BENCHMARK(1000000000000, SHA2('x', 256))")?;
            }
            Ok(tx.attempt())
        });
        cutter.join().expect("the statement ran");
        unit
    });
    // The statement would go on after the test.
    let ghosts =
        "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT BENCHMARK%' AND db = DATABASE()";
    let mut conn = world.conn();
    let left: Vec<u64> = conn.query(ghosts).expect("the server answers");
    for id in &left {
        conn.query_drop(format!("KILL {id}")).expect("it runs");
    }
    assert!(unit.is_ok() && left.is_empty(), "{unit:?}, still running: {left:?}");
}
