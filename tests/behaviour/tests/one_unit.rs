//! One unit on a real server: what its value, error or panic does. What it costs is `round_trips`, how it is run again `retry`,
//! units in units are `joining`, hooks are `hooks`.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;

use proxy::{Packet, Side};
use unit_of_work::{Error, ErrorKind, Outcome};

use crate::world::{FAIL, TAKE_TEN, Trouble, World};

#[test]
fn s01_ok_commits_and_returns_the_bodys_value() {
    let world = World::with_accounts(1..=1);
    let value = world.db.unit("take").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        Ok("taken")
    });
    assert_eq!(value.expect("the unit is committed"), "taken");
    assert_eq!(world.balances(), [90]);
    world.assert_clean(&world.db);
}

#[test]
fn s01_ok_is_not_returned_before_commit_is_confirmed() {
    let world = World::with_accounts(1..=1);
    let (db, proxy) = world.proxied();
    let hold = proxy.hold(Packet::Text("COMMIT"), Side::AfterServer);
    thread::scope(|scope| {
        let (ended, end) = mpsc::channel();
        scope.spawn(move || {
            let result = db.unit("take").run::<_, Error>(|tx| tx.query_drop(TAKE_TEN));
            ended.send(result).expect("the test waits for it");
        });
        assert!(hold.wait(), "COMMIT was never sent");
        assert_eq!(world.balances(), [90], "the server has committed");
        end.try_recv().expect_err("the unit has returned before it knew of the commit");
        hold.release();
        end.recv().expect("the unit ends").expect("the unit is committed");
    });
}

/// An error with an identity: whether it is the same is not a question of its text.
#[derive(Debug)]
struct Mine(Arc<()>);

impl From<Error> for Mine {
    fn from(error: Error) -> Self {
        panic!("only the body fails here, not the unit: {error}")
    }
}

#[test]
fn s02_err_rolls_back_and_comes_out_unchanged() {
    let world = World::with_accounts(1..=1);
    let identity = Arc::new(());
    let result = world.db.unit("take").run(|tx| {
        tx.query_drop(TAKE_TEN).map_err(Mine::from)?;
        Err::<(), _>(Mine(Arc::clone(&identity)))
    });
    assert!(Arc::ptr_eq(&identity, &result.expect_err("the body failed").0));
    assert_eq!(world.balances(), [100]);
    world.assert_clean(&world.db);
}

#[test]
fn s02_an_error_of_a_statement_knows_that_the_unit_was_rolled_back() {
    let world = World::with_accounts(1..=1);
    let error = world.db.unit("take").run::<(), Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let error = tx.query_drop("SELECT nothing").expect_err("there is no such column");
        assert_eq!(error.outcome(), None, "the unit still runs");
        Err(error)
    });
    let error = error.expect_err("the body failed");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Statement, Some(1054)));
    assert_eq!(error.outcome(), Some(Outcome::RolledBack));
    assert_eq!(world.balances(), [100]);
}

#[test]
fn s03_an_early_return_counts_by_its_value() {
    let world = World::with_accounts(1..=1);
    let take = |fail: Option<Trouble>| {
        let fail = Cell::new(fail);
        world.db.unit("take").run::<_, Trouble>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            if let Some(trouble) = fail.take() {
                return Err(trouble);
            }
            if tx.attempt() == 1 {
                return Ok("early");
            }
            Ok("at the end")
        })
    };
    assert_eq!(take(None).expect("Ok"), "early");
    assert_eq!(world.balances(), [90]);
    take(Some(Trouble::Refused("early"))).expect_err("Err");
    assert_eq!(world.balances(), [90]);
}

#[test]
fn s03_a_question_mark_rolls_back() {
    let world = World::with_accounts(1..=1);
    let result = world.db.unit("take").run::<u64, Trouble>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let balance: Option<u64> = tx.query_first("SELECT balance FROM account WHERE id = 99")?;
        let balance = balance.ok_or(Trouble::Refused("no account 99"))?;
        Ok(balance + 1)
    });
    assert!(matches!(result, Err(Trouble::Refused("no account 99"))), "{result:?}");
    assert_eq!(world.balances(), [100]);
}

#[test]
fn s03_a_labelled_break_with_a_value_counts_by_that_value() {
    let world = World::with_accounts(1..=1);
    let take = |enough: i64| {
        world.db.unit("take").run::<_, Trouble>(|tx| 'taking: {
            tx.query_drop(TAKE_TEN)?;
            let left: i64 = tx.query_first("SELECT balance FROM account WHERE id = 1")?.unwrap_or(0);
            if left < enough {
                break 'taking Err(Trouble::Refused("too little left"));
            }
            break 'taking Ok(left);
        })
    };
    assert_eq!(take(90).expect("enough is left"), 90);
    take(90).expect_err("too little is left");
    assert_eq!(world.balances(), [90]);
}

/// A payload that no panic of the library could have.
#[derive(Debug, PartialEq)]
struct Payload(u32);

#[test]
fn s04_a_panic_rolls_back_and_goes_on_with_its_own_payload_after_one_run_of_the_hook() {
    let world = World::with_accounts(1..=1);
    let runs = count_panics_of_this_thread();
    let payload = catch_unwind(AssertUnwindSafe(|| {
        let _unreachable = world.db.unit("take").run::<(), Error>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            std::panic::panic_any(Payload(tx.attempt()))
        });
    }));
    let payload = payload.expect_err("the panic goes on");
    assert_eq!(payload.downcast_ref::<Payload>(), Some(&Payload(1)));
    assert_eq!(runs.load(Ordering::Relaxed), 1, "runs of the panic hook");
    assert!(!thread::panicking());
    assert_eq!(world.balances(), [100]);
    world.assert_clean(&world.db);
    world.db.unit("take").run::<_, Error>(|tx| tx.query_drop(TAKE_TEN)).expect("the thread can run another unit");
    assert_eq!(world.balances(), [90]);
}

/// The hook is the process's, so it looks at the thread and passes the panics of other tests on.
fn count_panics_of_this_thread() -> Arc<AtomicU32> {
    let (runs, ours, others) = (Arc::new(AtomicU32::new(0)), thread::current().id(), std::panic::take_hook());
    let counted = Arc::clone(&runs);
    std::panic::set_hook(Box::new(move |panic| {
        if thread::current().id() == ours {
            counted.fetch_add(1, Ordering::Relaxed);
        } else {
            others(panic);
        }
    }));
    runs
}

#[test]
fn s08_a_marked_unit_never_returns_a_value() {
    let world = World::with_accounts(1..=1);
    let marked = world.db.unit("marked").run::<_, Error>(|tx| {
        tx.set_rollback_only();
        tx.query_drop(TAKE_TEN)?;
        Ok("as if it were committed")
    });
    let error = marked.expect_err("a value would lie");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::RollbackOnly, Some(Outcome::RolledBack)));
    assert_eq!((error.unit(), error.attempts()), (Some("marked"), 1));
    assert_eq!(world.balances(), [100]);
    world.assert_clean(&world.db);
}

#[test]
fn s08_a_marked_unit_that_fails_returns_its_own_error() {
    let world = World::with_accounts(1..=1);
    let result = world.db.unit("marked").run(|tx| {
        tx.query_drop(TAKE_TEN)?;
        tx.set_rollback_only();
        FAIL
    });
    assert!(matches!(result, Err(Trouble::Refused("a decision"))), "{result:?}");
    assert_eq!(world.balances(), [100]);
}
