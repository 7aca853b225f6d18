//! What happens inside a unit besides its statements: hooks before COMMIT, hooks that belong to a savepoint, values that live as
//! long as the unit, and how code finds the unit that it runs in. What hooks do after a unit's end is `hooks`.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proxy::{Cut, Packet, Side};
use unit_of_work::testing::{Reply, Script};
use unit_of_work::{
    Cause, Database, Error, ErrorKind, HookKind, Outcome, Propagation, Retry, Tx, after_commit, forbid_in_unit, in_unit,
    outside, with_current,
};

use crate::world::{FAIL, GIVE_TEN, TAKE_TEN, Trouble, World};

/// What hooks write down, in the order in which they run.
type Diary = Rc<RefCell<Vec<&'static str>>>;

fn scripted() -> (Database, Script) {
    let server = Script::new();
    (Database::builder().script(&server).connect().expect("a scripted server"), server)
}

/// Hooks of every kind that write `name` and what happened into the diary.
fn register(tx: &mut Tx<'_>, diary: &Diary, [before, committed, rolled_back, unknown]: [&'static str; 4]) {
    let [first, second, third, fourth] = [diary, diary, diary, diary].map(Rc::clone);
    tx.before_commit(move |_| first.borrow_mut().push(before));
    tx.after_commit(move || second.borrow_mut().push(committed));
    tx.after_rollback(move |_| third.borrow_mut().push(rolled_back));
    tx.on_unknown(move |_| fourth.borrow_mut().push(unknown));
}

const OUTER: [&str; 4] = ["outer before", "outer committed", "outer rolled back", "outer unknown"];
const INNER: [&str; 4] = ["inner before", "inner committed", "inner rolled back", "inner unknown"];
const LATER: [&str; 4] = ["later before", "later committed", "later rolled back", "later unknown"];

#[test]
fn s51_before_commit_runs_inside_the_transaction_in_order() {
    let world = Rc::new(World::with_accounts(1..=2));
    let diary = Diary::default();
    let unit = world.db.unit("transfer").run::<_, Error>(|tx| {
        for (sql, entry) in [(TAKE_TEN, "first"), (GIVE_TEN, "second")] {
            let (diary, world) = (Rc::clone(&diary), Rc::clone(&world));
            tx.before_commit(move |tx| {
                diary.borrow_mut().push(entry);
                assert!(in_unit());
                assert_eq!(world.balances(), [100, 100], "nothing is committed yet");
                tx.query_drop(sql)
            });
        }
        diary.borrow_mut().push("body");
        Ok(())
    });
    unit.expect("it is committed");
    assert_eq!(diary.take(), ["body", "first", "second"]);
    assert_eq!(world.balances(), [90, 110]);
    world.assert_clean(&world.db);
}

#[test]
fn s51_hooks_of_joined_units_run_before_the_outermost_commit() {
    let world = World::with_accounts(1..=1);
    let diary = Diary::default();
    let unit = world.db.unit("outer").run::<_, Error>(|tx| {
        world.db.unit("inner").run::<_, Error>(|tx| {
            register(tx, &diary, INNER);
            Ok(())
        })?;
        diary.borrow_mut().push("the inner has returned");
        tx.query_drop(TAKE_TEN)
    });
    unit.expect("it is committed");
    assert_eq!(diary.take(), ["the inner has returned", "inner before", "inner committed"]);
}

#[test]
fn s51_a_hook_that_fails_rolls_back_and_the_later_ones_do_not_run() {
    let world = World::with_accounts(1..=1);
    let diary = Diary::default();
    let unit = world.db.unit("take").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        tx.before_commit(|_| Err("the books do not balance"));
        register(tx, &diary, LATER);
        Ok("as if it were committed")
    });
    let error = unit.expect_err("a hook refused");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::HookRefused, Some(Outcome::RolledBack)));
    assert_eq!(error.unit(), Some("take"));
    assert!(error.to_string().contains("the books do not balance"), "{error}");
    assert_eq!(diary.take(), ["later rolled back"]);
    assert_eq!(world.balances(), [100]);
    world.assert_clean(&world.db);
}

#[test]
fn s51_a_hook_that_refuses_is_no_reason_to_run_again() {
    let (db, server) = scripted();
    let unit = db.unit("take").run::<(), Error>(|tx| {
        tx.before_commit(|_| Err("never"));
        tx.query_drop(TAKE_TEN)
    });
    assert_eq!(unit.expect_err("a hook refused").attempts(), 1);
    assert_eq!(server.take_log(), [TAKE_TEN, "ROLLBACK AND NO CHAIN NO RELEASE"]);
}

#[test]
fn s51_a_hook_that_panics_rolls_back_and_the_panic_goes_on() {
    let world = World::with_accounts(1..=1);
    let diary = Diary::default();
    let unit = || {
        world.db.unit("take").run::<(), Error>(|tx| {
            tx.before_commit(|_| -> () { panic_any(7_u8) });
            register(tx, &diary, LATER);
            tx.query_drop(TAKE_TEN)
        })
    };
    let payload = catch_unwind(AssertUnwindSafe(unit)).expect_err("it panics");
    assert_eq!(payload.downcast_ref::<u8>(), Some(&7));
    assert_eq!(diary.take(), ["later rolled back"]);
    assert_eq!(world.balances(), [100]);
    assert!(!in_unit());
    world.assert_clean(&world.db);
}

#[test]
fn s51_hooks_do_not_run_when_the_body_fails() {
    let world = World::with_accounts(1..=1);
    let diary = Diary::default();
    let unit = world.db.unit("take").run::<(), Trouble>(|tx| {
        register(tx, &diary, OUTER);
        tx.query_drop(TAKE_TEN)?;
        FAIL
    });
    unit.expect_err("the body's own error");
    assert_eq!(diary.take(), ["outer rolled back"]);
}

#[test]
fn s51_a_hook_may_register_further_ones() {
    let world = World::with_accounts(1..=1);
    let diary = Diary::default();
    let unit = world.db.unit("take").run::<_, Error>(|tx| {
        let [first, second] = [&diary, &diary].map(Rc::clone);
        tx.before_commit(move |tx| {
            first.borrow_mut().push("first");
            register(tx, &first, LATER);
        });
        tx.before_commit(move |_| second.borrow_mut().push("second"));
        tx.query_drop(TAKE_TEN)
    });
    unit.expect("it is committed");
    assert_eq!(diary.take(), ["first", "second", "later before", "later committed"]);
}

/// Each round registers the next one, until there are so many.
fn rounds(db: &Database, last: u32) -> (Result<(), Error>, u32) {
    fn round(tx: &mut Tx<'_>, number: u32, last: u32, seen: &Rc<Cell<u32>>) {
        let seen = Rc::clone(seen);
        tx.before_commit(move |tx| {
            seen.set(number);
            if number < last {
                round(tx, number + 1, last, &seen);
            }
        });
    }
    let seen = Rc::default();
    let unit = db.unit("rounds").run(|tx| {
        round(tx, 1, last, &seen);
        tx.query_drop(TAKE_TEN)
    });
    (unit, seen.get())
}

#[test]
fn s51_a_hundred_rounds_are_committed() {
    let world = World::with_accounts(1..=1);
    let (unit, seen) = rounds(&world.db, 100);
    assert_eq!(seen, 100);
    unit.expect("only more than a hundred are an error");
    assert_eq!(world.balances(), [90]);
}

#[test]
fn s51_more_than_a_hundred_rounds_are_an_error() {
    let world = World::with_accounts(1..=1);
    let (unit, seen) = rounds(&world.db, 101);
    let error = unit.expect_err("at some point it is a mistake");
    assert_eq!(error.kind(), ErrorKind::HookRefused);
    assert!(error.to_string().contains("100 rounds"), "{error}");
    assert_eq!(seen, 100);
    assert_eq!(world.balances(), [100]);
    world.assert_clean(&world.db);
}

#[test]
fn s51_a_fault_in_a_hook_retries_the_unit() {
    let (db, server) = scripted();
    for swallows in [false, true] {
        server.answer("UPDATE account SET balance = balance + 10", Reply::error(1213, "40001", "Deadlock found"));
        let attempts = Cell::new(0);
        let unit = db.unit("transfer").retry(Retry::DEFAULT.base(Duration::ZERO)).run::<_, Error>(|tx| {
            attempts.set(tx.attempt());
            tx.before_commit(move |tx| match tx.query_drop(GIVE_TEN) {
                Err(_) if swallows => Ok(()),
                result => result,
            });
            tx.query_drop(TAKE_TEN)
        });
        unit.expect("the second attempt is committed");
        assert_eq!(attempts.get(), 2);
        let (commit, rollback) = ("COMMIT AND NO CHAIN NO RELEASE", "ROLLBACK AND NO CHAIN NO RELEASE");
        assert_eq!(server.take_log(), [TAKE_TEN, GIVE_TEN, rollback, TAKE_TEN, GIVE_TEN, commit]);
    }
}

#[test]
fn s51_a_unit_in_a_hook_joins() {
    let world = World::with_accounts(1..=1);
    let db = world.db.clone();
    let unit = world.db.unit("outer").run::<(), Trouble>(|tx| {
        let db = db.clone();
        tx.before_commit(move |_| db.unit("inner").run::<_, Error>(|tx| tx.query_drop(TAKE_TEN)));
        tx.before_commit(|_| Err("the inner's rows are gone too"));
        Ok(())
    });
    unit.expect_err("a hook refused");
    assert_eq!(world.balances(), [100]);
}

/// What of the hooks of a nested unit runs, and when, if that ends so and the outer unit then so.
fn nested(world: &World, inner: Result<(), Trouble>, outer: Result<(), Trouble>) -> Vec<&'static str> {
    let (diary, ends) = (Diary::default(), RefCell::new(Some((inner, outer))));
    let unit = world.db.unit("outer").run::<(), Trouble>(|tx| {
        let (inner, outer) = ends.take().expect("one attempt");
        register(tx, &diary, OUTER);
        let nested = world.db.unit("inner").propagation(Propagation::Nested);
        let inner = RefCell::new(Some(inner));
        let result = nested.run::<(), Trouble>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            register(tx, &diary, INNER);
            inner.take().expect("it runs once")
        });
        diary.borrow_mut().push(if result.is_ok() { "released" } else { "undone" });
        register(tx, &diary, LATER);
        outer
    });
    diary.borrow_mut().push(if unit.is_ok() { "Ok" } else { "Err" });
    diary.take()
}

#[test]
fn s55_hooks_of_a_rolled_back_savepoint_are_dropped_and_its_after_rollback_ones_run_at_once() {
    let world = World::with_accounts(1..=1);
    let expected = [
        "inner rolled back",
        "undone",
        "outer before",
        "later before",
        "outer committed",
        "later committed",
        "Ok",
    ];
    assert_eq!(nested(&world, FAIL, Ok(())), expected);
    assert_eq!(world.balances(), [100]);
    let expected = ["inner rolled back", "undone", "outer rolled back", "later rolled back", "Err"];
    assert_eq!(nested(&world, FAIL, FAIL), expected);
    world.assert_clean(&world.db);
}

#[test]
fn s55_hooks_of_a_released_savepoint_move_outward() {
    let world = World::with_accounts(1..=1);
    let expected = [
        "released",
        "outer before",
        "inner before",
        "later before",
        "outer committed",
        "inner committed",
        "later committed",
        "Ok",
    ];
    assert_eq!(nested(&world, Ok(()), Ok(())), expected);
    assert_eq!(world.balances(), [90]);
    let expected = ["released", "outer rolled back", "inner rolled back", "later rolled back", "Err"];
    assert_eq!(nested(&world, Ok(()), FAIL), expected);
    assert_eq!(world.balances(), [90]);
}

#[test]
fn s55_a_released_savepoint_in_one_that_is_rolled_back_goes_with_it() {
    let world = World::with_accounts(1..=1);
    let diary = Diary::default();
    let unit = world.db.unit("outer").run::<_, Error>(|tx| {
        let middle = tx.savepoint(|tx| {
            register(tx, &diary, OUTER);
            tx.savepoint::<_, Error>(|tx| {
                register(tx, &diary, INNER);
                tx.query_drop(TAKE_TEN)
            })?;
            diary.borrow_mut().push("released");
            FAIL
        });
        middle.expect_err("its own error");
        diary.borrow_mut().push("undone");
        Ok(())
    });
    unit.expect("the outer is committed");
    assert_eq!(diary.take(), ["released", "outer rolled back", "inner rolled back", "undone"]);
    assert_eq!(world.balances(), [100]);
}

#[test]
fn s53_a_savepoints_after_rollback_hook_gets_the_cause() {
    let world = World::with_accounts(1..=1);
    let causes = Rc::new(RefCell::new(Vec::new()));
    let note = |tx: &mut Tx<'_>| {
        let causes = Rc::clone(&causes);
        tx.after_rollback(move |cause| causes.borrow_mut().push(cause.clone()));
    };
    let unit = world.db.unit("outer").run::<_, Error>(|tx| {
        let failing = tx.savepoint::<(), Trouble>(|tx| {
            note(tx);
            FAIL
        });
        failing.expect_err("its own error");
        let marking = tx.savepoint::<(), Error>(|tx| {
            note(tx);
            tx.set_rollback_only();
            Ok(())
        });
        marking.expect_err("a value would lie");
        let panicking = || {
            tx.savepoint::<(), Error>(|tx| {
                note(tx);
                panic_any(7_u8)
            })
        };
        catch_unwind(AssertUnwindSafe(panicking)).expect_err("it panics");
        Ok(())
    });
    unit.expect("the outer is committed");
    let causes = causes.take();
    assert!(
        matches!(&causes[..], [Cause::Returned(text), Cause::Marked(error), Cause::Panicked]
            if text.contains("a decision") && error.kind() == ErrorKind::RollbackOnly),
        "{causes:?}"
    );
}

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
fn s58_after_an_unknown_commit_on_unknown_alone_runs_when_the_thread_is_as_before() {
    for side in [Side::BeforeServer, Side::AfterServer] {
        let world = World::with_accounts(1..=1);
        let (db, proxy) = world.proxied();
        let (diary, seen) = (Diary::default(), Rc::new(Cell::new(None)));
        proxy.cut(Cut { at: Packet::Text("COMMIT"), side });
        let unit = db.unit("outer").run::<(), Error>(|tx| {
            register(tx, &diary, OUTER);
            let (seen, inside) = (Rc::clone(&seen), db.clone());
            tx.on_unknown(move |error| {
                assert!(!in_unit());
                inside.unit("fresh").run::<_, Error>(|tx| tx.query_drop("SELECT 1")).expect("a fresh unit");
                seen.set(Some((error.kind(), error.outcome())));
            });
            db.unit("joined").run::<_, Error>(|tx| {
                register(tx, &diary, INNER);
                Ok(())
            })?;
            tx.savepoint::<_, Error>(|tx| {
                register(tx, &diary, LATER);
                tx.query_drop(TAKE_TEN)
            })
        });
        let error = unit.expect_err("nobody knows");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::CommitUnknown, Some(Outcome::Unknown)));
        let expected =
            ["outer before", "inner before", "later before", "outer unknown", "inner unknown", "later unknown"];
        assert_eq!(diary.take(), expected, "{side:?}");
        assert_eq!(seen.get(), Some((ErrorKind::CommitUnknown, Some(Outcome::Unknown))));
        let taken = if side == Side::AfterServer { 90 } else { 100 };
        assert_eq!(world.balances(), [taken]);
        world.assert_clean(&db);
    }
}

#[test]
fn s58_a_hook_of_an_unknown_end_that_fails_is_reported() {
    let server = Script::new();
    let reports: Arc<Mutex<Vec<(HookKind, String)>>> = Arc::default();
    let told = Arc::clone(&reports);
    let builder = Database::builder().script(&server).on_hook_error(move |failure| {
        told.lock().expect("no listener panics").push((failure.hook, failure.message.clone()));
    });
    let db = builder.connect().expect("a scripted server");
    server.answer("COMMIT", Reply::LostAfter);
    let unit = db.unit("take").run::<(), Error>(|tx| {
        tx.on_unknown(|_| Err::<(), _>("no paper"));
        tx.query_drop(TAKE_TEN)
    });
    assert_eq!(unit.expect_err("nobody knows").kind(), ErrorKind::CommitUnknown);
    let reports = std::mem::take(&mut *reports.lock().expect("the listener is done"));
    assert_eq!(reports, [(HookKind::OnUnknown, "no paper".to_owned())]);
}

#[derive(Debug, Default)]
struct Audit(RefCell<Vec<String>>);

/// A library's function: it gathers lines in a value of the unit's and writes them before COMMIT.
fn audit(tx: &mut Tx<'_>, line: &str) {
    let audit = tx.local::<Audit>();
    if audit.0.borrow().is_empty() {
        let lines = Rc::clone(&audit);
        tx.before_commit(move |tx| {
            tx.exec_batch("INSERT INTO audit (line) VALUES (?)", lines.0.take().into_iter().map(|line| (line,)))
        });
    }
    audit.0.borrow_mut().push(line.to_owned());
}

fn lines(tx: &mut Tx<'_>) -> Vec<String> {
    tx.local::<Audit>().0.borrow().clone()
}

#[test]
fn s59_one_value_per_unit_and_type_shared_by_joined_units_and_usable_in_hooks() {
    let world = World::with_accounts(1..=1);
    world.execute("CREATE TABLE audit (number INT AUTO_INCREMENT PRIMARY KEY, line TEXT NOT NULL) ENGINE=InnoDB");
    let unit = world.db.unit("outer").run::<_, Error>(|tx| {
        audit(tx, "outer");
        tx.local::<Cell<u8>>().set(7);
        world.db.unit("inner").run::<_, Error>(|tx| {
            assert_eq!(tx.local::<Cell<u8>>().get(), 7);
            audit(tx, "inner");
            Ok(())
        })?;
        tx.before_commit(|tx| assert_eq!(tx.local::<Cell<u8>>().get(), 7));
        assert_eq!(lines(tx), ["outer", "inner"]);
        tx.query_drop(TAKE_TEN)
    });
    unit.expect("it is committed");
    assert_eq!(world.count("SELECT COUNT(*) FROM audit"), 2);
    let next = world.db.unit("next").run::<_, Error>(|tx| Ok(lines(tx)));
    assert!(next.expect("another unit").is_empty(), "it is gone with its unit");
}

#[test]
fn s59_it_is_gone_with_the_attempt() {
    let (db, server) = scripted();
    server.answer("UPDATE", Reply::error(1213, "40001", "Deadlock found"));
    let seen = RefCell::new(Vec::new());
    let unit = db.unit("take").retry(Retry::DEFAULT.base(Duration::ZERO)).run::<_, Error>(|tx| {
        let count = tx.local::<Cell<u8>>();
        count.set(count.get() + 1);
        seen.borrow_mut().push(count.get());
        tx.query_drop(TAKE_TEN)
    });
    unit.expect("the second attempt is committed");
    assert_eq!(seen.take(), [1, 1]);
}

#[test]
fn s59_of_a_savepoint_it_is_gone_if_that_is_rolled_back_and_stays_if_it_is_released() {
    let world = World::new();
    let unit = world.db.unit("outer").run::<_, Error>(|tx| {
        let undone = tx.savepoint(|tx| {
            tx.local::<Audit>().0.borrow_mut().push("undone".into());
            FAIL
        });
        undone.expect_err("its own error");
        let released = tx.savepoint::<_, Error>(|tx| {
            assert!(lines(tx).is_empty(), "the savepoint before is gone");
            tx.local::<Audit>().0.borrow_mut().push("released".into());
            Ok(())
        });
        released.expect("it is kept");
        assert_eq!(lines(tx), ["released"]);
        Ok(())
    });
    unit.expect("it is committed");
}

/// So that what a savepoint gathered is not flushed when it is rolled back, and is when it is not.
#[test]
fn s59_what_a_savepoint_gathers_shares_its_fate() {
    let world = World::new();
    world.execute("CREATE TABLE audit (number INT AUTO_INCREMENT PRIMARY KEY, line TEXT NOT NULL) ENGINE=InnoDB");
    let unit = world.db.unit("outer").run::<_, Error>(|tx| {
        audit(tx, "outer");
        let undone = tx.savepoint(|tx| {
            audit(tx, "undone");
            FAIL
        });
        undone.expect_err("its own error");
        tx.savepoint::<_, Error>(|tx| {
            audit(tx, "released");
            Ok(())
        })
    });
    unit.expect("it is committed");
    assert_eq!(world.count("SELECT COUNT(*) FROM audit WHERE line IN ('outer', 'released')"), 2);
    assert_eq!(world.count("SELECT COUNT(*) FROM audit"), 2);
}

/// Who makes a value of a type while one is being made gets one all the same, and there is one in the end.
#[test]
fn s59_a_default_that_looks_for_the_unit_itself() {
    #[derive(Debug, Default)]
    struct Number(Cell<u8>);
    #[derive(Debug)]
    struct Reader(u8);
    impl Default for Reader {
        fn default() -> Self {
            Self(with_current(|tx: &mut Tx<'_>| tx.local::<Number>().0.get()).expect("a unit is active"))
        }
    }
    let (db, _server) = scripted();
    let unit = db.unit("take").run::<_, Error>(|tx| {
        tx.local::<Number>().0.set(7);
        Ok(tx.local::<Reader>().0)
    });
    assert_eq!(unit.expect("it is committed"), 7);
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
