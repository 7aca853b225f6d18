//! Retry after the conflicts of a real server: that each attempt is a whole one, whatever the body makes of the conflict, and that
//! it ends. Policy and backoff to the millisecond are `distribution`'s; other faults have files of their own.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Database, Error, Isolation, Tx};

use crate::rival::Rival;
use crate::server::either;
use crate::world::{GIVE_TEN, TAKE_TEN, Trouble, World, until};

#[test]
fn s11_a_deadlock_runs_the_whole_body_again_reads_included() {
    let world = World::with_accounts(1..=30);
    let seen = RefCell::new(Vec::new());
    thread::scope(|scope| {
        let rival = Rival::start(scope, &world);
        let unit = world.db.unit("transfer").run::<_, Error>(|tx| {
            let balance: Option<i64> = tx.query_first("SELECT balance FROM account WHERE id = 1 FOR UPDATE")?;
            seen.borrow_mut().push((tx.attempt(), balance));
            if tx.attempt() == 1 {
                rival.strike();
            }
            tx.query_drop(GIVE_TEN)?;
            tx.query_drop(TAKE_TEN)
        });
        unit.expect("the second attempt is committed");
        rival.join();
    });
    assert_eq!(seen.take(), [(1, Some(100)), (2, Some(1100))]);
    assert_eq!(world.balances()[..2], [1090, 111]);
    world.assert_clean(&world.db);
}

/// What a body makes of a deadlock that it does not want to know about.
fn swallowed(swallow: impl Fn(Error) -> Result<(), Trouble>) {
    let world = World::with_accounts(1..=30);
    let (db, proxy) = world.proxied();
    proxy.record();
    thread::scope(|scope| {
        let rival = Rival::start(scope, &world);
        let unit = db.unit("transfer").run(|tx| {
            tx.query_drop(TAKE_TEN)?;
            if tx.attempt() > 1 {
                return Ok(tx.query_drop(GIVE_TEN)?);
            }
            rival.strike();
            let deadlock = tx.query_drop(GIVE_TEN).expect_err("the rival wins");
            assert_eq!(deadlock.code(), Some(1213));
            let later = tx.query_drop("UPDATE account SET balance = 0 WHERE id = 3").expect_err("the unit is doomed");
            assert_eq!(later.to_string(), deadlock.to_string());
            swallow(deadlock)
        });
        unit.expect("the second attempt is committed");
        rival.join();
    });
    let sent: Vec<_> = proxy.take().into_iter().map(|command| command.text).collect();
    let (commit, rollback) = ("COMMIT AND NO CHAIN NO RELEASE", "ROLLBACK AND NO CHAIN NO RELEASE");
    assert_eq!(sent, [TAKE_TEN, GIVE_TEN, rollback, TAKE_TEN, GIVE_TEN, commit]);
    assert_eq!(world.balances()[..3], [1090, 111, 101]);
    world.assert_clean(&db);
}

#[test]
fn s14_a_swallowed_deadlock_commits_nothing_and_runs_again() {
    swallowed(|_| Ok(()));
}

#[test]
fn s14_a_deadlock_in_the_bodys_own_clothes_runs_again() {
    swallowed(|_| Err(Trouble::Refused("try later, says the body")));
}

#[test]
fn s14_a_deadlock_that_keeps_the_transaction_open_is_rolled_back() {
    let world = World::with_accounts(1..=1);
    let name = |lock: &str| format!("{}_{lock}", world.name());
    let get = |lock: &str| format!("SELECT GET_LOCK('{}', 60)", name(lock));
    let open = Cell::new(0);
    thread::scope(|scope| {
        let (go, gone) = mpsc::channel();
        let mut rival = world.conn();
        rival.query_drop(get("b")).expect("nobody has locks yet");
        let want = get("a");
        scope.spawn(move || {
            gone.recv().expect("the unit tells");
            rival.query_drop(want).expect("the unit is the victim");
        });
        let unit = world.db.unit("locks").run::<_, Error>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            if tx.attempt() == 1 {
                tx.query_drop(get("a"))?;
                go.send(()).expect("the rival waits for it");
                until("the rival waits for the lock", || waiting_for_user_locks(&world) == 1);
                let deadlock = tx.query_drop(get("b")).expect_err("the rival wins");
                assert_eq!(deadlock.code(), Some(either(1213, 3058)));
                open.set(world.open_transactions().len());
            }
            Ok(tx.attempt())
        });
        assert_eq!(unit.expect("the second attempt is committed"), 2);
    });
    assert_eq!(open.get(), 1, "the point of this test: the server has kept the transaction open");
    assert_eq!(world.balances(), [90]);
    world.assert_clean(&world.db);
}

fn waiting_for_user_locks(world: &World) -> u64 {
    let question = "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User lock' AND db = DATABASE()";
    world.count(question)
}

#[test]
fn s20_sixteen_threads_add_to_one_counter_and_none_gives_up() {
    const THREADS: u32 = 16;
    const EACH: u32 = 10;
    let world = World::with_accounts(1..=1);
    let (start, retried) = (Barrier::new(THREADS as usize), AtomicU32::new(0));
    let add = |tx: &mut Tx<'_>| {
        retried.fetch_add(u32::from(tx.attempt() > 1), Ordering::Relaxed);
        let balance: i64 = tx.query_first("SELECT balance FROM account WHERE id = 1")?.unwrap_or(0);
        tx.exec_drop("UPDATE account SET balance = ? WHERE id = 1", (balance + 1,))
    };
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                for _ in 0..EACH {
                    world.db.unit("add").run::<_, Error>(add).expect("no unit gives up");
                }
            });
        }
    });
    assert_eq!(world.balances(), [100 + i64::from(THREADS * EACH)]);
    assert!(retried.into_inner() > 0, "without a conflict this shows nothing");
}

/// Two doctors are on call, at least one must be: each looks whether both are and then goes home. Returns how often each body
/// ran, and how many are still on call.
fn write_skew(isolation: Isolation) -> (Vec<u32>, u64) {
    let world = World::with_accounts(1..=2);
    let both_have_looked = Barrier::new(2);
    let go_home = |db: &Database, id: u64| {
        let runs = Cell::new(0);
        let unit = db.unit("go home").isolation(isolation).run::<_, Error>(|tx| {
            runs.set(tx.attempt());
            let on_call: u64 = tx.query_first("SELECT COUNT(*) FROM account WHERE balance > 0")?.unwrap_or(0);
            if tx.attempt() == 1 {
                both_have_looked.wait();
            }
            if on_call == 2 {
                tx.exec_drop("UPDATE account SET balance = 0 WHERE id = ?", (id,))?;
            }
            Ok(())
        });
        unit.expect("nobody gives up");
        runs.get()
    };
    let mut runs = thread::scope(|scope| {
        let doctors = [1, 2].map(|id| {
            scope.spawn({
                let (go_home, db) = (&go_home, &world.db);
                move || go_home(db, id)
            })
        });
        doctors.map(|doctor| doctor.join().expect("no doctor panics")).to_vec()
    });
    runs.sort_unstable();
    (runs, world.count("SELECT COUNT(*) FROM account WHERE balance > 0"))
}

#[test]
fn s25_serializable_runs_exactly_one_of_two_again_and_keeps_the_invariant() {
    assert_eq!(write_skew(Isolation::Serializable), (vec![1, 2], 1));
}

#[test]
fn s25_repeatable_read_breaks_the_invariant_in_the_same_program() {
    assert_eq!(write_skew(Isolation::RepeatableRead), (vec![1, 1], 0));
}
