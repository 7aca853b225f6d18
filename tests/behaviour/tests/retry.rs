//! Retry on a real server: what makes a unit run again, what never does, and that each attempt is a whole one. Policy and
//! backoff to the millisecond are `distribution`'s, faults that a server does not give on request are `scripted`'s.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Barrier, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use ephemeral_mysql::Server;
use proxy::{Cut, Packet, Side};
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Database, Error, ErrorKind, Isolation, Outcome, Retry, Tx};

use crate::rival::Rival;
use crate::world::{Trouble, World, until};

const ONE: &str = "UPDATE account SET balance = balance - 10 WHERE id = 1";
const TWO: &str = "UPDATE account SET balance = balance + 10 WHERE id = 2";

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
            tx.query_drop(TWO)?;
            tx.query_drop(ONE)
        });
        unit.expect("the second attempt is committed");
        rival.join();
    });
    assert_eq!(seen.take(), [(1, Some(100)), (2, Some(1100))]);
    assert_eq!(world.balances()[..2], [1090, 111]);
    world.assert_clean(&world.db);
}

/// A server on which lock waits end after a second and snapshots are kept.
fn strict() -> &'static Server {
    static STRICT: OnceLock<Server> = OnceLock::new();
    STRICT.get_or_init(|| {
        let server = Server::builder().option("innodb_snapshot_isolation", "ON").option("innodb_lock_wait_timeout", "1");
        server.start().unwrap_or_else(|error| panic!("{error}"))
    })
}

fn strict_world() -> World {
    let world = World::on(strict(), |builder| builder);
    world.make_accounts(1..=3);
    world
}

#[test]
fn s12_a_row_that_changed_since_the_snapshot_runs_the_body_again() {
    let world = strict_world();
    let seen = RefCell::new(Vec::new());
    let unit = world.db.unit("take").isolation(Isolation::RepeatableRead).run::<_, Error>(|tx| {
        let balance: i64 = tx.query_first("SELECT balance FROM account WHERE id = 1")?.unwrap_or(0);
        seen.borrow_mut().push((tx.attempt(), balance));
        if tx.attempt() == 1 {
            world.conn().query_drop("UPDATE account SET balance = 500 WHERE id = 1").expect("an update from outside");
        }
        let changed = tx.exec_drop("UPDATE account SET balance = ? WHERE id = 1", (balance - 10,));
        if tx.attempt() == 1 {
            assert_eq!(changed.as_ref().expect_err("the row has changed").code(), Some(1020));
        }
        changed
    });
    unit.expect("the second attempt is committed");
    assert_eq!(seen.take(), [(1, 100), (2, 500)]);
    assert_eq!(world.balances()[0], 490);
    world.assert_clean(&world.db);
}

#[test]
fn s13_a_lock_timeout_is_rolled_back_and_tried_again_once() {
    let world = strict_world();
    let (db, proxy) = world.proxied();
    let mut holder = world.conn();
    holder.query_drop("BEGIN").expect("the server answers");
    holder.query_drop("UPDATE account SET balance = 7 WHERE id = 1").expect("nobody has locks yet");
    proxy.record();
    let error = db.unit("take").run::<_, Error>(|tx| {
        tx.query_drop(TWO)?;
        tx.query_drop(ONE)
    });
    let error = error.expect_err("the lock is never given up");
    assert_eq!((error.kind(), error.code(), error.attempts()), (ErrorKind::LockTimeout, Some(1205), 2));
    assert_eq!(error.outcome(), Some(Outcome::RolledBack));
    let sent: Vec<_> = proxy.take().into_iter().map(|command| command.text).collect();
    let rollback = "ROLLBACK AND NO CHAIN NO RELEASE";
    assert_eq!(sent, [TWO, ONE, rollback, TWO, ONE, rollback]);
    holder.query_drop("ROLLBACK").expect("the server answers");
    assert_eq!(world.balances(), [100, 100, 100]);
    world.assert_clean(&db);
}

#[test]
fn s13_a_lock_timeout_whose_lock_is_given_up_meanwhile_is_invisible() {
    let world = strict_world();
    let holder = RefCell::new(Some(world.conn()));
    let lock = |conn: &mut unit_of_work::mysql::Conn| {
        conn.query_drop("BEGIN").and_then(|()| conn.query_drop("UPDATE account SET balance = 7 WHERE id = 1"))
    };
    holder.borrow_mut().as_mut().map(lock).expect("a holder").expect("nobody has locks yet");
    let unit = world.db.unit("take").run::<_, Error>(|tx| {
        tx.query_drop(TWO)?;
        // Swallowed: what is left of the unit must not be committed all the same.
        let taken = tx.query_drop(ONE).map_err(|error| error.kind());
        drop(holder.borrow_mut().take());
        Ok((tx.attempt(), taken))
    });
    assert_eq!(unit.expect("the second attempt is committed"), (2, Ok(())));
    assert_eq!(world.balances(), [90, 110, 100]);
}

const NOWAIT: &str = "SELECT balance FROM account WHERE id = 1 FOR UPDATE NOWAIT";

/// Runs a unit that asks for a lock that is not free and does not want to wait for it. Returns what it was told, and how the
/// unit ended.
fn ask_without_waiting(world: &World) -> (Vec<(u32, ErrorKind)>, Result<(), Error>) {
    let mut holder = world.conn();
    holder.query_drop("BEGIN").expect("the server answers");
    holder.query_drop("UPDATE account SET balance = 7 WHERE id = 1").expect("nobody has locks yet");
    let told = RefCell::new(Vec::new());
    let ended = world.db.unit("ask").run::<_, Error>(|tx| {
        tx.query_drop(TWO)?;
        let error = tx.query_first::<i64, _>(NOWAIT).expect_err("the lock is not free");
        told.borrow_mut().push((tx.attempt(), error.kind()));
        tx.query_drop("UPDATE account SET balance = balance + 10 WHERE id = 3")
    });
    (told.take(), ended)
}

#[test]
fn s13_nowait_is_told_that_the_lock_is_not_free_and_the_unit_goes_on() {
    let world = World::with_accounts(1..=3);
    let (told, ended) = ask_without_waiting(&world);
    ended.expect("the unit goes on");
    assert_eq!(told, [(1, ErrorKind::LockNotAvailable)]);
    assert_eq!(world.balances(), [100, 110, 110]);
    world.assert_clean(&world.db);
}

#[test]
fn s13_nowait_dooms_where_the_server_rolls_back_on_lock_timeouts() {
    let server = Server::builder().option("innodb_rollback_on_timeout", "ON").start().expect("a private server");
    let world = World::on(&server, |builder| builder);
    world.make_accounts(1..=3);
    let (told, ended) = ask_without_waiting(&world);
    let error = ended.expect_err("its first half is gone");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::LockNotAvailable, Some(Outcome::RolledBack)));
    assert_eq!(told, [(1, ErrorKind::LockNotAvailable)], "it is not run again");
    assert_eq!(world.balances(), [100, 100, 100]);
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
            tx.query_drop(ONE)?;
            if tx.attempt() > 1 {
                return Ok(tx.query_drop(TWO)?);
            }
            rival.strike();
            let deadlock = tx.query_drop(TWO).expect_err("the rival wins");
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
    assert_eq!(sent, [ONE, TWO, rollback, ONE, TWO, commit]);
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
            tx.query_drop(ONE)?;
            if tx.attempt() == 1 {
                tx.query_drop(get("a"))?;
                go.send(()).expect("the rival waits for it");
                until("the rival waits for the lock", || waiting_for_user_locks(&world) == 1);
                let deadlock = tx.query_drop(get("b")).expect_err("the rival wins");
                assert_eq!(deadlock.code(), Some(1213));
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
fn s17_a_connection_lost_before_commit_is_sent_runs_again_on_a_new_session() {
    for (at, side) in [(1, Side::BeforeServer), (1, Side::AfterServer), (2, Side::BeforeServer), (2, Side::AfterServer)] {
        let world = World::with_accounts(1..=2);
        let (db, proxy) = world.proxied();
        let connections = RefCell::new(Vec::new());
        proxy.cut(Cut { at: Packet::Command(at), side });
        let unit = db.unit("transfer").run::<_, Error>(|tx| {
            let who: Option<u64> = tx.query_first("SELECT CONNECTION_ID() FROM account WHERE id = 1")?;
            connections.borrow_mut().push(who);
            tx.query_drop(ONE)?;
            tx.query_drop(TWO)?;
            Ok(tx.attempt())
        });
        assert_eq!(unit.expect("the second attempt is committed"), 2, "cut {at} {side:?}");
        let connections = connections.take();
        assert_ne!(connections.first(), connections.get(1), "cut {at} {side:?}");
        assert_eq!(world.balances(), [90, 110], "cut {at} {side:?}");
        world.assert_clean(&db);
    }
}

#[test]
fn s17_the_old_session_is_killed_before_the_next_attempt_would_wait_for_its_locks() {
    let world = World::with_accounts(1..=2);
    // The reply does not come: the client gives the connection up, the server knows nothing of it and keeps the locks.
    let (db, proxy) = world.proxied_with(|builder| builder.network_timeout(Duration::from_secs(2)));
    let _never_released = proxy.hold(Packet::Text(ONE), Side::AfterServer);
    let first = Cell::new(0_u64);
    let unit = db.unit("take").run::<_, Error>(|tx| {
        if tx.attempt() == 1 {
            first.set(tx.query_first("SELECT CONNECTION_ID()")?.unwrap_or(0));
        }
        tx.query_drop(ONE)?;
        Ok(tx.attempt())
    });
    assert_eq!(unit.expect("the second attempt is committed"), 2);
    assert_eq!(world.balances(), [90, 100]);
    let ghost = format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id = {}", first.get());
    until("the ghost is gone", || world.count(&ghost) == 0);
    world.assert_clean(&db);
}

#[test]
fn s18_a_session_that_died_while_idle_is_replaced_unseen() {
    let world = World::with_accounts(1..=1);
    let who = || world.db.unit("who").run::<u64, Error>(|tx| Ok(tx.query_first("SELECT CONNECTION_ID()")?.unwrap_or(0)));
    let first = who().expect("the session is warm");
    world.conn().query_drop(format!("KILL CONNECTION {first}")).expect("root may");
    let listed = format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id = {first}");
    until("the session is dead", || world.count(&listed) == 0);
    assert_ne!(who().expect("invisible to the caller"), first);
    world.assert_clean(&world.db);
}

#[test]
fn s19_what_another_run_would_not_change_runs_once() {
    let world = World::with_accounts(1..=2);
    world.execute("CREATE TABLE entry (id INT PRIMARY KEY, account BIGINT UNSIGNED NOT NULL, amount INT CHECK (amount > 0), \
                   FOREIGN KEY (account) REFERENCES account (id)) ENGINE=InnoDB");
    let cases = [
        (1062, "INSERT INTO account VALUES (1, 0)"),
        (1452, "INSERT INTO entry VALUES (1, 99, 1)"),
        (1048, "INSERT INTO entry VALUES (1, NULL, 1)"),
        (4025, "INSERT INTO entry VALUES (1, 1, -5)"),
        (1064, "SELECT FROM WHERE"),
        (1146, "SELECT * FROM nowhere"),
    ];
    for (code, sql) in cases {
        let runs = Cell::new(0);
        let error = world.db.unit("once").run::<(), Error>(|tx| {
            runs.set(runs.get() + 1);
            tx.query_drop(ONE)?;
            tx.query_drop(sql)
        });
        let error = error.expect_err("the statement is wrong");
        assert_eq!((error.kind(), error.code()), (ErrorKind::Statement, Some(code)), "{sql}: {error}");
        assert_eq!((runs.get(), error.attempts(), error.outcome()), (1, 1, Some(Outcome::RolledBack)), "{sql}");
    }
    assert_eq!(world.balances(), [100, 100]);
    world.assert_clean(&world.db);
}

#[test]
fn s19_a_business_error_runs_once() {
    let world = World::with_accounts(1..=1);
    let runs = Cell::new(0);
    let result = world.db.unit("once").run(|tx| {
        runs.set(runs.get() + 1);
        tx.query_drop(ONE)?;
        Err::<(), _>(Trouble::Refused("insufficient funds"))
    });
    assert!(matches!(result, Err(Trouble::Refused("insufficient funds"))), "{result:?}");
    assert_eq!((runs.get(), world.balances()), (1, vec![100]));
}

#[test]
fn s19_a_killed_query_runs_once() {
    let world = World::with_accounts(1..=1);
    let runs = Cell::new(0);
    let (tell, told) = mpsc::channel::<u64>();
    thread::scope(|scope| {
        let (mut killer, look) = (world.conn(), &world);
        scope.spawn(move || {
            let victim = told.recv().expect("the unit tells");
            let sleeps = format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id = {victim} AND state = 'User sleep'");
            until("the unit's query runs", || look.count(&sleeps) == 1);
            killer.query_drop(format!("KILL QUERY {victim}")).expect("root may");
        });
        let error = world.db.unit("once").run::<(), Error>(|tx| {
            runs.set(runs.get() + 1);
            let who: Option<u64> = tx.query_first("SELECT CONNECTION_ID() FROM account")?;
            tell.send(who.unwrap_or(0)).expect("the killer listens");
            // In a subquery with a table, because a bare `SELECT SLEEP(…)` answers a kill with the value 1 instead of an error.
            tx.query_drop("UPDATE account SET balance = balance + SLEEP(60) WHERE id = 1")
        });
        let error = error.expect_err("somebody asked to stop");
        assert_eq!((error.kind(), error.code()), (ErrorKind::Statement, Some(1317)), "{error}");
    });
    assert_eq!((runs.get(), world.balances()), (1, vec![100]));
    world.assert_clean(&world.db);
}

#[test]
fn s19_a_packet_that_is_too_large_is_found_before_it_is_sent() {
    let world = World::with_accounts(1..=1);
    let (db, proxy) = world.proxied();
    let limit = world.count("SELECT @@max_allowed_packet");
    let long = "x".repeat(usize::try_from(limit).expect("the limit fits into memory"));
    let told = db.unit("large").run::<_, Error>(|tx| {
        tx.query_drop(ONE)?;
        let before = proxy.round_trips();
        let text = tx.query_drop(format!("SELECT '{long}'")).expect_err("too large");
        let value = tx.exec_drop("SELECT ?", (&long,)).expect_err("too large");
        assert_eq!((text.kind(), value.kind()), (ErrorKind::TooLarge, ErrorKind::TooLarge));
        assert_eq!(proxy.round_trips(), before, "nothing was sent");
        Ok(tx.attempt())
    });
    assert_eq!(told.expect("the unit can go on"), 1);
    assert_eq!(world.balances(), [90]);
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
        let doctors = [1, 2].map(|id| scope.spawn({
            let (go_home, db) = (&go_home, &world.db);
            move || go_home(db, id)
        }));
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

/// Not to be mistaken for [`Retry::NEVER`]: this one could be retried.
#[test]
fn s20_max_attempts_counts_the_first_run_too() {
    let world = World::with_accounts(1..=1);
    for limit in 2..=4 {
        let runs = Cell::new(0);
        let kill = Retry::DEFAULT.max_attempts(limit).base(Duration::ZERO);
        let result = world.db.unit("lost").retry(kill).run::<(), Error>(|tx| {
            runs.set(runs.get() + 1);
            let who: Option<u64> = tx.query_first("SELECT CONNECTION_ID()")?;
            world.conn().query_drop(format!("KILL CONNECTION {}", who.unwrap_or(0))).expect("root may");
            tx.query_drop(ONE)
        });
        let error = result.expect_err("each session is killed");
        assert_eq!((error.kind(), error.attempts(), runs.get()), (ErrorKind::RetriesExhausted, limit, limit));
        let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<Error>());
        assert_eq!(source.map(Error::kind), Some(ErrorKind::ConnectionLost));
        assert!(error.to_string().contains(&format!("{limit} attempts in ")), "{error}");
    }
    assert_eq!(world.balances(), [100]);
    world.assert_clean(&world.db);
}
