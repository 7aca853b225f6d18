//! On which terms a unit joins or nests: what it may ask for, in every mode that takes part in somebody else's transaction, and
//! which of its arguments count there. The mode `required` alone is `joining`'s.

use std::cell::Cell;
use std::time::Duration;

use unit_of_work::testing::Reply;
use unit_of_work::{Error, ErrorKind, Isolation, OnError, Outcome, Propagation, Retry, Tx, unit_of_work};

use crate::server::{ISOLATION, READ_ONLY};
use crate::wires::Wire;
use crate::world::{FAIL, GIVE_TEN, TAKE_TEN, Trouble, World};

/// Those that take part in the transaction that is active.
const TAKE_PART: [Propagation; 4] =
    [Propagation::Required, Propagation::Mandatory, Propagation::Supports, Propagation::Nested];
/// Those that have a session of their own.
const ON_THEIR_OWN: [Propagation; 2] = [Propagation::RequiresNew, Propagation::NotSupported];

fn assert_both_places(error: &Error, kind: ErrorKind, outer: u32, inner: u32) {
    assert_eq!((error.kind(), error.outcome(), error.attempts()), (kind, Some(Outcome::NotStarted), 0), "{error}");
    for (name, line) in [("outer", outer), ("inner", inner)] {
        let place = format!("`{name}` ({}:{line})", file!());
        assert!(error.to_string().contains(&place), "{place} is not in: {error}");
    }
}

#[test]
fn s44_whoever_takes_part_may_not_ask_for_more_isolation_than_there_is() {
    for mode in TAKE_PART {
        let (wire, _) = Wire::scripted();
        let (outer, inner) = (Cell::new(0), Cell::new(0));
        outer.set(line!() + 1);
        let went_on = wire.db.unit("outer").isolation(Isolation::ReadCommitted).run::<_, Error>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            inner.set(line!() + 1);
            let stronger = wire.db.unit("inner").isolation(Isolation::RepeatableRead).propagation(mode);
            Ok(stronger.run::<(), Error>(|_| unreachable!("the body does not run")).expect_err("refused"))
        });
        let error = went_on.expect("a refusal dooms nobody");
        assert_both_places(&error, ErrorKind::IsolationConflict, outer.get(), inner.get());
        for word in ["`repeatable read`", "`read committed`"] {
            assert!(error.to_string().contains(word), "{word} is not in: {error}");
        }
        assert!(wire.sent().ends_with("1 take; 1 COMMIT"), "{mode}: nothing is sent for the refused one");
    }
}

#[test]
fn s44_equal_weaker_and_unspecified_isolation_takes_part() {
    for mode in TAKE_PART {
        let (wire, _) = Wire::scripted();
        let outer = wire.db.unit("outer").isolation(Isolation::RepeatableRead).run::<_, Error>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            for level in [None, Some(Isolation::RepeatableRead), Some(Isolation::ReadUncommitted)] {
                let unit = wire.db.unit("inner").propagation(mode);
                let unit = level.into_iter().fold(unit, unit_of_work::UnitBuilder::isolation);
                unit.run::<_, Error>(|tx| tx.query_drop(GIVE_TEN))?;
            }
            Ok(())
        });
        outer.expect("they fit");
        let sent = wire.sent();
        assert_eq!(sent.matches("SET").count(), 1, "the outer's level, and no other: {sent}");
        assert_eq!(sent.matches("1 give").count(), 3, "{sent}");
    }
}

#[test]
fn s44_who_has_a_session_of_its_own_asks_for_what_it_wants() {
    for mode in ON_THEIR_OWN {
        let world = World::with_accounts(1..=2);
        let outer = world.db.unit("outer").isolation(Isolation::ReadCommitted).run::<_, Error>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            let inner = world.db.unit("inner").isolation(Isolation::Serializable).propagation(mode);
            inner.run::<_, Error>(|tx| tx.query_first(format!("SELECT {ISOLATION}")))
        });
        assert_eq!(outer.expect("nobody is asked"), Some("SERIALIZABLE".to_owned()), "{mode}");
    }
}

#[test]
fn s45_whoever_may_write_may_not_take_part_in_a_read_only_unit() {
    for mode in TAKE_PART {
        let (wire, _) = Wire::scripted();
        let (outer, inner) = (Cell::new(0), Cell::new(0));
        outer.set(line!() + 1);
        let went_on = wire.db.unit("outer").read_only().run::<_, Error>(|_| {
            inner.set(line!() + 1);
            let writes = wire.db.unit("inner").propagation(mode);
            Ok(writes.run::<(), Error>(|_| unreachable!("the body does not run")).expect_err("refused"))
        });
        let error = went_on.expect("a refusal dooms nobody");
        assert_both_places(&error, ErrorKind::AccessConflict, outer.get(), inner.get());
        assert_eq!(wire.sent(), "", "{mode}");
    }
}

#[test]
fn s45_who_only_reads_takes_part_in_a_unit_that_may_write() {
    for mode in TAKE_PART {
        let (wire, _) = Wire::scripted();
        let outer = wire.db.unit("outer").run::<_, Error>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            wire.db.unit("inner").read_only().propagation(mode).run(|tx| tx.query_drop("SELECT 1"))
        });
        outer.expect("less is asked for than there is");
        let sent = wire.sent();
        assert!(sent.contains("1 SELECT 1") && !sent.contains("SET"), "{mode}: {sent}");
    }
}

#[test]
fn s45_who_has_a_session_of_its_own_may_write_inside_a_read_only_unit() {
    for mode in ON_THEIR_OWN {
        let world = World::with_accounts(1..=2);
        let outer = world.db.unit("outer").read_only().isolation(Isolation::ReadCommitted).run::<_, Error>(|tx| {
            world.db.unit("inner").propagation(mode).run::<_, Error>(|tx| tx.query_drop(GIVE_TEN))?;
            tx.query_first(format!("SELECT {READ_ONLY}"))
        });
        assert_eq!(outer.expect("nobody is asked"), Some(1), "{mode}");
        assert_eq!(world.balances(), [100, 110], "{mode}");
    }
}

#[test]
fn s47_retry_on_and_lock_wait_of_whoever_takes_part_are_ignored() {
    for mode in TAKE_PART {
        let (wire, _) = Wire::scripted();
        let (outer_runs, inner_runs) = (Cell::new(0), Cell::new(0));
        let outer = wire.db.unit("outer").run::<(), Trouble>(|tx| {
            outer_runs.set(outer_runs.get() + 1);
            tx.query_drop(TAKE_TEN)?;
            let inner = wire.db.unit("inner").propagation(mode).lock_wait(Duration::from_secs(7));
            inner.on_error(|_: &Trouble| OnError::RunAgain).run(|tx| {
                inner_runs.set(inner_runs.get() + 1);
                tx.query_drop(GIVE_TEN)?;
                FAIL
            })
        });
        assert!(matches!(outer, Err(Trouble::Refused("a decision"))), "{outer:?}");
        assert_eq!((outer_runs.get(), inner_runs.get()), (1, 1), "{mode}");
        let sent = wire.sent();
        assert!(!sent.contains("SET"), "{mode}: {sent}");
        assert_eq!(sent.matches("1 give").count(), 1, "{mode}: {sent}");
    }
}

#[test]
fn s47_the_outers_retry_counts_for_whoever_takes_part() {
    for mode in TAKE_PART {
        let (wire, script) = Wire::scripted();
        let runs = |outer: Retry, inner: Retry| {
            let runs = Cell::new(0);
            script.answer(GIVE_TEN, Reply::error(1213, "40001", "Deadlock found"));
            let unit = wire.db.unit("outer").retry(outer.base(Duration::ZERO)).run::<_, Error>(|tx| {
                runs.set(tx.attempt());
                wire.db.unit("inner").propagation(mode).retry(inner).run(|tx| tx.query_drop(GIVE_TEN))
            });
            (runs.get(), unit.map_err(|error| error.kind()))
        };
        assert_eq!(runs(Retry::DEFAULT, Retry::NEVER), (2, Ok(())), "{mode}");
        assert_eq!(runs(Retry::NEVER, Retry::DEFAULT), (1, Err(ErrorKind::Serialization)), "{mode}");
    }
}

#[unit_of_work(retry_on(Trouble::Refused("a decision")), retry(max_attempts = 3, base = "0ms"), lock_wait = "7s")]
fn insistent(tx: &mut Tx<'_>, runs: &Cell<u32>) -> Result<(), Trouble> {
    runs.set(runs.get() + 1);
    tx.query_drop(GIVE_TEN)?;
    FAIL
}

#[test]
fn s47_what_the_attribute_says_counts_alone_and_is_ignored_inside() {
    let (wire, _) = Wire::scripted();
    let _entered = wire.db.enter();
    let runs = Cell::new(0);
    insistent(&runs).expect_err("it never succeeds");
    assert_eq!(runs.replace(0), 3);
    assert!(wire.sent().contains("lock_wait_timeout=7"), "alone they count");
    let outer = wire.db.unit("outer").run(|tx| {
        tx.query_drop(TAKE_TEN)?;
        insistent(&runs)
    });
    outer.expect_err("its error is passed on");
    assert_eq!(runs.get(), 1);
    assert_eq!(wire.sent().matches("lock_wait_timeout=7").count(), 0);
}
