//! Hooks: when they run, in which order, what they may do, and that nothing they do changes how their unit ended.

use std::cell::RefCell;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use unit_of_work::testing::{Reply, Script};
use unit_of_work::{Cause, Database, Error, ErrorKind, HookKind, Outcome, Retry, Tx};

use crate::world::{Trouble, World};

const TAKE_TEN: &str = "UPDATE account SET balance = balance - 10 WHERE id = 1";

/// What hooks write down, in the order in which they run.
type Diary<T> = Rc<RefCell<Vec<T>>>;

fn take<T>(diary: &Diary<T>) -> Vec<T> {
    diary.take()
}

#[test]
fn s22_hooks_of_failed_attempts_never_run_as_committed_and_the_good_ones_once() {
    let server = Script::new();
    let db = Database::builder().script(&server).connect().expect("a scripted server");
    server.answer("UPDATE", Reply::error(1213, "40001", "Deadlock found"));
    server.answer("COMMIT", Reply::error(1213, "40001", "Deadlock found"));
    let diary = Diary::default();
    let third = db.unit("third").retry(Retry::DEFAULT.base(Duration::ZERO)).run::<_, Error>(|tx| {
        let (attempt, committed, rolled_back) = (tx.attempt(), diary.clone(), diary.clone());
        tx.after_commit(move || committed.borrow_mut().push(("committed", attempt)));
        tx.after_rollback(move |_| rolled_back.borrow_mut().push(("rolled back", attempt)));
        tx.query_drop("UPDATE account SET balance = 1")
    });
    third.expect("the third attempt is committed");
    assert_eq!(take(&diary), [("rolled back", 1), ("rolled back", 2), ("committed", 3)]);
}

#[test]
fn s52_after_commit_runs_when_the_commit_is_confirmed_and_the_session_back() {
    let world = World::with_accounts(1..=2);
    // One session only: a hook that runs before it is back cannot open a unit.
    let db = world.connect(|builder| builder.max_connections(1).acquire_timeout(Duration::from_secs(5)));
    let diary = Diary::default();
    let outer = db.unit("outer").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let (inside, diary) = (db.clone(), diary.clone());
        tx.after_commit(move || {
            let fresh = inside.unit("fresh").run(|tx| {
                tx.query_drop("UPDATE account SET balance = 1 WHERE id = 2")?;
                diary.borrow_mut().push(tx.query_drop("COMMIT").expect_err("refused").unit().map(str::to_owned));
                Err::<(), _>(Trouble::Refused("the hook's unit is rolled back, the outer's rows are not"))
            });
            diary.borrow_mut().push(Some(fresh.expect_err("its own error").to_string()));
        });
        Ok(())
    });
    outer.expect("the unit is committed");
    let expected = ["fresh", "refused: the hook's unit is rolled back, the outer's rows are not"];
    assert_eq!(take(&diary), expected.map(|text| Some(text.to_owned())));
    assert_eq!(world.balances(), [90, 100]);
    world.assert_clean(&db);
}

#[test]
fn s52_a_hook_sees_what_was_committed_from_another_connection() {
    let world = Rc::new(World::with_accounts(1..=1));
    let (seen, look) = (Diary::default(), Rc::clone(&world));
    let unit = world.db.unit("take").run::<_, Error>(|tx| {
        let (seen, look) = (seen.clone(), Rc::clone(&look));
        tx.after_commit(move || seen.borrow_mut().push(look.balances()));
        tx.query_drop(TAKE_TEN)
    });
    unit.expect("the unit is committed");
    assert_eq!(take(&seen), [vec![90]]);
}

#[test]
fn s52_hooks_of_joined_units_wait_for_the_outermost() {
    let world = World::with_accounts(1..=1);
    let diary = Diary::default();
    let outer = world.db.unit("outer").run::<_, Error>(|_| {
        world.db.unit("inner").run::<_, Error>(|tx| {
            let diary = diary.clone();
            tx.after_commit(move || diary.borrow_mut().push("hook"));
            tx.query_drop(TAKE_TEN)
        })?;
        diary.borrow_mut().push("the inner has returned");
        Ok(())
    });
    outer.expect("the whole is committed");
    assert_eq!(take(&diary), ["the inner has returned", "hook"]);
}

/// Runs a unit with a hook that notes the cause, and opens a unit of its own to show that it can.
fn cause_of<T: Debug>(db: &Database, body: impl Fn(&mut Tx<'_>) -> Result<T, Trouble>) -> Vec<String> {
    let diary = Diary::default();
    let unit = || {
        db.unit("failing").retry(Retry::NEVER).run(|tx| {
            let (diary, inside) = (diary.clone(), db.clone());
            tx.after_rollback(move |cause| {
                let fresh = inside.unit("fresh").run::<_, Error>(|tx| tx.query_first::<u8, _>("SELECT 1"));
                assert_eq!(fresh.expect("a fresh unit"), Some(1));
                let kind = match cause {
                    Cause::Returned(_) => "returned".to_owned(),
                    Cause::Panicked => "panicked".to_owned(),
                    Cause::Fault(error) => format!("fault {:?} {:?}", error.kind(), error.outcome()),
                    Cause::Marked(error) => format!("marked {:?} {:?}", error.kind(), error.outcome()),
                    other => format!("a cause that these tests do not know: {other}"),
                };
                diary.borrow_mut().extend([kind, cause.to_string()]);
            });
            tx.query_drop(TAKE_TEN)?;
            body(tx)
        })
    };
    // The hook alone is looked at here; how the unit ends for its caller is other tests' matter.
    let _ended = catch_unwind(AssertUnwindSafe(unit)).map(|result| result.expect_err("it is rolled back"));
    take(&diary)
}

#[test]
fn s53_after_rollback_gets_the_cause_when_the_session_is_back() {
    let world = World::with_accounts(1..=1);
    let db = world.connect(|builder| builder.max_connections(1).acquire_timeout(Duration::from_secs(5)));
    let rolled_back = Some(Outcome::RolledBack);

    let returned = cause_of(&db, |_| Err::<(), _>(Trouble::Refused("a decision")));
    assert_eq!(returned, ["returned", "the body returned Refused(\"a decision\")"]);

    let panicked = cause_of::<()>(&db, |_| std::panic::panic_any("a panic that is expected"));
    assert_eq!(panicked, ["panicked", "the body panicked"]);

    let marked = cause_of(&db, |tx| {
        tx.set_rollback_only();
        Ok(())
    });
    assert_eq!(marked[0], format!("marked {:?} {rolled_back:?}", ErrorKind::RollbackOnly));

    let fault = cause_of(&db, |tx| {
        let connection: Option<u64> = tx.query_first("SELECT CONNECTION_ID()")?;
        world.execute(&format!("KILL CONNECTION {}", connection.unwrap_or_default()));
        Ok(tx.query_drop("SELECT 1")?)
    });
    assert_eq!(fault[0], format!("fault {:?} {rolled_back:?}", ErrorKind::ConnectionLost));
    assert_eq!(world.balances(), [100]);
    world.assert_clean(&db);
}

#[test]
fn s54_hooks_run_in_the_order_of_their_registration() {
    let world = World::with_accounts(1..=1);
    let diary = Diary::default();
    let register = |tx: &mut Tx<'_>, number: u32| {
        let (committed, rolled_back) = (diary.clone(), diary.clone());
        tx.after_commit(move || committed.borrow_mut().push(number));
        tx.after_rollback(move |_| rolled_back.borrow_mut().push(100 + number));
    };
    let unit = |result: Result<(), Trouble>| {
        let result = RefCell::new(Some(result));
        world.db.unit("outer").run::<_, Trouble>(|tx| {
            register(tx, 1);
            tx.query_drop(TAKE_TEN)?;
            world.db.unit("inner").run::<_, Error>(|tx| {
                register(tx, 2);
                register(tx, 3);
                Ok(())
            })?;
            register(tx, 4);
            result.take().expect("one attempt")
        })
    };
    unit(Ok(())).expect("it is committed");
    assert_eq!(take(&diary), [1, 2, 3, 4]);
    unit(Err(Trouble::Refused("a decision"))).expect_err("it is rolled back");
    assert_eq!(take(&diary), [101, 102, 103, 104]);
}

fn out_of_paper() {
    panic!("no paper")
}

#[test]
fn s56_hooks_that_panic_or_fail_after_commit_stop_nobody_and_are_reported() {
    let world = World::with_accounts(1..=1);
    let reports: Arc<Mutex<Vec<(String, HookKind, String)>>> = Arc::default();
    let told = Arc::clone(&reports);
    let db = world.connect(|builder| {
        builder.on_hook_error(move |failure| {
            let report = (failure.unit.clone(), failure.hook, failure.message.clone());
            told.lock().expect("no listener panics while it holds this").push(report);
            panic!("a listener that panics harms nobody either");
        })
    });
    let diary = Diary::default();
    let value = db.unit("take").run::<_, Error>(|tx| {
        let (first, last) = (diary.clone(), diary.clone());
        tx.after_commit(move || first.borrow_mut().push("first"));
        tx.after_commit(out_of_paper);
        tx.after_commit(|| Err::<(), _>("no ink"));
        tx.after_commit(|| -> Result<(), String> { std::panic::panic_any(7) });
        tx.after_commit(move || last.borrow_mut().push("last"));
        tx.query_drop(TAKE_TEN)?;
        Ok("taken")
    });
    assert_eq!(value.expect("a hook cannot undo a commit"), "taken");
    assert_eq!(take(&diary), ["first", "last"]);
    assert_eq!(world.balances(), [90]);
    let reports = std::mem::take(&mut *reports.lock().expect("the listeners are done"));
    let expected = ["it panicked: no paper", "no ink", "it panicked: a value that is not text"];
    assert_eq!(reports, expected.map(|text| ("take".to_owned(), HookKind::AfterCommit, text.to_owned())));
    world.assert_clean(&db);
}

#[test]
fn s56_hooks_that_fail_after_a_rollback_leave_the_bodys_error() {
    let world = World::with_accounts(1..=1);
    let reports: Arc<Mutex<Vec<(HookKind, String)>>> = Arc::default();
    let told = Arc::clone(&reports);
    let db = world.connect(|builder| {
        builder.on_hook_error(move |failure| {
            told.lock().expect("no listener panics").push((failure.hook, failure.message.clone()));
        })
    });
    let diary = Diary::default();
    let result = db.unit("take").run(|tx| {
        let diary = diary.clone();
        tx.after_rollback(|_| out_of_paper());
        tx.after_rollback(move |_| diary.borrow_mut().push("last"));
        tx.query_drop(TAKE_TEN)?;
        Err::<(), _>(Trouble::Refused("a decision"))
    });
    assert!(matches!(result, Err(Trouble::Refused("a decision"))), "{result:?}");
    assert_eq!(take(&diary), ["last"]);
    let reports = std::mem::take(&mut *reports.lock().expect("the listeners are done"));
    assert_eq!(reports, [(HookKind::AfterRollback, "it panicked: no paper".to_owned())]);
    world.assert_clean(&db);
}
