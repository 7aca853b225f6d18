//! When the next attempt comes, on a clock that the test moves: full jitter between its limits, nothing held meanwhile, no
//! sleep that leads to nothing, and no attempt later than `within`.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use unit_of_work::testing::{Clock, Reply, Script, VirtualClock};
use unit_of_work::{Database, Error, ErrorKind, Isolation, Retry, Tx, unit_of_work};

const SQL: &str = "UPDATE account SET balance = 0";

fn deadlocks(server: &Script, n: u32) {
    (0..n).for_each(|_| server.answer("UPDATE", Reply::error(1213, "40001", "Deadlock found")));
}

fn world() -> (Database, Script, VirtualClock) {
    let (server, clock) = (Script::new(), VirtualClock::new());
    let db = Database::builder().script(&server).clock(clock.clone()).connect().expect("a scripted server");
    (db, server, clock)
}

const POLICY: Retry =
    Retry::DEFAULT.base(Duration::from_millis(10)).cap(Duration::from_millis(200)).within(Duration::MAX);

/// The sleeps of `units` units of `failures` failed attempts each: one list per number of failures before the sleep.
fn sleeps(units: usize, failures: usize) -> Vec<Vec<Duration>> {
    let (db, server, clock) = world();
    for _ in 0..units {
        deadlocks(&server, u32::try_from(failures).expect("a few"));
        db.unit("conflict").retry(POLICY).run::<_, Error>(|tx| tx.query_drop(SQL)).expect("the last attempt");
    }
    let all = clock.slept();
    assert_eq!(all.len(), units * failures, "one sleep for each failed attempt");
    (0..failures).map(|k| all.iter().skip(k).step_by(failures).copied().collect()).collect()
}

/// min(cap, base · 2^k) of [`POLICY`].
fn ceiling(k: usize) -> Duration {
    Duration::from_millis([10, 20, 40, 80, 160, 200, 200, 200][k])
}

#[test]
fn s23_sleeps_lie_between_zero_and_a_ceiling_that_doubles_up_to_the_cap() {
    for (k, slept) in sleeps(300, 8).into_iter().enumerate() {
        let (least, most) = (slept.iter().min().expect("many"), slept.iter().max().expect("many"));
        assert!(*most <= ceiling(k), "after {k} earlier failures: {most:?}");
        // Of 300 even draws none falls into the upper or lower tenth once in 10^13 runs.
        assert!(*most > ceiling(k) * 9 / 10 && *least < ceiling(k) / 10, "after {k}: {least:?} to {most:?}");
    }
}

#[test]
fn s110_each_sleep_is_drawn_evenly_from_its_whole_range() {
    const DRAWS: usize = 2000;
    for (k, slept) in sleeps(DRAWS, 8).into_iter().enumerate() {
        let mut tenths = [0_i64; 10];
        for sleep in slept {
            let tenth = sleep.as_nanos() * 10 / ceiling(k).as_nanos();
            tenths[usize::try_from(tenth).expect("small").min(9)] += 1;
        }
        // Chi-squared with 9 degrees of freedom: above 60 once in 10^9 lists.
        let expected = i64::try_from(DRAWS / 10).expect("small");
        let squares: i64 = tenths.iter().map(|seen| (seen - expected).pow(2)).sum();
        assert!(squares / expected < 60, "after {k} earlier failures: {tenths:?}");
    }
}

#[test]
fn s110_no_sleep_follows_the_last_attempt() {
    let (db, server, clock) = world();
    deadlocks(&server, 9);
    let result = db.unit("conflict").retry(POLICY.max_attempts(3)).run::<_, Error>(|tx| tx.query_drop(SQL));
    assert_eq!(result.expect_err("it never succeeds").attempts(), 3);
    assert_eq!(clock.slept().len(), 2);
    let never = db.unit("conflict").retry(Retry::NEVER).run::<_, Error>(|tx| tx.query_drop(SQL));
    assert_eq!(never.expect_err("one attempt").kind(), ErrorKind::Serialization);
    assert_eq!(clock.slept().len(), 2);
}

#[unit_of_work(isolation = "read committed", read_only, name = "n", retry(max_attempts = 2, base = "7ms"), db = db)]
fn one_order(tx: &mut Tx<'_>, db: &Database) -> Result<(), Error> {
    let _ = db;
    tx.query_drop(SQL)
}

#[unit_of_work(db = db, retry(base = "7ms", max_attempts = 2), name = "n", read_only, isolation = "read committed")]
fn another_order(tx: &mut Tx<'_>, db: &Database) -> Result<(), Error> {
    let _ = db;
    tx.query_drop(SQL)
}

/// One way to write a unit down.
type Written<'w> = &'w dyn Fn(&Database) -> Result<(), Error>;

#[test]
fn s110_arguments_and_setters_commute() {
    let (a, b) = (Duration::from_millis(3), Duration::from_secs(4));
    let orders = [
        Retry::DEFAULT.max_attempts(7).base(a).cap(b).within(b * 2),
        Retry::DEFAULT.within(b * 2).cap(b).base(a).max_attempts(7),
    ];
    assert_eq!(orders[0], orders[1]);
    let two = Retry::DEFAULT.max_attempts(2).base(Duration::from_millis(7));
    let runs: [Written<'_>; 4] = [
        &|db| one_order(db),
        &|db| another_order(db),
        &|db| db.unit("n").isolation(Isolation::ReadCommitted).read_only().retry(two).run(|tx| tx.query_drop(SQL)),
        &|db| db.unit("n").retry(two).read_only().isolation(Isolation::ReadCommitted).run(|tx| tx.query_drop(SQL)),
    ];
    let seen = runs.map(|run| {
        let (db, server, clock) = world();
        deadlocks(&server, 9);
        let error = run(&db).expect_err("it never succeeds");
        (server.take_log(), error.unit().map(str::to_owned), error.attempts(), clock.slept().len())
    });
    assert_eq!((seen[0].1.as_deref(), seen[0].2, seen[0].3), (Some("n"), 2, 1));
    assert_eq!(
        seen[0].0.first().map(String::as_str),
        Some("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY")
    );
    assert!(seen.iter().all(|other| *other == seen[0]), "{seen:#?}");
}

/// Whoever sleeps must hold nothing: while it does, another thread runs a unit on the only session.
#[derive(Debug, Clone, Default)]
struct Watched {
    clock: VirtualClock,
    db: Arc<OnceLock<Database>>,
}

impl Clock for Watched {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn sleep(&self, time: Duration) {
        self.clock.sleep(time);
        let db = self.db.get().expect("no unit runs before the test has set it");
        let other = || db.unit("other").run::<_, Error>(|tx| tx.query_drop("SELECT 1"));
        thread::scope(|scope| scope.spawn(other).join()).expect("it does not panic").expect("the session is not held");
    }
}

#[test]
fn s23_no_session_is_held_while_sleeping() {
    let (server, watched) = (Script::new(), Watched::default());
    let builder = Database::builder().script(&server).clock(watched.clone()).max_connections(1);
    let db = builder.acquire_timeout(Duration::from_secs(5)).connect().expect("a scripted server");
    watched.db.set(db.clone()).expect("set once");
    deadlocks(&server, 3);
    db.unit("conflict").run::<_, Error>(|tx| tx.query_drop(SQL)).expect("the fourth attempt");
    assert_eq!(watched.clock.slept().len(), 3);
    let others = server.take_log().into_iter().filter(|text| text == "SELECT 1").count();
    assert_eq!((others, server.connections()), (3, 1));
}

#[test]
fn s20_no_attempt_begins_later_than_the_limit_after_the_first() {
    let (db, server, clock) = world();
    deadlocks(&server, 99);
    let (began, begins) = (clock.now(), RefCell::new(Vec::new()));
    let result = db.unit("slow").run::<_, Error>(|tx| {
        begins.borrow_mut().push(clock.now() - began);
        clock.advance(Duration::from_millis(3300));
        tx.query_drop(SQL)
    });
    let error = result.expect_err("it never succeeds");
    let begins = begins.take();
    // Each attempt takes 3.3 s and the sleeps are a few milliseconds: the fourth begins at 9.9 s, the fifth would at 13.2 s.
    assert_eq!((error.kind(), error.attempts(), begins.len()), (ErrorKind::RetriesExhausted, 4, 4));
    assert!(begins.iter().all(|begin| *begin <= Duration::from_secs(10)), "{begins:?}");
    assert!(error.to_string().contains("4 attempts in 13."), "{error}");
    let last = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<Error>());
    assert_eq!(
        last.map(|last| (last.kind(), last.code(), last.attempts())),
        Some((ErrorKind::Serialization, Some(1213), 4))
    );
}

/// An argument that counts how often it is cloned.
#[derive(Debug)]
struct Counted<'c>(&'c Cell<u32>);

impl Clone for Counted<'_> {
    fn clone(&self) -> Self {
        self.0.set(self.0.get() + 1);
        Self(self.0)
    }
}

#[unit_of_work(db = db, retry(max_attempts = 3, base = "0ms"))]
fn three_times(tx: &mut Tx<'_>, db: &Database, counted: Counted<'_>) -> Result<(), Error> {
    let _ = (db, counted);
    tx.query_drop(SQL)
}

#[unit_of_work(db = db)]
fn joins(tx: &mut Tx<'_>, db: &Database, counted: Counted<'_>) -> Result<(), Error> {
    let _ = (db, counted);
    tx.query_drop("SELECT 1")
}

#[test]
fn s27_the_last_attempt_and_joining_units_move_their_arguments() {
    let (db, server, _) = world();
    let clones = Cell::new(0);
    deadlocks(&server, 3);
    three_times(&db, Counted(&clones)).expect_err("three deadlocks");
    assert_eq!(clones.take(), 2, "three attempts, the last moves");
    db.unit("outer").run(|_| joins(&db, Counted(&clones))).expect("a joined unit");
    assert_eq!(clones.take(), 0);
    joins(&db, Counted(&clones)).expect("a unit of its own");
    assert_eq!(clones.take(), 1, "under a time limit alone each attempt clones");
}

struct NotClone(u32);

#[unit_of_work(db = db, retry = "never")]
fn once(tx: &mut Tx<'_>, db: &Database, moved: NotClone, kept: &mut Vec<NotClone>) -> Result<(), Error> {
    let _ = db;
    kept.push(moved);
    tx.query_drop(SQL)
}

#[test]
fn s27_without_retry_arguments_are_moved_and_the_fault_comes_back_as_it_is() {
    let (db, server, clock) = world();
    let mut kept = Vec::new();
    deadlocks(&server, 1);
    let error = once(&db, NotClone(1), &mut kept).expect_err("a deadlock");
    assert_eq!((error.kind(), error.code(), error.attempts()), (ErrorKind::Serialization, Some(1213), 1));
    assert!(clock.slept().is_empty());
    once(&db, NotClone(2), &mut kept).expect("no deadlock");
    assert_eq!(kept.iter().map(|kept| kept.0).collect::<Vec<_>>(), [1, 2]);
}
