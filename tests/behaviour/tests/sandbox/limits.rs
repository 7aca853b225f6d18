//! What a sandbox refuses, and what it does otherwise than production.

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Error, ErrorKind, Propagation};

use super::balances;
use crate::world::{GIVE_TEN, TAKE_TEN, World};

#[test]
fn s87_read_only_is_enforced_by_reading() {
    let world = World::with_accounts(1..=2);
    let _sandbox = world.db.sandbox().expect("a sandbox");
    let reads = || world.db.unit("reads").read_only();
    let error = reads().run(|tx| tx.query_drop(TAKE_TEN)).expect_err("a write");
    assert_eq!((error.kind(), error.code(), error.sqlstate()), (ErrorKind::ReadOnly, Some(1792), Some("25006")));
    let error = reads().run::<_, Error>(|tx| Ok(tx.connection()?.query_drop(TAKE_TEN)?)).expect_err("a write");
    assert_eq!((error.kind(), error.code()), (ErrorKind::ReadOnly, Some(1792)));
    let outer = world.db.unit("writes").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let inner = world.db.unit("new").read_only().propagation(Propagation::RequiresNew);
        let inner = inner.run::<_, Error>(|tx| tx.query_drop(TAKE_TEN));
        assert_eq!(inner.expect_err("a write").kind(), ErrorKind::ReadOnly);
        tx.query_drop(GIVE_TEN)
    });
    outer.expect("what it may do is its own matter");
    assert_eq!(balances(&world.db), [90, 110]);
}

#[test]
fn s87_a_session_of_its_own_is_refused() {
    let world = World::with_accounts(1..=2);
    let sandbox = world.db.sandbox().expect("a sandbox");
    let refused = world.db.session(|session| session.query_drop(TAKE_TEN)).expect_err("it would stay");
    assert_eq!(refused.kind(), ErrorKind::Propagation);
    assert!(
        refused.to_string().contains("in the sandbox `Database::sandbox` (tests/behaviour/tests/sandbox/limits.rs:")
    );
    drop(sandbox);
    assert_eq!(world.balances(), [100, 100]);
    world.db.session(|session| session.query_drop(TAKE_TEN)).expect("outside it is welcome");
}

#[test]
fn s87_it_has_to_be_around_everything() {
    let world = World::with_accounts(1..=2);
    let inside = world.db.unit("outer").run::<_, Error>(|_| {
        assert_eq!(world.db.sandbox().expect_err("a unit is active").kind(), ErrorKind::Propagation);
        Ok(())
    });
    inside.expect("the unit itself is well");
    let first = world.db.sandbox().expect("a sandbox");
    let second = world.db.sandbox().expect_err("there is one");
    assert_eq!(second.kind(), ErrorKind::Propagation);
    assert!(second.to_string().contains("in the sandbox `Database::sandbox`"), "{second}");
    drop(first);
    drop(world.db.sandbox().expect("there is none any more"));
    let other = World::with_accounts(1..=2);
    let _both = (world.db.sandbox().expect("a sandbox"), other.db.sandbox().expect("another database's is its own"));
}

#[test]
fn s87_exactly_once_writes_no_row() {
    let world = World::with_accounts(1..=2);
    let _sandbox = world.db.sandbox().expect("a sandbox");
    // The table of outcomes is not there: a row could not be written.
    world.db.unit("pays").exactly_once().run(|tx| tx.query_drop(TAKE_TEN)).expect("there is no COMMIT to lose");
    assert_eq!(balances(&world.db), [90, 100]);
}

#[test]
fn s87_a_lent_connection_is_everybodys() {
    let world = World::with_accounts(1..=2);
    let _sandbox = world.db.sandbox().expect("a sandbox");
    let outer = world.db.unit("outer").run::<_, Error>(|tx| {
        let guard = tx.connection()?;
        let inner = world.db.unit("inner").propagation(Propagation::RequiresNew).run(|tx| tx.query_drop(GIVE_TEN));
        assert_eq!(inner.expect_err("there is one session").kind(), ErrorKind::Busy);
        guard.finish()?;
        world.db.unit("inner").propagation(Propagation::RequiresNew).run(|tx| tx.query_drop(GIVE_TEN))
    });
    outer.expect("the guard is back");
    assert_eq!(balances(&world.db), [100, 110]);
}

#[test]
fn s87_a_leaked_guard_ends_it() {
    let world = World::with_accounts(1..=2);
    let sandbox = world.db.sandbox().expect("a sandbox");
    let leaks = world.db.unit("leaks").run::<_, Error>(|tx| {
        std::mem::forget(tx.connection()?);
        Ok(())
    });
    assert_eq!(leaks.expect_err("its connection is gone").kind(), ErrorKind::Busy);
    let later = world.db.unit("later").run(|tx| tx.query_drop(TAKE_TEN));
    assert_eq!(later.expect_err("it has ended").kind(), ErrorKind::Busy);
    drop(sandbox);
    assert_eq!(world.db.stats().in_use, 0);
    world.assert_clean(&world.db);
}

#[test]
fn s87_a_guard_that_is_dropped_in_a_unit_ends_it() {
    let world = World::with_accounts(1..=2);
    let sandbox = std::cell::Cell::new(Some(world.db.sandbox().expect("a sandbox")));
    let unit = world.db.unit("unit").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        drop(sandbox.take());
        tx.query_drop(GIVE_TEN)
    });
    let error = unit.expect_err("its transaction is gone");
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert!(error.to_string().contains("its guard was dropped"), "{error}");
    assert_eq!(world.balances(), [100, 100]);
    assert_eq!(world.db.stats().in_use, 0);
    world.assert_clean(&world.db);
}
