//! One unit on a real server: what its value, error or panic does, and what it costs on the wire. How it is run again is
//! `retry`, units in units are `joining`, hooks are `hooks`.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;

use proxy::{Packet, Proxy, Side};
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Database, Error, ErrorKind, Isolation, Outcome, Tx};

use crate::world::{Trouble, World};

const TAKE_TEN: &str = "UPDATE account SET balance = balance - 10 WHERE id = 1";

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
        Ok(balance.ok_or(Trouble::Refused("no account 99"))?)
    });
    assert!(matches!(result, Err(Trouble::Refused("no account 99"))), "{result:?}");
    assert_eq!(world.balances(), [100]);
}

#[test]
fn s03_a_labelled_break_with_a_value_counts_by_that_value() {
    let world = World::with_accounts(1..=1);
    let take = |enough: i64| {
        world.db.unit("take").run::<_, Trouble>(|tx| {
            'taking: {
                tx.query_drop(TAKE_TEN)?;
                let left: i64 = tx.query_first("SELECT balance FROM account WHERE id = 1")?.unwrap_or(0);
                if left < enough {
                    break 'taking Err(Trouble::Refused("too little left"));
                }
                break 'taking Ok(left);
            }
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
fn s05_a_unit_without_a_statement_makes_no_round_trip_and_needs_no_server() {
    let world = World::new();
    let (db, proxy) = world.proxied();
    let before = proxy.round_trips();
    proxy.refuse();
    proxy.close_all();
    let level = || db.unit("nothing").isolation(Isolation::ReadCommitted);
    assert_eq!(level().run::<_, Error>(|_| Ok(7)).expect("nothing to fail"), 7);
    level().read_only().run::<(), _>(|_| Err(Trouble::Refused("a decision"))).expect_err("the body's own");
    let marked = level().run::<(), Error>(|tx| {
        tx.set_rollback_only();
        Ok(())
    });
    assert_eq!(marked.expect_err("it was marked").kind(), ErrorKind::RollbackOnly);
    assert_eq!(proxy.round_trips() - before, 0);
    proxy.open();
    world.assert_clean(&db);
}

#[test]
fn s05_a_unit_that_only_read_keeps_no_metadata_lock() {
    let world = World::with_accounts(1..=1);
    let read = |tx: &mut Tx<'_>| tx.query_first::<i64, _>("SELECT balance FROM account WHERE id = 1");
    world.db.unit("read").read_only().isolation(Isolation::ReadCommitted).run(read).expect("a read");
    let mut other = world.conn();
    other.query_drop("SET SESSION lock_wait_timeout = 1").expect("a setting");
    other.query_drop("ALTER TABLE account ADD COLUMN owner INT").expect("nobody holds the table");
}

#[test]
fn s06_n_statements_make_n_plus_1_round_trips_on_a_warm_session() {
    let world = World::with_accounts(1..=3);
    let (db, proxy) = world.proxied();
    let change = |n: u32| {
        db.unit("change").run::<_, Error>(|tx| {
            (0..n).try_for_each(|i| tx.exec_drop("UPDATE account SET balance = ? WHERE id = 1", (i,)))
        })
    };
    change(1).expect("the session is warm and the text prepared");
    for n in 1..=5 {
        let trips = count(&proxy, || change(n).expect("a plain unit"));
        assert_eq!(trips, u64::from(n) + 1, "{n} statements");
    }
    let failing = || db.unit("fail").run(|tx| tx.query_drop("SELECT 1").map_err(Trouble::from).and(FAIL));
    assert_eq!(count(&proxy, || drop(failing().expect_err("the body's own"))), 2, "a statement and ROLLBACK");
}

const FAIL: Result<(), Trouble> = Err(Trouble::Refused("a decision"));

#[test]
fn s06_a_change_of_characteristics_is_one_packet_and_remembered() {
    let world = World::new();
    let (db, proxy) = world.proxied();
    let unit = |level| db.unit("look").isolation(level);
    let one = |tx: &mut Tx<'_>| tx.query_drop("SELECT 1");
    unit(Isolation::Serializable).run(one).expect("the session is warm");
    let level = Isolation::ReadCommitted;
    let mut trips = Vec::new();
    for _ in 0..2 {
        trips.push(count(&proxy, || unit(level).run(one).expect("another level")));
        trips.push(count(&proxy, || unit(level).run(one).expect("the same level")));
        trips.push(count(&proxy, || unit(level).read_only().run(one).expect("another access")));
        trips.push(count(&proxy, || unit(level).read_only().run(one).expect("the same access")));
        trips.push(count(&proxy, || unit(Isolation::Serializable).run(one).expect("both changed")));
    }
    assert_eq!(trips, [3, 2, 3, 2, 3, 3, 2, 3, 2, 3]);
}

#[test]
fn s06_a_call_and_a_lent_connection_are_bracketed_and_the_session_is_reset() {
    let world = World::new();
    world.execute("CREATE PROCEDURE look() SELECT 1");
    let (db, proxy) = world.proxied();
    proxy.record();
    db.unit("call").run::<_, Error>(|tx| tx.query_drop("CALL look()")).expect("a harmless procedure");
    let expected = ["SAVEPOINT ", "CALL look()", "RELEASE SAVEPOINT ", "COMMIT ", "", "SET SESSION ", "SET SESSION ", "USE "];
    assert_sent(&proxy, &expected);
    let lent = db.unit("lend").run(|tx| {
        tx.connection()?.query_drop("SELECT 1").expect("the guard takes a statement");
        Ok::<_, Error>(())
    });
    lent.expect("a lent connection");
    let expected = ["SAVEPOINT ", "SELECT 1", "RELEASE SAVEPOINT ", "COMMIT ", "", "SET SESSION ", "SET SESSION ", "USE "];
    assert_sent(&proxy, &expected);
    world.assert_clean(&db);
}

fn assert_sent(proxy: &Proxy, expected: &[&str]) {
    let sent: Vec<_> = proxy.take().into_iter().filter(|command| command.kind.is_round_trip()).collect();
    let fits = sent.len() == expected.len()
        && sent.iter().zip(expected).all(|(command, start)| match *start {
            "" => command.kind == proxy::Kind::Reset,
            start => command.text.starts_with(start),
        });
    assert!(fits, "expected {expected:?} (\"\" = reset), seen {sent:#?}");
}

fn count(proxy: &Proxy, work: impl FnOnce()) -> u64 {
    let before = proxy.round_trips();
    work();
    proxy.round_trips() - before
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

#[test]
fn s48_a_guard_that_is_alive_makes_an_inner_unit_busy_and_both_go_on() {
    let world = World::with_accounts(1..=1);
    let inner = |db: &Database| db.unit("inner").run::<_, Error>(|tx| tx.query_drop(TAKE_TEN));
    let outer = world.db.unit("outer").run::<_, Error>(|tx| {
        let mut guard = tx.connection()?;
        let refused = inner(&world.db).expect_err("the session is lent out");
        assert_eq!(refused.kind(), ErrorKind::Busy, "{refused}");
        guard.query_drop(TAKE_TEN).expect("the guard is as before");
        drop(guard);
        inner(&world.db)
    });
    outer.expect("both are usable");
    assert_eq!(world.balances(), [80]);
    world.assert_clean(&world.db);
}

#[test]
fn s48_a_row_stream_that_is_alive_makes_an_inner_unit_busy() {
    let world = World::with_accounts(1..=3);
    let kinds = world.db.unit("outer").run::<_, Error>(|tx| {
        let mut kinds = Vec::new();
        tx.query_each("SELECT id FROM account ORDER BY id", |id: u64| {
            let inner = world.db.unit("inner").run::<_, Error>(|tx| tx.query_drop(TAKE_TEN));
            kinds.push((id, inner.expect_err("the rows are still being read").kind()));
        })?;
        tx.query_drop(TAKE_TEN)?;
        Ok(kinds)
    });
    assert_eq!(kinds.expect("the outer goes on"), [1, 2, 3].map(|id| (id, ErrorKind::Busy)));
    assert_eq!(world.balances(), [90, 100, 100]);
}

#[test]
fn s48_a_leaked_guard_counts_as_a_broken_session() {
    let world = World::with_accounts(1..=1);
    let before: u64 = connection(&world.db);
    let leaked = world.db.unit("leaky").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        std::mem::forget(tx.connection()?);
        Ok(())
    });
    let error = leaked.expect_err("what the guard did is not known");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Busy, Some(Outcome::RolledBack)));
    world.assert_clean(&world.db);
    assert_eq!(world.balances(), [100]);
    assert_ne!(connection(&world.db), before);
}

fn connection(db: &Database) -> u64 {
    let asked = db.unit("who").run::<_, Error>(|tx| tx.query_first("SELECT CONNECTION_ID()"));
    asked.expect("the server answers").expect("a row")
}
