//! Every point at which a unit can fail, every way to fail there, on a scripted server: an error, a deadlock, a panic where user
//! code runs, the connection lost before and after. Decided for each: what the caller gets, what was sent, which hooks ran, and
//! that thread and pool are as before.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use unit_of_work::mysql::Params;
use unit_of_work::testing::{Reply, Script};
use unit_of_work::{Database, Error, ErrorKind, Isolation, Outcome, Propagation, Retry, Tx, UnitBuilder, in_unit};

use crate::world::{FAIL, Trouble};
use Act::{Fails, Panics, Touches, Works};
use Place::{AfterCommit, AfterRollback, BeforeCommit, End, Errors, Inner, Parameters, Row};
use Reply::{LostAfter, LostBefore};
use Said::{BodysOwn, Fault, Panic, Value};

const FIRST: &str = "UPDATE a SET x = 1";
const INNER: &str = "SELECT b FROM b";
const HOOK: &str = "UPDATE h SET x = 1";
const TOUCH: &str = "SET @touched = 1";
const LATER: &str = "UPDATE j SET x = 1";
const NEXT: &str = "SELECT 1";

/// Where user code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
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
enum Act {
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
enum Said {
    Value,
    BodysOwn,
    Panic,
    Fault(ErrorKind, Outcome),
}

const UNKNOWN: Said = Fault(ErrorKind::CommitUnknown, Outcome::Unknown);

fn rolled_back(kind: ErrorKind) -> Said {
    Fault(kind, Outcome::RolledBack)
}

/// The statement that something happens at, none of it being begun by another's text.
mod at {
    pub(super) const BEGIN: &str = "SET SESSION";
    pub(super) const FIRST: &str = "UPDATE a";
    pub(super) const SAVEPOINT: &str = "SAVEPOINT";
    pub(super) const INNER: &str = "SELECT b";
    pub(super) const RELEASE: &str = "RELEASE";
    pub(super) const ROLLBACK_TO: &str = "ROLLBACK TO";
    pub(super) const HOOK: &str = "UPDATE h";
    pub(super) const COMMIT: &str = "COMMIT";
    pub(super) const ROLLBACK: &str = "ROLLBACK AND";
    pub(super) const LATER: &str = "UPDATE j";
    pub(super) const RESET: &str = "RESET CONNECTION";
}

/// An error of the server's; SQLSTATE as the server has it, where it matters.
fn error(code: u16) -> Reply {
    match code {
        1213 => Reply::error(code, "40001", "Deadlock found when trying to get lock"),
        _ => Reply::error(code, "HY000", "as scripted"),
    }
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
struct World {
    db: Database,
    server: Script,
    diary: Arc<Mutex<String>>,
    acts: &'static [(Place, Act)],
}

impl World {
    fn new(acts: &'static [(Place, Act)]) -> Self {
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

    fn run(&self) -> Said {
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
    fn sent(&self) -> String {
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
    fn assert_idle(&self, connections: usize) {
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

/// What the server answers, what user code does; then what the caller gets, what was sent, which hooks ran, and what the next
/// unit on the thread sends.
#[derive(Debug)]
struct Case {
    answers: Vec<(&'static str, Reply)>,
    acts: &'static [(Place, Act)],
    said: Said,
    sent: &'static str,
    hooks: &'static str,
    next: &'static str,
}

/// On the same session, or on another one.
const SAME: &str = "n C";
/// On a new one, on which the old one is ended first.
const OTHER: &str = "+ k1 s n C";

impl Case {
    fn at(at: &'static str, reply: Reply) -> Self {
        Self { answers: vec![(at, reply)], ..Self::acting(&[]) }
    }

    fn acting(acts: &'static [(Place, Act)]) -> Self {
        Self { answers: Vec::new(), acts, said: Value, sent: "", hooks: "bc", next: SAME }
    }

    fn and(mut self, at: &'static str, reply: Reply) -> Self {
        self.answers.push((at, reply));
        self
    }

    fn with(self, acts: &'static [(Place, Act)]) -> Self {
        Self { acts, ..self }
    }

    fn says(self, said: Said) -> Self {
        Self { said, ..self }
    }

    fn sends(self, sent: &'static str) -> Self {
        Self { sent, ..self }
    }

    fn hooks(self, hooks: &'static str) -> Self {
        Self { hooks, ..self }
    }

    fn next(self, next: &'static str) -> Self {
        Self { next, ..self }
    }

    fn check(&self) -> Result<(), String> {
        let world = World::new(self.acts);
        for (at, reply) in &self.answers {
            world.server.answer(at, reply.clone());
        }
        let said = world.run();
        let sent = world.sent();
        let hooks = std::mem::take(&mut *world.diary.lock().expect("the hooks are done"));
        world.assert_idle(1 + opened(&sent) - shut(&sent));
        let after = world.db.unit("next").isolation(Isolation::ReadCommitted).run::<_, Error>(|tx| {
            assert!(in_unit());
            tx.query_drop(NEXT)
        });
        let next = world.sent();
        world.assert_idle(1);
        let seen = (said, sent.as_str(), hooks.as_str(), after.map_err(|error| error.to_string()), next.as_str());
        let expected = (self.said, self.sent, self.hooks, Ok(()), self.next);
        match seen == expected {
            true => Ok(()),
            false => Err(format!("{:?}, {:?}:\n  expected {expected:?}\n  seen     {seen:?}", self.answers, self.acts)),
        }
    }
}

fn opened(sent: &str) -> usize {
    sent.matches('+').count()
}

fn shut(sent: &str) -> usize {
    sent.matches('x').count()
}

fn check(cases: impl IntoIterator<Item = Case>) {
    let wrong: Vec<_> = cases.into_iter().filter_map(|case| case.check().err()).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn s09_where_nothing_fails_each_point_is_passed_once() {
    check([
        Case::acting(&[]).sends("s a ( i ) h C"),
        Case::acting(&[(Inner, Fails), (Errors, Works)]).sends("s a ( i < h C").hooks("ibc"),
        Case::acting(&[(End, Fails)]).says(BodysOwn).sends("s a ( i ) R").hooks("ri"),
        Case::acting(&[(End, Touches)]).sends("s a ( i ) t h C z").next("s n C"),
        Case::acting(&[(AfterCommit, Works)]).sends("s a ( i ) h C j C"),
    ]);
}

#[test]
fn s09_a_failure_at_the_begin() {
    let at = |reply| Case::at(at::BEGIN, reply);
    let statement = rolled_back(ErrorKind::Statement);
    check([
        at(error(1231)).says(statement).sends("s").hooks("r").next("s n C"),
        at(error(1213)).sends("s s a ( i ) h C").hooks("rbc"),
        at(LostBefore).sends("s x + k1 s a ( i ) h C").hooks("rbc"),
        at(LostAfter).sends("s x + k1 s a ( i ) h C").hooks("rbc"),
        Case::acting(&[(Parameters, Panics)]).says(Panic).sends("").hooks("r").next("s n C"),
    ]);
}

#[test]
fn s09_a_failure_at_a_statement() {
    let at = |reply| Case::at(at::FIRST, reply);
    let statement = rolled_back(ErrorKind::Statement);
    check([
        at(error(1062)).says(statement).sends("s a R").hooks("r"),
        at(error(1062)).with(&[(Errors, Works)]).sends("s a ( i ) h C"),
        at(error(1213)).sends("s a R a ( i ) h C").hooks("rbc"),
        at(error(1213)).with(&[(Errors, Works)]).sends("s a R a ( i ) h C").hooks("rbc"),
        at(error(1213)).with(&[(Errors, Works), (End, Panics)]).says(Panic).sends("s a R").hooks("r"),
        at(LostBefore).sends("s a x + k1 s a ( i ) h C").hooks("rbc"),
        at(LostAfter).sends("s a x + k1 s a ( i ) h C").hooks("rbc"),
        at(LostAfter).with(&[(Errors, Works)]).sends("s a x + k1 s a ( i ) h C").hooks("rbc"),
        Case::acting(&[(End, Panics)]).says(Panic).sends("s a ( i ) R").hooks("ri"),
    ]);
}

#[test]
fn s09_a_failure_at_a_statement_in_a_savepoint() {
    let at = |reply| Case::at(at::INNER, reply);
    let statement = rolled_back(ErrorKind::Statement);
    let rows = || Reply::value("b", 1);
    check([
        at(error(1062)).says(statement).sends("s a ( i < R").hooks("ir"),
        at(error(1062)).with(&[(Errors, Works)]).sends("s a ( i ) h C"),
        at(error(1213)).sends("s a ( i R a ( i ) h C").hooks("ribc"),
        at(error(1213)).with(&[(Errors, Works)]).sends("s a ( i R a ( i ) h C").hooks("ribc"),
        at(LostBefore).sends("s a ( i x + k1 s a ( i ) h C").hooks("ribc"),
        at(LostAfter).sends("s a ( i x + k1 s a ( i ) h C").hooks("ribc"),
        at(LostAfter).with(&[(Errors, Works)]).sends("s a ( i x + k1 s a ( i ) h C").hooks("ribc"),
        at(rows()).with(&[(Row, Panics)]).says(Panic).sends("s a ( i < R").hooks("ir"),
        Case::acting(&[(Inner, Panics)]).says(Panic).sends("s a ( i < R").hooks("ir"),
    ]);
}

#[test]
fn s09_a_failure_at_a_savepoint() {
    let at = |reply| Case::at(at::SAVEPOINT, reply);
    let statement = rolled_back(ErrorKind::Statement);
    check([
        at(error(1105)).says(statement).sends("s a ( R").hooks("r"),
        at(error(1105)).with(&[(Errors, Works)]).sends("s a ( h C"),
        at(error(1213)).sends("s a ( R a ( i ) h C").hooks("rbc"),
        at(error(1213)).with(&[(Errors, Works)]).sends("s a ( R a ( i ) h C").hooks("rbc"),
        at(LostBefore).sends("s a ( x + k1 s a ( i ) h C").hooks("rbc"),
        at(LostAfter).sends("s a ( x + k1 s a ( i ) h C").hooks("rbc"),
    ]);
}

#[test]
fn s09_a_failure_at_a_release() {
    let at = |reply| Case::at(at::RELEASE, reply);
    let statement = rolled_back(ErrorKind::Statement);
    let torn = Fault(ErrorKind::ImplicitCommit, Outcome::Torn);
    check([
        at(error(1105)).says(statement).sends("s a ( i ) R").hooks("ri"),
        at(error(1305)).says(torn).sends("s a ( i ) R").hooks("ri"),
        at(error(1305)).with(&[(Errors, Works)]).says(torn).sends("s a ( i ) R").hooks("ri"),
        at(error(1213)).sends("s a ( i ) R a ( i ) h C").hooks("ribc"),
        at(error(1213)).with(&[(Errors, Works)]).sends("s a ( i ) R a ( i ) h C").hooks("ribc"),
        at(LostBefore).sends("s a ( i ) x + k1 s a ( i ) h C").hooks("ribc"),
        at(LostAfter).sends("s a ( i ) x + k1 s a ( i ) h C").hooks("ribc"),
    ]);
}

/// Its caller was told that the inner unit failed; so nothing of it may be committed.
#[test]
fn s42_a_release_that_is_refused_dooms_who_swallows_it() {
    let statement = rolled_back(ErrorKind::Statement);
    check([Case::at(at::RELEASE, error(1105))
        .with(&[(Errors, Works)])
        .says(statement)
        .sends("s a ( i ) R")
        .hooks("ri")]);
}

/// The hook of the inner unit runs when the whole is rolled back, since it could not be by itself.
#[test]
fn s09_a_failure_at_a_rollback_to_a_savepoint() {
    const UNDOES: &[(Place, Act)] = &[(Inner, Fails), (Errors, Works)];
    let at = |reply| Case::at(at::ROLLBACK_TO, reply).with(UNDOES);
    let torn = Fault(ErrorKind::ImplicitCommit, Outcome::Torn);
    check([
        at(error(1213)).sends("s a ( i < R a ( i < h C").hooks("riibc"),
        at(error(1305)).says(torn).sends("s a ( i < R").hooks("ri"),
        at(LostBefore).sends("s a ( i < x + k1 s a ( i < h C").hooks("riibc"),
        at(LostAfter).sends("s a ( i < x + k1 s a ( i < h C").hooks("riibc"),
        at(LostBefore).with(&[(Inner, Panics)]).says(Panic).sends("s a ( i < x").hooks("ri").next(OTHER),
        at(error(1105)).with(&[(Inner, Panics)]).says(Panic).sends("s a ( i < R").hooks("ri"),
    ]);
}

/// What the inner unit did is still there: so it must not be committed.
#[test]
fn s09_a_rollback_to_a_savepoint_that_is_refused_dooms_the_whole() {
    let case = Case::at(at::ROLLBACK_TO, error(1105)).with(&[(Inner, Fails), (Errors, Works)]);
    check([case.says(rolled_back(ErrorKind::Statement)).sends("s a ( i < R").hooks("ri")]);
}

/// The body's own error is the reason; that undoing it failed too is not what its caller must be told.
#[test]
fn s02_a_rollback_to_a_savepoint_that_fails_does_not_hide_the_inner_units_error() {
    let case = Case::at(at::ROLLBACK_TO, error(1105)).with(&[(Inner, Fails)]);
    check([case.says(BodysOwn).sends("s a ( i < R").hooks("ri")]);
}

#[test]
fn s51_a_failure_at_a_hook_before_commit() {
    let at = |reply| Case::at(at::HOOK, reply);
    let refused = rolled_back(ErrorKind::HookRefused);
    check([
        Case::acting(&[(BeforeCommit, Fails)]).says(refused).sends("s a ( i ) h R").hooks("bri"),
        Case::acting(&[(BeforeCommit, Panics)]).says(Panic).sends("s a ( i ) h R").hooks("bri"),
        at(error(1062)).says(refused).sends("s a ( i ) h R").hooks("bri"),
        at(error(1062)).with(&[(Errors, Works)]).sends("s a ( i ) h C"),
        at(error(1213)).sends("s a ( i ) h R a ( i ) h C").hooks("bribc"),
        at(error(1213)).with(&[(Errors, Works)]).sends("s a ( i ) h R a ( i ) h C").hooks("bribc"),
        at(error(1213)).with(&[(Errors, Works), (BeforeCommit, Panics)]).says(Panic).sends("s a ( i ) h R").hooks("bri"),
        at(LostBefore).sends("s a ( i ) h x + k1 s a ( i ) h C").hooks("bribc"),
        at(LostAfter).sends("s a ( i ) h x + k1 s a ( i ) h C").hooks("bribc"),
        at(LostAfter).with(&[(Errors, Works)]).sends("s a ( i ) h x + k1 s a ( i ) h C").hooks("bribc"),
    ]);
}

#[test]
fn s09_a_failure_at_commit() {
    let at = |reply| Case::at(at::COMMIT, reply);
    let (statement, exhausted) = (rolled_back(ErrorKind::Statement), rolled_back(ErrorKind::RetriesExhausted));
    let unknown = |reply| at(reply).says(UNKNOWN).sends("s a ( i ) h C x").hooks("bu").next("+ s n C");
    check([
        at(error(1062)).says(statement).sends("s a ( i ) h C R").hooks("bri"),
        at(error(1213)).sends("s a ( i ) h C R a ( i ) h C").hooks("bribc"),
        at(error(1213))
            .and(at::COMMIT, error(1213))
            .says(exhausted)
            .sends("s a ( i ) h C R a ( i ) h C R")
            .hooks("bribri"),
        // The server has answered: no COMMIT is on its way that ending the connection could undo.
        unknown(error(1105)).next(OTHER),
        unknown(LostBefore),
        unknown(LostAfter),
    ]);
}

#[test]
fn s09_a_failure_at_rollback() {
    let at = |reply| Case::at(at::ROLLBACK, reply).sends("s a ( i ) R x").hooks("ri").next(OTHER);
    let fails = |reply| at(reply).with(&[(End, Fails)]).says(BodysOwn);
    let panics = |reply| at(reply).with(&[(End, Panics)]).says(Panic);
    check([
        fails(error(1105)),
        fails(error(1213)),
        fails(LostBefore),
        fails(LostAfter),
        panics(error(1105)),
        panics(error(1213)),
        panics(LostBefore),
        panics(LostAfter),
    ]);
}

#[test]
fn s56_a_failure_in_a_hook_after_commit() {
    let at = |reply| Case::at(at::LATER, reply).with(&[(AfterCommit, Works)]);
    check([
        Case::acting(&[(AfterCommit, Fails)]).sends("s a ( i ) h C").hooks("bc!"),
        Case::acting(&[(AfterCommit, Panics)]).sends("s a ( i ) h C").hooks("bc!"),
        at(error(1062)).sends("s a ( i ) h C j R").hooks("bc!"),
        at(error(1213)).sends("s a ( i ) h C j R j C"),
        at(LostBefore).sends("s a ( i ) h C j x + k1 s j C"),
        at(LostAfter).sends("s a ( i ) h C j x + k1 s j C"),
        at(LostAfter)
            .and(at::LATER, LostAfter)
            .sends("s a ( i ) h C j x + k1 s j x")
            .hooks("bc!")
            .next("+ k2 s n C"),
    ]);
}

#[test]
fn s56_a_failure_in_a_hook_after_rollback() {
    let at = |reply| Case::at(at::LATER, reply).with(&[(End, Fails), (AfterRollback, Works)]).says(BodysOwn);
    check([
        Case::acting(&[(End, Fails), (AfterRollback, Fails)]).says(BodysOwn).sends("s a ( i ) R").hooks("r!i"),
        Case::acting(&[(End, Fails), (AfterRollback, Panics)]).says(BodysOwn).sends("s a ( i ) R").hooks("r!i"),
        Case::acting(&[(End, Panics), (AfterRollback, Panics)]).says(Panic).sends("s a ( i ) R").hooks("r!i"),
        at(error(1062)).sends("s a ( i ) R j R").hooks("r!i"),
        at(error(1213)).sends("s a ( i ) R j R j C").hooks("ri"),
        at(LostBefore).sends("s a ( i ) R j x + k1 s j C").hooks("ri"),
        at(LostAfter).sends("s a ( i ) R j x + k1 s j C").hooks("ri"),
    ]);
}

/// The unit has ended, and its caller is not concerned.
#[test]
fn s67_a_failure_at_the_reset_of_a_touched_session() {
    let at = |reply| Case::at(at::RESET, reply).next(OTHER);
    let commits = |reply| at(reply).with(&[(End, Touches)]).sends("s a ( i ) t h C z x");
    let refuses = |reply| {
        let case = at(reply).with(&[(End, Touches), (BeforeCommit, Fails)]);
        case.says(rolled_back(ErrorKind::HookRefused)).sends("s a ( i ) t h R z x").hooks("bri")
    };
    check([error(1105), error(1213), LostBefore, LostAfter].map(commits));
    check([error(1105), error(1213), LostBefore, LostAfter].map(refuses));
}
