//! The stage for one failure: a unit that passes every point at which one can fail, and what user code does there. What is to go
//! wrong, and what must be seen then, is `case`.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use unit_of_work::mysql::Params;
use unit_of_work::testing::Script;
use unit_of_work::{Database, ErrorKind, Isolation, Outcome, Propagation, Retry, Tx, UnitBuilder, in_unit};

use crate::world::{FAIL, Trouble};
use Act::{Fails, Panics, Touches, Works};
use Place::{AfterCommit, AfterRollback, BeforeCommit, End, Errors, Inner, Parameters, Row};
use Said::{BodysOwn, Fault, Panic, Value};

const FIRST: &str = "UPDATE a SET x = 1";
const INNER: &str = "SELECT b FROM b";
const HOOK: &str = "UPDATE h SET x = 1";
const TOUCH: &str = "SET @touched = 1";
const LATER: &str = "UPDATE j SET x = 1";
pub(super) const NEXT: &str = "SELECT 1";

/// Where user code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The conversion of the first statement's parameters.
    Parameters,
    /// The closure that is given the row of the inner unit's statement.
    Row,
    /// The inner unit's body.
    Inner,
    /// Wherever the body gets an error of a statement or of the inner unit.
    Errors,
    /// The end of the body.
    End,
    /// The hook before COMMIT.
    BeforeCommit,
    /// The hook after COMMIT.
    AfterCommit,
    /// The hook after ROLLBACK.
    AfterRollback,
}

/// What it does there; passing errors on and returning `Ok`, if nothing else is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// Returns an error of its own.
    Fails,
    /// Panics.
    Panics,
    /// Ignores an error; runs a unit, in a hook.
    Works,
    /// Leaves something on the session.
    Touches,
}

/// What the caller gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Value,
    BodysOwn,
    Panic,
    Fault(ErrorKind, Outcome),
}

/// A parameter that panics when it is converted.
struct Explosive;

impl From<Explosive> for Params {
    fn from(_: Explosive) -> Self {
        explode()
    }
}

/// Without the panic hook, which would print each of them.
fn explode() -> ! {
    resume_unwind(Box::new("a panic of the test's own"))
}

/// A scripted server, a `Database` of ours on it, and what is written down by hooks: `b` before COMMIT, `c` after it, `r` after
/// the unit's ROLLBACK, `i` after that of the inner unit, `u` after an unknown end, `!` a hook's failure that was reported.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) db: Database,
    pub(super) server: Script,
    pub(super) diary: Arc<Mutex<String>>,
    acts: &'static [(Place, Act)],
}

impl World {
    pub(super) fn new(acts: &'static [(Place, Act)]) -> Self {
        let (server, diary) = (Script::new(), Arc::<Mutex<String>>::default());
        let reports = Arc::clone(&diary);
        let report = move |_: &_| reports.lock().expect("nothing panics while it holds this").push('!');
        let db = Database::builder().script(&server).on_hook_error(report).connect().expect("a scripted server");
        drop(server.take_sent());
        Self { db, server, diary, acts }
    }

    fn unit(&self, name: &'static str) -> UnitBuilder<'_, unit_of_work::MySql> {
        let two = Retry::DEFAULT.max_attempts(2).base(Duration::ZERO);
        self.db.unit(name).isolation(Isolation::ReadCommitted).retry(two)
    }

    fn write(&self, letter: char) {
        self.diary.lock().expect("nothing panics while it holds this").push(letter);
    }

    fn at(&self, place: Place) -> Option<Act> {
        self.acts.iter().find(|(at, _)| *at == place).map(|(_, act)| *act)
    }

    fn act(&self, place: Place) -> Result<(), Trouble> {
        match self.at(place) {
            Some(Fails) => FAIL,
            Some(Panics) => explode(),
            Some(Works | Touches) | None => Ok(()),
        }
    }

    pub(super) fn run(&self) -> Said {
        match catch_unwind(AssertUnwindSafe(|| self.unit("outer").run(|tx| self.outer(tx)))) {
            Ok(Ok(())) => Value,
            Ok(Err(Trouble::Refused(_))) => BodysOwn,
            Ok(Err(Trouble::Work(error))) => Fault(error.kind(), error.outcome().expect("the unit has ended")),
            Err(_) => Panic,
        }
    }

    fn outer(&self, tx: &mut Tx<'_>) -> Result<(), Trouble> {
        self.register(tx);
        let first = match self.at(Parameters) {
            Some(_) => tx.exec_drop(FIRST, Explosive),
            None => tx.query_drop(FIRST),
        };
        self.unless_ignored(first.map_err(Trouble::Work))?;
        let nested = self.db.unit("inner").propagation(Propagation::Nested);
        self.unless_ignored(nested.run(|tx| self.inner(tx)))?;
        if self.acts.contains(&(End, Touches)) {
            tx.query_drop(TOUCH)?;
        }
        self.act(End)
    }

    fn inner(&self, tx: &mut Tx<'_>) -> Result<(), Trouble> {
        let world = self.clone();
        tx.after_rollback(move |_| world.write('i'));
        let rows = tx.query_each(INNER, |_: u8| self.act(Row).expect("it panics or does nothing"));
        self.unless_ignored(rows.map_err(Trouble::Work))?;
        self.act(Inner)
    }

    fn unless_ignored(&self, result: Result<(), Trouble>) -> Result<(), Trouble> {
        match self.at(Errors) {
            Some(_) => Ok(()),
            None => result,
        }
    }

    fn register(&self, tx: &mut Tx<'_>) {
        let hook = |letter| {
            let world = self.clone();
            move |place| {
                world.write(letter);
                world.afterwards(place)
            }
        };
        let (before, after_commit, after_rollback) = (self.clone(), hook('c'), hook('r'));
        tx.before_commit(move |tx| {
            before.write('b');
            before.unless_ignored(tx.query_drop(HOOK).map_err(Trouble::Work))?;
            before.act(BeforeCommit)
        });
        tx.after_commit(move || after_commit(AfterCommit));
        tx.after_rollback(move |_| after_rollback(AfterRollback));
        let unknown = self.clone();
        tx.on_unknown(move |_| unknown.write('u'));
    }

    fn afterwards(&self, place: Place) -> Result<(), Trouble> {
        assert!(!in_unit(), "a hook runs when the thread is as before");
        match self.at(place) {
            Some(Works) => self.unit("later").run(|tx| Ok(tx.query_drop(LATER)?)),
            Some(Fails | Panics | Touches) | None => self.act(place),
        }
    }

    /// What was sent since the last call, in short: `s` characteristics, `a`, `i`, `h`, `t`, `j`, `n` statements, `(` SAVEPOINT,
    /// `)` RELEASE, `<` ROLLBACK TO, `C` COMMIT, `R` ROLLBACK, `z` a reset, `+` a new connection, `x` one that was shut, `k` KILL
    /// CONNECTION with its number.
    pub(super) fn sent(&self) -> String {
        let short = self.server.take_sent().into_iter().map(|sent| match sent.text.as_str() {
            FIRST => "a".into(),
            INNER => "i".into(),
            HOOK => "h".into(),
            TOUCH => "t".into(),
            LATER => "j".into(),
            NEXT => "n".into(),
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE" => "s".into(),
            "COMMIT AND NO CHAIN NO RELEASE" => "C".into(),
            "ROLLBACK AND NO CHAIN NO RELEASE" => "R".into(),
            "RESET CONNECTION" => "z".into(),
            "CONNECT" => "+".into(),
            "SHUT" => "x".into(),
            text => in_short(text),
        });
        short.collect::<Vec<_>>().join(" ")
    }

    /// Connections that exist, idle, and nothing else.
    pub(super) fn assert_idle(&self, connections: usize) {
        let stats = self.db.stats();
        let seen = (stats.open, stats.free + stats.parked, stats.in_use, stats.waiting);
        assert_eq!(seen, (connections, connections, 0, 0), "{stats:?}");
        assert!(!in_unit());
    }
}

/// Texts that hold a number.
fn in_short(text: &str) -> String {
    for (start, short) in [
        ("SAVEPOINT unit_of_work_", "("),
        ("RELEASE SAVEPOINT unit_of_work_", ")"),
        ("ROLLBACK TO SAVEPOINT unit_of_work_", "<"),
    ] {
        if text.starts_with(start) {
            return short.to_owned();
        }
    }
    text.strip_prefix("KILL CONNECTION ").map_or(text.to_owned(), |number| format!("k{number}"))
}
