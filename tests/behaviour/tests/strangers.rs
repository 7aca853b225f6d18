//! A body that waits in a work-stealing pool may run somebody else's job on its thread. What that job's units then do: join a
//! stranger's transaction, or not, by what the job or its units were declared with.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Barrier, mpsc};
use std::thread;

use rayon::ThreadPoolBuilder;
use unit_of_work::{Database, Error, ErrorKind, Propagation, in_unit, outside};

use crate::world::{BOUND, FAIL, GIVE_TEN, TAKE_TEN, Trouble, World};

/// What the stranger's job does with a database; it returns what its unit returned: the connection that it ran on.
type Job = fn(&Database) -> Result<u64, Error>;

fn give(db: &Database, mode: Propagation) -> Result<u64, Error> {
    db.unit("stranger").propagation(mode).run(|tx| {
        tx.query_drop(GIVE_TEN)?;
        Ok(tx.query_first("SELECT CONNECTION_ID()")?.expect("a row"))
    })
}

/// What came of it.
#[derive(Debug)]
struct Seen {
    /// The connection of the unit whose body waited.
    waiting: u64,
    /// What the stranger was told.
    stranger: Result<u64, Error>,
    /// Accounts 1, which the unit that waited took from, and 2, which the stranger gave to.
    balances: Vec<i64>,
}

/// A unit on one of two workers waits in `join` for a job that the other worker has stolen, and that does not end before the
/// stranger's job has: so the only worker that can run the stranger's job is the one whose body waits. The unit then rolls back.
fn steal(job: Job) -> Seen {
    let world = World::with_accounts(1..=2);
    let pool = ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
    let (stolen, may_end) = (Barrier::new(3), Barrier::new(2));
    let (waiting, stranger) = thread::scope(|scope| {
        let unit = scope.spawn(|| pool.install(|| wait_in_join(&world.db, &stolen, &may_end)));
        stolen.wait();
        let (done, is_done) = mpsc::channel();
        let db = world.db.clone();
        pool.spawn(move || drop(done.send(job(&db))));
        let stranger = is_done.recv_timeout(BOUND);
        may_end.wait();
        (unit.join().expect("no panic"), stranger.expect("the worker whose body waits runs it"))
    });
    world.assert_clean(&world.db);
    Seen { waiting, stranger, balances: world.balances() }
}

/// Returns its connection.
fn wait_in_join(db: &Database, stolen: &Barrier, may_end: &Barrier) -> u64 {
    let own = Cell::new(0);
    let unit = db.unit("waiting").run(|tx| {
        tx.query_drop(TAKE_TEN)?;
        own.set(tx.query_first("SELECT CONNECTION_ID()")?.expect("a row"));
        let steal_me = || {
            stolen.wait();
            may_end.wait();
        };
        rayon::join(|| stolen.wait(), steal_me);
        FAIL
    });
    assert!(matches!(unit, Err(Trouble::Refused("a decision"))), "{unit:?}");
    own.get()
}

#[test]
fn s108_a_strangers_unit_joins_the_transaction_of_a_body_that_waits() {
    let seen = steal(|db| give(db, Propagation::Required));
    // This is what the others are for: the stranger was told `Ok`, and its row is gone with somebody else's transaction.
    assert_eq!(seen.stranger.expect("as if it were committed"), seen.waiting);
    assert_eq!(seen.balances, [100, 100]);
}

#[test]
fn s108_with_outside_around_its_job_it_does_not() {
    for job in
        [(|db| outside(|| give(db, Propagation::Required))) as Job, |db| outside(|| give(db, Propagation::Outermost))]
    {
        let seen = steal(job);
        assert_ne!(seen.stranger.expect("it is committed"), seen.waiting);
        assert_eq!(seen.balances, [100, 110]);
    }
}

#[test]
fn s108_with_outermost_on_its_unit_it_is_refused_instead() {
    let seen = steal(|db| give(db, Propagation::Outermost));
    let error = seen.stranger.expect_err("it would not be the outermost");
    assert_eq!(error.kind(), ErrorKind::Propagation, "{error}");
    assert!(error.to_string().contains("`waiting`"), "{error}");
    assert_eq!(seen.balances, [100, 100]);
}

#[test]
fn s108_what_outside_hides_is_there_again_afterwards() {
    let world = World::with_accounts(1..=2);
    let outer = world.db.unit("outer").run::<_, Trouble>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let caught = catch_unwind(AssertUnwindSafe(|| outside(|| std::panic::panic_any("in the job"))));
        caught.expect_err("it goes through");
        assert!(!outside(in_unit) && in_unit());
        give(&world.db, Propagation::Mandatory)?;
        FAIL
    });
    outer.expect_err("the body's own");
    assert_eq!(world.balances(), [100, 100], "the mandatory one has joined");
    world.assert_clean(&world.db);
}
