//! `lock_wait`: how long the server waits for locks in a unit, asked of the server, tried on rows and on metadata.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::testing::VirtualClock;
use unit_of_work::{Error, ErrorKind, OnError, Retry, Tx};

use crate::server;
use crate::world::{TAKE_TEN, World};

const SHORTEST: Duration = Duration::from_secs(1);

/// Seconds for rows and for metadata.
type Waits = (u64, u64);

const ASK: &str = "SELECT @@innodb_lock_wait_timeout, @@lock_wait_timeout";

fn waits(tx: &mut Tx<'_>) -> Result<Waits, Error> {
    Ok(tx.query_first(ASK)?.expect("a row"))
}

#[test]
fn s101_it_is_what_the_server_reports_in_whole_seconds_rounded_up() {
    let world = World::new();
    for (given, expected) in [
        (Some(Duration::from_millis(1)), (1, 1)),
        (Some(Duration::from_secs(1)), (1, 1)),
        (Some(Duration::from_millis(1001)), (2, 2)),
        (Some(Duration::from_secs(30)), (30, 30)),
        (None, (5, 5)),
        (Some(Duration::ZERO), (1, 1)),
    ] {
        let unit = world.db.unit("asks");
        let unit = match given {
            Some(wait) => unit.lock_wait(wait),
            None => unit,
        };
        assert_eq!(unit.run(waits).expect("the server answers"), expected, "{given:?}");
    }
    world.assert_clean(&world.db);
}

#[test]
fn s101_what_a_unit_does_not_say_the_database_says_else_the_server_but_at_most_five_seconds() {
    let server = server::builder().option("innodb_lock_wait_timeout", "3").start().expect("a server");
    let world = World::on(&server, |builder| builder);
    let (_, metadata): Waits = world.conn().query_first(ASK).expect("the server answers").expect("a row");
    assert!(metadata > 5, "the server's own is longer than the default");
    assert_eq!(world.db.unit("asks").run(waits).expect("the server answers"), (3, 5));
    let patient = world.connect(|builder| builder.lock_wait(Duration::from_secs(20)));
    let unit = || patient.unit("asks");
    assert_eq!(unit().run(waits).expect("the server answers"), (20, 20));
    assert_eq!(unit().lock_wait(Duration::from_secs(8)).run(waits).expect("the server answers"), (8, 8));
    assert_eq!(unit().run(waits).expect("the server answers"), (20, 20));
    assert_eq!(unit().timeout(Duration::from_secs(15)).run(waits).expect("the server answers"), (15, 15));
}

#[test]
fn s101_the_session_remembers_it() {
    let world = World::new();
    let (db, proxy) = world.proxied();
    let packets = |wait: u64| {
        proxy.record();
        db.unit("asks").lock_wait(Duration::from_secs(wait)).run(waits).expect("the server answers");
        proxy.take().len()
    };
    assert_eq!([packets(7), packets(7), packets(8), packets(8)], [3, 2, 3, 2]);
}

#[test]
fn s101_a_row_that_is_locked_is_waited_for_so_long() {
    let world = World::with_accounts(1..=1);
    let mut holder = world.conn();
    holder.query_drop("BEGIN").expect("the server answers");
    holder.query_drop(TAKE_TEN).expect("nobody has locks yet");
    let waits = world.db.unit("waits").lock_wait(SHORTEST).retry(Retry::NEVER);
    let error = waits.run::<(), Error>(|tx| tx.query_drop(TAKE_TEN)).expect_err("the lock is not granted");
    assert_eq!((error.kind(), error.code()), (ErrorKind::LockTimeout, Some(1205)), "{error}");
    holder.query_drop("ROLLBACK").expect("the server answers");
    world.assert_clean(&world.db);
}

#[test]
fn s101_a_table_that_is_locked_is_waited_for_so_long() {
    let world = World::with_accounts(1..=1);
    let mut holder = world.conn();
    holder.query_drop("LOCK TABLES account WRITE").expect("nobody has locks yet");
    let waits = world.db.unit("waits").lock_wait(SHORTEST).retry(Retry::NEVER);
    let error = waits.run::<(), Error>(|tx| tx.query_drop(TAKE_TEN)).expect_err("the lock is not granted");
    assert_eq!((error.kind(), error.code()), (ErrorKind::LockTimeout, Some(1205)), "{error}");
    holder.query_drop("UNLOCK TABLES").expect("the server answers");
    world.assert_clean(&world.db);
}

/// Deadlines are far in the clock's time, and so in that of the machine.
fn with_a_still_clock(clock: &VirtualClock) -> World {
    World::with(|builder| builder.clock(clock.clone()).network_timeout(Duration::from_secs(3000)))
}

#[test]
fn s101_it_is_lowered_to_the_deadline() {
    let world = with_a_still_clock(&VirtualClock::new());
    let seconds = Duration::from_secs;
    for (wait, timeout, expected) in [
        (Some(2000), seconds(1200), (1200, 1200)),
        (Some(2000), Duration::from_millis(1_199_001), (1200, 1200)),
        (Some(300), seconds(1200), (300, 300)),
        (None, seconds(1200), (5, 5)),
    ] {
        let unit = world.db.unit("asks").timeout(timeout);
        let unit = match wait {
            Some(wait) => unit.lock_wait(seconds(wait)),
            None => unit,
        };
        assert_eq!(unit.run(waits).expect("the server answers"), expected, "{wait:?}, {timeout:?}");
    }
}

#[test]
fn s101_the_default_is_lowered_to_the_deadline_too() {
    let world = World::new();
    let unit = world.db.unit("asks").timeout(Duration::from_secs(4));
    assert_eq!(unit.run(waits).expect("the server answers"), (4, 4));
}

#[test]
fn s101_it_is_lowered_to_what_is_left_at_the_begin_of_each_attempt() {
    let clock = VirtualClock::new();
    let world = with_a_still_clock(&clock);
    let seen = RefCell::new(Vec::new());
    let unit = world.db.unit("asks").lock_wait(Duration::from_secs(2000)).timeout(Duration::from_secs(2500));
    let unit = unit.retry(Retry::DEFAULT.within(Duration::from_secs(6000)).base(Duration::ZERO));
    let unit = unit.on_error(|_: &Error| OnError::RunAgain).run(|tx| {
        seen.borrow_mut().push(waits(tx)?);
        if tx.attempt() == 3 {
            return Ok(());
        }
        clock.advance(Duration::from_secs(1000));
        tx.query_drop("COMMIT")
    });
    unit.expect("the third attempt succeeds");
    assert_eq!(seen.take(), [(2000, 2000), (1500, 1500), (500, 500)]);
}

#[test]
fn s101_above_the_network_timeout_it_is_refused() {
    let world = World::new();
    let db = world.connect(|builder| builder.network_timeout(Duration::from_secs(5)));
    let ran = Cell::new(0);
    let with = |wait| {
        db.unit("asks").lock_wait(Duration::from_secs(wait)).run(|tx| {
            ran.set(ran.get() + 1);
            waits(tx)
        })
    };
    let error = with(6).expect_err("the network would give up first");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("network_timeout"), "{error}");
    assert_eq!(error.unit(), Some("asks"));
    assert_eq!(ran.get(), 0);
    assert_eq!(with(5).expect("it fits"), (5, 5));
}
