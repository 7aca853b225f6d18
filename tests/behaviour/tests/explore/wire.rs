//! The failures that are planned leave the server as those do that happen: what is explored is what there would be.

use unit_of_work::testing::{Failures, Way};
use unit_of_work::{Database, ErrorKind, Propagation, Retry};

use crate::world::{GIVE_TEN, TAKE_TEN, World, until};

fn failing() -> (World, Database, Failures) {
    let (world, failures) = (World::with_accounts(1..=2), Failures::new());
    let db = world.connect(|builder| builder.failures(&failures));
    (world, db, failures)
}

#[test]
fn s88_after_a_planned_deadlock_the_server_has_rolled_back() {
    let (world, db, failures) = failing();
    failures.plan(2, Way::Deadlock);
    let result = db.unit("deadlock").retry(Retry::NEVER).run(|tx| {
        tx.query_drop(TAKE_TEN)?;
        assert_eq!(world.open_transactions().len(), 1);
        let deadlock = tx.query_drop(GIVE_TEN);
        assert!(world.open_transactions().is_empty(), "before anybody sends ROLLBACK");
        deadlock
    });
    let error = result.expect_err("as planned");
    assert_eq!((error.kind(), error.code(), error.sqlstate()), (ErrorKind::Serialization, Some(1213), Some("40001")));
    assert_eq!(failures.sent(), [TAKE_TEN, GIVE_TEN, "ROLLBACK AND NO CHAIN NO RELEASE"]);
}

/// Where each statement commits by itself it can be seen.
#[test]
fn s88_what_is_lost_before_was_not_done_and_what_is_lost_after_was() {
    let (world, db, failures) = failing();
    for (way, balance) in [(Way::LostBefore, 100), (Way::ReplyLost, 90)] {
        let result = db.unit("alone").propagation(Propagation::Never).run(|tx| {
            tx.query_drop("DO 1")?;
            failures.plan(1, way);
            tx.query_drop(TAKE_TEN)
        });
        assert_eq!(result.expect_err("as planned").kind(), ErrorKind::ConnectionLost);
        assert_eq!(world.balance(1), Some(balance), "{way}");
    }
}

/// An answer that nobody hears is no answer, whatever it was.
#[test]
fn s88_an_error_that_is_lost_on_its_way_is_not_heard() {
    let (world, db, failures) = failing();
    failures.plan(1, Way::ReplyLost);
    let result = db.unit("lost").retry(Retry::NEVER).run(|tx| tx.query_drop("INSERT INTO account VALUES (1, 0)"));
    let error = result.expect_err("as planned");
    assert_eq!((error.kind(), error.code()), (ErrorKind::ConnectionLost, None), "{error}");
    until("the connection is gone", || world.open_transactions().is_empty());
}

#[test]
fn s88_a_refusal_looks_like_the_servers() {
    let (_world, db, failures) = failing();
    let asked =
        |sql: &'static str| db.unit("refused").run::<(), _>(|tx| tx.query_drop(sql)).expect_err("it is refused");
    let real = asked("INSERT INTO account VALUES (1, 0)");
    failures.plan(1, Way::Refused(1062));
    let planned = asked(TAKE_TEN);
    assert_eq!((planned.kind(), planned.code(), planned.sqlstate()), (real.kind(), Some(1062), real.sqlstate()));
}

#[test]
fn s88_failures_in_a_row_meet_the_same_statement() {
    let (world, db, failures) = failing();
    failures.plan_in_a_row(2, Way::Deadlock, 2);
    let attempts = db.unit("twice").run::<_, unit_of_work::Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        // Another literal each time.
        tx.query_drop(format!("UPDATE account SET balance = balance + {} WHERE id = 2", tx.attempt()))?;
        Ok(tx.attempt())
    });
    assert_eq!(attempts.expect("the third attempt"), 3);
    assert_eq!(world.balances(), [90, 103]);
    assert!(!failures.is_pending());
}
