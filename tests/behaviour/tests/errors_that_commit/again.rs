//! Errors of the body that ask for another attempt: how often they get one, and where they are errors like others.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use unit_of_work::testing::{Script, VirtualClock};
use unit_of_work::{Cause, Database, Error, OnError, Propagation, Retry, Tx, unit_of_work};

use super::{OUTDATED, assert_refused, judge, quickly};
use crate::world::{GIVE_TEN, TAKE_TEN, Trouble, World};

#[test]
fn s26_an_error_that_asks_for_another_attempt_gets_one() {
    let world = World::with_accounts(1..=1);
    let causes = Rc::new(RefCell::new(Vec::new()));
    let value = world.db.unit("patient").retry(quickly(5)).on_error(judge).run(|tx| {
        let causes = Rc::clone(&causes);
        tx.after_rollback(move |cause| {
            assert!(matches!(cause, Cause::Returned(_)), "{cause}");
            causes.borrow_mut().push(cause.to_string());
        });
        tx.query_drop(TAKE_TEN)?;
        if tx.attempt() < 3 { Err(OUTDATED) } else { Ok(tx.attempt()) }
    });
    assert_eq!(value.expect("the third attempt succeeds"), 3);
    assert_eq!(world.balances(), [90]);
    let returned = format!("the body returned {OUTDATED:?}");
    assert_eq!(causes.take(), [returned.clone(), returned]);
    world.assert_clean(&world.db);
}

#[test]
fn s26_the_retry_policy_limits_it_and_the_users_own_error_is_returned() {
    for (retry, runs) in [(Retry::NEVER, 1), (quickly(4), 4)] {
        let world = World::with_accounts(1..=1);
        let seen = Cell::new(0);
        let result = world.db.unit("stubborn").retry(retry).on_error(judge).run::<(), _>(|tx| {
            seen.set(tx.attempt());
            tx.query_drop(TAKE_TEN)?;
            Err(OUTDATED)
        });
        assert_refused(&result, &OUTDATED);
        assert_eq!(seen.get(), runs);
        assert_eq!(world.balances(), [100]);
        world.assert_clean(&world.db);
    }
}

#[test]
fn s26_it_sleeps_between_and_ends_with_the_time_of_the_policy() {
    let (server, clock) = (Script::new(), VirtualClock::new());
    let db = Database::builder().script(&server).clock(clock.clone()).connect().expect("a scripted server");
    let second = Duration::from_secs(1);
    let policy = Retry::DEFAULT.within(10 * second).base(second).cap(second);
    let runs = Cell::new(0);
    let result = db.unit("stubborn").retry(policy).on_error(judge).run::<(), _>(|tx| {
        runs.set(tx.attempt());
        Err(OUTDATED)
    });
    assert_refused(&result, &OUTDATED);
    let slept = clock.slept();
    assert_eq!(slept.len() + 1, runs.get() as usize);
    assert!(slept.iter().sum::<Duration>() <= 10 * second, "{slept:?}");
    assert!(runs.get() > 10, "ten seconds have room for ten sleeps of at most one: {slept:?}");
}

#[test]
fn s26_it_may_be_one_of_the_servers_errors_that_is_never_retried_otherwise() {
    let world = World::with_accounts(1..=1);
    let duplicates = |error: &Error| match error.code() {
        Some(1062) => OnError::RunAgain,
        Some(_) | None => OnError::RollBack,
    };
    let insert = |tx: &mut Tx<'_>| tx.exec_drop("INSERT INTO account VALUES (?, 7)", (tx.attempt(),));
    world.db.unit("insert").retry(quickly(3)).on_error(duplicates).run(insert).expect("account 2 is free");
    assert_eq!(world.balances(), [100, 7]);
}

#[test]
fn s26_in_a_joined_unit_it_is_an_error_like_others_until_the_outermost_asks_too() {
    let world = World::with_accounts(1..=1);
    let (outer, inner) = (Cell::new(0), Cell::new(0));
    let both = |asks: fn(&Trouble) -> OnError| {
        outer.set(0);
        inner.set(0);
        world.db.unit("outer").retry(quickly(3)).on_error(asks).run::<(), _>(|_| {
            outer.set(outer.get() + 1);
            world.db.unit("inner").retry(quickly(3)).on_error(judge).run(|tx| {
                inner.set(inner.get() + 1);
                tx.query_drop(TAKE_TEN)?;
                Err(OUTDATED)
            })
        })
    };
    assert_refused(&both(|_| OnError::RollBack), &OUTDATED);
    assert_eq!((outer.get(), inner.get()), (1, 1));
    assert_refused(&both(judge), &OUTDATED);
    assert_eq!((outer.get(), inner.get()), (3, 3));
    assert_eq!(world.balances(), [100]);
}

#[test]
fn s26_in_a_nested_unit_it_rolls_back_to_the_savepoint_and_runs_once() {
    let world = World::with_accounts(1..=2);
    let runs = Cell::new(0);
    let outer = world.db.unit("outer").run::<_, Trouble>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let nested = world.db.unit("inner").propagation(Propagation::Nested).on_error(judge);
        let inner = nested.run::<(), _>(|tx| {
            runs.set(runs.get() + 1);
            tx.query_drop(GIVE_TEN)?;
            Err(OUTDATED)
        });
        assert_refused(&inner, &OUTDATED);
        Ok(())
    });
    outer.expect("the outer goes on");
    assert_eq!(runs.get(), 1);
    assert_eq!(world.balances(), [90, 100]);
}

#[unit_of_work(retry_on(Trouble::Refused("what was read is outdated")), retry(max_attempts = 4, base = "0ms"))]
fn outdated_twice(tx: &mut Tx<'_>) -> Result<u32, Trouble> {
    tx.query_drop(TAKE_TEN)?;
    if tx.attempt() < 3 { Err(OUTDATED) } else { Ok(tx.attempt()) }
}

#[test]
fn s26_the_attribute_says_it_too() {
    let world = World::with_accounts(1..=1);
    let _entered = world.db.enter();
    assert_eq!(outdated_twice().expect("the third attempt succeeds"), 3);
    assert_eq!(world.balances(), [90]);
}
