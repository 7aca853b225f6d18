//! What takes the one transaction with it ends the sandbox: the unit gets its fault at once, and nobody after it begins. What
//! leaves the transaction alive does not.

use std::cell::Cell;
use std::thread;
use std::time::Duration;

use unit_of_work::testing::{Failures, Reply, Script, Way};
use unit_of_work::{Database, Error, ErrorKind, OnError, Outcome, Propagation};

use super::balances;
use crate::rival::Rival;
use crate::world::{FAIL, GIVE_TEN, TAKE_TEN, Trouble, World};

#[test]
fn s87_a_deadlock_ends_it() {
    let world = World::with_accounts(1..=30);
    let sandbox = world.db.sandbox().expect("a sandbox");
    let attempts = Cell::new(0);
    let fault = thread::scope(|scope| {
        let rival = Rival::start(scope, &world);
        let fault = world.db.unit("victim").run::<_, Error>(|tx| {
            attempts.set(attempts.get() + 1);
            tx.query_drop(TAKE_TEN)?;
            rival.strike();
            tx.query_drop(GIVE_TEN)
        });
        rival.join();
        fault.expect_err("the server chose this one")
    });
    assert_eq!((fault.kind(), fault.code(), attempts.get()), (ErrorKind::Serialization, Some(1213), 1));
    assert_eq!(fault.outcome(), Some(Outcome::RolledBack));
    let text = fault.to_string();
    assert!(
        text.contains("this ended the sandbox `Database::sandbox` (tests/behaviour/tests/sandbox/ended.rs:"),
        "{text}"
    );
    assert!(text.contains("outside of a sandbox the unit would run again"), "{text}");
    let later =
        world.db.unit("later").run(|tx| tx.query_drop(GIVE_TEN)).expect_err("there is nothing left to be part of");
    assert_eq!(later.kind(), ErrorKind::Serialization);
    let text = later.to_string();
    assert!(
        text.contains("unit `later`") && text.contains("has ended, and with it all that its units wrote"),
        "{text}"
    );
    drop(sandbox);
    let expected: Vec<i64> = [1100].into_iter().chain([101; 29]).collect();
    assert_eq!(world.balances(), expected, "the rival's, and nothing else");
    world.assert_clean(&world.db);
}

#[test]
fn s87_a_unit_that_waits_around_the_one_that_ended_it_fails_too() {
    let script = Script::new();
    let db = Database::builder().script(&script).connect().expect("a scripted server");
    let sandbox = db.sandbox().expect("a sandbox");
    script.answer(GIVE_TEN, Reply::error(1213, "40001", "Deadlock found"));
    let outer = db.unit("outer").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let inner = db.unit("inner").propagation(Propagation::RequiresNew).run(|tx| tx.query_drop(GIVE_TEN));
        assert_eq!(inner.expect_err("as scripted").kind(), ErrorKind::Serialization);
        Ok(())
    });
    let error = outer.expect_err("what it wrote is gone");
    assert_eq!(
        (error.kind(), error.unit(), error.outcome()),
        (ErrorKind::Serialization, Some("outer"), Some(Outcome::RolledBack))
    );
    drop(sandbox);
    let last = script.take_sent().pop().expect("something was sent");
    assert_eq!(last.text, "ROLLBACK AND NO CHAIN NO RELEASE");
}

#[test]
fn s87_a_lost_connection_ends_it() {
    let failures = Failures::new();
    let world = World::with(|builder| builder.failures(&failures));
    world.make_accounts(1..=2);
    for lost in 1..=4 {
        for way in [Way::LostBefore, Way::ReplyLost, Way::Deadlock] {
            let sandbox = world.db.sandbox().expect("a sandbox");
            failures.plan(lost, way);
            let attempts = Cell::new(0);
            let unit = world.db.unit("unit").run(|tx| {
                attempts.set(attempts.get() + 1);
                tx.query_drop(TAKE_TEN)?;
                tx.query_drop(GIVE_TEN)
            });
            let error = unit.expect_err("planned");
            assert_eq!(attempts.get(), 1, "{lost}, {way:?}: {error}");
            assert_eq!(error.outcome(), Some(Outcome::RolledBack), "{lost}, {way:?}: {error}");
            let later = world.db.unit("later").run(|tx| tx.query_drop(TAKE_TEN));
            assert_eq!(later.expect_err("it has ended").kind(), error.kind(), "{lost}, {way:?}");
            drop(sandbox);
            assert_eq!(world.balances(), [100, 100], "{lost}, {way:?}");
        }
    }
    world.assert_clean(&world.db);
    assert_eq!(world.db.stats().in_use, 0);
}

#[test]
fn s87_a_way_back_that_is_lost_ends_it() {
    let failures = Failures::new();
    let world = World::with(|builder| builder.failures(&failures));
    world.make_accounts(1..=2);
    let sandbox = world.db.sandbox().expect("a sandbox");
    failures.plan(3, Way::LostBefore);
    let unit = world.db.unit("unit").run(|tx| {
        tx.query_drop(TAKE_TEN)?;
        FAIL
    });
    assert!(matches!(unit, Err(Trouble::Refused("a decision"))), "the body's error is not hidden: {unit:?}");
    let later = world.db.unit("later").run(|tx| tx.query_drop(TAKE_TEN));
    assert_eq!(later.expect_err("it has ended").kind(), ErrorKind::ConnectionLost);
    drop(sandbox);
    world.assert_clean(&world.db);
}

#[test]
fn s87_a_deadline_in_a_statement_ends_it() {
    let world = World::with_accounts(1..=2);
    let sandbox = world.db.sandbox().expect("a sandbox");
    let slow = world.db.unit("slow").timeout(Duration::from_millis(50)).run(|tx| tx.query_drop("DO SLEEP(20)"));
    assert_eq!(slow.expect_err("it takes too long").kind(), ErrorKind::Timeout);
    let later = world.db.unit("later").run(|tx| tx.query_drop(TAKE_TEN));
    assert_eq!(later.expect_err("it has ended").kind(), ErrorKind::Timeout);
    drop(sandbox);
    world.assert_clean(&world.db);
}

#[test]
fn s87_what_leaves_the_transaction_alive_is_run_again() {
    let failures = Failures::new();
    let world = World::with(|builder| builder.failures(&failures));
    world.make_accounts(1..=2);
    let _sandbox = world.db.sandbox().expect("a sandbox");
    failures.plan(3, Way::Refused(1205));
    let attempts = world.db.unit("waits").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        tx.query_drop(GIVE_TEN)?;
        Ok(tx.attempt())
    });
    assert_eq!(attempts.expect("once more helps"), 2);
    assert_eq!(balances(&world.db), [90, 110], "the first attempt was undone");
    let again = world.db.unit("again").on_error(|_: &Trouble| OnError::RunAgain).run(|tx| {
        tx.query_drop(TAKE_TEN)?;
        if tx.attempt() < 3 { FAIL } else { Ok(()) }
    });
    again.expect("the third time it is well");
    assert_eq!(balances(&world.db), [80, 110]);
}

/// And commits what all units in it wrote before: nobody may be told that it is gone.
#[test]
fn s87_a_procedure_that_commits_ends_it() {
    let world = World::with_accounts(1..=2);
    world.execute("CREATE PROCEDURE commits() BEGIN COMMIT; END");
    let sandbox = world.db.sandbox().expect("a sandbox");
    world.db.unit("before").run::<_, Error>(|tx| tx.query_drop(GIVE_TEN)).expect("it is part of the sandbox");
    let torn = world.db.unit("torn").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        tx.query_drop("CALL commits()")
    });
    let torn = torn.expect_err("it stays");
    assert_eq!((torn.kind(), torn.outcome()), (ErrorKind::ImplicitCommit, Some(Outcome::Torn)));
    let text = torn.to_string();
    assert!(text.contains("and what its units wrote before stays in the database"), "{text}");
    let later = world.db.unit("later").run(|tx| tx.query_drop(TAKE_TEN)).expect_err("it has ended");
    assert_eq!(later.kind(), ErrorKind::ImplicitCommit);
    let text = later.to_string();
    assert!(text.contains("and what its units wrote before that is in the database"), "{text}");
    assert!(!text.contains("with it all that its units wrote"), "{text}");
    drop(sandbox);
    assert_eq!(world.balances(), [90, 110], "as both errors say");
    world.assert_clean(&world.db);
}
