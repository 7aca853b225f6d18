//! Units on two databases at once: neither is inside the other, whatever the order in which they were called.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use unit_of_work::testing::Reply;
use unit_of_work::{Error, ErrorKind, Isolation, Outcome, Propagation, Retry, Tx};

use crate::wires::Wire;
use crate::world::{FAIL, GIVE_TEN, TAKE_TEN, Trouble, World};

fn connection(tx: &mut Tx<'_>) -> Result<Option<u64>, Error> {
    tx.query_first("SELECT CONNECTION_ID()")
}

#[test]
fn s50_each_has_its_own_outcome() {
    for (outer_end, inner_end) in [(Ok(()), FAIL), (FAIL, Ok(())), (Ok(()), Ok(())), (FAIL, FAIL)] {
        let (one, other) = (World::with_accounts(1..=1), World::with_accounts(1..=1));
        let diary = Rc::new(RefCell::new(Vec::new()));
        let take = |tx: &mut Tx<'_>, committed: &'static str, rolled_back: &'static str| {
            let (yes, no) = (Rc::clone(&diary), Rc::clone(&diary));
            tx.after_commit(move || yes.borrow_mut().push(committed));
            tx.after_rollback(move |_| no.borrow_mut().push(rolled_back));
            tx.query_drop(TAKE_TEN)
        };
        let outer = one.db.unit("outer").run::<_, Trouble>(|tx| {
            take(tx, "outer committed", "outer rolled back")?;
            let inner = other.db.unit("inner").run::<_, Trouble>(|tx| {
                take(tx, "inner committed", "inner rolled back")?;
                if inner_end.is_ok() { Ok(()) } else { FAIL }
            });
            assert_eq!(inner.is_ok(), inner_end.is_ok());
            if outer_end.is_ok() { Ok(()) } else { FAIL }
        });
        assert_eq!(outer.is_ok(), outer_end.is_ok());
        let left = |end: &Result<(), Trouble>| vec![if end.is_ok() { 90 } else { 100 }];
        assert_eq!((one.balances(), other.balances()), (left(&outer_end), left(&inner_end)));
        let ends = |end: &Result<(), Trouble>, [yes, no]: [&'static str; 2]| if end.is_ok() { yes } else { no };
        let expected = [
            ends(&inner_end, ["inner committed", "inner rolled back"]),
            ends(&outer_end, ["outer committed", "outer rolled back"]),
        ];
        assert_eq!(diary.take(), expected);
        one.assert_clean(&one.db);
        other.assert_clean(&other.db);
    }
}

#[test]
fn s50_a_unit_joins_the_one_of_its_own_database_past_the_other() {
    let (one, other) = (World::with_accounts(1..=2), World::with_accounts(1..=1));
    let outer = one.db.unit("outer").run::<_, Trouble>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let ours = connection(tx)?;
        other.db.unit("between").run::<_, Error>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            one.db.unit("inner").propagation(Propagation::Mandatory).run::<_, Error>(|tx| {
                assert_eq!(connection(tx)?, ours, "it joins `outer`");
                tx.query_drop(GIVE_TEN)
            })
        })?;
        FAIL
    });
    outer.expect_err("the body's own");
    assert_eq!((one.balances(), other.balances()), (vec![100, 100], vec![90]));
    one.assert_clean(&one.db);
    other.assert_clean(&other.db);
}

#[test]
fn s50_what_is_active_on_one_is_nothing_to_the_modes_of_the_other() {
    let ((one, _), (other, _)) = (Wire::scripted(), Wire::scripted());
    let outer = one.db.unit("outer").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let there = |mode| other.db.unit("inner").propagation(mode).run::<_, Error>(|tx| tx.query_drop(GIVE_TEN));
        assert_eq!(there(Propagation::Mandatory).expect_err("refused").kind(), ErrorKind::Propagation);
        there(Propagation::Nested)?;
        there(Propagation::Outermost)?;
        there(Propagation::Never)
    });
    outer.expect("all but one run");
    assert_eq!(one.sent(), "1 take; 1 COMMIT");
    let plain = "1 SET SESSION autocommit=1; 1 give";
    assert_eq!(other.sent(), format!("1 give; 1 COMMIT; 1 give; 1 COMMIT; {plain}"));
}

#[test]
fn s50_neither_asks_the_other_for_isolation_access_or_doom() {
    let ((one, _), (other, script)) = (Wire::scripted(), Wire::scripted());
    script.answer(GIVE_TEN, Reply::error(1213, "40001", "Deadlock found"));
    let outer_runs = Cell::new(0);
    let outer = one.db.unit("outer").isolation(Isolation::ReadCommitted).read_only().run::<_, Error>(|tx| {
        outer_runs.set(tx.attempt());
        tx.query_drop("SELECT 1")?;
        let inner = other.db.unit("inner").isolation(Isolation::Serializable).retry(Retry::NEVER);
        let error = inner.run::<(), Error>(|tx| tx.query_drop(GIVE_TEN)).expect_err("a deadlock");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Serialization, Some(Outcome::RolledBack)));
        tx.query_drop("SELECT 1")
    });
    outer.expect("the other's deadlock is not its own");
    assert_eq!(outer_runs.get(), 1);
    assert_eq!(other.sent(), "1 give; 1 ROLLBACK");
    assert!(one.sent().ends_with("1 SELECT 1; 1 SELECT 1; 1 COMMIT"));
}

#[test]
fn s50_the_inner_runs_again_by_itself() {
    let ((one, _), (other, script)) = (Wire::scripted(), Wire::scripted());
    script.answer(GIVE_TEN, Reply::error(1213, "40001", "Deadlock found"));
    let (outer_runs, inner_runs) = (Cell::new(0), Cell::new(0));
    let outer = one.db.unit("outer").run::<_, Error>(|tx| {
        outer_runs.set(tx.attempt());
        tx.query_drop(TAKE_TEN)?;
        other.db.unit("inner").run::<_, Error>(|tx| {
            inner_runs.set(tx.attempt());
            tx.query_drop(GIVE_TEN)
        })
    });
    outer.expect("both are committed");
    assert_eq!((outer_runs.get(), inner_runs.get()), (1, 2));
    assert_eq!(
        (one.sent().as_str(), other.sent().as_str()),
        ("1 take; 1 COMMIT", "1 give; 1 ROLLBACK; 1 give; 1 COMMIT")
    );
}

#[test]
fn s50_a_hook_of_one_may_open_a_unit_of_the_other() {
    let (one, other) = (World::with_accounts(1..=2), World::with_accounts(1..=2));
    for end in [Ok(()), FAIL] {
        let there = other.db.clone();
        let hook = move || there.unit("hook").run::<_, Error>(|tx| tx.query_drop(GIVE_TEN));
        let unit = one.db.unit("unit").run::<_, Trouble>(|tx| {
            let (committed, rolled_back) = (hook.clone(), hook.clone());
            tx.after_commit(committed);
            tx.after_rollback(move |_| rolled_back());
            tx.query_drop(TAKE_TEN)?;
            if end.is_ok() { Ok(()) } else { FAIL }
        });
        assert_eq!(unit.is_ok(), end.is_ok());
    }
    let there = other.db.clone();
    let before = one.db.unit("unit").run::<_, Trouble>(|tx| {
        let there = there.clone();
        tx.before_commit(move |_| there.unit("hook").run::<_, Error>(|tx| tx.query_drop(GIVE_TEN)));
        Ok(tx.query_drop(TAKE_TEN)?)
    });
    before.expect("both are committed");
    assert_eq!((one.balances(), other.balances()), (vec![80, 100], vec![100, 130]));
    one.assert_clean(&one.db);
    other.assert_clean(&other.db);
}
