//! Hooks that belong to a savepoint: dropped or run with it when it is rolled back, the outer unit's when it is released.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;

use unit_of_work::{Cause, Error, ErrorKind, Propagation, Tx};

use super::{Diary, INNER, LATER, OUTER, register};
use crate::world::{FAIL, TAKE_TEN, Trouble, World};

/// What of the hooks of a nested unit runs, and when, if that ends so and the outer unit then so.
fn nested(world: &World, inner: Result<(), Trouble>, outer: Result<(), Trouble>) -> Vec<&'static str> {
    let (diary, ends) = (Diary::default(), RefCell::new(Some((inner, outer))));
    let unit = world.db.unit("outer").run::<(), Trouble>(|tx| {
        let (inner, outer) = ends.take().expect("one attempt");
        register(tx, &diary, OUTER);
        let nested = world.db.unit("inner").propagation(Propagation::Nested);
        let inner = RefCell::new(Some(inner));
        let result = nested.run::<(), Trouble>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            register(tx, &diary, INNER);
            inner.take().expect("it runs once")
        });
        diary.borrow_mut().push(if result.is_ok() { "released" } else { "undone" });
        register(tx, &diary, LATER);
        outer
    });
    diary.borrow_mut().push(if unit.is_ok() { "Ok" } else { "Err" });
    diary.take()
}

#[test]
fn s55_hooks_of_a_rolled_back_savepoint_are_dropped_and_its_after_rollback_ones_run_at_once() {
    let world = World::with_accounts(1..=1);
    let expected =
        ["inner rolled back", "undone", "outer before", "later before", "outer committed", "later committed", "Ok"];
    assert_eq!(nested(&world, FAIL, Ok(())), expected);
    assert_eq!(world.balances(), [100]);
    let expected = ["inner rolled back", "undone", "outer rolled back", "later rolled back", "Err"];
    assert_eq!(nested(&world, FAIL, FAIL), expected);
    world.assert_clean(&world.db);
}

#[test]
fn s55_hooks_of_a_released_savepoint_move_outward() {
    let world = World::with_accounts(1..=1);
    let expected = [
        "released",
        "outer before",
        "inner before",
        "later before",
        "outer committed",
        "inner committed",
        "later committed",
        "Ok",
    ];
    assert_eq!(nested(&world, Ok(()), Ok(())), expected);
    assert_eq!(world.balances(), [90]);
    let expected = ["released", "outer rolled back", "inner rolled back", "later rolled back", "Err"];
    assert_eq!(nested(&world, Ok(()), FAIL), expected);
    assert_eq!(world.balances(), [90]);
}

#[test]
fn s55_a_released_savepoint_in_one_that_is_rolled_back_goes_with_it() {
    let world = World::with_accounts(1..=1);
    let diary = Diary::default();
    let unit = world.db.unit("outer").run::<_, Error>(|tx| {
        let middle = tx.savepoint(|tx| {
            register(tx, &diary, OUTER);
            tx.savepoint::<_, Error>(|tx| {
                register(tx, &diary, INNER);
                tx.query_drop(TAKE_TEN)
            })?;
            diary.borrow_mut().push("released");
            FAIL
        });
        middle.expect_err("its own error");
        diary.borrow_mut().push("undone");
        Ok(())
    });
    unit.expect("the outer is committed");
    assert_eq!(diary.take(), ["released", "outer rolled back", "inner rolled back", "undone"]);
    assert_eq!(world.balances(), [100]);
}

#[test]
fn s53_a_savepoints_after_rollback_hook_gets_the_cause() {
    let world = World::with_accounts(1..=1);
    let causes = Rc::new(RefCell::new(Vec::new()));
    let note = |tx: &mut Tx<'_>| {
        let causes = Rc::clone(&causes);
        tx.after_rollback(move |cause| causes.borrow_mut().push(cause.clone()));
    };
    let unit = world.db.unit("outer").run::<_, Error>(|tx| {
        let failing = tx.savepoint::<(), Trouble>(|tx| {
            note(tx);
            FAIL
        });
        failing.expect_err("its own error");
        let marking = tx.savepoint::<(), Error>(|tx| {
            note(tx);
            tx.set_rollback_only();
            Ok(())
        });
        marking.expect_err("a value would lie");
        let panicking = || {
            tx.savepoint::<(), Error>(|tx| {
                note(tx);
                panic_any(7_u8)
            })
        };
        catch_unwind(AssertUnwindSafe(panicking)).expect_err("it panics");
        Ok(())
    });
    unit.expect("the outer is committed");
    let causes = causes.take();
    assert!(
        matches!(&causes[..], [Cause::Returned(text), Cause::Marked(error), Cause::Panicked]
            if text.contains("a decision") && error.kind() == ErrorKind::RollbackOnly),
        "{causes:?}"
    );
}
