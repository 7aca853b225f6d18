//! Units without a transaction: every statement stands by itself and at once, nothing is run again, and the next unit's session
//! is one with transactions again.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use proxy::{Cut, Packet, Side};
use unit_of_work::testing::{Clock, Reply, Script, VirtualClock};
use unit_of_work::{Database, Error, ErrorKind, OnError, Outcome, Propagation, Retry, Tx, UnitBuilder, unit_of_work};

use crate::wires::Wire;
use crate::world::{FAIL, GIVE_TEN, TAKE_TEN, Trouble, World};

const WITHOUT: [Propagation; 3] = [Propagation::Supports, Propagation::NotSupported, Propagation::Never];

fn without(db: &Database, mode: Propagation) -> UnitBuilder<'_, unit_of_work::MySql> {
    db.unit("without").propagation(mode)
}

#[test]
fn s89_what_is_written_is_seen_by_others_at_once_and_stays() {
    for mode in WITHOUT {
        let world = World::with_accounts(1..=2);
        let ended = without(&world.db, mode).run::<(), Trouble>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            assert_eq!(world.balances(), [90, 100], "{mode}");
            assert_eq!(world.open_transactions(), Vec::<u64>::new(), "{mode}");
            tx.query_drop(GIVE_TEN)?;
            FAIL
        });
        assert!(matches!(ended, Err(Trouble::Refused("a decision"))), "{ended:?}");
        assert_eq!(world.balances(), [90, 110], "{mode}: the error undoes nothing");
        world.assert_clean(&world.db);
    }
}

#[test]
fn s89_a_panic_undoes_nothing_either_and_goes_on() {
    let world = World::with_accounts(1..=2);
    let panicking = || {
        without(&world.db, Propagation::Never).run::<(), Error>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            std::panic::panic_any("the body's own")
        })
    };
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(panicking)).expect_err("it goes on");
    assert_eq!(payload.downcast_ref(), Some(&"the body's own"));
    assert_eq!(world.balances(), [90, 100]);
    world.assert_clean(&world.db);
}

#[test]
fn s89_autocommit_is_back_off_for_the_next_unit_in_one_packet() {
    for wire in Wire::both() {
        let plain = || without(&wire.db, Propagation::Supports).run::<_, Error>(|tx| tx.query_drop(GIVE_TEN));
        plain().and_then(|()| plain()).expect("two in turn");
        wire.db.unit("next").run::<_, Error>(|tx| tx.query_drop(TAKE_TEN)).expect("a transaction");
        let off = "1 SET SESSION autocommit=0; 1 take; 1 COMMIT";
        assert_eq!(wire.sent(), format!("1 SET SESSION autocommit=1; 1 give; 1 give; {off}"));
        // What sends nothing changes nothing.
        without(&wire.db, Propagation::Never).run::<_, Error>(|_| Ok(())).expect("nothing to fail");
        assert_eq!(wire.sent(), "");
    }
}

#[test]
fn s89_it_is_never_run_again_whatever_the_fault() {
    let faults = [
        (Reply::error(1213, "40001", "Deadlock found"), ErrorKind::Serialization),
        (Reply::error(1205, "HY000", "Lock wait timeout exceeded"), ErrorKind::LockTimeout),
        (Reply::error(1047, "08S01", "WSREP has not yet prepared node"), ErrorKind::Unavailable),
        (Reply::LostBefore, ErrorKind::ConnectionLost),
        (Reply::LostAfter, ErrorKind::ConnectionLost),
    ];
    for mode in WITHOUT {
        for (fault, kind) in &faults {
            let (wire, script) = Wire::scripted();
            script.answer(GIVE_TEN, fault.clone());
            let runs = Cell::new(0);
            let ended = without(&wire.db, mode).retry(Retry::DEFAULT.max_attempts(5)).run::<(), Error>(|tx| {
                runs.set(runs.get() + 1);
                tx.query_drop(TAKE_TEN)?;
                tx.query_drop(GIVE_TEN)
            });
            let error = ended.expect_err("once is all");
            let seen = (error.kind(), error.outcome(), error.attempts(), runs.get());
            assert_eq!(seen, (*kind, Some(Outcome::Untransacted), 1, 1), "{mode}, {fault:?}: {error}");
            wire.db.unit("next").run::<_, Error>(|tx| tx.query_drop(TAKE_TEN)).expect("the next unit is fine");
        }
    }
}

#[test]
fn s89_it_is_not_run_again_after_a_real_loss_of_the_connection() {
    let world = World::with_accounts(1..=2);
    let (db, proxy) = world.proxied();
    let runs = Cell::new(0);
    proxy.cut(Cut { at: Packet::Text(GIVE_TEN), side: Side::AfterServer });
    let ended = without(&db, Propagation::NotSupported).run::<(), Error>(|tx| {
        runs.set(runs.get() + 1);
        tx.query_drop(TAKE_TEN)?;
        tx.query_drop(GIVE_TEN)
    });
    let error = ended.expect_err("the connection is lost");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::ConnectionLost, Some(Outcome::Untransacted)), "{error}");
    assert_eq!((runs.get(), world.balances()), (1, vec![90, 110]));
    world.assert_clean(&db);
}

#[test]
fn s89_nor_after_an_error_of_its_own_that_asks_for_it_nor_when_no_session_can_be_had() {
    let (wire, _) = Wire::scripted();
    let runs = Cell::new(0);
    let asked = without(&wire.db, Propagation::Supports).retry(Retry::DEFAULT.base(Duration::ZERO));
    let asked = asked.on_error(|_: &Trouble| OnError::RunAgain).run(|_| {
        runs.set(runs.get() + 1);
        FAIL
    });
    assert!(matches!(asked, Err(Trouble::Refused("a decision"))), "{asked:?}");
    assert_eq!(runs.get(), 1);
    let script = Script::new();
    let db = Database::builder().script(&script).connect().expect("a scripted server");
    let outer = db.unit("outer").run::<_, Error>(|_| {
        script.refuse_connections(Some(Reply::error(1040, "08004", "Too many connections")));
        Ok(without(&db, Propagation::NotSupported).run::<(), Error>(|_| unreachable!("there is no session for it")))
    });
    let error = outer.expect("it goes on").expect_err("no session");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unavailable, Some(Outcome::NotStarted)), "{error}");
}

/// It never runs again itself, so it sets no limit to those that do: a batch may take hours.
#[test]
fn s89_a_unit_inside_a_long_one_is_retried_as_if_alone() {
    let (script, clock) = (Script::new(), VirtualClock::new());
    let db = Database::builder().script(&script).clock(clock.clone()).connect().expect("a scripted server");
    script.answer(GIVE_TEN, Reply::error(1213, "40001", "Deadlock found"));
    let attempts = without(&db, Propagation::Never).run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        clock.sleep(Duration::from_secs(3600));
        db.unit("item").run(|tx| tx.query_drop(GIVE_TEN).map(|()| tx.attempt()))
    });
    assert_eq!(attempts.expect("the second attempt is committed"), 2);
}

#[test]
fn s89_a_read_only_one_cannot_write() {
    let world = World::with_accounts(1..=2);
    for mode in WITHOUT {
        let ended = without(&world.db, mode).read_only().run::<(), Error>(|tx| tx.query_drop(TAKE_TEN));
        let error = ended.expect_err("the server says so");
        assert_eq!((error.kind(), error.code()), (ErrorKind::ReadOnly, Some(1792)), "{error}");
    }
    assert_eq!(world.balances(), [100, 100]);
    world.assert_clean(&world.db);
}

#[test]
fn s89_savepoints_and_nested_units_have_no_place_in_it() {
    for wire in Wire::both() {
        let ended = without(&wire.db, Propagation::Supports).run::<_, Error>(|tx| {
            let savepoint = tx.savepoint::<(), Error>(|_| unreachable!("it does not run"));
            let nested = wire.db.unit("nested").propagation(Propagation::Nested);
            let nested = nested.run::<(), Error>(|_| unreachable!("it does not run"));
            Ok([savepoint, nested].map(|result| result.expect_err("refused").kind()))
        });
        assert_eq!(ended.expect("it goes on"), [ErrorKind::Propagation; 2]);
        assert_eq!(wire.sent(), "");
    }
}

#[test]
fn s89_hooks_run_before_its_end_and_by_its_result() {
    let world = World::with_accounts(1..=2);
    let run = |end: Result<(), Trouble>| {
        let diary = Rc::new(RefCell::new(Vec::new()));
        let notes = [(); 3].map(|()| Rc::clone(&diary));
        let ended = without(&world.db, Propagation::Supports).run::<_, Trouble>(|tx| {
            let [before, committed, rolled_back] = notes.clone();
            tx.before_commit(move |tx| {
                before.borrow_mut().push("before");
                tx.query_drop(GIVE_TEN)
            });
            tx.after_commit(move || committed.borrow_mut().push("after Ok"));
            tx.after_rollback(move |_| rolled_back.borrow_mut().push("after Err"));
            tx.query_drop(TAKE_TEN)?;
            if end.is_ok() { Ok(()) } else { FAIL }
        });
        assert_eq!(ended.is_ok(), end.is_ok());
        (diary.take(), world.balances())
    };
    assert_eq!(run(Ok(())), (vec!["before", "after Ok"], vec![90, 110]));
    assert_eq!(run(FAIL), (vec!["after Err"], vec![80, 110]));
    world.assert_clean(&world.db);
}

#[test]
fn s89_a_unit_inside_that_needs_a_transaction_gets_its_own() {
    for mode in [Propagation::Required, Propagation::RequiresNew] {
        for wire in Wire::both() {
            let ended = without(&wire.db, Propagation::Supports).run::<_, Error>(|tx| {
                tx.query_drop(TAKE_TEN)?;
                let inner = wire.db.unit("inner").propagation(mode);
                inner.run(|tx| tx.query_drop(GIVE_TEN).map_err(Trouble::from).and(FAIL)).expect_err("the body's own");
                tx.query_drop(TAKE_TEN)
            });
            ended.expect("the inner's failure is its own");
            assert_eq!(wire.sent(), "1 SET SESSION autocommit=1; 1 take; 2 give; 2 ROLLBACK; 1 take", "{mode}");
            wire.assert_clean();
        }
    }
}

#[test]
fn s89_a_unit_inside_that_needs_none_shares_the_session_and_its_failure_is_its_own() {
    for mode in WITHOUT {
        for wire in Wire::both() {
            let ended = without(&wire.db, Propagation::NotSupported).run::<_, Error>(|tx| {
                tx.query_drop(TAKE_TEN)?;
                without(&wire.db, mode).run(|tx| tx.query_drop(GIVE_TEN).map_err(Trouble::from).and(FAIL)).unwrap_err();
                tx.query_drop(TAKE_TEN)
            });
            ended.expect("there is nothing that could be doomed");
            assert_eq!(wire.sent(), "1 SET SESSION autocommit=1; 1 take; 1 give; 1 take", "{mode}");
            wire.assert_clean();
        }
    }
}

#[unit_of_work(propagation = "not_supported")]
fn progress(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query_drop(GIVE_TEN)
}

#[test]
fn s89_inside_a_transaction_not_supported_is_seen_at_once_and_stays_when_that_rolls_back() {
    let world = World::with_accounts(1..=2);
    let _entered = world.db.enter();
    let outer = world.db.unit("outer").run(|tx| {
        tx.query_drop(TAKE_TEN)?;
        progress()?;
        assert_eq!(world.balances(), [100, 110]);
        FAIL
    });
    outer.expect_err("the body's own");
    assert_eq!(world.balances(), [100, 110]);
    world.assert_clean(&world.db);
}
