//! Deadlines of units inside others: they shorten, and never lengthen.

use std::cell::Cell;

use unit_of_work::{Error, ErrorKind, OnError, Propagation, Retry};

use super::attempts::scripted;
use super::{COMMIT, FAR, LONG, SOON, assert_timeout};
use crate::world::{FAIL, GIVE_TEN, TAKE_TEN, Trouble, World};

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
    for propagation in [Propagation::Required, Propagation::Nested, Propagation::RequiresNew, Propagation::NotSupported]
    {
        let world = World::new();
        let outer = world.db.unit("outer").timeout(SOON).run::<(), Error>(|_| {
            let inner = world.db.unit("inner").propagation(propagation).timeout(FAR);
            let inner = inner.run::<(), Error>(|tx| tx.query_drop(LONG));
            // By itself: not because the network gave up later than the outer's deadline.
            assert_eq!(inner.as_ref().expect_err("it is too slow").kind(), ErrorKind::Timeout, "{propagation}");
            inner
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
