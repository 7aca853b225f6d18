//! One deadline over all attempts and the sleeps between them: what does not begin any more, and which fault is told.

use std::cell::Cell;
use std::error::Error as _;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use unit_of_work::testing::{Reply, Script, VirtualClock};
use unit_of_work::{Database, Error, ErrorKind, Retry};

use super::{FAR, ROLLBACK, SOON, assert_timeout};
use crate::world::{FAIL, GIVE_TEN, TAKE_TEN, Trouble};

/// A scripted server and a clock that moves only by hand and by sleeping.
pub(super) fn scripted() -> (Database, Script, VirtualClock) {
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
    let (timeout, sleep) = (10 * FAR, 2 * FAR);
    let last = Cell::new(began);
    let policy = Retry::DEFAULT.within(2 * timeout).base(sleep).cap(sleep);
    let take = db.unit("take").timeout(timeout).retry(policy);
    let error = take
        .run::<(), Error>(|tx| {
            last.set(clock_now(&clock));
            tx.query_drop(TAKE_TEN)
        })
        .expect_err("it never succeeds");
    assert_timeout(&error);
    assert!(last.get() - began <= timeout);
    assert_eq!(error.attempts() as usize, clock.slept().len() + 1);
    assert!(error.attempts() > 5, "ten hours have room for five sleeps of at most two: {:?}", clock.slept());
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
    // A sleep that is drawn from so many hours is longer than one, but for one run in ten million.
    let sleep = 10_000_000 * FAR;
    let policy = Retry::DEFAULT.within(2 * sleep).base(sleep).cap(sleep);
    let take = db.unit("take").timeout(FAR).retry(policy);
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
    for policy in [Retry::DEFAULT.within(100 * tick).base(tick).cap(tick), Retry::DEFAULT.max_attempts(2).base(tick)] {
        let (db, server, _) = scripted();
        deadlocks(&server, 100_000);
        let take = db.unit("take").timeout(FAR).retry(policy).run::<(), Error>(|tx| tx.query_drop(TAKE_TEN));
        assert_eq!(take.expect_err("deadlocks without end").kind(), ErrorKind::RetriesExhausted, "{policy:?}");
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

/// Whoever set the deadline has given up by then: a unit that is late is not committed behind their back.
#[test]
fn s24_a_body_that_returns_after_the_deadline_is_not_committed() {
    let (db, server, clock) = scripted();
    let late = db.unit("late").timeout(FAR).run::<(), Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        clock.advance(2 * FAR);
        Ok(())
    });
    assert_timeout(&late.expect_err("its time had passed"));
    assert_eq!(server.take_log(), [TAKE_TEN, ROLLBACK]);
}
