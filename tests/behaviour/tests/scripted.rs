//! Faults that no real server gives on request, on a scripted one: every point of a unit, every way to fail there, and what the
//! caller gets, what was sent, and that the next unit on the thread is fine.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::time::Duration;

use unit_of_work::testing::{Reply, Script};
use unit_of_work::{Database, Error, ErrorKind, Isolation, Outcome, Retry, Tx};

use crate::world::Trouble;
use Body::{Fails, Ignores, Panics, Passes};
use Reply::{LostAfter, LostBefore};
use Said::{Body as BodysOwn, Fault, Panic, Value};

/// What the body does; it sends the statements `a` and `b` and returns `Ok`, if nothing else is said.
#[derive(Debug, Clone, Copy)]
enum Body {
    /// Returns each error with `?`.
    Passes,
    /// Ignores each error and goes on to its `Ok`.
    Ignores,
    /// Returns an error of its own at the end.
    Fails,
    /// Panics at the end.
    Panics,
}

/// What the caller gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Value,
    Body,
    Panic,
    Fault(ErrorKind, Outcome),
}

const UNKNOWN: Said = Fault(ErrorKind::CommitUnknown, Outcome::Unknown);

fn rolled_back(kind: ErrorKind) -> Said {
    Fault(kind, Outcome::RolledBack)
}

/// An error of the server's; SQLSTATE as the server has it, where it matters.
fn error(code: u16) -> Reply {
    match code {
        1213 => Reply::error(code, "40001", "Deadlock found when trying to get lock"),
        1180 => Reply::error(code, "HY000", "Got error 149 - 'Lock deadlock; Retry transaction' during COMMIT"),
        _ => Reply::error(code, "HY000", "as scripted"),
    }
}

const A: &str = "UPDATE a SET x = 1";
const B: &str = "UPDATE b SET x = 1";
const NEXT: &str = "SELECT 1";

struct World {
    db: Database,
    server: Script,
}

impl World {
    fn new() -> Self {
        let server = Script::new();
        let db = Database::builder().script(&server).connect().expect("a scripted server");
        drop(server.take_sent());
        Self { db, server }
    }

    /// What was sent since the last call, in short: `s` characteristics, `t` START TRANSACTION, `a`, `b`, `n` statements, `C`
    /// COMMIT, `R` ROLLBACK, `+` a new connection, `x` one that was shut, `k` KILL CONNECTION with its number.
    fn sent(&self) -> String {
        let short = self.server.take_sent().into_iter().map(|sent| match sent.text.as_str() {
            A => "a".into(),
            B => "b".into(),
            NEXT => "n".into(),
            "COMMIT AND NO CHAIN NO RELEASE" => "C".into(),
            "ROLLBACK AND NO CHAIN NO RELEASE" => "R".into(),
            "START TRANSACTION" => "t".into(),
            "CONNECT" => "+".into(),
            "SHUT" => "x".into(),
            text if text.starts_with("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED") => "s".into(),
            text => text.strip_prefix("KILL CONNECTION ").map_or(text.to_owned(), |number| format!("k{number}")),
        });
        short.collect::<Vec<_>>().join(" ")
    }

    fn run(&self, body: Body) -> (Said, u32) {
        let runs = Cell::new(0);
        let two = Retry::DEFAULT.max_attempts(2).base(Duration::ZERO);
        let unit = || {
            self.db.unit("two").isolation(Isolation::ReadCommitted).retry(two).run(|tx| {
                runs.set(runs.get() + 1);
                for sql in [A, B] {
                    match (body, tx.query_drop(sql)) {
                        (Passes, Err(error)) => return Err(error.into()),
                        (Passes | Ignores | Fails | Panics, _) => {}
                    }
                }
                match body {
                    Passes | Ignores => Ok("a value"),
                    Fails => Err(Trouble::Refused("a decision")),
                    Panics => resume_unwind(Box::new("the body's own panic")),
                }
            })
        };
        let said = match catch_unwind(AssertUnwindSafe(unit)) {
            Ok(Ok(_)) => Value,
            Ok(Err(Trouble::Refused(_))) => BodysOwn,
            Ok(Err(Trouble::Work(error))) => Fault(error.kind(), error.outcome().expect("the unit has ended")),
            Err(_) => Panic,
        };
        (said, runs.get())
    }
}

/// Where, how often which answer, which body; then what the caller gets, what was sent, and what the next unit sends.
type Case = (&'static str, u32, Reply, Body, Said, &'static str, &'static str);

fn check(cases: Vec<Case>) {
    let mut wrong = Vec::new();
    for (at, times, reply, body, said, sent, next) in cases {
        let world = World::new();
        for _ in 0..times {
            world.server.answer(at, reply.clone());
        }
        let seen = (world.run(body).0, world.sent());
        let after = world.db.unit("next").isolation(Isolation::ReadCommitted).run::<_, Error>(|tx| tx.query_drop(NEXT));
        let seen = (seen, after.map_err(|error| error.to_string()), world.sent());
        let expected = ((said, sent.to_owned()), Ok(()), next.to_owned());
        if seen != expected {
            wrong.push(format!("{at} {times} × {reply:?}, {body:?}:\n  expected {expected:?}\n  seen     {seen:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn s14_whatever_fails_at_the_begin_ends_the_attempt_cleanly() {
    check(vec![
        ("SET", 1, error(1213), Passes, Value, "s s a b C", "n C"),
        ("SET", 1, error(1231), Passes, rolled_back(ErrorKind::Statement), "s", "s n C"),
        ("SET", 1, error(1231), Fails, BodysOwn, "s s b R", "n C"),
        ("SET", 1, LostBefore, Passes, Value, "s x + k1 s a b C", "n C"),
        ("SET", 1, LostAfter, Ignores, Value, "s x + k1 s a b C", "n C"),
        ("SET", 1, error(1047), Passes, Value, "s x + k1 s a b C", "n C"),
        ("SET", 2, LostBefore, Passes, rolled_back(ErrorKind::RetriesExhausted), "s x + k1 s x", "+ k2 s n C"),
    ]);
}

#[test]
fn s14_whatever_fails_at_a_statement_ends_the_attempt_cleanly() {
    check(vec![
        ("UPDATE a", 1, error(1213), Passes, Value, "s a R a b C", "n C"),
        ("UPDATE b", 1, error(1213), Passes, Value, "s a b R a b C", "n C"),
        ("UPDATE a", 1, error(1213), Ignores, Value, "s a R a b C", "n C"),
        ("UPDATE b", 1, error(1213), Ignores, Value, "s a b R a b C", "n C"),
        ("UPDATE b", 1, error(1213), Fails, BodysOwn, "s a b R a b R", "n C"),
        ("UPDATE b", 1, error(1213), Panics, Panic, "s a b R", "n C"),
        ("UPDATE b", 2, error(1213), Passes, rolled_back(ErrorKind::RetriesExhausted), "s a b R a b R", "n C"),
        ("UPDATE b", 2, error(1213), Ignores, rolled_back(ErrorKind::RetriesExhausted), "s a b R a b R", "n C"),
        ("UPDATE b", 1, error(1020), Ignores, Value, "s a b R a b C", "n C"),
        ("UPDATE b", 1, error(1205), Ignores, Value, "s a b R a b C", "n C"),
        ("UPDATE b", 1, error(1062), Passes, rolled_back(ErrorKind::Statement), "s a b R", "n C"),
        ("UPDATE a", 1, error(1062), Passes, rolled_back(ErrorKind::Statement), "s a R", "n C"),
        ("UPDATE a", 1, error(1062), Ignores, Value, "s a b C", "n C"),
        ("UPDATE b", 1, error(1062), Panics, Panic, "s a b R", "n C"),
        ("UPDATE b", 1, LostBefore, Passes, Value, "s a b x + k1 s a b C", "n C"),
        ("UPDATE b", 1, LostAfter, Passes, Value, "s a b x + k1 s a b C", "n C"),
        ("UPDATE a", 1, LostAfter, Ignores, Value, "s a x + k1 s a b C", "n C"),
        ("UPDATE b", 1, LostAfter, Fails, BodysOwn, "s a b x + k1 s a b R", "n C"),
        ("UPDATE b", 1, LostAfter, Panics, Panic, "s a b x", "+ k1 s n C"),
        (
            "UPDATE b",
            2,
            LostAfter,
            Passes,
            rolled_back(ErrorKind::RetriesExhausted),
            "s a b x + k1 s a b x",
            "+ k2 s n C",
        ),
    ]);
}

#[test]
fn s27_without_another_attempt_the_bodys_words_for_the_fault_come_out_and_a_swallowed_fault_by_itself() {
    let World { db, server } = World::new();
    server.answer("UPDATE a", error(1213));
    let never = || db.unit("never").retry(Retry::NEVER);
    let dressed = never().run::<(), _>(|tx| tx.query_drop(A).map_err(|_| Trouble::Refused("in the body's words")));
    assert!(matches!(dressed, Err(Trouble::Refused("in the body's words"))), "{dressed:?}");
    server.answer("UPDATE a", error(1213));
    let swallowed = never().run::<_, Error>(|tx| Ok(tx.query_drop(A).is_ok()));
    let fault = swallowed.expect_err("nothing was committed");
    assert_eq!((fault.kind(), fault.outcome()), (ErrorKind::Serialization, Some(Outcome::RolledBack)));
}

#[test]
fn s15_a_conflict_at_commit_runs_again() {
    check(vec![
        ("COMMIT", 1, error(1213), Passes, Value, "s a b C R a b C", "n C"),
        ("COMMIT", 2, error(1213), Passes, rolled_back(ErrorKind::RetriesExhausted), "s a b C R a b C R", "n C"),
    ]);
}

#[test]
fn s16_group_replications_conflicts_at_commit_run_again() {
    check(vec![
        ("COMMIT", 1, error(3101), Passes, Value, "s a b C R a b C", "n C"),
        ("COMMIT", 1, error(1180), Passes, Value, "s a b C R a b C", "n C"),
    ]);
}

#[test]
fn s16_other_errors_during_commit_do_not() {
    let other = Reply::error(1180, "HY000", "Got error 28 - 'No space left on device' during COMMIT");
    check(vec![("COMMIT", 1, other, Passes, UNKNOWN, "s a b C x", "+ s n C")]);
}

/// Nor is the session killed: the server may be about to commit, and a kill would undo it.
#[test]
fn s92_the_lost_reply_to_commit_is_unknown_and_never_run_again() {
    check(vec![
        ("COMMIT", 1, LostBefore, Passes, UNKNOWN, "s a b C x", "+ s n C"),
        ("COMMIT", 1, LostAfter, Passes, UNKNOWN, "s a b C x", "+ s n C"),
        ("COMMIT", 1, error(1053), Passes, UNKNOWN, "s a b C x", "+ s n C"),
        ("COMMIT", 1, error(1105), Passes, UNKNOWN, "s a b C x", "+ s n C"),
    ]);
}

#[test]
fn s92_after_an_unknown_commit_no_hook_runs() {
    let World { db, server } = World::new();
    server.answer("COMMIT", LostAfter);
    let hooks = Rc::new(Cell::new(0));
    let result = db.unit("unknown").run::<_, Error>(|tx| {
        let (committed, rolled_back) = (hooks.clone(), hooks.clone());
        tx.after_commit(move || committed.set(committed.get() + 1));
        tx.after_rollback(move |_| rolled_back.set(rolled_back.get() + 1));
        tx.query_drop(A)
    });
    assert_eq!(hooks.get(), 0);
    let error = result.expect_err("nobody knows");
    assert_eq!(
        (error.kind(), error.outcome(), error.attempts()),
        (ErrorKind::CommitUnknown, Some(Outcome::Unknown), 1)
    );
    assert!(error.to_string().contains("may or may not"), "{error}");
}

#[test]
fn s81_a_read_only_unit_whose_commit_gets_no_answer_is_committed() {
    let World { db, server } = World::new();
    server.answer("SELECT", Reply::value("balance", 7));
    server.answer("COMMIT", LostAfter);
    let hook = Rc::new(Cell::new(0));
    let read = |tx: &mut Tx<'_>| {
        let hook = hook.clone();
        tx.after_commit(move || hook.set(hook.get() + 1));
        tx.query_first::<u32, _>("SELECT balance FROM account")
    };
    assert_eq!(db.unit("read").read_only().run(read).expect("nothing can be lost"), Some(7));
    assert_eq!(hook.get(), 1);
}

/// A roll-back that fails hides nothing, and its session is never used again.
#[test]
fn s02_a_rollback_that_fails_hides_neither_error_nor_panic() {
    check(vec![
        ("ROLLBACK", 1, LostBefore, Fails, BodysOwn, "s a b R x", "+ k1 s n C"),
        ("ROLLBACK", 1, LostAfter, Fails, BodysOwn, "s a b R x", "+ k1 s n C"),
        ("ROLLBACK", 1, LostAfter, Panics, Panic, "s a b R x", "+ k1 s n C"),
        ("ROLLBACK", 1, error(1105), Fails, BodysOwn, "s a b R x", "+ k1 s n C"),
        ("ROLLBACK", 1, error(1181), Panics, Panic, "s a b R x", "+ k1 s n C"),
    ]);
}

#[test]
fn s14_a_rollback_that_fails_after_a_swallowed_deadlock_does_not_stop_the_next_attempt() {
    let World { db, server } = World::new();
    server.answer("UPDATE b", error(1213));
    server.answer("ROLLBACK", LostBefore);
    let world = World { db, server };
    assert_eq!(world.run(Ignores), (Value, 2));
    assert_eq!(world.sent(), "s a b R x + k1 s a b C");
}

#[test]
fn s19_faults_that_nothing_would_change_run_once() {
    let once = |code, kind, sent, next| ("UPDATE a", 1, error(code), Passes, rolled_back(kind), sent, next);
    check(vec![
        once(1062, ErrorKind::Statement, "s a R", "n C"),
        once(1451, ErrorKind::Statement, "s a R", "n C"),
        once(1317, ErrorKind::Statement, "s a R", "n C"),
        once(3819, ErrorKind::Statement, "s a R", "n C"),
        once(1792, ErrorKind::ReadOnly, "s a R", "n C"),
        once(3572, ErrorKind::LockNotAvailable, "s a R", "n C"),
        once(1153, ErrorKind::TooLarge, "s a x", "+ k1 s n C"),
    ]);
}

#[test]
fn s84_behind_a_proxy_a_unit_begins_in_so_many_words_and_nothing_is_killed() {
    let server = Script::new();
    server.behind_a_proxy();
    let db = Database::builder().script(&server).connect().expect("a scripted server");
    drop(server.take_sent());
    let world = World { db, server };
    assert_eq!(world.run(Passes), (Value, 1));
    assert_eq!(world.sent(), "s t a b C");
    assert_eq!(world.run(Fails), (BodysOwn, 1));
    assert_eq!(world.sent(), "t a b R");
    world.server.answer("UPDATE b", LostAfter);
    assert_eq!(world.run(Passes), (Value, 2));
    assert_eq!(world.sent(), "t a b x + s t a b C");
    world.server.answer("UPDATE b", error(1213));
    assert_eq!(world.run(Passes), (Value, 2));
    assert_eq!(world.sent(), "t a b R t a b C");
    world.db.unit("nothing").run::<_, Error>(|_| Ok(())).expect("nothing to fail");
    assert_eq!(world.sent(), "");
}

#[test]
fn s109_1047_in_a_body_makes_another_attempt_on_a_new_session() {
    check(vec![
        ("UPDATE a", 1, error(1047), Passes, Value, "s a x + k1 s a b C", "n C"),
        ("UPDATE b", 1, error(1047), Ignores, Value, "s a b x + k1 s a b C", "n C"),
        (
            "UPDATE b",
            2,
            error(1047),
            Passes,
            rolled_back(ErrorKind::RetriesExhausted),
            "s a b x + k1 s a b x",
            "+ k2 s n C",
        ),
    ]);
}

#[test]
fn s109_1047_at_commit_is_unknown() {
    check(vec![("COMMIT", 1, error(1047), Passes, UNKNOWN, "s a b C x", "+ s n C")]);
}

/// The node keeps the transaction open and would commit it with the next COMMIT on that session, once it has recovered.
#[test]
fn s109_1047_at_rollback_shuts_and_kills_the_session() {
    check(vec![
        ("ROLLBACK", 1, error(1047), Fails, BodysOwn, "s a b R x", "+ k1 s n C"),
        ("ROLLBACK", 1, error(1047), Panics, Panic, "s a b R x", "+ k1 s n C"),
    ]);
}
