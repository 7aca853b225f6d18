//! Units in savepoints: what their errors undo and what not, faults that go outward because the whole transaction is gone, and
//! what becomes of hooks and of a lent session. The statements of the mode itself are `modes`'.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::testing::{Clock, Reply, Script, VirtualClock};
use unit_of_work::{Database, Error, ErrorKind, Propagation, Retry, Tx, unit_of_work};

use crate::rival::Rival;
use crate::wires::Wire;
use crate::world::{FAIL, GIVE_TEN, TAKE_TEN, Trouble, World};

#[unit_of_work(propagation = "nested")]
fn give_or_fail(tx: &mut Tx<'_>, end: &Result<(), Trouble>) -> Result<(), Trouble> {
    tx.query_drop(GIVE_TEN)?;
    if end.is_ok() { Ok(()) } else { FAIL }
}

fn nested<T>(db: &Database, body: impl Fn(&mut Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
    db.unit("nested").propagation(Propagation::Nested).run(body)
}

#[test]
fn s39_the_rows_of_a_failed_nested_unit_are_gone_and_the_outer_commits() {
    let world = World::with_accounts(1..=2);
    let _entered = world.db.enter();
    let outer = world.db.unit("outer").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let inner = give_or_fail(&FAIL);
        assert!(matches!(inner, Err(Trouble::Refused("a decision"))), "{inner:?}");
        let seen: Vec<i64> = tx.query_map("SELECT balance FROM account ORDER BY id", |balance| balance)?;
        assert_eq!(seen, [90, 100]);
        give_or_fail(&Ok(())).expect("the next one succeeds");
        Ok(())
    });
    outer.expect("the outer caught it");
    assert_eq!(world.balances(), [90, 110]);
    world.assert_clean(&world.db);
}

#[test]
fn s39_so_it_is_with_a_savepoint_in_place_and_with_an_error_of_the_servers() {
    let world = World::with_accounts(1..=2);
    let outer = world.db.unit("outer").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let inner = tx.savepoint::<_, Error>(|tx| {
            tx.query_drop(GIVE_TEN)?;
            tx.query_drop("INSERT INTO account VALUES (1, 0)")
        });
        assert_eq!(inner.expect_err("a duplicate").code(), Some(1062));
        tx.savepoint::<_, Error>(|tx| tx.query_drop(GIVE_TEN))
    });
    outer.expect("the outer caught it");
    assert_eq!(world.balances(), [90, 110]);
    world.assert_clean(&world.db);
}

#[test]
fn s39_a_panic_undoes_the_savepoint_and_who_catches_it_goes_on() {
    let world = World::with_accounts(1..=2);
    let outer = world.db.unit("outer").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let inner = || {
            nested(&world.db, |tx| -> Result<(), Error> {
                tx.query_drop(GIVE_TEN)?;
                std::panic::panic_any(4711)
            })
        };
        let payload = catch_unwind(AssertUnwindSafe(inner)).expect_err("the panic goes on");
        assert_eq!(payload.downcast_ref(), Some(&4711));
        Ok(())
    });
    outer.expect("the outer caught it");
    assert_eq!(world.balances(), [90, 100]);
    world.assert_clean(&world.db);
}

#[test]
fn s40_a_unit_that_joins_a_nested_one_dooms_up_to_the_savepoint_only() {
    for wire in Wire::both() {
        let line = Cell::new(0);
        let outer = wire.db.unit("outer").run::<_, Error>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            let doomed = nested(&wire.db, |tx| {
                line.set(line!() + 1);
                let joined = wire.db.unit("joined").run(|tx| tx.query_drop(GIVE_TEN).map_err(Trouble::from).and(FAIL));
                assert!(matches!(joined, Err(Trouble::Refused("a decision"))), "{joined:?}");
                tx.query_drop(TAKE_TEN)?;
                Ok("as if it were kept")
            });
            Ok(doomed.expect_err("half of it failed"))
        });
        let error = outer.expect("the doom ends at the savepoint");
        assert_eq!((error.kind(), error.unit()), (ErrorKind::Doomed, Some("nested")));
        for part in [format!("`joined` ({}:{})", file!(), line.get()).as_str(), "a decision"] {
            assert!(error.to_string().contains(part), "{part} is not in: {error}");
        }
        let undone = "1 SAVEPOINT unit_of_work_1; 1 give; 1 take; 1 ROLLBACK TO SAVEPOINT unit_of_work_1";
        assert_eq!(wire.sent(), format!("1 take; {undone}; 1 COMMIT"));
        wire.assert_clean();
    }
}

#[test]
fn s41_after_a_fault_that_ended_the_whole_no_rollback_to_is_sent_and_the_outermost_runs_again() {
    for (code, state) in [(1213, "40001"), (1205, "HY000"), (1020, "HY000")] {
        for swallow in [false, true] {
            let (wire, script) = Wire::scripted();
            script.answer(GIVE_TEN, Reply::error(code, state, "as scripted"));
            let seen = RefCell::new(Vec::new());
            let outer = wire.db.unit("outer").retry(Retry::DEFAULT.base(Duration::ZERO)).run::<_, Error>(|tx| {
                tx.query_drop(TAKE_TEN)?;
                let fault = nested(&wire.db, |_| nested(&wire.db, |tx| tx.query_drop(GIVE_TEN)));
                // What comes after is told the same, and not sent.
                let later = nested(&wire.db, |tx| tx.query_drop(TAKE_TEN));
                let codes = [&fault, &later].map(|result| result.as_ref().err().and_then(Error::code));
                seen.borrow_mut().push((tx.attempt(), codes));
                if swallow { Ok(()) } else { fault.and(later) }
            });
            outer.unwrap_or_else(|error| panic!("{code}: {error}"));
            assert_eq!(seen.take(), [(1, [Some(code); 2]), (2, [None; 2])]);
            let sent = [
                "1 take; 1 SAVEPOINT unit_of_work_1; 1 SAVEPOINT unit_of_work_2; 1 give; 1 ROLLBACK",
                "1 take; 1 SAVEPOINT unit_of_work_3; 1 SAVEPOINT unit_of_work_4; 1 give",
                "1 RELEASE SAVEPOINT unit_of_work_4; 1 RELEASE SAVEPOINT unit_of_work_3",
                "1 SAVEPOINT unit_of_work_5; 1 take; 1 RELEASE SAVEPOINT unit_of_work_5; 1 COMMIT",
            ];
            assert_eq!(wire.sent(), sent.join("; "), "{code}");
        }
    }
}

#[test]
fn s41_a_real_deadlock_inside_a_nested_unit_runs_the_outermost_again() {
    let world = World::with_accounts(1..=30);
    let (db, proxy) = world.proxied();
    proxy.record();
    let seen = RefCell::new(Vec::new());
    thread::scope(|scope| {
        let rival = Rival::start(scope, &world);
        let outer = db.unit("outer").run::<_, Error>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            if tx.attempt() == 1 {
                rival.strike();
            }
            let inner = nested(&db, |tx| tx.query_drop(GIVE_TEN));
            seen.borrow_mut().push(inner.as_ref().err().and_then(Error::code));
            inner.or(Ok(()))
        });
        outer.expect("the second attempt is committed");
        rival.join();
    });
    assert_eq!(seen.take(), [Some(1213), None]);
    let sent: Vec<_> = proxy.take().into_iter().map(|command| command.text).collect();
    assert!(!sent.iter().any(|text| text.starts_with("ROLLBACK TO")), "{sent:#?}");
    assert_eq!(world.balances()[..2], [1090, 111]);
    world.assert_clean(&db);
}

#[test]
fn s41_a_real_lock_timeout_inside_a_nested_unit_runs_the_outermost_again() {
    let world = World::with_accounts(1..=2);
    let (db, proxy) = world.proxied();
    proxy.record();
    let rival = RefCell::new(world.conn());
    rival.borrow_mut().query_drop("BEGIN").expect("the server answers");
    rival.borrow_mut().query_drop(GIVE_TEN).expect("nobody has locks yet");
    let seen = RefCell::new(Vec::new());
    let outer = db.unit("outer").lock_wait(Duration::from_secs(1)).run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        if tx.attempt() == 2 {
            rival.borrow_mut().query_drop("ROLLBACK").expect("the server answers");
        }
        let inner = nested(&db, |tx| tx.query_drop(GIVE_TEN));
        seen.borrow_mut().push(inner.as_ref().err().and_then(Error::code));
        inner.or(Ok(()))
    });
    outer.expect("the second attempt is committed");
    assert_eq!(seen.take(), [Some(1205), None]);
    let sent: Vec<_> = proxy.take().into_iter().map(|command| command.text).collect();
    assert!(!sent.iter().any(|text| text.starts_with("ROLLBACK TO")), "{sent:#?}");
    assert_eq!(world.balances(), [90, 110]);
    world.assert_clean(&db);
}

#[test]
fn s48_a_guard_that_is_alive_makes_a_nested_unit_busy_but_not_one_with_a_session_of_its_own() {
    let world = World::with_accounts(1..=2);
    let outer = world.db.unit("outer").run::<_, Error>(|tx| {
        let mut guard = tx.connection()?;
        let busy = nested(&world.db, |_| -> Result<(), Error> { unreachable!("the body does not run") });
        assert_eq!(busy.expect_err("the session is lent out").kind(), ErrorKind::Busy);
        for mode in [Propagation::RequiresNew, Propagation::NotSupported] {
            world.db.unit("own").propagation(mode).run::<_, Error>(|tx| tx.query_drop(GIVE_TEN))?;
        }
        guard.query_drop(TAKE_TEN).expect("the guard is as before");
        drop(guard);
        nested(&world.db, |tx| tx.query_drop(TAKE_TEN))
    });
    outer.expect("both are usable");
    assert_eq!(world.balances(), [80, 120]);
    world.assert_clean(&world.db);
}

#[test]
fn s48_a_row_stream_that_is_alive_makes_a_nested_unit_busy() {
    let world = World::with_accounts(1..=2);
    let outer = world.db.unit("outer").run::<_, Error>(|tx| {
        let mut kinds = Vec::new();
        tx.query_each("SELECT id FROM account ORDER BY id", |_: u64| {
            let inner = nested(&world.db, |tx| tx.query_drop(TAKE_TEN));
            kinds.push(inner.expect_err("the rows are still being read").kind());
        })?;
        nested(&world.db, |tx| tx.query_drop(TAKE_TEN))?;
        Ok(kinds)
    });
    assert_eq!(outer.expect("the outer goes on"), [ErrorKind::Busy; 2]);
    assert_eq!(world.balances(), [90, 100]);
}

#[test]
fn s49_a_hundred_savepoints_deep_are_released_from_the_inside_out() {
    fn descend(db: &Database, depth: u32) -> Result<(), Error> {
        nested(db, |tx| if depth == 0 { tx.query_drop(GIVE_TEN) } else { descend(db, depth - 1) })
    }
    let (wire, _) = Wire::scripted();
    descend(&wire.db, 100).expect("the outermost begins, the others nest");
    let set = (1..=100).map(|n| format!("1 SAVEPOINT unit_of_work_{n}"));
    let released = (1..=100).rev().map(|n| format!("1 RELEASE SAVEPOINT unit_of_work_{n}"));
    let all: Vec<_> = set.chain(["1 give".into()]).chain(released).chain(["1 COMMIT".into()]).collect();
    assert_eq!(wire.sent(), all.join("; "));
}

/// Whatever keeps a savepoint from being undone, the whole is rolled back then, and the hook that waits for that runs, once.
#[test]
fn s55_a_hook_that_waits_for_a_rollback_runs_also_when_the_savepoint_cannot_be_undone() {
    let (wire, script) = Wire::scripted();
    script.answer("ROLLBACK TO", Reply::LostBefore);
    let hooks = Rc::new(Cell::new(0));
    let outer = wire.db.unit("outer").retry(Retry::NEVER).run::<(), Trouble>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        wire.db.unit("nested").propagation(Propagation::Nested).run(|tx| {
            let hooks = Rc::clone(&hooks);
            tx.after_rollback(move |_| hooks.set(hooks.get() + 1));
            tx.query_drop(GIVE_TEN)?;
            FAIL
        })
    });
    outer.expect_err("the connection is lost");
    assert_eq!(hooks.get(), 1);
}

/// The same where the body is content, but the savepoint can be kept no more.
#[test]
fn s55_a_hook_that_waits_for_a_rollback_runs_also_when_the_savepoint_cannot_be_released() {
    let clock = VirtualClock::new();
    let db = Database::builder().script(&Script::new()).clock(clock.clone()).connect().expect("a scripted server");
    let hooks = Rc::new(Cell::new(0));
    let outer = db.unit("outer").timeout(Duration::from_secs(2)).run::<(), Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        nested(&db, |tx| {
            let hooks = Rc::clone(&hooks);
            tx.after_rollback(move |_| hooks.set(hooks.get() + 1));
            tx.query_drop(GIVE_TEN)?;
            clock.sleep(Duration::from_secs(3));
            Ok(())
        })
    });
    assert_eq!(outer.expect_err("it is late").kind(), ErrorKind::Timeout);
    assert_eq!(hooks.get(), 1);
}
