//! Faults on the way to a server: connections that are cut at every place, die at random, or never answer; values that do not fit;
//! and that no secret is told in the messages about any of it. Faults of the server itself (kill -9, read-only flips) are not here.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use ephemeral_mysql::Server;
use proxy::{Cut, Packet, Proxy, Side};
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::mysql::{Params, Value, params};
use unit_of_work::{Database, Error, ErrorKind, Outcome, Retry, Tx};

use crate::world::{BOUND, World, until};

const SELECT: &str = "SELECT balance FROM account WHERE id = ?";
const UPDATE: &str = "UPDATE account SET balance = balance + ? WHERE id = ?";
const SIDES: [Side; 2] = [Side::BeforeServer, Side::AfterServer];

/// Five packets on a warm session: four statements and COMMIT.
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    for id in [1, 2] {
        tx.exec_first::<i64, _, _>(SELECT, (id,))?;
    }
    tx.exec_drop(UPDATE, (-10, 1))?;
    tx.exec_drop(UPDATE, (10, 2))
}

/// Cuts at one packet of a transfer, and holds what the caller is told against what is in the database.
fn cut_at(world: &World, db: &Database, proxy: &Proxy, cut: Cut<'_>) -> Result<(), Error> {
    let before = world.balances();
    proxy.cut(cut);
    let told = db.unit("transfer").run(transfer);
    assert!(!proxy.cut_planned(), "{cut:?} met no packet");
    world.assert_clean(db);
    let moved = vec![before[0] - 10, before[1] + 10];
    let outcome = told.as_ref().map_or_else(Error::outcome, |()| Some(Outcome::Committed));
    match outcome {
        Some(Outcome::Committed) => assert_eq!(world.balances(), moved, "{cut:?}: {told:?}"),
        Some(Outcome::RolledBack | Outcome::NotStarted) => assert_eq!(world.balances(), before, "{cut:?}: {told:?}"),
        Some(Outcome::Unknown) => assert!([moved, before].contains(&world.balances()), "{cut:?}: {told:?}"),
        other => panic!("{cut:?}: {other:?}: {told:?}"),
    }
    told
}

#[test]
fn s79_cut_at_any_packet_of_a_warm_transfer_the_answer_agrees_with_the_rows() {
    let world = World::with_accounts(1..=2);
    for side in SIDES {
        for packet in 1..=5 {
            let (db, proxy) = world.proxied();
            db.unit("warm").run(transfer).expect("nothing is cut yet");
            let told = cut_at(&world, &db, &proxy, Cut { at: Packet::Command(packet), side });
            let kind = told.map_err(|error| error.kind());
            let expected = if packet == 5 { Err(ErrorKind::CommitUnknown) } else { Ok(()) };
            assert_eq!(kind, expected, "packet {packet}, {side:?}");
        }
    }
}

#[test]
fn s79_cut_at_any_packet_of_a_cold_transfer_the_answer_agrees_with_the_rows() {
    // Two texts are prepared, so seven packets; and the session that replaces the cut one is cut in turn.
    let world = World::with_accounts(1..=2);
    for side in SIDES {
        for packet in 1..=7 {
            let (db, proxy) = world.proxied();
            let told = cut_at(&world, &db, &proxy, Cut { at: Packet::Command(packet), side });
            let kind = told.map_err(|error| error.kind());
            let expected = if packet == 7 { Err(ErrorKind::CommitUnknown) } else { Ok(()) };
            assert_eq!(kind, expected, "packet {packet}, {side:?}");
        }
    }
}

#[test]
fn s79_a_unit_that_is_never_run_again_is_told_that_it_was_rolled_back() {
    let world = World::with_accounts(1..=2);
    for side in SIDES {
        for packet in 2..=4 {
            let (db, proxy) = world.proxied_with(|builder| builder.retry(Retry::NEVER));
            db.unit("warm").run(transfer).expect("nothing is cut yet");
            let error = cut_at(&world, &db, &proxy, Cut { at: Packet::Command(packet), side }).expect_err("it was cut");
            let seen = (error.kind(), error.outcome(), error.attempts());
            assert_eq!(seen, (ErrorKind::ConnectionLost, Some(Outcome::RolledBack), 1), "packet {packet}, {side:?}");
        }
    }
}

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
fn s73_a_waiter_is_woken_when_a_session_breaks() {
    let world = World::with_accounts(1..=1);
    let (db, proxy) = world.proxied_with(|builder| builder.max_connections(1).acquire_timeout(BOUND).retry(Retry::NEVER));
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
        let began = std::time::Instant::now();
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
    let (db, proxy) = world.proxied_with(|builder| builder.connect_timeout(limit).network_timeout(limit).max_connections(2));
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
fn s80_a_late_reply_is_never_read_by_anyone() {
    let world = World::with_accounts(1..=2);
    let limit = Duration::from_millis(300);
    let (db, proxy) = world.proxied_with(|builder| builder.network_timeout(limit).max_connections(1));
    let say = |n: u64| db.unit("say").run::<_, Error>(|tx| Ok((tx.query_first(format!("SELECT {n}"))?, tx.attempt())));
    assert_eq!(say(1).expect("a unit"), (Some(1_u64), 1));
    let late = proxy.hold(Packet::Text("SELECT 11"), Side::AfterServer);
    assert_eq!(say(11).expect("the second attempt"), (Some(11), 2));
    for n in [22, 33] {
        assert_eq!(say(n).expect("a unit"), (Some(n), 1), "the late reply is still on its way");
    }
    late.release();
    for n in [44, 55] {
        assert_eq!(say(n).expect("a unit"), (Some(n), 1), "the late reply has come");
    }
    assert_eq!(proxy.connections(), 2, "the first one was dropped");
}

#[test]
fn s80_a_late_reply_to_commit_is_not_taken_for_anything() {
    let world = World::with_accounts(1..=2);
    let limit = Duration::from_millis(300);
    let (db, proxy) = world.proxied_with(|builder| builder.network_timeout(limit));
    let late = proxy.hold(Packet::Text("COMMIT"), Side::AfterServer);
    let error = db.unit("transfer").run(transfer).expect_err("nobody knows");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::CommitUnknown, Some(Outcome::Unknown)));
    late.release();
    assert_eq!(world.balances(), [90, 110]);
    db.unit("transfer").run(transfer).expect("another session");
    assert_eq!(world.balances(), [80, 120]);
}

#[test]
fn s80_the_next_attempt_does_not_wait_for_the_ghost() {
    let world = World::with_accounts(1..=2);
    let limit = Duration::from_millis(500);
    let (db, proxy) = world.proxied_with(|builder| builder.network_timeout(limit));
    let ghost = AtomicU64::new(0);
    let unit = db.unit("slow").run::<_, Error>(|tx| {
        tx.exec_drop(UPDATE, (1, 1))?;
        if tx.attempt() == 1 {
            let id: Option<u64> = tx.query_first("SELECT CONNECTION_ID()")?;
            ghost.store(id.expect("a row"), Ordering::Relaxed);
            proxy.record();
            // Goes on for minutes, whether anybody listens or not, unless it is killed; and it holds the lock on account 1.
            tx.query_drop("SELECT BENCHMARK(1000000000000, MD5('x'))")?;
        }
        Ok(tx.attempt())
    });
    let attempts = unit.expect("the next attempt gets the lock");
    let ghost = ghost.into_inner();
    let sent: Vec<_> = proxy.take().into_iter().map(|command| command.text).collect();
    let killed = sent.iter().position(|text| *text == format!("KILL CONNECTION {ghost}"));
    let again = sent.iter().position(|text| text.starts_with("UPDATE"));
    assert!(killed.is_some() && killed < again, "{sent:?}");
    // The kill takes effect in its own time, and the lock is free only then.
    assert!((2..=5).contains(&attempts), "{attempts} attempts");
    until("the ghost has ended", || {
        world.count(&format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id = {ghost}")) == 0
    });
    assert_eq!(world.balances(), [101, 100]);
    world.assert_clean(&db);
}

#[test]
fn s80_the_ghost_is_killed_also_when_all_other_connections_died_with_it() {
    // As when a firewall or a proxy restarts: the server goes on with the statement, and no session is left to kill it with.
    let world = World::with_accounts(1..=2);
    let (db, proxy) = world.proxied_with(|builder| builder.network_timeout(Duration::from_secs(2)));
    let free = thread::scope(|scope| scope.spawn(|| db.unit("warm").run(transfer)).join());
    free.expect("no panic").expect("nothing is cut yet");
    let unit = thread::scope(|scope| {
        let (ready, begun) = mpsc::channel();
        let (world, proxy) = (&world, &proxy);
        let cutter = scope.spawn(move || {
            let benchmark = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT BENCHMARK%' AND db = DATABASE()";
            begun.recv().expect("the unit speaks");
            until("the statement runs", || world.count(benchmark) == 1);
            proxy.close_all();
        });
        let unit = db.unit("slow").run::<_, Error>(|tx| {
            tx.exec_drop(UPDATE, (1, 1))?;
            if tx.attempt() == 1 {
                // Another session, free for the next attempt, and soon as dead as this one.
                let other = thread::scope(|scope| scope.spawn(|| db.unit("other").run(|tx| tx.query_drop("DO 1"))).join());
                other.expect("no panic")?;
                ready.send(()).expect("the cutter listens");
                tx.query_drop("SELECT BENCHMARK(1000000000000, MD5('x'))")?;
            }
            Ok(tx.attempt())
        });
        cutter.join().expect("the statement ran");
        unit
    });
    // The statement would go on after the test.
    let ghosts = "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT BENCHMARK%' AND db = DATABASE()";
    let mut conn = world.conn();
    let left: Vec<u64> = conn.query(ghosts).expect("the server answers");
    for id in &left {
        conn.query_drop(format!("KILL {id}")).expect("it runs");
    }
    assert!(unit.is_ok() && left.is_empty(), "{unit:?}, still running: {left:?}");
}

/// What one statement says in a unit that goes on after it.
fn said<T: Debug>(db: &Database, ask: impl Fn(&mut Tx<'_>) -> Result<T, Error>) -> Error {
    let unit = db.unit("ask").run::<_, Error>(|tx| {
        let error = ask(tx).expect_err("it does not fit");
        assert_eq!(tx.exec_first(SELECT, (1,))?, Some(100_i64), "the unit goes on after: {error}");
        Ok(error)
    });
    unit.unwrap_or_else(|error| panic!("the unit goes on: {error}"))
}

#[test]
fn s85_a_value_of_another_type_is_a_clear_error_and_the_unit_goes_on() {
    let world = World::with_accounts(1..=1);
    let (db, proxy) = world.proxied();
    let errors = [
        said(&db, |tx| tx.query_first::<i64, _>("SELECT REVERSE('eulav-terces') AS word")),
        said(&db, |tx| tx.query::<i64, _>("SELECT 1 AS word UNION SELECT REVERSE('eulav-terces')")),
        said(&db, |tx| tx.exec_first::<i64, _, _>("SELECT NULL AS word", ())),
        said(&db, |tx| tx.exec::<(i64, i64), _, _>("SELECT 1 AS word", ())),
        said(&db, |tx| tx.query_map("SELECT 300 AS word", |n: u8| n)),
        said(&db, |tx| tx.query_fold("SELECT -1 AS word", 0, |sum, n: u64| sum + n)),
        said(&db, |tx| tx.exec_each("SELECT X'FF' AS word", (), |_: String| ())),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Conversion, "{error}");
        assert!(error.to_string().contains("word"), "which column? {error}");
        assert!(!format!("{error:?}").contains("secret-value"), "values do not belong into a message: {error:?}");
    }
    for wrong in [
        said(&db, |tx| tx.exec_drop("SELECT ?", ())),
        said(&db, |tx| tx.exec_drop("SELECT ?, ?", (1,))),
        said(&db, |tx| tx.exec_drop("SELECT ?", (1, 2))),
        said(&db, |tx| tx.exec_drop("SELECT :a, :b", params! { "a" => 1 })),
        said(&db, |tx| tx.exec_drop("SELECT :a", (1, 2))),
    ] {
        assert_eq!(wrong.kind(), ErrorKind::Conversion, "{wrong}");
    }
    assert_eq!(proxy.connections(), 1, "none of this is a reason to drop a connection");
    world.assert_clean(&db);
}

#[test]
fn s85_nul_bytes_and_four_byte_characters_come_back_as_they_went() {
    let world = World::with_accounts(1..=1);
    world.execute("CREATE TABLE kept (id INT PRIMARY KEY, words TEXT CHARACTER SET utf8mb4, bytes BLOB)");
    let (words, bytes) = ("a\0b 😀\u{10FFFF} \\' \" % _ \u{1a}\r\n;--", (0..=255).collect::<Vec<u8>>());
    let unit = world.db.unit("keep").run::<_, Error>(|tx| {
        tx.exec_drop("INSERT INTO kept VALUES (1, ?, ?)", (words, &bytes))?;
        tx.query_first::<(String, Vec<u8>), _>("SELECT words, bytes FROM kept")
    });
    let expected = (words.to_owned(), bytes);
    assert_eq!(unit.expect("a unit").as_ref(), Some(&expected));
    let again = world.db.unit("read").run::<_, Error>(|tx| tx.exec_first("SELECT words, bytes FROM kept WHERE words = ?", (words,)));
    assert_eq!(again.expect("a unit"), Some(expected));
    let in_text = world.db.unit("text").run::<Option<String>, Error>(|tx| tx.query_first("SELECT 'a\0b 😀'"));
    assert_eq!(in_text.expect("a unit").as_deref(), Some("a\0b 😀"));
}

#[test]
fn s85_a_thousand_parameters() {
    let world = World::with_accounts(1..=20);
    let marks = vec!["?"; 1000].join(",");
    let sql = format!("SELECT COUNT(*) FROM account WHERE id IN ({marks})");
    let ids: Vec<Value> = (11..1011).map(Value::from).collect();
    let unit = world.db.unit("many").run::<Option<u64>, Error>(|tx| tx.exec_first(&sql, Params::Positional(ids.clone())));
    assert_eq!(unit.expect("a unit"), Some(10));
    world.assert_clean(&world.db);
}

const MEBIBYTE: usize = 1 << 20;

fn noise(bytes: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(85);
    std::iter::repeat_with(|| random.u8(..)).take(bytes).collect()
}

#[test]
fn s85_a_blob_of_sixteen_mebibytes_where_the_server_takes_it() {
    let server = Server::builder().option("max_allowed_packet", "64M").option("innodb-log-file-size", "256M");
    let server = server.start().unwrap_or_else(|error| panic!("{error}"));
    let world = World::on(&server, |builder| builder);
    world.execute("CREATE TABLE large (id INT PRIMARY KEY, bytes LONGBLOB)");
    // Around the size at which a packet needs a second frame.
    for (id, bytes) in (0..).zip([16 * MEBIBYTE - 20, 16 * MEBIBYTE, 17 * MEBIBYTE]) {
        let blob = noise(bytes);
        let unit = world.db.unit("large").run::<_, Error>(|tx| {
            tx.exec_drop("INSERT INTO large VALUES (?, ?)", (id, &blob))?;
            tx.exec_first::<Vec<u8>, _, _>("SELECT bytes FROM large WHERE id = ?", (id,))
        });
        assert!(unit.expect("a unit").as_deref() == Some(&*blob), "{bytes} bytes came back as others");
        world.assert_clean(&world.db);
    }
}

#[test]
fn s85_a_blob_that_the_server_does_not_take_is_not_sent() {
    let world = World::with_accounts(1..=1);
    world.execute("CREATE TABLE large (id INT PRIMARY KEY, bytes LONGBLOB)");
    let (db, proxy) = world.proxied();
    let limit: usize = world.count("SELECT @@max_allowed_packet").try_into().expect("a size");
    let blob = noise(limit);
    proxy.record();
    let errors = [
        said(&db, |tx| tx.exec_drop("INSERT INTO large VALUES (1, ?)", (&blob,))),
        said(&db, |tx| tx.query_drop(format!("INSERT INTO large VALUES (1, '{}')", "x".repeat(limit)))),
        said(&db, |tx| tx.exec_batch("INSERT INTO large VALUES (1, ?)", [(&blob,)])),
    ];
    for error in errors {
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::TooLarge, 1));
        assert!(error.to_string().contains(&limit.to_string()), "{}", error.to_string().len());
    }
    assert!(proxy.take().iter().all(|command| !command.text.starts_with("INSERT")));
    assert_eq!(proxy.connections(), 1);
    world.assert_clean(&db);
}

/// Keeps what the traces of one thread say.
#[derive(Debug, Clone, Default)]
struct Heard(Arc<Mutex<String>>);

impl Heard {
    fn said(&self) -> String {
        self.0.lock().expect("nobody panics while writing").clone()
    }
}

impl tracing::field::Visit for Heard {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn Debug) {
        let mut text = self.0.lock().expect("nobody panics while writing");
        writeln!(text, "{field} = {value:?}").expect("a string takes everything");
    }
}

impl tracing::Subscriber for Heard {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        span.record(&mut self.clone());
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

/// All that an error says, its causes included.
fn everything(error: &Error) -> String {
    let mut text = format!("{error}\n{error:?}\n{error:#?}\n");
    let mut cause = error.source();
    while let Some(inner) = cause {
        writeln!(text, "{inner}\n{inner:?}\n{inner:#?}").expect("a string takes everything");
        cause = inner.source();
    }
    text
}

/// What a unit says on the way through a lost connection, an unknown commit and a panic.
fn said_by_units(db: &Database, proxy: &Proxy) -> String {
    let run = |cut: Cut<'_>| {
        proxy.cut(cut);
        let error = db.unit("transfer").retry(Retry::DEFAULT.max_attempts(1)).run(transfer);
        error.expect_err("it was cut")
    };
    let before = Side::BeforeServer;
    let lost = run(Cut { at: Packet::Text("UPDATE"), side: before });
    let unknown = run(Cut { at: Packet::Text("COMMIT"), side: before });
    proxy.cut(Cut { at: Packet::Text("UPDATE"), side: before });
    db.unit("transfer").run(transfer).expect("the second attempt");
    proxy.refuse();
    proxy.close_all();
    let gone = db.unit("gone").retry(Retry::DEFAULT.max_attempts(2)).run(transfer).expect_err("nobody is there");
    proxy.open();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        db.unit("panic").run::<(), Error>(|tx| {
            let unit = format!("{tx:?}");
            panic!("{db:?} {unit} {:?}", tx.connection())
        })
    }));
    let payload = panicked.expect_err("it panicked");
    let panic = payload.downcast_ref::<String>().expect("a formatted panic").clone();
    [everything(&lost), everything(&unknown), everything(&gone), panic, format!("{db:#?}")].concat()
}

/// What a database says that cannot be connected to.
fn said_by_failures(urls: &[String]) -> String {
    let mut text = String::new();
    for url in urls {
        let builder = Database::builder().url(url).connect_timeout(Duration::from_secs(1));
        writeln!(text, "{builder:?}\n{builder:#?}").expect("a string takes everything");
        let error = builder.connect().expect_err("no such user, database, server or address");
        text += &everything(&error);
        let panicked = std::panic::catch_unwind(|| Database::connect(url).expect("a database"));
        let payload = panicked.expect_err("it panicked");
        text += payload.downcast_ref::<String>().expect("a formatted panic");
    }
    text
}

#[test]
fn s86_a_password_is_told_nowhere() {
    const PASSWORD: &str = "Geheim42";
    let world = World::with_accounts(1..=2);
    let user = format!("teller_{}", world.name());
    world.execute(&format!("CREATE USER {user}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'"));
    world.execute(&format!("GRANT ALL ON `{}`.* TO {user}@'127.0.0.1'", world.name()));
    let with = |password: &str, url: &str| url.replace("root@", &format!("{user}:{password}@"));
    let heard = Heard::default();
    let mut text = tracing::subscriber::with_default(heard.clone(), || {
        let proxy = Proxy::start(("127.0.0.1", ephemeral_mysql::shared().port())).expect("a loopback port is free");
        let db = Database::connect(&with(PASSWORD, &proxy.url(world.name()))).expect("the right password");
        let by_units = said_by_units(&db, &proxy);
        let right = with(PASSWORD, &world.url());
        by_units
            + &said_by_failures(&[
                with(&format!("{PASSWORD}-wrong"), &world.url()),
                right.replace(world.name(), "no_such_database"),
                with(PASSWORD, &format!("mysql://root@127.0.0.1:1/{}", world.name())),
                right.replace("mysql://", "postgres://"),
                format!("{right}?no_such_setting=1"),
                format!("{right}?tcp_connect_timeout_ms=soon"),
                right.replace("127.0.0.1", "127.0.0.1:not-a-port"),
                format!("{PASSWORD} is no URL"),
            ])
    });
    world.execute(&format!("DROP USER {user}@'127.0.0.1'"));
    let traced = heard.said();
    assert!(text.contains(&user) && text.contains("AccessDenied"), "the control: these texts are about this user: {text}");
    assert!(traced.contains("commit outcome unknown") && traced.contains("the unit runs again"), "{traced}");
    text += &traced;
    let told: Vec<_> = text.lines().filter(|line| line.contains(PASSWORD)).collect();
    assert_eq!(told, Vec::<&str>::new());
}
