//! Threads and the pool: who gets which session, what is waited for, and what is said when the wait is too long. Which database a
//! thread's units run on is `which_database`, the end of one is `close`; what broken connections do to the pool is `faults`'.

mod close;
pub(crate) mod which_database;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Duration;

use proxy::Kind;
use unit_of_work::testing::VirtualClock;
use unit_of_work::{Database, DatabaseBuilder, Error, ErrorKind, Outcome, Retry, Tx};

use crate::server;
use crate::world::{World, until};

const CONNECTION: &str = "SELECT CONNECTION_ID()";
const COMMIT: &str = "COMMIT AND NO CHAIN NO RELEASE";

/// The session that a unit on this thread gets.
fn connection(db: &Database) -> Result<u64, Error> {
    db.unit("connection").run(connection_of)
}

fn connection_of(tx: &mut Tx<'_>) -> Result<u64, Error> {
    Ok(tx.query_first(CONNECTION)?.expect("a row"))
}

#[test]
fn s69_two_units_in_turn_use_one_connection_without_a_ping_or_a_reset() {
    let world = World::new();
    let (db, proxy) = world.proxied();
    let warm = connection(&db).expect("a unit");
    proxy.record();
    let ids = [connection(&db), connection(&db)].map(|id| id.expect("a unit"));
    assert_eq!(ids, [warm, warm]);
    let sent: Vec<_> = proxy.take().into_iter().map(|command| (command.kind, command.text)).collect();
    let unit = [(Kind::Query, CONNECTION.to_owned()), (Kind::Query, COMMIT.to_owned())];
    assert_eq!(sent, [unit.clone(), unit].concat());
    assert_eq!(proxy.connections(), 1);
}

#[test]
fn s70_as_many_sessions_as_threads_and_no_more() {
    const THREADS: usize = 5;
    let world = World::new();
    let (db, proxy) = world.proxied();
    let all_in_units = Barrier::new(THREADS);
    let ids: BTreeSet<u64> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| five_units(&db, &all_in_units))).collect();
        threads.into_iter().map(|thread| thread.join().expect("five units on one connection")).collect()
    });
    assert_eq!(ids.len(), THREADS, "{ids:?}");
    assert_eq!(proxy.connections(), 5);
}

/// Runs a unit that waits inside for those of the other threads, then four more.
fn five_units(db: &Database, all_in_units: &Barrier) -> u64 {
    let first = db.unit("first").run::<_, Error>(|tx| {
        let id = connection_of(tx)?;
        all_in_units.wait();
        Ok(id)
    });
    let first = first.expect("a session for everyone");
    let others: Vec<_> = (0..4).map(|_| connection(db).expect("a session for everyone")).collect();
    assert_eq!(others, [first; 4]);
    first
}

#[test]
fn s70_the_end_of_a_thread_gives_its_session_back() {
    let world = World::new();
    let (db, proxy) = world.proxied();
    let once = || thread::scope(|scope| scope.spawn(|| connection(&db).expect("a unit")).join().expect("no panic"));
    let ids = [once(), once(), once()];
    assert_eq!(ids, [ids[0]; 3]);
    assert_eq!(proxy.connections(), 1, "the pool may open more, and need not");
}

#[test]
fn s70_ten_thousand_short_lived_threads_finish_over_eight_sessions() {
    const AT_ONCE: u64 = 16;
    const EACH: u64 = 625;
    let world = World::with_accounts(1..=AT_ONCE);
    let (db, proxy) = world.proxied_with(|builder| builder.max_connections(8));
    let add = |id| {
        db.unit("add")
            .run::<_, Error>(|tx| tx.exec_drop("UPDATE account SET balance = balance + 1 WHERE id = ?", (id,)))
    };
    thread::scope(|scope| {
        for id in 1..=AT_ONCE {
            scope.spawn(move || {
                for _ in 0..EACH {
                    let short = thread::scope(|inner| inner.spawn(|| add(id)).join());
                    short.expect("no panic").expect("its turn comes");
                }
            });
        }
    });
    assert_eq!(world.balances(), [100 + 625; 16]);
    // All connections that there ever were: so there were never more at once.
    assert!(proxy.connections() <= 8, "{} connections", proxy.connections());
}

#[test]
fn s71_a_parked_session_is_taken_over_by_who_needs_it() {
    let world = World::new();
    let (db, proxy) = world.proxied_with(|builder| builder.max_connections(1));
    let here = || connection(&db).expect("taken over, or never lost");
    let first = here();
    let (go, gone) = mpsc::channel::<()>();
    let (say, said) = mpsc::channel();
    thread::scope(|scope| {
        let (db, gone) = (&db, gone);
        scope.spawn(move || {
            for () in gone {
                say.send(connection(db)).expect("the test listens");
            }
        });
        let there = || {
            go.send(()).expect("the thread listens");
            said.recv().expect("the thread answers").expect("taken over from a thread that lives")
        };
        assert_eq!([there(), here(), there(), there(), here()], [first; 5]);
        drop(go);
    });
    assert_eq!(proxy.connections(), 1);
}

#[test]
fn s71_a_session_that_a_scope_holds_is_not_taken_over() {
    let world = World::new();
    let db = world.connect(|builder| builder.max_connections(1).acquire_timeout(Duration::from_millis(50)));
    let elsewhere = || thread::scope(|scope| scope.spawn(|| connection(&db)).join().expect("no panic"));
    let scope = db.scope().expect("a session");
    let held = connection(&db).expect("the scope's session");
    assert_eq!(elsewhere().expect_err("it is held, though no unit runs on it").kind(), ErrorKind::PoolTimeout);
    assert_eq!(connection(&db).expect("still the scope's session"), held);
    drop(scope);
    assert_eq!(elsewhere().expect("given up"), held);
}

#[test]
fn s71_with_more_threads_than_sessions_nobody_starves() {
    const THREADS: u64 = 8;
    const FAIR_SHARE: u64 = 100;
    let world = World::new();
    let db = world.connect(|builder| builder.max_connections(2));
    let done = AtomicU64::new(0);
    let start = Barrier::new(8);
    let shares: Vec<u64> = thread::scope(|scope| {
        let greedy = || {
            start.wait();
            let mut own = 0;
            while done.fetch_add(1, Ordering::Relaxed) < THREADS * FAIR_SHARE {
                connection(&db).expect("its turn comes");
                own += 1;
            }
            own
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(greedy)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(shares.iter().sum::<u64>(), THREADS * FAIR_SHARE);
    // In line, all advance at one pace; an eighth of the fair share leaves room for a machine with other work.
    assert!(shares.iter().all(|own| *own >= FAIR_SHARE / 8), "{shares:?}");
}

/// Runs `meanwhile` while `n` other threads are inside units of `db`.
fn while_held<R>(db: &Database, n: usize, meanwhile: impl FnOnce() -> R) -> R {
    let all = Barrier::new(n + 1);
    thread::scope(|scope| {
        let holders: Vec<_> = (0..n)
            .map(|_| {
                let (release, released) = mpsc::channel::<()>();
                let all = &all;
                let holder = scope.spawn(move || {
                    db.unit("holder").run::<_, Error>(|tx| {
                        let id = connection_of(tx)?;
                        all.wait();
                        // Ends when the sender is dropped, also by a panic of the test.
                        let _ended = released.recv();
                        Ok(id)
                    })
                });
                (release, holder)
            })
            .collect();
        all.wait();
        let result = meanwhile();
        for (release, holder) in holders {
            drop(release);
            holder.join().expect("no panic").expect("the holder is committed");
        }
        result
    })
}

#[test]
fn s72_who_waits_too_long_is_told_the_state_of_the_pool() {
    let world = World::new();
    let wait = Duration::from_millis(50);
    let db = world.connect(|builder| builder.max_connections(2).acquire_timeout(wait));
    let ran = AtomicU64::new(0);
    let error = while_held(&db, 2, || {
        db.unit("late").run::<(), Error>(|_| {
            ran.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
    });
    let error = error.expect_err("both sessions are in use");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::PoolTimeout, Some(Outcome::NotStarted)));
    assert_eq!((ran.load(Ordering::Relaxed), error.unit()), (0, Some("late")));
    let message = error.to_string();
    for part in ["50ms", "2 of 2 connections are open", "0 parked", "0 free", "0 more threads wait", "max_connections"]
    {
        assert!(message.contains(part), "`{part}` is not in: {error}");
    }
    assert_eq!(
        message.matches("`holder` (tests/behaviour/tests/threads.rs:").count(),
        2,
        "both, with their places: {error}"
    );
    assert_eq!(message.matches(") for ").count(), 2, "and since when: {error}");
    connection(&db).expect("free again");
}

#[test]
fn s75_a_connection_that_was_idle_for_long_is_pinged_before_its_next_statement() {
    let (world, clock) = (World::new(), VirtualClock::new());
    let settings = |builder: DatabaseBuilder| builder.clock(clock.clone()).ping_after(Duration::from_secs(30));
    let (db, proxy) = world.proxied_with(settings);
    connection(&db).expect("a unit");
    proxy.record();
    clock.advance(Duration::from_secs(29));
    connection(&db).expect("a unit");
    clock.advance(Duration::from_secs(31));
    connection(&db).expect("a unit");
    let kinds: Vec<_> = proxy.take().into_iter().map(|command| command.kind).collect();
    assert_eq!(kinds, [Kind::Query, Kind::Query, Kind::Ping, Kind::Query, Kind::Query]);
    // The ping finds out before anything was sent: so even a unit that is never run again does not notice.
    proxy.close_all();
    clock.advance(Duration::from_secs(31));
    let unit = db.unit("once").retry(Retry::NEVER).run(connection_of);
    unit.expect("a dead connection is replaced unseen");
    assert_eq!(proxy.connections(), 2);
}

#[test]
fn s75_a_connection_beyond_its_lifetime_is_replaced() {
    let (world, clock) = (World::new(), VirtualClock::new());
    let minutes = |n: u64| Duration::from_secs(60 * n);
    let db = world.connect(|builder| builder.clock(clock.clone()).max_lifetime(minutes(30)).ping_after(minutes(60)));
    let first = connection(&db).expect("a unit");
    clock.advance(minutes(29));
    assert_eq!(connection(&db).expect("a unit"), first);
    clock.advance(minutes(2));
    assert_ne!(connection(&db).expect("a unit"), first);
    until("the old one is closed", || {
        world.count(&format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id = {first}")) == 0
    });
}

#[test]
fn s75_connections_that_nobody_uses_are_closed_but_for_those_that_are_to_be_kept() {
    let (world, clock) = (World::new(), VirtualClock::new());
    let settings = |builder: DatabaseBuilder| {
        builder.clock(clock.clone()).idle_timeout(Duration::from_secs(600)).min_idle(2).max_connections(5)
    };
    let (db, proxy) = world.proxied_with(settings);
    assert_eq!((proxy.connections(), db.stats().open), (2, 2), "opened at once");
    while_held(&db, 4, || assert_eq!(db.stats().open, 4));
    clock.advance(Duration::from_secs(599));
    while_held(&db, 1, || assert_eq!(db.stats().open, 4, "not idle for long enough"));
    clock.advance(Duration::from_secs(602));
    while_held(&db, 1, || assert_eq!(db.stats().open, 2, "two are kept"));
    let of_this_database = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE()";
    // Those two, the world's own, and the one that asks.
    until("the others are closed on the server", || world.count(of_this_database) == 4);
}

#[test]
fn s75_a_restart_of_the_server_is_noticed_by_nobody_who_had_sent_nothing() {
    const THREADS: usize = 4;
    let server = server::builder().start().unwrap_or_else(|error| panic!("{error}"));
    let world = World::on(&server, |builder| builder.max_connections(THREADS));
    world.make_accounts(1..=4);
    let (before, after) = (Barrier::new(THREADS + 1), Barrier::new(THREADS + 1));
    thread::scope(|scope| {
        let threads: Vec<_> = (1..=THREADS)
            .map(|id| {
                let (world, before, after) = (&world, &before, &after);
                scope.spawn(move || {
                    let sql = format!("UPDATE account SET balance = balance + 1 WHERE id = {id}");
                    let add = || world.db.unit("add").run::<_, Error>(|tx| tx.query_drop(&sql));
                    let first = add();
                    before.wait();
                    after.wait();
                    first.and_then(|()| add())
                })
            })
            .collect();
        before.wait();
        server.restart().unwrap_or_else(|error| panic!("{error}"));
        after.wait();
        for thread in threads {
            thread.join().expect("no panic").expect("no error reaches the caller");
        }
    });
    assert_eq!(world.balances(), [102; 4]);
}

#[test]
fn s75_of_several_connections_that_died_while_idle_none_is_noticed() {
    let (world, clock) = (World::new(), VirtualClock::new());
    let settings = |builder: DatabaseBuilder| builder.clock(clock.clone()).ping_after(Duration::from_secs(30));
    let (db, proxy) = world.proxied_with(settings);
    while_held(&db, 3, || {});
    assert_eq!(proxy.connections(), 3);
    proxy.close_all();
    clock.advance(Duration::from_secs(31));
    // Never run again: so it is the ping that must find out, for each of the three.
    let unit = db.unit("once").retry(Retry::NEVER).run(connection_of);
    unit.expect("dead connections are replaced unseen");
}

#[test]
fn s75_a_session_outside_of_units_is_healed_too() {
    let (world, clock) = (World::new(), VirtualClock::new());
    let settings = |builder: DatabaseBuilder| builder.clock(clock.clone()).ping_after(Duration::from_secs(30));
    let (db, proxy) = world.proxied_with(settings);
    let work = || db.session(|session| session.query_drop("DO 1"));
    work().expect("a session");
    proxy.close_all();
    clock.advance(Duration::from_secs(31));
    work().expect("nothing was sent before the ping: the dead connection is replaced");
}
