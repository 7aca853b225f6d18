//! Deferred writes in a sandbox, where all units share one session and its queue: each is its own unit's all the same. What happens
//! is held against what happens in production.

use std::cell::RefCell;

use unit_of_work::{Database, Error, Propagation};

use super::balances;
use crate::world::{FAIL, GIVE_TEN, TAKE_TEN, Trouble, World};

const ADD: &str = "UPDATE account SET balance = balance + ? WHERE id = ?";
const NEW: &str = "INSERT INTO account VALUES (?, 0)";

/// What a call came to.
fn told<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => "Ok".to_owned(),
        Err(error) => format!("{:?} {:?} {:?} of {:?}", error.kind(), error.code(), error.outcome(), error.unit()),
    }
}

/// What a scenario tells, and the rows that units see after it; twice, because the units of a sandbox go on after a failure.
#[track_caller]
fn same_in_a_sandbox(scenario: impl Fn(&Database) -> Vec<String>) -> (Vec<String>, Vec<i64>) {
    let played = |db: &Database| {
        let told = [scenario(db), scenario(db)].concat();
        (told, balances(db))
    };
    let production = World::with_accounts(1..=2);
    let expected = played(&production.db);
    let world = World::with_accounts(1..=2);
    let sandbox = world.db.sandbox().expect("a sandbox");
    let seen = played(&world.db);
    drop(sandbox);
    assert_eq!(seen, expected, "in a sandbox, and in production");
    assert_eq!(world.balances(), [100, 100]);
    world.assert_clean(&world.db);
    let (mut told, rows) = seen;
    told.truncate(told.len() / 2);
    (told, rows)
}

/// The outer unit has deferred a write that fails: whoever begins inside, it is the outer's.
#[test]
fn s90_in_a_sandbox_a_write_is_sent_as_its_own_units_before_another_begins() {
    for mode in [Propagation::NotSupported, Propagation::RequiresNew] {
        let (told, rows) = same_in_a_sandbox(|db| {
            let inner = RefCell::default();
            let outer = db.unit("outer").run::<_, Error>(|tx| {
                tx.query_drop(TAKE_TEN)?;
                tx.defer(NEW, (1,))?;
                let unit = db.unit("inner").propagation(mode);
                inner.replace(told(unit.run::<_, Error>(|tx| tx.query_drop(GIVE_TEN))));
                Ok(())
            });
            vec![inner.take(), told(outer)]
        });
        let outers = "Statement Some(1062)";
        assert!(told.iter().all(|said| said.starts_with(outers) && said.ends_with("of Some(\"outer\")")), "{told:?}");
        assert_eq!(rows, [100, 100], "{mode}");
    }
}

#[test]
fn s90_in_a_sandbox_the_writes_of_an_inner_unit_are_not_the_outers() {
    let (_, rows) = same_in_a_sandbox(|db| {
        let outer = db.unit("outer").run::<_, Trouble>(|tx| {
            tx.defer(ADD, (1, 1))?;
            let inner = db.unit("inner").propagation(Propagation::RequiresNew);
            let failed = inner.run(|tx| tx.defer(ADD, (7, 2)).map_err(Trouble::from).and(FAIL));
            assert!(failed.is_err());
            Ok(tx.defer(ADD, (1, 1))?)
        });
        vec![format!("{}", outer.is_ok())]
    });
    assert_eq!(rows, [104, 100]);
}

/// What runs there has nothing to do with the unit around it.
#[test]
fn s90_in_a_sandbox_what_runs_outside_does_not_send_what_it_does_not_see() {
    let (told, rows) = same_in_a_sandbox(|db| {
        let inner = RefCell::default();
        let outer = db.unit("outer").run::<_, Error>(|tx| {
            tx.defer(NEW, (1,))?;
            let run = || db.unit("inner").run::<_, Error>(|tx| tx.query_drop("DO 1"));
            inner.replace(told(unit_of_work::outside(run)));
            Ok(())
        });
        vec![inner.take(), told(outer)]
    });
    assert_eq!(told[0], "Ok");
    assert!(told[1].starts_with("Statement Some(1062)"), "{told:?}");
    assert_eq!(rows, [100, 100]);
}

#[test]
fn s90_in_a_sandbox_a_unit_without_a_transaction_sends_at_once() {
    let (told, rows) = same_in_a_sandbox(|db| {
        let at_the_call = RefCell::default();
        let unit = db.unit("plain").propagation(Propagation::Never).run::<_, Error>(|tx| {
            tx.defer(ADD, (1, 1))?;
            at_the_call.replace(told(tx.defer(NEW, (1,))));
            tx.defer(ADD, (1, 2))
        });
        let failing = db.unit("fails").propagation(Propagation::Never);
        let failed = failing.run(|tx| tx.defer(ADD, (1, 1)).map_err(Trouble::from).and(FAIL));
        vec![at_the_call.take(), told(unit), format!("{}", failed.is_err())]
    });
    assert!(told[0].starts_with("Statement Some(1062)"), "{told:?}");
    assert_eq!(told[1..], ["Ok", "true"]);
    assert_eq!(rows, [104, 102]);
}

/// Neither does it end the sandbox, nor does anything of the unit stay in it.
#[test]
fn s91_in_a_sandbox_a_write_that_fails_at_the_end_undoes_its_unit_alone() {
    let (told, rows) = same_in_a_sandbox(|db| {
        let before = db.unit("before").run::<_, Error>(|tx| tx.query_drop(GIVE_TEN));
        let unit = db.unit("fails").run::<_, Error>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            tx.defer(ADD, (1, 1))?;
            tx.defer(NEW, (1,))
        });
        vec![told(before), told(unit)]
    });
    assert_eq!(told, ["Ok", "Statement Some(1062) Some(RolledBack) of Some(\"fails\")"]);
    assert_eq!(rows, [100, 120]);
}
