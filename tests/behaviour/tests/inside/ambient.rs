//! Code that is not handed a unit: it finds the active one, refuses to run in one, or waits for its COMMIT.

use std::rc::Rc;
use std::sync::{Arc, Mutex};

use unit_of_work::{Error, ErrorKind, HookKind, Propagation, Tx, after_commit, forbid_in_unit, outside, with_current};

use super::{Diary, scripted};
use crate::world::{FAIL, GIVE_TEN, TAKE_TEN, Trouble, World};

#[test]
fn s57_outside_of_units_after_commit_runs_at_once() {
    let world = World::with_accounts(1..=1);
    let diary = Diary::default();
    let note = |entry| {
        let diary = Rc::clone(&diary);
        after_commit(move || diary.borrow_mut().push(entry));
    };
    note("before");
    assert_eq!(diary.take(), ["before"]);
    let unit = world.db.unit("take").run::<_, Error>(|tx| {
        note("inside");
        outside(|| note("outside"));
        diary.borrow_mut().push("body");
        tx.query_drop(TAKE_TEN)
    });
    unit.expect("it is committed");
    assert_eq!(diary.take(), ["outside", "body", "inside"]);
    let unit = world.db.unit("take").run::<(), _>(|_| {
        note("never");
        FAIL
    });
    unit.expect_err("the body's own error");
    assert!(diary.take().is_empty());
}

#[test]
fn s57_a_hook_that_fails_at_once_is_reported_to_the_threads_database() {
    let world = World::new();
    let reports: Arc<Mutex<Vec<(HookKind, String)>>> = Arc::default();
    let told = Arc::clone(&reports);
    let db = world.connect(|builder| {
        builder.on_hook_error(move |failure| {
            told.lock().expect("no listener panics").push((failure.hook, failure.message.clone()));
        })
    });
    let _entered = db.enter();
    after_commit(|| Err::<(), _>("no paper"));
    let reports = std::mem::take(&mut *reports.lock().expect("the listener is done"));
    assert_eq!(reports, [(HookKind::AfterCommit, "no paper".to_owned())]);
}

#[test]
fn s60_with_current_outside_of_units_is_refused() {
    let outside_of_all = with_current(|_: &mut Tx<'_>| ()).expect_err("no unit is active");
    assert_eq!(outside_of_all.kind(), ErrorKind::NotInUnit);
    let (db, server) = scripted();
    let unit = db.unit("take").run::<_, Error>(|tx| {
        tx.after_commit(|| {
            let error = with_current(|_: &mut Tx<'_>| ()).expect_err("the unit has ended");
            assert_eq!(error.kind(), ErrorKind::NotInUnit);
        });
        outside(|| with_current(|tx: &mut Tx<'_>| tx.query_drop(TAKE_TEN))).expect_err("it is hidden");
        Ok(())
    });
    unit.expect("it is committed");
    assert!(server.take_log().is_empty(), "the hidden unit got no statement");
}

#[test]
fn s60_with_current_inside_is_the_innermost_unit() {
    let world = World::with_accounts(1..=2);
    let take = || with_current(|tx: &mut Tx<'_>| tx.query_drop(TAKE_TEN));
    let unit = world.db.unit("outer").run::<_, Trouble>(|_| {
        take().expect("a unit is active")?;
        let nested = world.db.unit("nested").propagation(Propagation::Nested).run::<(), Trouble>(|_| {
            take().expect("a unit is active")?;
            FAIL
        });
        nested.expect_err("its own error");
        let new = world.db.unit("new").propagation(Propagation::RequiresNew).run::<_, Trouble>(|_| {
            with_current(|tx: &mut Tx<'_>| tx.query_drop(GIVE_TEN)).expect("a unit is active")?;
            Ok(())
        });
        new.expect("it is committed on its own");
        assert_eq!(world.balances(), [100, 110]);
        Ok(())
    });
    unit.expect("it is committed");
    assert_eq!(world.balances(), [90, 110]);
    world.assert_clean(&world.db);
}

#[test]
fn s60_forbid_in_unit_refuses_and_names_the_unit() {
    let world = World::new();
    forbid_in_unit().expect("no unit is active");
    let unit = world.db.unit("outer").run::<_, Error>(|tx| {
        let error = forbid_in_unit().expect_err("a unit is active");
        assert_eq!(error.kind(), ErrorKind::Propagation);
        assert!(error.to_string().contains("`outer`"), "{error}");
        assert!(error.to_string().contains(file!()), "{error}");
        outside(forbid_in_unit)?;
        tx.after_commit(forbid_in_unit);
        let plain = world.db.unit("plain").propagation(Propagation::NotSupported).run(|_| forbid_in_unit());
        let error = plain.expect_err("a unit is active, though without a transaction");
        assert!(error.to_string().contains("`plain`"), "{error}");
        Ok(())
    });
    unit.expect("it is committed");
    forbid_in_unit().expect("no unit is active");
}
