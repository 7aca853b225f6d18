//! A unit of two statements on a scripted server that fails at one point: how such a case is written down and checked. The cases
//! themselves are `scripted`'s.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use unit_of_work::testing::{Reply, Script};
use unit_of_work::{Database, Error, ErrorKind, Isolation, Outcome, Retry};

use crate::world::Trouble;
use Body::{Fails, Ignores, Panics, Passes};
use Said::{Body as BodysOwn, Fault, Panic, Value};

/// What the body does; it sends the statements `a` and `b` and returns `Ok`, if nothing else is said.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Body {
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
pub(crate) enum Said {
    Value,
    Body,
    Panic,
    Fault(ErrorKind, Outcome),
}

pub(crate) const UNKNOWN: Said = Fault(ErrorKind::CommitUnknown, Outcome::Unknown);

pub(crate) fn rolled_back(kind: ErrorKind) -> Said {
    Fault(kind, Outcome::RolledBack)
}

/// An error of the server's; SQLSTATE as the server has it, where it matters.
pub(crate) fn error(code: u16) -> Reply {
    match code {
        1213 => Reply::error(code, "40001", "Deadlock found when trying to get lock"),
        1180 => Reply::error(code, "HY000", "Got error 149 - 'Lock deadlock; Retry transaction' during COMMIT"),
        _ => Reply::error(code, "HY000", "as scripted"),
    }
}

pub(crate) const A: &str = "UPDATE a SET x = 1";
const B: &str = "UPDATE b SET x = 1";
const NEXT: &str = "SELECT 1";

pub(crate) struct World {
    pub(crate) db: Database,
    pub(crate) server: Script,
}

impl World {
    pub(crate) fn new() -> Self {
        let server = Script::new();
        let db = Database::builder().script(&server).connect().expect("a scripted server");
        drop(server.take_sent());
        Self { db, server }
    }

    /// What was sent since the last call, in short: `s` characteristics, `t` START TRANSACTION, `a`, `b`, `n` statements, `C`
    /// COMMIT, `R` ROLLBACK, `+` a new connection, `x` one that was shut, `k` KILL CONNECTION with its number.
    pub(crate) fn sent(&self) -> String {
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

    pub(crate) fn run(&self, body: Body) -> (Said, u32) {
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
pub(crate) type Case = (&'static str, u32, Reply, Body, Said, &'static str, &'static str);

pub(crate) fn check(cases: Vec<Case>) {
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
