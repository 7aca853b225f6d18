//! One failure and what must be seen of it: what the server answers, what user code does; then the caller's result, what was
//! sent, which hooks ran, what the next unit on the thread sends, and the pool's figures.

use unit_of_work::testing::Reply;
use unit_of_work::{Error, ErrorKind, Isolation, Outcome, in_unit};

use super::stage::{Act, NEXT, Place, Said, World};
use Said::{Fault, Value};

/// How the statement begins that something happens at; no other one begins so.
pub(super) mod at {
    pub(in super::super) const BEGIN: &str = "SET SESSION";
    pub(in super::super) const FIRST: &str = "UPDATE a";
    pub(in super::super) const SAVEPOINT: &str = "SAVEPOINT";
    pub(in super::super) const INNER: &str = "SELECT b";
    pub(in super::super) const RELEASE: &str = "RELEASE";
    pub(in super::super) const ROLLBACK_TO: &str = "ROLLBACK TO";
    pub(in super::super) const HOOK: &str = "UPDATE h";
    pub(in super::super) const COMMIT: &str = "COMMIT";
    pub(in super::super) const ROLLBACK: &str = "ROLLBACK AND";
    pub(in super::super) const LATER: &str = "UPDATE j";
    pub(in super::super) const RESET: &str = "RESET CONNECTION";
}

/// An error of the server's; SQLSTATE as the server has it, where it matters.
pub(super) fn error(code: u16) -> Reply {
    match code {
        1213 => Reply::error(code, "40001", "Deadlock found when trying to get lock"),
        _ => Reply::error(code, "HY000", "as scripted"),
    }
}

pub(super) const UNKNOWN: Said = Fault(ErrorKind::CommitUnknown, Outcome::Unknown);

pub(super) fn rolled_back(kind: ErrorKind) -> Said {
    Fault(kind, Outcome::RolledBack)
}

/// What the server answers, what user code does; then what the caller gets, what was sent, which hooks ran, and what the next
/// unit on the thread sends.
#[derive(Debug)]
pub(super) struct Case {
    answers: Vec<(&'static str, Reply)>,
    acts: &'static [(Place, Act)],
    said: Said,
    sent: &'static str,
    hooks: &'static str,
    next: &'static str,
}

/// On the same session, or on another one.
pub(super) const SAME: &str = "n C";
/// On a new one, on which the old one is ended first.
pub(super) const OTHER: &str = "+ k1 s n C";

impl Case {
    pub(super) fn at(at: &'static str, reply: Reply) -> Self {
        Self { answers: vec![(at, reply)], ..Self::acting(&[]) }
    }

    pub(super) fn acting(acts: &'static [(Place, Act)]) -> Self {
        Self { answers: Vec::new(), acts, said: Value, sent: "", hooks: "bc", next: SAME }
    }

    pub(super) fn and(mut self, at: &'static str, reply: Reply) -> Self {
        self.answers.push((at, reply));
        self
    }

    pub(super) fn with(self, acts: &'static [(Place, Act)]) -> Self {
        Self { acts, ..self }
    }

    pub(super) fn says(self, said: Said) -> Self {
        Self { said, ..self }
    }

    pub(super) fn sends(self, sent: &'static str) -> Self {
        Self { sent, ..self }
    }

    pub(super) fn hooks(self, hooks: &'static str) -> Self {
        Self { hooks, ..self }
    }

    pub(super) fn next(self, next: &'static str) -> Self {
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
        if seen == expected {
            return Ok(());
        }
        Err(format!("{:?}, {:?}:\n  expected {expected:?}\n  seen     {seen:?}", self.answers, self.acts))
    }
}

fn opened(sent: &str) -> usize {
    sent.matches('+').count()
}

fn shut(sent: &str) -> usize {
    sent.matches('x').count()
}

pub(super) fn check(cases: impl IntoIterator<Item = Case>) {
    let wrong: Vec<_> = cases.into_iter().filter_map(|case| case.check().err()).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
