//! `timeout`: one deadline over waiting for a session, the body, all attempts and the sleeps between them; what happens to a
//! statement that still runs then, and what never happens to a COMMIT. Units inside, whose deadlines only shorten.

use std::cell::Cell;
use std::error::Error as _;
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use proxy::{Packet, Side};
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::testing::{Reply, Script, VirtualClock};
use unit_of_work::{Database, Error, ErrorKind, OnError, Outcome, Propagation, Retry, Tx};

use crate::world::{FAIL, GIVE_TEN, TAKE_TEN, Trouble, World, until};

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
    assert!(error.to_string().contains("deadline"), "{error}");
    world.until_gone(before);
    world.touch_from_outside();
    assert_eq!(world.balances(), [1100]);
    assert_ne!(connection(&world.db), before, "it is never used again");
    let stats = world.db.stats();
    assert_eq!((stats.open, stats.in_use), (1, 0), "{stats:?}");
    world.assert_clean(&world.db);
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
    let world = World::new();
    let (db, proxy) = world.proxied();
    let mine = connection(&db);
    proxy.refuse();
    let slow = db.unit("slow").timeout(SOON).run::<(), Error>(|tx| tx.query_drop(LONG));
    assert_timeout(&slow.expect_err("it is too slow"));
    proxy.open();
    assert_ne!(connection(&db), mine);
    world.until_gone(mine);
    world.assert_clean(&db);
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

/// A scripted server and a clock that moves only by hand and by sleeping.
fn scripted() -> (Database, Script, VirtualClock) {
    let (server, clock) = (Script::new(), VirtualClock::new());
    let db = Database::builder().script(&server).clock(clock.clone()).connect().expect("a scripted server");
    (db, server, clock)
}

fn deadlocks(server: &Script, times: u32) {
    for _ in 0..times {
        server.answer("UPDATE", Reply::error(1213, "40001", "Deadlock found"));
    }
}

/// The error of ours that an error was caused by.
fn cause(error: &Error) -> Option<&Error> {
    error.source().and_then(|source| source.downcast_ref())
}

#[test]
fn s24_no_attempt_begins_after_the_deadline_and_the_last_fault_is_the_source() {
    let (db, server, clock) = scripted();
    deadlocks(&server, 1000);
    let began = clock_now(&clock);
    let (timeout, sleep) = (Duration::from_secs(2), Duration::from_millis(400));
    let last = Cell::new(began);
    let take = db.unit("take").timeout(timeout).retry(Retry::DEFAULT.base(sleep).cap(sleep));
    let error = take
        .run::<(), Error>(|tx| {
            last.set(clock_now(&clock));
            tx.query_drop(TAKE_TEN)
        })
        .expect_err("it never succeeds");
    assert_timeout(&error);
    assert!(last.get() - began <= timeout);
    assert_eq!(error.attempts() as usize, clock.slept().len() + 1);
    assert!(error.attempts() > 5, "two seconds have room for five sleeps of at most 0.4: {:?}", clock.slept());
    let cause = cause(&error).expect("the last fault");
    assert_eq!((cause.kind(), cause.code()), (ErrorKind::Serialization, Some(1213)));
    assert_eq!(error.code(), Some(1213));
}

fn clock_now(clock: &VirtualClock) -> Instant {
    unit_of_work::Clock::now(clock)
}

#[test]
fn s24_a_sleep_that_would_pass_the_deadline_is_not_begun() {
    let (db, server, clock) = scripted();
    deadlocks(&server, 1);
    // Even the shortest sleep that is drawn from so many hours is longer than this, but for once in 10^13 runs.
    let policy = Retry::DEFAULT.within(2 * FAR).base(FAR).cap(FAR);
    let take = db.unit("take").timeout(Duration::from_nanos(1)).retry(policy);
    let error = take.run::<(), Error>(|tx| tx.query_drop(TAKE_TEN)).expect_err("there is no time for another");
    assert_timeout(&error);
    assert_eq!(error.attempts(), 1);
    assert_eq!(cause(&error).map(Error::kind), Some(ErrorKind::Serialization));
    assert!(clock.slept().is_empty(), "{:?}", clock.slept());
}

/// Which limit was met is for the caller to know: a longer `timeout` would not have helped.
#[test]
fn s24_a_deadline_that_is_far_is_not_blamed_for_the_limits_of_the_retry_policy() {
    let tick = Duration::from_millis(1);
    for policy in [Retry::DEFAULT.within(tick).base(FAR).cap(FAR), Retry::DEFAULT.max_attempts(2).base(tick)] {
        let (db, server, _) = scripted();
        deadlocks(&server, 2);
        let take = db.unit("take").timeout(FAR).retry(policy).run::<(), Error>(|tx| tx.query_drop(TAKE_TEN));
        assert_eq!(take.expect_err("two deadlocks").kind(), ErrorKind::RetriesExhausted, "{policy:?}");
    }
}

#[test]
fn s24_a_deadline_in_a_later_attempt_tells_the_fault_of_the_one_before() {
    let (db, server, clock) = scripted();
    deadlocks(&server, 1);
    let take = db.unit("take").timeout(FAR).retry(Retry::DEFAULT.base(Duration::ZERO)).run::<(), Error>(|tx| {
        if tx.attempt() == 2 {
            clock.advance(2 * FAR);
        }
        tx.query_drop(TAKE_TEN)
    });
    let error = take.expect_err("the second attempt is too slow");
    assert_timeout(&error);
    assert_eq!(error.attempts(), 2);
    assert_eq!(cause(&error).map(Error::kind), Some(ErrorKind::Serialization));
    assert_eq!(server.take_log(), [TAKE_TEN, ROLLBACK], "the second attempt sent nothing");
}

#[test]
fn s24_the_wait_of_a_later_attempt_for_a_session_tells_the_fault_of_the_one_before() {
    let server = Script::new();
    let db = Database::builder().script(&server).max_connections(1).connect().expect("a scripted server");
    deadlocks(&server, 1);
    let (taken, end) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let take = db.unit("take").timeout(SOON).retry(Retry::DEFAULT.base(Duration::ZERO)).run::<(), Error>(|tx| {
        let (db, taken, end) = (db.clone(), Arc::clone(&taken), Arc::clone(&end));
        // The session is back when the hook runs; another thread takes it over before the second attempt.
        tx.after_rollback(move |_| {
            let holds = Arc::clone(&taken);
            thread::spawn(move || {
                let held = db.unit("holder").run::<_, Error>(|_| {
                    holds.wait();
                    end.wait();
                    Ok(())
                });
                held.expect("it does nothing");
            });
            taken.wait();
        });
        tx.query_drop(TAKE_TEN)
    });
    end.wait();
    let error = take.expect_err("there is one session, and it is held");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert_eq!(cause(&error).map(Error::kind), Some(ErrorKind::Serialization));
}

#[test]
fn s24_after_the_deadline_nothing_is_sent_and_nothing_is_committed_whatever_the_body_says() {
    let late = |db: &Database, clock: &VirtualClock, swallow: bool| {
        db.unit("late").timeout(FAR).run::<_, Trouble>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            clock.advance(2 * FAR);
            match (tx.query_drop(GIVE_TEN), swallow) {
                (Err(error), false) => Err(error.into()),
                (Err(_), true) | (Ok(()), _) => Ok("as if it were committed"),
            }
        })
    };
    for swallow in [false, true] {
        let (db, server, clock) = scripted();
        let result = late(&db, &clock, swallow);
        let Err(Trouble::Work(error)) = result else { panic!("{result:?}") };
        assert_timeout(&error);
        assert_eq!(error.attempts(), 1, "a deadline is no reason to run again");
        assert_eq!(server.take_log(), [TAKE_TEN, ROLLBACK]);
    }
}

#[test]
fn s24_the_bodys_own_error_is_its_own_also_after_the_deadline() {
    let (db, server, clock) = scripted();
    let late = db.unit("late").timeout(FAR).run::<(), Trouble>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        clock.advance(2 * FAR);
        FAIL
    });
    assert!(matches!(late, Err(Trouble::Refused("a decision"))), "{late:?}");
    assert_eq!(server.take_log(), [TAKE_TEN, ROLLBACK]);
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
    let asleep = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'SELECT SLEEP%'";
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

#[test]
fn s46_an_inner_deadline_ends_its_own_statements_and_dooms_the_whole() {
    for propagation in [Propagation::Required, Propagation::Nested] {
        let world = World::with_accounts(1..=1);
        let outer = world.db.unit("outer").run::<_, Error>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            let inner = world.db.unit("inner").propagation(propagation).timeout(SOON);
            let inner = inner.run::<(), Error>(|tx| tx.query_drop(LONG));
            assert_eq!(inner.expect_err("it is too slow").kind(), ErrorKind::Timeout, "{propagation}");
            Ok("as if it were committed")
        });
        assert_timeout(&outer.expect_err("its session is gone"));
        assert_eq!(world.balances(), [100]);
        world.assert_clean(&world.db);
    }
}

#[test]
fn s46_an_inner_deadline_does_not_lengthen_the_outers() {
    for propagation in [Propagation::Required, Propagation::Nested, Propagation::RequiresNew, Propagation::NotSupported] {
        let world = World::new();
        let outer = world.db.unit("outer").timeout(SOON).run::<(), Error>(|_| {
            world
                .db
                .unit("inner")
                .propagation(propagation)
                .timeout(FAR)
                .run::<(), Error>(|tx| tx.query_drop(LONG))
        });
        assert_eq!(outer.expect_err("it is too slow").kind(), ErrorKind::Timeout, "{propagation}");
        world.assert_clean(&world.db);
    }
}

#[test]
fn s46_after_the_inner_unit_the_outers_deadline_counts_again() {
    for propagation in [Propagation::Required, Propagation::Nested, Propagation::RequiresNew] {
        let (db, server, clock) = scripted();
        let outer = db.unit("outer").timeout(4 * FAR).run::<_, Error>(|tx| {
            let inner = db.unit("inner").propagation(propagation).timeout(FAR);
            inner.run::<_, Error>(|tx| tx.query_drop(TAKE_TEN))?;
            clock.advance(2 * FAR);
            tx.query_drop(GIVE_TEN)
        });
        outer.unwrap_or_else(|error| panic!("{propagation}: {error}"));
        assert_eq!(server.take_log().last().map(String::as_str), Some(COMMIT), "{propagation}");
    }
}

#[test]
fn s46_a_requires_new_unit_with_a_deadline_of_its_own_leaves_the_outer_alone() {
    let world = World::with_accounts(1..=2);
    let outer = world.db.unit("outer").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let inner = world.db.unit("inner").propagation(Propagation::RequiresNew).timeout(SOON);
        let inner = inner.run::<(), Error>(|tx| {
            tx.query_drop(GIVE_TEN)?;
            tx.query_drop(LONG)
        });
        assert_timeout(&inner.expect_err("it is too slow"));
        Ok(())
    });
    outer.expect("the outer has its own session");
    assert_eq!(world.balances(), [90, 100]);
    world.assert_clean(&world.db);
}

#[test]
fn s46_an_error_that_asks_for_another_attempt_gets_none_after_the_deadline() {
    let (db, _server, clock) = scripted();
    let runs = Cell::new(0);
    let patient = db.unit("patient").timeout(FAR).retry(Retry::DEFAULT.within(4 * FAR));
    let result = patient.on_error(|_: &Trouble| OnError::RunAgain).run::<(), _>(|tx| {
        runs.set(tx.attempt());
        clock.advance(2 * FAR);
        FAIL
    });
    assert!(matches!(result, Err(Trouble::Refused("a decision"))), "{result:?}");
    assert_eq!(runs.get(), 1);
}
