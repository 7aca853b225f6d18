//! The history that is checked: threads append to a few lists and read them, in units of one to four steps, and write down what
//! they saw. Lists are replaced by new ones when they are long, so that nobody waits for ever longer reads.

use std::panic::resume_unwind;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use unit_of_work::mysql::Conn;
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Database, Error, Isolation, Tx};

use super::history::{Element, Fate, Key, Op, Transaction};
use crate::answers::Answer;

/// Lists in use at once: few, so that transactions meet.
const LISTS: usize = 10;
/// Elements of a list.
const LENGTH: Element = 128;
/// Steps of a unit.
const STEPS: usize = 4;
/// The longest pause between two steps, in microseconds: without pauses units end before others begin.
const PAUSE_US: u64 = 2000;

const READ: &str = "SELECT elements FROM list WHERE id = ?";
const APPEND: &str =
    "INSERT INTO list VALUES (?, ?) ON DUPLICATE KEY UPDATE elements = CONCAT(elements, ',', VALUES(elements))";

/// What is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) level: Isolation,
    pub(crate) threads: usize,
    pub(crate) time: Duration,
}

/// What was recorded, and how often bodies ran.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) history: Vec<Transaction>,
    pub(crate) runs: u64,
}

pub(crate) fn create(conn: &mut Conn) -> Result<(), unit_of_work::mysql::Error> {
    conn.query_drop("CREATE TABLE list (id BIGINT UNSIGNED PRIMARY KEY, elements TEXT NOT NULL) ENGINE=InnoDB")
}

/// Runs units for as long as the load says.
pub(crate) fn record(db: &Database, load: Load) -> Recorded {
    let lists = InUse::new();
    let end = Instant::now() + load.time;
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..load.threads).map(|_| scope.spawn(|| record_one(db, load.level, &lists, end))).collect();
        let recorded = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        recorded.fold(Recorded::default(), |mut all, one| {
            all.history.extend(one.history);
            all.runs += one.runs;
            all
        })
    })
}

fn record_one(db: &Database, level: Isolation, lists: &InUse, end: Instant) -> Recorded {
    let mut recorded = Recorded::default();
    while Instant::now() < end {
        let steps = lists.draw();
        let runs = std::cell::Cell::new(0);
        let told = db.unit("steps").isolation(level).run(|tx| {
            runs.set(runs.get() + 1);
            run(tx, &steps)
        });
        recorded.runs += runs.get();
        recorded.history.push(transaction(steps, told));
    }
    recorded
}

/// Does the steps and returns them with what was read.
fn run(tx: &mut Tx<'_>, steps: &[Op]) -> Result<Vec<Op>, Error> {
    let done = steps.iter().map(|step| {
        thread::sleep(Duration::from_micros(fastrand::u64(0..PAUSE_US)));
        match step {
            Op::Read(key, _) => {
                let text: Option<String> = tx.exec_first(READ, (key,))?;
                Ok(Op::Read(*key, Some(elements(&text.unwrap_or_default()))))
            }
            Op::Append(key, element) => {
                tx.exec_drop(APPEND, (key, element.to_string()))?;
                Ok(step.clone())
            }
        }
    });
    done.collect()
}

/// # Panics
/// On a text that nobody of ours wrote.
fn elements(text: &str) -> Vec<Element> {
    let parts = text.split(',').filter(|part| !part.is_empty());
    parts.map(|part| part.parse().unwrap_or_else(|_| panic!("{text} is not a list"))).collect()
}

fn transaction(steps: Vec<Op>, told: Result<Vec<Op>, Error>) -> Transaction {
    let (answer, ops) = match told {
        Ok(done) => (Answer::Committed, done),
        Err(error) => (Answer::of(&Err(error)), steps),
    };
    let fate = match answer {
        Answer::Committed => Fate::Ok,
        Answer::Absent => Fate::Fail,
        Answer::Unknown => Fate::Info,
    };
    Transaction { fate, ops }
}

/// The lists in use, each with what is appended to it next.
#[derive(Debug)]
struct InUse(Mutex<State>);

#[derive(Debug)]
struct State {
    lists: Vec<(Key, Element)>,
    next: Key,
}

impl InUse {
    fn new() -> Self {
        let next = LISTS as Key;
        Self(Mutex::new(State { lists: (0..next).map(|key| (key, 1)).collect(), next }))
    }

    /// One unit's steps. What is appended is appended by nobody else.
    fn draw(&self) -> Vec<Op> {
        let mut state = self.state();
        (0..fastrand::usize(1..=STEPS)).map(|_| state.draw()).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn draw(&mut self) -> Op {
        let at = fastrand::usize(..self.lists.len());
        let (key, element) = self.lists[at];
        if fastrand::bool() {
            return Op::Read(key, None);
        }
        self.lists[at].1 += 1;
        if element == LENGTH {
            self.lists[at] = (self.next, 1);
            self.next += 1;
        }
        Op::Append(key, element)
    }
}
