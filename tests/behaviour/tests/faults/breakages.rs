//! Many breakages, and servers that never answer: what the pool makes of them. Its count stays right, who waits is woken, and
//! nobody on a live connection notices.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use proxy::{Cut, Packet, Proxy, Side};
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Database, Error, ErrorKind, Outcome, Retry};

use super::{SELECT, SIDES, UPDATE};
use crate::server;
use crate::world::{BOUND, World, until};

/// Runs one unit that adds 1 to the thread's account, and notes what is true of it.
#[derive(Debug, Default)]
struct Ledger {
    acknowledged: AtomicU64,
    unknown: AtomicU64,
    calls: AtomicU64,
}

impl Ledger {
    fn add(&self, db: &Database, account: usize) {
        let told = db.unit("add").run::<_, Error>(|tx| tx.exec_drop(UPDATE, (1, account)));
        match told {
            Ok(()) => self.acknowledged.fetch_add(1, Ordering::Relaxed),
            Err(error) if error.kind() == ErrorKind::CommitUnknown => self.unknown.fetch_add(1, Ordering::Relaxed),
            Err(error) => panic!("within ten seconds it can be run again: {error}"),
        };
        self.calls.fetch_add(1, Ordering::Relaxed);
    }
}

/// Breaks some connection, and waits until somebody has got over it.
fn break_one(world: &World, proxy: &Proxy, ledger: &Ledger) {
    let calls = ledger.calls.load(Ordering::Relaxed);
    match fastrand::u8(0..4) {
        0 => proxy.close_all(),
        1 => kill_one(world),
        side => {
            let (at, side, before) = (fastrand::u64(1..=8), SIDES[usize::from(side % 2)], proxy.round_trips());
            proxy.cut(Cut { at: Packet::Command(at), side });
            // Not until the cut has happened: the packet may stand on a connection that another breakage ends before the answer.
            until("the packet comes", || proxy.round_trips() >= before + at);
        }
    }
    until("units go on", || ledger.calls.load(Ordering::Relaxed) > calls);
}

fn kill_one(world: &World) {
    let mut conn = world.conn();
    let others = "SELECT id FROM information_schema.processlist WHERE db = ? AND id <> CONNECTION_ID() ORDER BY RAND()";
    let found: Option<u64> = conn.exec_first(others, (world.name(),)).expect("the server answers");
    if let Some(id) = found {
        // It may have gone by itself meanwhile.
        let _gone = conn.query_drop(format!("KILL {id}"));
    }
}

#[test]
fn s73_after_random_breakages_the_pools_count_is_right_and_nobody_hangs() {
    const SESSIONS: usize = 4;
    const BREAKAGES: usize = 1000;
    let world = World::with_accounts(1..=6);
    let (db, proxy) = world.proxied_with(|builder| builder.max_connections(SESSIONS));
    let (ledger, stop) = (Ledger::default(), AtomicBool::new(false));
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    fastrand::seed(seed);
    thread::scope(|scope| {
        let workers: Vec<_> = (1..=6)
            .map(|account| {
                let (db, ledger, stop) = (&db, &ledger, &stop);
                scope.spawn(move || {
                    // Also when the other side of the test has panicked.
                    while !stop.load(Ordering::Relaxed) {
                        ledger.add(db, account);
                    }
                })
            })
            .collect();
        let stopped = StopOnDrop(&stop);
        for _ in 0..BREAKAGES {
            break_one(&world, &proxy, &ledger);
        }
        drop(stopped);
        for worker in workers {
            worker.join().expect("nobody is told anything else");
        }
    });
    let sum: i64 = world.balances().iter().sum();
    let added = u64::try_from(sum - 600).expect("nothing is taken away");
    let acknowledged = ledger.acknowledged.into_inner();
    assert!((acknowledged..=acknowledged + ledger.unknown.into_inner()).contains(&added), "{added}, {acknowledged}");
    assert_holds_exactly(&world, &db, SESSIONS);
}

/// Stops the workers also when the test panics between.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// So many units run at once; closing finds no session that is counted and does not exist.
fn assert_holds_exactly(world: &World, db: &Database, sessions: usize) {
    let all = Barrier::new(sessions);
    let ids: BTreeSet<u64> = thread::scope(|scope| {
        let meet = || {
            db.unit("meet").run::<u64, Error>(|tx| {
                let id = tx.query_first("SELECT CONNECTION_ID()")?.expect("a row");
                all.wait();
                Ok(id)
            })
        };
        let threads: Vec<_> = (0..sessions).map(|_| scope.spawn(meet)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic").expect("a session for each")).collect()
    });
    assert_eq!(ids.len(), sessions);
    let open = ids.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
    let others = format!(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND id NOT IN (CONNECTION_ID(), {open})"
    );
    // One is the world's own, if it still has it; of the broken ones none is left.
    until("the broken ones have ended", || world.count(&others) <= 1);
    db.close(BOUND).expect("all that are counted are there to be closed");
}

#[test]
fn s73_what_was_opened_less_what_was_closed_is_what_is_open() {
    let world = World::with_accounts(1..=1);
    let (db, proxy) = world.proxied_with(|builder| builder.retry(Retry::NEVER));
    let add = || db.unit("add").run::<_, Error>(|tx| tx.exec_drop(UPDATE, (1, 1)));
    add().expect("a unit");
    proxy.refuse();
    proxy.close_all();
    for _ in 0..3 {
        add().expect_err("the connection is gone, and another is refused");
    }
    proxy.open();
    add().expect("a new connection");
    let stats = db.stats();
    assert_eq!((stats.open, stats.opened), (1, stats.closed + 1), "{stats:?}");
}

#[test]
fn s73_a_waiter_is_woken_when_a_session_breaks() {
    let world = World::with_accounts(1..=1);
    let (db, proxy) =
        world.proxied_with(|builder| builder.max_connections(1).acquire_timeout(BOUND).retry(Retry::NEVER));
    let (inside, entered) = mpsc::channel();
    let (go, gone) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let (db, proxy) = (&db, &proxy);
        let breaks = scope.spawn(move || {
            db.unit("breaks").run::<_, Error>(|tx| {
                tx.exec_drop(UPDATE, (1, 1))?;
                inside.send(()).expect("the test listens");
                gone.recv().expect("the test speaks");
                proxy.close_all();
                tx.exec_drop(UPDATE, (1, 1))
            })
        });
        entered.recv().expect("the unit runs");
        let began = Instant::now();
        let waits = scope.spawn(move || db.unit("waits").run::<_, Error>(|tx| tx.exec_drop(UPDATE, (5, 1))));
        go.send(()).expect("the unit listens");
        let lost = breaks.join().expect("no panic").expect_err("its connection is gone");
        assert_eq!(lost.kind(), ErrorKind::ConnectionLost, "{lost}");
        waits.join().expect("no panic").expect("the place is free");
        assert!(began.elapsed() < BOUND, "it was not woken; its wait ran out");
    });
    assert_eq!(world.balances(), [105]);
}

/// While `blocked` is on its way to a new connection that is never answered, others run on live ones.
#[test]
fn s74_a_server_that_does_not_answer_new_connections_blocks_no_unit_on_a_live_one() {
    let world = World::with_accounts(1..=2);
    let (db, proxy) = world.proxied_with(|builder| builder.max_connections(3));
    let read = || db.unit("read").run::<_, Error>(|tx| tx.exec_first::<i64, _, _>(SELECT, (1,)));
    let (park, parked) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let first = read();
        // A second session, parked by a thread that lives until it is told to end.
        let (say, said) = mpsc::channel();
        let other = scope.spawn(move || {
            say.send(read()).expect("the test listens");
            let _ended = parked.recv();
        });
        for result in [first, said.recv().expect("the thread speaks")] {
            assert_eq!(result.expect("a live connection"), Some(100));
        }
        // "Accepts and never answers", at a place where the test can tell that the connection has got there.
        let silence = proxy.hold(Packet::Text("SET SESSION autocommit=0"), Side::BeforeServer);
        let blocked = scope.spawn(read);
        assert!(silence.wait(), "it opens a third connection");
        for _ in 0..50 {
            assert_eq!(read().expect("the thread's own session"), Some(100));
        }
        drop(park);
        other.join().expect("its session becomes free");
        for _ in 0..10 {
            let passing = thread::scope(|inner| inner.spawn(read).join());
            assert_eq!(passing.expect("no panic").expect("a free session"), Some(100));
        }
        assert!(!blocked.is_finished());
        silence.release();
        assert_eq!(blocked.join().expect("no panic").expect("the server answers at last"), Some(100));
    });
    assert_eq!(proxy.connections(), 3);
}

#[test]
fn s74_a_black_hole_is_an_error_in_bounded_time_and_forgotten_when_it_closes() {
    let world = World::with_accounts(1..=1);
    let limit = Duration::from_millis(300);
    let (db, proxy) =
        world.proxied_with(|builder| builder.connect_timeout(limit).network_timeout(limit).max_connections(2));
    let read = || {
        let unit = db.unit("read").retry(Retry::NEVER);
        unit.run::<_, Error>(|tx| tx.exec_first::<i64, _, _>(SELECT, (1,)))
    };
    read().expect("a live connection");
    proxy.black_hole();
    thread::scope(|scope| {
        let blocked = scope.spawn(read);
        let mut units = 0;
        while !blocked.is_finished() || units < 10 {
            read().expect("the thread's own session is alive");
            units += 1;
        }
        let error = blocked.join().expect("no panic").expect_err("nobody answers");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Connect, Some(Outcome::NotStarted)), "{error}");
    });
    proxy.open();
    assert_holds_exactly(&world, &db, 2);
}

#[test]
fn s74_the_connect_timeout_covers_a_server_that_accepts_and_is_silent() {
    let world = World::new();
    let proxy = Proxy::start(("127.0.0.1", server::shared().port())).expect("a loopback port is free");
    proxy.black_hole();
    let builder = Database::builder().url(proxy.url(world.name()));
    let (say, said) = mpsc::channel();
    thread::spawn(move || {
        let connected = builder.connect_timeout(Duration::from_millis(100)).network_timeout(4 * BOUND).connect();
        // Nobody listens any more when it took too long.
        let _unheard = say.send(connected.map(drop));
    });
    let told = said.recv_timeout(BOUND);
    let error = told.expect("the connect timeout has long passed").expect_err("nobody answers");
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
}
