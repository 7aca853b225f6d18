//! The end of a database: who is let in no more, who may end what it began, and what is left on the server.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use unit_of_work::{Error, ErrorKind, Outcome};

use super::{connection, while_held};
use crate::world::{BOUND, World, until};

/// The server's connections to this database, but for the one that asks.
fn connections_to(world: &World) -> u64 {
    let others = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()";
    world.count(others)
}

#[test]
fn s102_close_ends_everything_and_a_second_close_is_harmless() {
    let world = World::new();
    while_held(&world.db, 3, || {});
    connection(&world.db).expect("a unit");
    assert!(connections_to(&world) >= 1);
    world.db.close(BOUND).expect("no unit is running");
    until("the sessions are closed", || connections_to(&world) == 0);
    let error = connection(&world.db).expect_err("no unit begins any more");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Closed, Some(Outcome::NotStarted)));
    let error = world.db.session(|session| session.query_drop("DO 1")).expect_err("nor a session");
    assert_eq!(error.kind(), ErrorKind::Closed);
    world.db.close(Duration::ZERO).expect("closed is closed");
}

#[test]
fn s102_running_units_may_end_and_are_counted_when_they_do_not() {
    let world = World::with_accounts(1..=1);
    let db = world.connect(|builder| builder.max_connections(1));
    db.unit("running")
        .run::<_, Error>(|tx| {
            tx.query_drop("UPDATE account SET balance = 1")?;
            let error = db.close(Duration::ZERO).expect_err("this unit is running");
            assert_eq!(error.kind(), ErrorKind::Closed);
            for part in ["1 connections are still in use", "`running` ("] {
                assert!(error.to_string().contains(part), "`{part}` is not in: {error}");
            }
            tx.query_drop("UPDATE account SET balance = balance + 1")
        })
        .expect("what is running may end");
    assert_eq!(world.balances(), [2]);
    db.close(BOUND).expect("its session was closed at its end");
    assert_eq!(connection(&db).expect_err("closed").kind(), ErrorKind::Closed);
}

#[test]
fn s102_close_waits_for_running_units_and_turns_away_who_waits_in_line() {
    let world = World::new();
    let db = world.connect(|builder| builder.max_connections(1).acquire_timeout(BOUND));
    let (started, start) = mpsc::channel();
    thread::scope(|scope| {
        let closer = while_held(&db, 1, || {
            let waiting = scope.spawn(|| {
                started.send(()).expect("the test listens");
                connection(&db).map_err(|error| error.kind())
            });
            start.recv().expect("the thread speaks");
            let closer = scope.spawn(|| db.close(BOUND));
            // In line or not yet: it is turned away while the only session is in use.
            assert_eq!(waiting.join().expect("no panic"), Err(ErrorKind::Closed));
            assert!(!closer.is_finished(), "a unit is running");
            closer
        });
        closer.join().expect("no panic").expect("the running unit has ended in time");
    });
}
