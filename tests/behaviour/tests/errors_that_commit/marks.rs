//! Marks in nested units: they roll back to the savepoint and no further.

use std::cell::RefCell;

use unit_of_work::{Error, ErrorKind, Outcome, Propagation};

use crate::world::{GIVE_TEN, TAKE_TEN, World};

#[test]
fn s08_a_mark_in_a_nested_unit_rolls_back_to_its_savepoint() {
    let world = World::with_accounts(1..=2);
    let marked = RefCell::new(None);
    let outer = world.db.unit("outer").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let inner = world.db.unit("inner").propagation(Propagation::Nested).run::<_, Error>(|tx| {
            tx.query_drop(GIVE_TEN)?;
            tx.set_rollback_only();
            Ok("as if it were kept")
        });
        marked.replace(Some(inner.expect_err("a value would lie")));
        Ok("kept")
    });
    assert_eq!(outer.expect("the outer is not marked"), "kept");
    let error = marked.take().expect("the inner ran");
    assert_eq!((error.kind(), error.unit()), (ErrorKind::RollbackOnly, Some("inner")), "{error}");
    assert_eq!(world.balances(), [90, 100]);
    world.assert_clean(&world.db);
}

/// The error names the inner unit, of which nothing is in the database, whatever became of the outer one.
#[test]
fn s08_the_error_of_a_marked_nested_unit_says_rolled_back_when_the_outer_has_committed() {
    let world = World::with_accounts(1..=1);
    let marked = RefCell::new(None);
    let outer = world.db.unit("outer").run::<_, Error>(|_| {
        let inner = world.db.unit("inner").propagation(Propagation::Nested).run::<_, Error>(|tx| {
            tx.set_rollback_only();
            tx.query_drop(TAKE_TEN)
        });
        marked.replace(inner.err());
        Ok(())
    });
    outer.expect("the outer is not marked");
    let error = marked.take().expect("a value would lie");
    assert_eq!(error.outcome(), Some(Outcome::RolledBack), "{error}");
}

#[test]
fn s08_a_mark_of_a_unit_that_joins_a_nested_one_reaches_the_savepoint_and_no_further() {
    let world = World::with_accounts(1..=2);
    let outer = world.db.unit("outer").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let inner = tx.savepoint::<_, Error>(|tx| {
            tx.query_drop(GIVE_TEN)?;
            world.db.unit("joined").run::<_, Error>(|tx| {
                tx.set_rollback_only();
                Ok(())
            })
        });
        let error = inner.expect_err("a value would lie");
        assert_eq!(error.kind(), ErrorKind::RollbackOnly);
        assert!(error.to_string().contains("`joined`"), "{error}");
        Ok(())
    });
    outer.expect("the outer is not marked");
    assert_eq!(world.balances(), [90, 100]);
}
