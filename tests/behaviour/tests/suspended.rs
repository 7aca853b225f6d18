//! Units that suspend the one around them: a second session, an outcome of their own, and an outer unit that is afterwards as it
//! was before, also when the inner one could not even begin. Waiting in a circle for second sessions is `circle`'s.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use unit_of_work::testing::{Clock, Reply, Script, VirtualClock};
use unit_of_work::{Database, Error, ErrorKind, Isolation, Outcome, Propagation, Retry, Tx, unit_of_work};

use crate::server::{ISOLATION, READ_ONLY};
use crate::wires::Wire;
use crate::world::{FAIL, GIVE_TEN, TAKE_TEN, Trouble, World};

fn connection(tx: &mut Tx<'_>) -> Result<u64, Error> {
    Ok(tx.query_first("SELECT CONNECTION_ID()")?.expect("a row"))
}

#[unit_of_work(propagation = "requires_new")]
fn give(tx: &mut Tx<'_>, end: &Result<(), Trouble>) -> Result<u64, Trouble> {
    tx.query_drop(GIVE_TEN)?;
    let connection = connection(tx)?;
    match end {
        Ok(()) => Ok(connection),
        Err(_) => Err(Trouble::Refused("by the inner")),
    }
}

#[test]
fn s36_what_the_inner_committed_stays_when_the_outer_rolls_back() {
    let world = World::with_accounts(1..=2);
    let _entered = world.db.enter();
    let outer = world.db.unit("outer").run(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let ours = connection(tx)?;
        assert_ne!(give(&Ok(()))?, ours);
        assert_eq!(world.balances(), [100, 110], "the inner has committed, the outer has not");
        assert_eq!(connection(tx)?, ours, "the outer has its session again");
        FAIL
    });
    assert!(matches!(outer, Err(Trouble::Refused("a decision"))), "{outer:?}");
    assert_eq!(world.balances(), [100, 110]);
    world.assert_clean(&world.db);
}

#[test]
fn s36_what_the_outer_did_stays_when_the_inner_rolls_back() {
    let world = World::with_accounts(1..=2);
    let _entered = world.db.enter();
    let outer = world.db.unit("outer").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let inner = give(&FAIL);
        assert!(matches!(inner, Err(Trouble::Refused("by the inner"))), "{inner:?}");
        tx.query_drop(TAKE_TEN)
    });
    outer.expect("the inner's failure is its own");
    assert_eq!(world.balances(), [80, 100]);
    world.assert_clean(&world.db);
}

#[test]
fn s36_hooks_of_either_run_with_their_own_unit() {
    let world = World::with_accounts(1..=2);
    let diary = Rc::new(RefCell::new(Vec::new()));
    let register = |tx: &mut Tx<'_>, committed: &'static str, rolled_back: &'static str| {
        let (one, other) = (Rc::clone(&diary), Rc::clone(&diary));
        tx.after_commit(move || one.borrow_mut().push(committed));
        tx.after_rollback(move |_| other.borrow_mut().push(rolled_back));
    };
    let run = |inner_end: Result<(), Trouble>, outer_end: Result<(), Trouble>| {
        let outer = world.db.unit("outer").run::<_, Trouble>(|tx| {
            register(tx, "outer committed", "outer rolled back");
            tx.query_drop(TAKE_TEN)?;
            let inner = world.db.unit("inner").propagation(Propagation::RequiresNew).run(|tx| {
                register(tx, "inner committed", "inner rolled back");
                tx.query_drop(GIVE_TEN)?;
                if inner_end.is_ok() { Ok(()) } else { FAIL }
            });
            assert_eq!(inner.is_ok(), inner_end.is_ok());
            diary.borrow_mut().push("outer resumes");
            if outer_end.is_ok() { Ok(()) } else { FAIL }
        });
        assert_eq!(outer.is_ok(), outer_end.is_ok());
        diary.take()
    };
    assert_eq!(run(Ok(()), FAIL), ["inner committed", "outer resumes", "outer rolled back"]);
    assert_eq!(run(FAIL, Ok(())), ["inner rolled back", "outer resumes", "outer committed"]);
    world.assert_clean(&world.db);
}

#[test]
fn s36_the_isolation_and_access_of_either_are_its_own() {
    let world = World::with_accounts(1..=2);
    let level = |tx: &mut Tx<'_>| tx.query_first::<(String, u8), _>(format!("SELECT {ISOLATION}, {READ_ONLY}"));
    let outer = world.db.unit("outer").isolation(Isolation::RepeatableRead).read_only().run::<_, Error>(|tx| {
        let before: Option<i64> = tx.query_first("SELECT balance FROM account WHERE id = 2")?;
        let inner = world.db.unit("inner").isolation(Isolation::Serializable).propagation(Propagation::RequiresNew);
        let inside = inner.run::<_, Error>(|tx| {
            tx.query_drop(GIVE_TEN)?;
            level(tx)
        })?;
        let after: Option<i64> = tx.query_first("SELECT balance FROM account WHERE id = 2")?;
        assert_eq!((before, after), (Some(100), Some(100)), "the outer's view is that of its first read");
        Ok((inside, level(tx)?))
    });
    let (inside, after) = outer.expect("neither asks the other");
    assert_eq!(inside, Some(("SERIALIZABLE".into(), 0)));
    assert_eq!(after, Some(("REPEATABLE-READ".into(), 1)));
    assert_eq!(world.balances(), [100, 110]);
}

/// A body after which nothing can be committed.
type Doom = fn(&mut Tx<'_>) -> Result<(), Error>;

#[test]
fn s36_the_doom_of_either_is_its_own() {
    let marked: Doom = |tx| {
        tx.set_rollback_only();
        Ok(())
    };
    let deadlocked: Doom = |tx| tx.query_drop("UPDATE doomed SET x = 1").or(Ok(()));
    let lost: Doom = |tx| tx.query_drop("UPDATE lost SET x = 1");
    for (name, doom, kind) in [
        ("marked", marked, ErrorKind::RollbackOnly),
        ("a swallowed deadlock", deadlocked, ErrorKind::Serialization),
        ("a lost connection", lost, ErrorKind::ConnectionLost),
    ] {
        let (wire, script) = Wire::scripted();
        script.answer("UPDATE doomed", Reply::error(1213, "40001", "Deadlock found"));
        script.answer("UPDATE lost", Reply::LostAfter);
        let outer = wire.db.unit("outer").run::<_, Error>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            let inner = wire.db.unit("inner").propagation(Propagation::RequiresNew).retry(Retry::NEVER);
            let error = inner.run(doom).expect_err("it is doomed");
            assert_eq!((error.kind(), error.outcome()), (kind, Some(Outcome::RolledBack)), "{name}");
            tx.query_drop(GIVE_TEN)
        });
        outer.unwrap_or_else(|error| panic!("{name}: {error}"));
        let sent = wire.sent();
        assert!(sent.starts_with("1 take; ") && sent.ends_with("; 1 give; 1 COMMIT"), "{name}: {sent}");
    }
}

#[test]
fn s36_a_panic_of_the_inner_is_its_own_until_it_arrives_at_the_outer() {
    let world = World::with_accounts(1..=2);
    let outer = world.db.unit("outer").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let inner = || {
            world.db.unit("inner").propagation(Propagation::RequiresNew).run::<(), Error>(|tx| {
                tx.query_drop(GIVE_TEN)?;
                std::panic::panic_any(4711)
            })
        };
        let payload = catch_unwind(AssertUnwindSafe(inner)).expect_err("the panic goes on");
        assert_eq!(payload.downcast_ref(), Some(&4711));
        assert_eq!(world.balances(), [100, 100], "the inner is rolled back");
        tx.query_drop(TAKE_TEN)
    });
    outer.expect("the outer caught it");
    assert_eq!(world.balances(), [80, 100]);
    world.assert_clean(&world.db);
}

#[test]
fn s36_a_doomed_outer_dooms_no_inner() {
    let (wire, script) = Wire::scripted();
    script.answer(TAKE_TEN, Reply::error(1213, "40001", "Deadlock found"));
    let outer = wire.db.unit("outer").retry(Retry::NEVER).run::<(), Error>(|tx| {
        let deadlock = tx.query_drop(TAKE_TEN);
        let inner = wire.db.unit("inner").propagation(Propagation::RequiresNew);
        inner.run::<_, Error>(|tx| tx.query_drop(GIVE_TEN)).expect("it has nothing to do with the outer");
        deadlock
    });
    assert_eq!(outer.expect_err("the deadlock").kind(), ErrorKind::Serialization);
    assert_eq!(wire.sent(), "1 take; 2 give; 2 COMMIT; 1 ROLLBACK");
}

#[test]
fn s37_an_outer_whose_inner_cannot_begin_goes_on() {
    let world = World::with_accounts(1..=2);
    let (db, proxy) = world.proxied();
    let _entered = db.enter();
    let runs = Cell::new(0);
    let outer = db.unit("outer").run::<_, Trouble>(|tx| {
        runs.set(tx.attempt());
        tx.query_drop(TAKE_TEN)?;
        let ours = connection(tx)?;
        proxy.refuse();
        let inner = db.unit("inner").propagation(Propagation::RequiresNew).retry(Retry::NEVER);
        let error = inner.run::<(), Error>(|_| unreachable!("there is no session for it")).expect_err("no session");
        assert_eq!(error.outcome(), Some(Outcome::NotStarted), "{error}");
        assert_eq!(error.unit(), Some("inner"));
        tx.query_drop(TAKE_TEN)?;
        proxy.open();
        give(&Ok(()))?;
        assert_eq!(connection(tx)?, ours);
        Ok(())
    });
    outer.expect("it can go on");
    assert_eq!((world.balances(), runs.get()), (vec![80, 110], 1));
    world.assert_clean(&db);
}

#[test]
fn s37_an_inner_that_gave_up_is_no_reason_to_run_the_outer_again() {
    let full = || Reply::error(1040, "08004", "Too many connections");
    let script = Script::new();
    let db = Database::builder().script(&script).connect().expect("a scripted server");
    let (outer_runs, inner) = (Cell::new(0), Retry::DEFAULT.max_attempts(3).base(Duration::ZERO));
    let outer = db.unit("outer").run::<(), Error>(|tx| {
        outer_runs.set(outer_runs.get() + 1);
        tx.query_drop(TAKE_TEN)?;
        script.refuse_connections(Some(full()));
        db.unit("inner").propagation(Propagation::RequiresNew).retry(inner).run(|_| unreachable!("no session"))
    });
    let error = outer.expect_err("passed on");
    assert_eq!((error.kind(), error.unit(), error.attempts()), (ErrorKind::RetriesExhausted, Some("inner"), 3));
    assert_eq!((error.code(), outer_runs.get()), (Some(1040), 1));
    assert_eq!(script.take_log(), [TAKE_TEN, "ROLLBACK AND NO CHAIN NO RELEASE"]);
}

/// The outer holds its locks while the inner tries: it promised an end.
#[test]
fn s20_an_inner_unit_tries_no_longer_than_the_outer_may() {
    let (script, clock) = (Script::new(), VirtualClock::new());
    let db = Database::builder().script(&script).clock(clock.clone()).connect().expect("a scripted server");
    for _ in 0..1000 {
        script.answer(GIVE_TEN, Reply::error(1213, "40001", "Deadlock found"));
    }
    let second = Duration::from_secs(1);
    let patient = Retry::DEFAULT.within(1000 * second).base(second / 10).cap(second / 10);
    let began = clock.now();
    let outer = db.unit("outer").retry(Retry::DEFAULT.within(3 * second)).run::<(), Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        clock.sleep(second);
        db.unit("inner").propagation(Propagation::RequiresNew).retry(patient).run(|tx| tx.query_drop(GIVE_TEN))
    });
    let error = outer.expect_err("it gives up");
    assert_eq!((error.kind(), error.unit()), (ErrorKind::RetriesExhausted, Some("inner")));
    let took = clock.now() - began;
    assert!(took > 2 * second && took <= 3 * second, "{took:?}, {} attempts", error.attempts());
}

#[test]
fn s13_a_lock_timeout_in_a_suspending_unit_is_not_retried_and_names_who_is_suspended() {
    let world = World::with_accounts(1..=2);
    for mode in [Propagation::RequiresNew, Propagation::NotSupported] {
        let (runs, line) = (Cell::new(0), Cell::new(0));
        line.set(line!() + 1);
        let outer = world.db.unit("outer").run::<_, Error>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            let inner = world.db.unit("inner").propagation(mode).lock_wait(Duration::from_secs(1));
            let error = inner.run::<(), Error>(|tx| {
                runs.set(runs.get() + 1);
                // Through a unit that joins: it is the transaction that suspends.
                world.db.unit("joins").propagation(Propagation::Supports).run(|tx| tx.query_drop(TAKE_TEN))?;
                tx.query_drop(TAKE_TEN)
            });
            let error = error.expect_err("the outer holds the row");
            assert_eq!((error.kind(), error.code(), runs.get()), (ErrorKind::LockTimeout, Some(1205), 1));
            let suspended = format!("`outer` ({}:{})", file!(), line.get());
            assert!(error.to_string().contains(&suspended), "{suspended} is not in: {error}");
            Ok(())
        });
        outer.expect("the inner's lock wait is no fault of the outer's");
    }
    assert_eq!(world.balances(), [80, 100]);
    world.assert_clean(&world.db);
}

#[test]
fn s13_a_lock_timeout_in_a_suspending_unit_does_not_run_the_outer_again_either() {
    let (wire, script) = Wire::scripted();
    script.answer(GIVE_TEN, Reply::error(1205, "HY000", "Lock wait timeout exceeded"));
    let outer = wire.db.unit("outer").run::<(), Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        wire.db.unit("inner").propagation(Propagation::RequiresNew).run(|tx| tx.query_drop(GIVE_TEN))
    });
    assert_eq!(outer.expect_err("passed on").kind(), ErrorKind::LockTimeout);
    assert_eq!(wire.sent(), "1 take; 2 give; 2 ROLLBACK; 1 ROLLBACK");
}

/// The inner's hooks run before the outer resumes, and what they do must not depend on how the outer ends.
#[test]
fn s52_a_unit_in_a_hook_of_a_suspending_unit_does_not_join_the_suspended_one() {
    let hooks: [(&str, Result<(), Trouble>); 2] = [("after commit", Ok(())), ("after rollback", FAIL)];
    for (name, inner_end) in hooks {
        let world = World::with_accounts(1..=2);
        let in_hook = world.db.clone();
        let hook = move || in_hook.unit("fresh").run::<_, Error>(|tx| tx.query_drop(GIVE_TEN));
        let outer = world.db.unit("outer").run(|tx| {
            tx.query_drop(TAKE_TEN)?;
            let inner = world.db.unit("inner").propagation(Propagation::RequiresNew).run(|tx| {
                let (committed, rolled_back) = (hook.clone(), hook.clone());
                tx.after_commit(committed);
                tx.after_rollback(move |_| rolled_back());
                if inner_end.is_ok() { Ok(()) } else { FAIL }
            });
            assert_eq!(inner.is_ok(), inner_end.is_ok());
            FAIL
        });
        outer.expect_err("the body's own");
        assert_eq!(world.balances(), [100, 110], "{name}: the hook's unit is one of its own");
        world.assert_clean(&world.db);
    }
}
