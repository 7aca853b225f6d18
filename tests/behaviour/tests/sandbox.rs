//! A sandbox: that nothing of it is left, and that the units in it do not notice. What ends one before its guard does is
//! `ended`'s, what it refuses or does otherwise than production is `limits`'s; deferred writes are `deferring`'s.

mod deferring;
mod ended;
mod limits;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::thread;

use unit_of_work::testing::Script;
use unit_of_work::{Database, Error, ErrorKind, OnError, Outcome, Propagation, Tx, unit_of_work};

use crate::server::ISOLATION;
use crate::world::{FAIL, GIVE_TEN, TAKE_TEN, Trouble, World};

const BALANCES: &str = "SELECT balance FROM account ORDER BY id";

#[unit_of_work]
fn open(tx: &mut Tx<'_>, id: u64) -> Result<(), Trouble> {
    tx.exec_drop("INSERT INTO account VALUES (?, 0)", (id,))?;
    Ok(())
}

fn balances(db: &Database) -> Vec<i64> {
    db.unit("balances").read_only().run::<_, Error>(|tx| tx.query(BALANCES)).expect("the table is there")
}

fn connection(tx: &mut Tx<'_>) -> Result<u64, Error> {
    Ok(tx.query_first("SELECT CONNECTION_ID()")?.expect("a row"))
}

#[test]
fn s87_nothing_of_its_units_is_left() {
    let world = World::with_accounts(1..=2);
    let _entered = world.db.enter();
    let sandbox = world.db.sandbox().expect("a sandbox");
    open(3).expect("the row fits");
    world.db.unit("new").propagation(Propagation::RequiresNew).run(|tx| tx.query_drop(TAKE_TEN)).expect("it is there");
    world.db.unit("plain").propagation(Propagation::Never).run(|tx| tx.query_drop(GIVE_TEN)).expect("it is there");
    assert_eq!(balances(&world.db), [90, 110, 0], "units see what the units before them wrote");
    assert_eq!(world.balances(), [100, 100], "nobody else does");
    drop(sandbox);
    assert_eq!(world.balances(), [100, 100]);
    world.assert_clean(&world.db);
    open(3).expect("it begins and commits again");
    assert_eq!(world.balances(), [100, 100, 0]);
}

#[test]
fn s87_each_unit_is_a_savepoint_of_one_transaction() {
    let script = Script::new();
    let db = Database::builder().script(&script).connect().expect("a scripted server");
    drop(script.take_sent());
    let sandbox = db.sandbox().expect("a sandbox");
    db.unit("nothing").run::<_, Error>(|_| Ok(())).expect("it sends nothing");
    db.unit("good").run::<_, Error>(|tx| tx.query_drop(TAKE_TEN)).expect("the script says OK");
    let bad = db.unit("bad").run(|tx| {
        tx.query_drop(GIVE_TEN)?;
        FAIL
    });
    assert!(matches!(bad, Err(Trouble::Refused(_))));
    drop(sandbox);
    db.unit("after").run::<_, Error>(|tx| tx.query_drop(GIVE_TEN)).expect("the script says OK");
    let sent: Vec<String> = script.take_sent().into_iter().map(|sent| sent.text).collect();
    let expected = [
        "SAVEPOINT unit_of_work_1",
        "SAVEPOINT unit_of_work_2",
        TAKE_TEN,
        "RELEASE SAVEPOINT unit_of_work_2",
        "SAVEPOINT unit_of_work_3",
        GIVE_TEN,
        "ROLLBACK TO SAVEPOINT unit_of_work_3",
        "ROLLBACK AND NO CHAIN NO RELEASE",
        GIVE_TEN,
        "COMMIT AND NO CHAIN NO RELEASE",
    ];
    assert_eq!(sent, expected);
}

#[test]
fn s87_a_unit_that_fails_undoes_its_own_work() {
    let world = World::with_accounts(1..=2);
    let db = &world.db;
    let _sandbox = db.sandbox().expect("a sandbox");
    db.unit("before").run(|tx| tx.query_drop(TAKE_TEN)).expect("it is there");
    let fails = |propagation| {
        db.unit("fails").propagation(propagation).run(|tx| {
            tx.query_drop(GIVE_TEN)?;
            FAIL
        })
    };
    assert!(matches!(fails(Propagation::Required), Err(Trouble::Refused("a decision"))));
    assert_eq!(balances(db), [90, 100]);
    assert!(matches!(fails(Propagation::Supports), Err(Trouble::Refused("a decision"))));
    assert_eq!(balances(db), [90, 110], "a unit without a transaction undoes nothing");
    let payload = catch_unwind(AssertUnwindSafe(|| {
        db.unit("panics").run::<(), Error>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            std::panic::panic_any(7_u8)
        })
    }));
    assert_eq!(payload.expect_err("it panics").downcast_ref::<u8>(), Some(&7));
    assert_eq!(balances(db), [90, 110]);
}

#[test]
fn s87_marks_and_errors_that_commit_mean_what_they_mean() {
    let world = World::with_accounts(1..=2);
    let db = &world.db;
    let _sandbox = db.sandbox().expect("a sandbox");
    let marked = db.unit("marked").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        tx.set_rollback_only();
        Ok(())
    });
    let marked = marked.expect_err("no value of what is rolled back");
    assert_eq!((marked.kind(), marked.outcome()), (ErrorKind::RollbackOnly, Some(Outcome::RolledBack)));
    let doomed = db.unit("outer").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let inner = db.unit("inner").run::<(), Trouble>(|_| FAIL);
        assert!(inner.is_err());
        Ok(())
    });
    assert_eq!(doomed.expect_err("swallowed").kind(), ErrorKind::Doomed);
    assert_eq!(balances(db), [100, 100]);
    let commits = db.unit("commits").on_error(|_: &Trouble| OnError::Commit).run(|tx| {
        tx.query_drop(GIVE_TEN)?;
        FAIL
    });
    assert!(commits.is_err());
    let kept = db.unit("savepoints").run::<_, Trouble>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let undone = tx.savepoint::<(), Trouble>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            FAIL
        });
        assert!(undone.is_err());
        Ok(())
    });
    kept.expect("the savepoint alone failed");
    assert_eq!(balances(db), [90, 110]);
}

#[test]
fn s87_hooks_run_and_their_units_are_in_it() {
    let world = World::with_accounts(1..=2);
    let _entered = world.db.enter();
    let sandbox = world.db.sandbox().expect("a sandbox");
    let diary = Rc::new(RefCell::new(Vec::new()));
    let (one, other) = (Rc::clone(&diary), Rc::clone(&diary));
    let outer = world.db.unit("outer").run(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let other = Rc::clone(&other);
        tx.after_rollback(move |_| other.borrow_mut().push("rolled back"));
        world.db.unit("inner").propagation(Propagation::RequiresNew).run::<_, Trouble>(|tx| {
            let one = Rc::clone(&one);
            tx.after_commit(move || {
                one.borrow_mut().push("committed");
                open(3).expect("a hook's unit has a session");
            });
            Ok(tx.query_drop(GIVE_TEN)?)
        })?;
        assert_eq!(*diary.borrow(), ["committed"]);
        assert_eq!(tx.query::<i64, _>(BALANCES)?, [90, 110, 0]);
        FAIL
    });
    assert!(matches!(outer, Err(Trouble::Refused("a decision"))), "{outer:?}");
    assert_eq!(*diary.borrow(), ["committed", "rolled back"]);
    assert_eq!(balances(&world.db), [100, 100], "one transaction: the outer took the inner with it");
    drop(sandbox);
    assert_eq!(world.balances(), [100, 100]);
}

#[test]
fn s87_no_mode_sees_it() {
    let world = World::with_accounts(1..=2);
    let _sandbox = world.db.sandbox().expect("a sandbox");
    assert!(!unit_of_work::in_unit());
    let run = |propagation| world.db.unit("unit").propagation(propagation).run::<_, Error>(connection);
    let ours = run(Propagation::Required).expect("it begins");
    for propagation in [Propagation::Outermost, Propagation::RequiresNew, Propagation::Nested, Propagation::Never] {
        assert_eq!(run(propagation).expect("nothing is active"), ours, "{propagation}");
    }
    assert_eq!(run(Propagation::Mandatory).expect_err("nothing is active").kind(), ErrorKind::Propagation);
    let inside = world.db.unit("outer").run::<_, Error>(|tx| {
        assert_eq!(run(Propagation::Never).expect_err("one is active").kind(), ErrorKind::Propagation);
        assert_eq!(run(Propagation::Outermost).expect_err("one is active").kind(), ErrorKind::Propagation);
        assert_eq!(run(Propagation::RequiresNew)?, connection(tx)?);
        assert_eq!(run(Propagation::NotSupported)?, connection(tx)?);
        assert_eq!(unit_of_work::outside(|| run(Propagation::Required))?, ours);
        Ok(())
    });
    inside.expect("all is as it should be");
}

#[test]
fn s87_sandboxes_of_two_threads_do_not_see_each_other() {
    let world = World::with_accounts(1..=2);
    thread::scope(|scope| {
        for id in [3, 5] {
            let db = &world.db;
            scope.spawn(move || {
                let _entered = db.enter();
                let _sandbox = db.sandbox().expect("a sandbox");
                open(id).expect("nobody else has this row");
                let seen = db
                    .unit("seen")
                    .run::<Option<i64>, Error>(|tx| tx.exec_first("SELECT balance FROM account WHERE id = ?", (id,)));
                assert_eq!(seen.expect("it is there"), Some(0));
            });
        }
    });
    assert_eq!(world.balances(), [100, 100]);
    assert_eq!(world.db.stats().in_use, 0);
}

#[test]
fn s87_the_isolation_is_the_sandboxes() {
    let world = World::with(|builder| builder.isolation(unit_of_work::Isolation::ReadCommitted));
    let _sandbox = world.db.sandbox().expect("a sandbox");
    let isolation = |tx: &mut Tx<'_>| -> Result<String, Error> {
        Ok(tx.query_first(format!("SELECT {ISOLATION}"))?.expect("a row"))
    };
    let seen = world.db.unit("weak").run::<_, Error>(isolation);
    assert_eq!(seen.expect("it reads"), "SERIALIZABLE");
    let outer = world.db.unit("outer").run::<_, Error>(|_| {
        let inner = world.db.unit("strong").isolation(unit_of_work::Isolation::Serializable).run::<_, Error>(isolation);
        assert_eq!(inner.expect_err("as in production").kind(), ErrorKind::IsolationConflict);
        unit_of_work::with_current(|tx: &mut Tx<'_>| tx.set_rollback_only())
    });
    assert_eq!(outer.expect_err("marked").kind(), ErrorKind::RollbackOnly);
}
