//! Threads that hold a session each and ask for a second one when there is none left: who would close the circle is refused at
//! once, and told who holds what; the others go on.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use unit_of_work::{Database, Error, ErrorKind, Outcome, Propagation, Retry, outside};

use crate::world::{TAKE_TEN, World};

/// What a thread does that is in the unit `first` or `second`, once both are: it asks for a second session.
type Ask = fn(&Database) -> Result<(), Error>;

fn requires_new(db: &Database) -> Result<(), Error> {
    db.unit("inner").propagation(Propagation::RequiresNew).run(|tx| tx.query_drop("SELECT 1"))
}

fn not_supported(db: &Database) -> Result<(), Error> {
    db.unit("inner").propagation(Propagation::NotSupported).run(|tx| tx.query_drop("SELECT 1"))
}

/// What a job that is not the body's own does: the body's session is held all the same.
fn outside_of_units(db: &Database) -> Result<(), Error> {
    outside(|| db.unit("inner").run(|tx| tx.query_drop("SELECT 1")))
}

/// With every other limit far away, only a refusal at once ends the test in time.
const PATIENCE: Duration = Duration::from_secs(60);
const AT_ONCE: Duration = Duration::from_secs(10);

/// A pool of two, shared by two threads that hold a session each before either asks for another.
struct Pair {
    world: World,
    db: Database,
    both_hold: Barrier,
}

impl Pair {
    fn new() -> Self {
        let world = World::with_accounts(1..=2);
        let db = world.connect(|builder| builder.max_connections(2).acquire_timeout(PATIENCE));
        Self { world, db, both_hold: Barrier::new(2) }
    }

    /// Holds a session, waits for the other thread, asks, and goes on whatever the answer is.
    fn ask_in_body(&self, name: &'static str, account: u8, ask: Ask) -> Asked {
        let unit = self.db.unit(name).retry(Retry::NEVER);
        let asked = unit.run::<_, Error>(|tx| {
            tx.exec_drop("UPDATE account SET balance = balance - 10 WHERE id = ?", (account,))?;
            self.both_hold.wait();
            Ok(Asked::by(|| ask(&self.db)))
        });
        asked.expect("the unit itself goes on")
    }

    /// The same, but it asks in a hook that runs before COMMIT.
    fn ask_before_commit(self: &Arc<Self>, name: &'static str, account: u8, ask: Ask) -> Asked {
        let (asked, pair) = (Rc::new(RefCell::new(None)), Arc::clone(self));
        let answer = Rc::clone(&asked);
        let unit = self.db.unit(name).retry(Retry::NEVER).run::<_, Error>(move |tx| {
            let (answer, pair) = (Rc::clone(&answer), Arc::clone(&pair));
            tx.before_commit(move |_| {
                pair.both_hold.wait();
                *answer.borrow_mut() = Some(Asked::by(|| ask(&pair.db)));
            });
            tx.exec_drop("UPDATE account SET balance = balance - 10 WHERE id = ?", (account,))
        });
        unit.expect("the unit itself goes on");
        asked.take().expect("the hook ran")
    }

    /// The same, but it asks in a hook of a unit that suspends it, after that one's COMMIT. Calls `in_hook` there first.
    fn ask_after_an_inner_commit(
        self: &Arc<Self>,
        name: &'static str,
        account: u8,
        in_hook: impl Fn() + 'static,
    ) -> Asked {
        let (asked, pair, in_hook) = (Rc::new(RefCell::new(None)), Arc::clone(self), Rc::new(in_hook));
        let answer = Rc::clone(&asked);
        let unit = self.db.unit(name).retry(Retry::NEVER).run::<_, Error>(move |tx| {
            tx.exec_drop("UPDATE account SET balance = balance - 10 WHERE id = ?", (account,))?;
            pair.db.unit("brief").propagation(Propagation::RequiresNew).run(|tx| {
                let (answer, pair, in_hook) = (Rc::clone(&answer), Arc::clone(&pair), Rc::clone(&in_hook));
                tx.after_commit(move || {
                    in_hook();
                    pair.both_hold.wait();
                    *answer.borrow_mut() = Some(Asked::by(|| requires_new(&pair.db)));
                });
                tx.query_drop("SELECT 1")
            })
        });
        unit.expect("the unit itself goes on");
        asked.take().expect("the hook ran")
    }

    /// Exactly one was refused, at once and with the holders' names; both units are committed.
    fn assert_one_was_refused(&self, asked: [Asked; 2]) {
        let refused: Vec<Asked> = asked.into_iter().filter(|asked| asked.answer.is_err()).collect();
        let [Asked { answer: Err(error), after }] = refused.as_slice() else { panic!("not exactly one: {refused:?}") };
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::PoolTimeout, Some(Outcome::NotStarted)), "{error}");
        assert!(*after < AT_ONCE, "refused after {after:?}");
        for holder in ["`first` (", "`second` (", file!(), "2 connections", "max_connections"] {
            assert!(error.to_string().contains(holder), "{holder} is not in: {error}");
        }
        assert_eq!(self.world.balances(), [90, 90]);
        self.world.assert_clean(&self.db);
    }
}

/// What a thread that asked was told, and how soon.
#[derive(Debug)]
struct Asked {
    answer: Result<(), Error>,
    after: Duration,
}

impl Asked {
    fn by(ask: impl FnOnce() -> Result<(), Error>) -> Self {
        let began = Instant::now();
        let answer = ask();
        Self { answer, after: began.elapsed() }
    }
}

fn in_two_threads(pair: &Pair, first: impl FnOnce() -> Asked + Send, second: impl FnOnce() -> Asked + Send) {
    let asked = thread::scope(|scope| {
        let threads = [scope.spawn(first), scope.spawn(second)];
        threads.map(|thread| thread.join().expect("no thread panics"))
    });
    pair.assert_one_was_refused(asked);
}

#[test]
fn s38_of_two_threads_that_hold_all_sessions_and_want_another_one_is_refused_at_once() {
    let asks: [(Ask, Ask); 4] = [
        (requires_new, requires_new),
        (requires_new, not_supported),
        (not_supported, not_supported),
        (requires_new, outside_of_units),
    ];
    for (first, second) in asks {
        let pair = Pair::new();
        in_two_threads(&pair, || pair.ask_in_body("first", 1, first), || pair.ask_in_body("second", 2, second));
    }
}

#[test]
fn s38_a_thread_that_holds_all_sessions_itself_is_refused_at_once() {
    let world = World::with_accounts(1..=1);
    let db = world.connect(|builder| builder.max_connections(2).acquire_timeout(PATIENCE));
    let nested_twice = db.unit("first").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        db.unit("second").propagation(Propagation::RequiresNew).run(|_| Ok(Asked::by(|| not_supported(&db))))
    });
    let Asked { answer, after } = nested_twice.expect("both go on");
    let error = answer.expect_err("there is no third session");
    assert_eq!(error.kind(), ErrorKind::PoolTimeout, "{error}");
    assert!(after < AT_ONCE, "refused after {after:?}");
    assert_eq!(world.balances(), [90]);
}

#[test]
fn s38_a_hook_that_runs_inside_its_unit_is_part_of_a_circle() {
    let pair = Arc::new(Pair::new());
    in_two_threads(
        &pair,
        || pair.ask_before_commit("first", 1, requires_new),
        || pair.ask_in_body("second", 2, not_supported),
    );
    let pair = Arc::new(Pair::new());
    in_two_threads(
        &pair,
        || pair.ask_before_commit("first", 1, requires_new),
        || pair.ask_before_commit("second", 2, requires_new),
    );
}

/// The unit whose hook it is has given its session back, but the one that it suspends still holds one.
#[test]
fn s38_a_hook_that_runs_before_the_suspended_unit_resumes_is_part_of_a_circle() {
    let pair = Arc::new(Pair::new());
    let (first, second) = (Arc::clone(&pair), Arc::clone(&pair));
    let (go, gone) = mpsc::channel();
    in_two_threads(
        &pair,
        move || first.ask_after_an_inner_commit("first", 1, move || go.send(()).expect("the second waits for it")),
        move || {
            gone.recv().expect("the hook is reached");
            second.ask_in_body("second", 2, requires_new)
        },
    );
}

/// Who holds nothing while it waits closes no circle: it is served when the others are done.
#[test]
fn s38_a_hook_after_the_end_holds_nothing_and_nobody_is_refused() {
    let pair = Arc::new(Pair::new());
    let asked = thread::scope(|scope| {
        let hooked = Arc::clone(&pair);
        let first = scope.spawn(move || {
            let db = hooked.db.clone();
            let unit = db.unit("first").run::<_, Error>(|tx| {
                let hooked = Arc::clone(&hooked);
                tx.after_commit(move || {
                    hooked.both_hold.wait();
                    hooked.db.unit("in the hook").run::<_, Error>(|tx| tx.query_drop(TAKE_TEN))
                });
                tx.query_drop(TAKE_TEN)
            });
            unit.expect("it is committed");
        });
        let second = pair.ask_in_body("second", 2, requires_new);
        first.join().expect("no panic");
        second
    });
    asked.answer.expect("a session is free");
    assert_eq!(pair.world.balances(), [80, 90]);
}
