//! `timeout`: what happens at the deadline to a statement that still runs and to a wait for a session, and what never happens to
//! a COMMIT. The deadline over all attempts is `attempts`, units in units are `inner`.

mod attempts;
mod inner;

use std::cell::Cell;
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Duration;

use proxy::{Packet, Proxy, Side};
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Database, Error, ErrorKind, Outcome, Tx};

use crate::server;
use crate::world::{TAKE_TEN, World, grow_to, until};

/// A deadline that is waited for.
const SOON: Duration = Duration::from_millis(200);
/// One that is not.
const FAR: Duration = Duration::from_secs(3600);
/// A statement that outlives every test.
const LONG: &str = "SELECT SLEEP(600)";

const COMMIT: &str = "COMMIT AND NO CHAIN NO RELEASE";
const ROLLBACK: &str = "ROLLBACK AND NO CHAIN NO RELEASE";

fn connection_of(tx: &mut Tx<'_>) -> Result<u64, Error> {
    Ok(tx.query_first("SELECT CONNECTION_ID()")?.expect("a row"))
}

fn connection(db: &Database) -> u64 {
    db.unit("who").run(connection_of).unwrap_or_else(|error| panic!("{error}"))
}

impl World {
    /// Waits until the server has ended a connection.
    fn until_gone(&self, connection: u64) {
        let question = format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id = {connection}");
        until("the connection is gone", || self.count(&question) == 0);
    }

    /// Changes account 1 from outside, which waits for its lock.
    fn touch_from_outside(&self) {
        self.conn().query_drop("UPDATE account SET balance = balance + 1000 WHERE id = 1").expect("its lock is free");
    }
}

fn assert_timeout(error: &Error) {
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Some(Outcome::RolledBack)), "{error}");
}

#[test]
fn s24_a_statement_that_runs_at_the_deadline_is_ended_at_the_server_and_its_locks_are_free() {
    let world = World::with_accounts(1..=1);
    let before = connection(&world.db);
    let slow = world.db.unit("slow").timeout(SOON).run::<(), Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        assert_eq!(connection_of(tx)?, before);
        tx.query_drop(LONG)
    });
    let error = slow.expect_err("it is too slow");
    assert_timeout(&error);
    assert_eq!((error.unit(), error.attempts()), (Some("slow"), 1));
    let said = error.to_string();
    assert!(
        said.contains("`SELECT SLEEP(600)`: the unit's deadline passed during this statement, which was ended;"),
        "{said}"
    );
    assert!(std::error::Error::source(&error).is_some(), "what the driver said is its cause");
    world.until_gone(before);
    world.touch_from_outside();
    assert_eq!(world.balances(), [1100]);
    assert_ne!(connection(&world.db), before, "it is never used again");
    let stats = world.db.stats();
    assert_eq!((stats.open, stats.in_use), (1, 0), "{stats:?}");
    world.assert_clean(&world.db);
}

/// Of a server that has just begun a restart might not be noticed, and the number be somebody else's. It must not stay so.
#[test]
fn s24_so_is_one_on_a_connection_that_was_opened_when_the_server_was_young() {
    let server = server::builder().start().expect("a private server");
    let proxy = Proxy::start(("127.0.0.1", server.port())).expect("a loopback port is free");
    let db = Database::connect(&proxy.url("")).expect("it answers");
    let mine = connection(&db);
    // 3 s, and one for the rounding of each clock.
    grow_to(&server, 5);
    assert_eq!(connection(&db), mine, "it has answered since");
    proxy.record();
    let slow = db.unit("slow").timeout(SOON).run::<(), Error>(|tx| tx.query_drop(LONG));
    assert_timeout(&slow.expect_err("it is too slow"));
    // Some time after its client is gone the server would end it by itself.
    let kill = format!("KILL CONNECTION {mine}");
    until("it is killed", || proxy.take().iter().any(|command| command.text == kill));
}

#[test]
fn s24_a_statement_that_waits_for_a_lock_at_the_deadline_is_ended() {
    let world = World::with_accounts(1..=1);
    let mut holder = world.conn();
    holder.query_drop("BEGIN").expect("the server answers");
    holder.query_drop("UPDATE account SET balance = 7 WHERE id = 1").expect("nobody has locks yet");
    let waits = world.db.unit("waits").timeout(SOON).run::<(), Error>(|tx| tx.query_drop(TAKE_TEN));
    assert_timeout(&waits.expect_err("the lock is not granted"));
    holder.query_drop("COMMIT").expect("the server answers");
    world.assert_clean(&world.db);
    assert_eq!(world.balances(), [7]);
}

#[test]
fn s24_it_is_killed_from_a_side_session() {
    let world = World::new();
    let (db, proxy) = world.proxied();
    let mine = connection(&db);
    proxy.record();
    let slow = db.unit("slow").timeout(SOON).run::<(), Error>(|tx| tx.query_drop(LONG));
    assert_timeout(&slow.expect_err("it is too slow"));
    world.until_gone(mine);
    let kill = format!("KILL CONNECTION {mine}");
    let killers: Vec<_> = proxy.take().into_iter().filter(|command| command.text == kill).collect();
    assert!(matches!(&killers[..], [killer] if killer.connection > 1), "{killers:?}");
    world.assert_clean(&db);
}

#[test]
fn s24_where_no_side_session_can_be_had_its_socket_is_shut_and_it_is_ended_later() {
    for close in [Proxy::refuse, Proxy::black_hole] {
        let world = World::new();
        let (db, proxy) = world.proxied_with(|builder| builder.connect_timeout(SOON));
        let mine = connection(&db);
        close(&proxy);
        let slow = db.unit("slow").timeout(SOON).run::<(), Error>(|tx| tx.query_drop(LONG));
        assert_timeout(&slow.expect_err("it is too slow"));
        proxy.open();
        assert_ne!(connection(&db), mine);
        world.until_gone(mine);
        world.assert_clean(&db);
    }
}

/// Another unit's deadline, which comes later, shows that this one's has passed without anything being done.
#[test]
fn s24_once_commit_is_being_sent_nothing_is_killed() {
    for side in [Side::BeforeServer, Side::AfterServer] {
        let world = World::with_accounts(1..=1);
        let (db, proxy) = world.proxied();
        let mine = connection(&db);
        let hold = proxy.hold(Packet::Text("COMMIT"), side);
        let took = thread::scope(|scope| {
            let take = scope.spawn(|| db.unit("take").timeout(SOON).run::<_, Error>(|tx| tx.query_drop(TAKE_TEN)));
            assert!(hold.wait(), "COMMIT was never sent");
            proxy.record();
            let slow = world.db.unit("slow").timeout(2 * SOON).run::<(), Error>(|tx| tx.query_drop(LONG));
            assert_timeout(&slow.expect_err("it is too slow"));
            assert!(!proxy.take().iter().any(|command| command.text.starts_with("KILL")), "{side:?}");
            hold.release();
            take.join().expect("no panic")
        });
        took.unwrap_or_else(|error| panic!("{side:?}: it is committed, but: {error}"));
        assert_eq!(world.balances(), [90], "{side:?}");
        assert_ne!(connection(&db), 0);
        assert_eq!(proxy.connections(), 2, "{side:?}: this thread's and the other's; none was given up ({mine})");
        world.assert_clean(&db);
    }
}

#[test]
fn s24_waiting_for_a_session_ends_at_the_deadline() {
    let world = World::new();
    let db = world.connect(|builder| builder.max_connections(1));
    let (both, end) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let holds = db.unit("holder").run::<_, Error>(|_| {
                both.wait();
                end.wait();
                Ok(())
            });
            holds.expect("it does nothing");
        });
        both.wait();
        let ran = Cell::new(false);
        let late = db.unit("late").timeout(SOON).run::<(), Error>(|_| {
            ran.set(true);
            Ok(())
        });
        end.wait();
        let error = late.expect_err("there is one session, and it is held");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Some(Outcome::NotStarted)), "{error}");
        assert_eq!(error.attempts(), 0);
        assert!(error.to_string().contains("`holder`"), "{error}");
        assert!(!ran.get());
    });
    world.assert_clean(&db);
    assert_eq!(db.stats().waiting, 0);
}

#[test]
fn s24_a_shorter_wait_for_a_session_stays_a_pool_timeout() {
    let world = World::new();
    let db = world.connect(|builder| builder.max_connections(1).acquire_timeout(Duration::from_millis(1)));
    let (both, end) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let holds = db.unit("holder").run::<_, Error>(|_| {
                both.wait();
                end.wait();
                Ok(())
            });
            holds.expect("it does nothing");
        });
        both.wait();
        let late = db.unit("late").timeout(FAR).run::<(), Error>(|_| Ok(()));
        end.wait();
        assert_eq!(late.expect_err("there is one session").kind(), ErrorKind::PoolTimeout);
    });
}

#[test]
fn s24_many_units_whose_deadlines_pass_at_once_all_end() {
    const UNITS: usize = 8;
    let world = World::new();
    let all = Barrier::new(UNITS);
    thread::scope(|scope| {
        let slow = || {
            all.wait();
            world.db.unit("slow").timeout(SOON).run::<(), Error>(|tx| tx.query_drop(LONG))
        };
        let threads: Vec<_> = (0..UNITS).map(|_| scope.spawn(slow)).collect();
        for thread in threads {
            assert_timeout(&thread.join().expect("no panic").expect_err("it is too slow"));
        }
    });
    let asleep =
        "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'SELECT SLEEP%'";
    until("no statement runs", || world.count(asleep) == 0);
    world.assert_clean(&world.db);
}

#[test]
fn s24_a_deadline_that_is_kept_leaves_no_trace() {
    let world = World::with_accounts(1..=1);
    let before = connection(&world.db);
    let quick = world.db.unit("quick").timeout(SOON).run::<_, Error>(|tx| tx.query_drop(TAKE_TEN));
    quick.expect("it is quick");
    // A deadline that comes later shows that the first one's has passed.
    let (say, said) = mpsc::channel();
    thread::scope(|scope| {
        let db = &world.db;
        scope.spawn(move || {
            let slow = db.unit("slow").timeout(2 * SOON).run::<(), Error>(|tx| tx.query_drop(LONG));
            say.send(slow.expect_err("it is too slow")).expect("the test waits for it");
        });
        assert_timeout(&said.recv().expect("it ends"));
    });
    assert_eq!(connection(&world.db), before);
}
