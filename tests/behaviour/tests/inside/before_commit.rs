//! Hooks before COMMIT: inside the transaction, in order, with the right to refuse, and with an end.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;
use std::time::Duration;

use unit_of_work::testing::Reply;
use unit_of_work::{Database, Error, ErrorKind, Outcome, Retry, Tx, in_unit};

use super::{Diary, INNER, LATER, OUTER, register, scripted};
use crate::world::{FAIL, GIVE_TEN, TAKE_TEN, Trouble, World};

#[test]
fn s51_before_commit_runs_inside_the_transaction_in_order() {
    let world = Rc::new(World::with_accounts(1..=2));
    let diary = Diary::default();
    let unit = world.db.unit("transfer").run::<_, Error>(|tx| {
        for (sql, entry) in [(TAKE_TEN, "first"), (GIVE_TEN, "second")] {
            let (diary, world) = (Rc::clone(&diary), Rc::clone(&world));
            tx.before_commit(move |tx| {
                diary.borrow_mut().push(entry);
                assert!(in_unit());
                assert_eq!(world.balances(), [100, 100], "nothing is committed yet");
                tx.query_drop(sql)
            });
        }
        diary.borrow_mut().push("body");
        Ok(())
    });
    unit.expect("it is committed");
    assert_eq!(diary.take(), ["body", "first", "second"]);
    assert_eq!(world.balances(), [90, 110]);
    world.assert_clean(&world.db);
}

#[test]
fn s51_hooks_of_joined_units_run_before_the_outermost_commit() {
    let world = World::with_accounts(1..=1);
    let diary = Diary::default();
    let unit = world.db.unit("outer").run::<_, Error>(|tx| {
        world.db.unit("inner").run::<_, Error>(|tx| {
            register(tx, &diary, INNER);
            Ok(())
        })?;
        diary.borrow_mut().push("the inner has returned");
        tx.query_drop(TAKE_TEN)
    });
    unit.expect("it is committed");
    assert_eq!(diary.take(), ["the inner has returned", "inner before", "inner committed"]);
}

#[test]
fn s51_a_hook_that_fails_rolls_back_and_the_later_ones_do_not_run() {
    let world = World::with_accounts(1..=1);
    let diary = Diary::default();
    let unit = world.db.unit("take").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        tx.before_commit(|_| Err("the books do not balance"));
        register(tx, &diary, LATER);
        Ok("as if it were committed")
    });
    let error = unit.expect_err("a hook refused");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::HookRefused, Some(Outcome::RolledBack)));
    assert_eq!(error.unit(), Some("take"));
    assert!(error.to_string().contains("the books do not balance"), "{error}");
    assert_eq!(diary.take(), ["later rolled back"]);
    assert_eq!(world.balances(), [100]);
    world.assert_clean(&world.db);
}

#[test]
fn s51_a_hook_that_refuses_is_no_reason_to_run_again() {
    let (db, server) = scripted();
    let unit = db.unit("take").run::<(), Error>(|tx| {
        tx.before_commit(|_| Err("never"));
        tx.query_drop(TAKE_TEN)
    });
    assert_eq!(unit.expect_err("a hook refused").attempts(), 1);
    assert_eq!(server.take_log(), [TAKE_TEN, "ROLLBACK AND NO CHAIN NO RELEASE"]);
}

#[test]
fn s51_a_hook_that_panics_rolls_back_and_the_panic_goes_on() {
    let world = World::with_accounts(1..=1);
    let diary = Diary::default();
    let unit = || {
        world.db.unit("take").run::<(), Error>(|tx| {
            tx.before_commit(|_| -> () { panic_any(7_u8) });
            register(tx, &diary, LATER);
            tx.query_drop(TAKE_TEN)
        })
    };
    let payload = catch_unwind(AssertUnwindSafe(unit)).expect_err("it panics");
    assert_eq!(payload.downcast_ref::<u8>(), Some(&7));
    assert_eq!(diary.take(), ["later rolled back"]);
    assert_eq!(world.balances(), [100]);
    assert!(!in_unit());
    world.assert_clean(&world.db);
}

#[test]
fn s51_hooks_do_not_run_when_the_body_fails() {
    let world = World::with_accounts(1..=1);
    let diary = Diary::default();
    let unit = world.db.unit("take").run::<(), Trouble>(|tx| {
        register(tx, &diary, OUTER);
        tx.query_drop(TAKE_TEN)?;
        FAIL
    });
    unit.expect_err("the body's own error");
    assert_eq!(diary.take(), ["outer rolled back"]);
}

#[test]
fn s51_a_hook_may_register_further_ones() {
    let world = World::with_accounts(1..=1);
    let diary = Diary::default();
    let unit = world.db.unit("take").run::<_, Error>(|tx| {
        let [first, second] = [&diary, &diary].map(Rc::clone);
        tx.before_commit(move |tx| {
            first.borrow_mut().push("first");
            register(tx, &first, LATER);
        });
        tx.before_commit(move |_| second.borrow_mut().push("second"));
        tx.query_drop(TAKE_TEN)
    });
    unit.expect("it is committed");
    assert_eq!(diary.take(), ["first", "second", "later before", "later committed"]);
}

/// Each round registers the next one, until there are so many.
fn rounds(db: &Database, last: u32) -> (Result<(), Error>, u32) {
    fn round(tx: &mut Tx<'_>, number: u32, last: u32, seen: &Rc<Cell<u32>>) {
        let seen = Rc::clone(seen);
        tx.before_commit(move |tx| {
            seen.set(number);
            if number < last {
                round(tx, number + 1, last, &seen);
            }
        });
    }
    let seen = Rc::default();
    let unit = db.unit("rounds").run(|tx| {
        round(tx, 1, last, &seen);
        tx.query_drop(TAKE_TEN)
    });
    (unit, seen.get())
}

#[test]
fn s51_a_hundred_rounds_are_committed() {
    let world = World::with_accounts(1..=1);
    let (unit, seen) = rounds(&world.db, 100);
    assert_eq!(seen, 100);
    unit.expect("only more than a hundred are an error");
    assert_eq!(world.balances(), [90]);
}

#[test]
fn s51_more_than_a_hundred_rounds_are_an_error() {
    let world = World::with_accounts(1..=1);
    let (unit, seen) = rounds(&world.db, 101);
    let error = unit.expect_err("at some point it is a mistake");
    assert_eq!(error.kind(), ErrorKind::HookRefused);
    assert!(error.to_string().contains("100 rounds"), "{error}");
    assert_eq!(seen, 100);
    assert_eq!(world.balances(), [100]);
    world.assert_clean(&world.db);
}

#[test]
fn s51_a_fault_in_a_hook_retries_the_unit() {
    let (db, server) = scripted();
    for swallows in [false, true] {
        server.answer("UPDATE account SET balance = balance + 10", Reply::error(1213, "40001", "Deadlock found"));
        let attempts = Cell::new(0);
        let unit = db.unit("transfer").retry(Retry::DEFAULT.base(Duration::ZERO)).run::<_, Error>(|tx| {
            attempts.set(tx.attempt());
            tx.before_commit(move |tx| match tx.query_drop(GIVE_TEN) {
                Err(_) if swallows => Ok(()),
                result => result,
            });
            tx.query_drop(TAKE_TEN)
        });
        unit.expect("the second attempt is committed");
        assert_eq!(attempts.get(), 2);
        let (commit, rollback) = ("COMMIT AND NO CHAIN NO RELEASE", "ROLLBACK AND NO CHAIN NO RELEASE");
        assert_eq!(server.take_log(), [TAKE_TEN, GIVE_TEN, rollback, TAKE_TEN, GIVE_TEN, commit]);
    }
}

#[test]
fn s51_a_unit_in_a_hook_joins() {
    let world = World::with_accounts(1..=1);
    let db = world.db.clone();
    let unit = world.db.unit("outer").run::<(), Trouble>(|tx| {
        let db = db.clone();
        tx.before_commit(move |_| db.unit("inner").run::<_, Error>(|tx| tx.query_drop(TAKE_TEN)));
        tx.before_commit(|_| Err("the inner's rows are gone too"));
        Ok(())
    });
    unit.expect_err("a hook refused");
    assert_eq!(world.balances(), [100]);
}
