//! The model: what a program must do, written from the description of units of work and not from their code. A stack of frames,
//! each with its levels of hooks, marks and rows; doom; a list of what ended on its own. What the server is asked is `server`'s.

mod server;

use std::collections::BTreeSet;

use unit_of_work::{Access, ErrorKind, HookKind, Isolation, OnError, Propagation};

use super::program::{Event, Hook, Nature, Program, Reaction, Replay, Step, Then, Unit, Way};
use super::seen::{Figures, Note, Said};
use server::{Server, Setting};

pub(super) struct Reference {
    server: Server,
    nature: Nature,
    /// Attempts that run on the thread, the outermost first.
    frames: Vec<Frame>,
    /// So many of them are invisible: a hook runs when its unit has ended, and what it opens is fresh.
    hidden: usize,
    diary: Vec<Note>,
    fresh: u64,
    rows: BTreeSet<u64>,
}

/// One attempt of a unit with a session of its own.
struct Frame {
    session: usize,
    setting: Setting,
    /// Whether somebody waits on this thread until it has ended.
    suspends: bool,
    /// Whether anything was sent, or tried to be.
    used: bool,
    /// The first fault that ended the transaction.
    doom: Option<Way>,
    /// The attempt's own, then one for each open savepoint.
    levels: Vec<Level>,
    /// Something ended on its own inside that must not be done twice.
    once_only: bool,
}

#[derive(Default)]
struct Level {
    mark: Option<ErrorKind>,
    hooks: Vec<Hook>,
    counter: Option<u32>,
    rows: Vec<u64>,
}

impl Level {
    /// A level that is over, but not undone by itself, becomes part of the one around it.
    fn merge(&mut self, inner: Self) {
        self.hooks.extend(inner.hooks);
        self.rows.extend(inner.rows);
        self.counter = self.counter.or(inner.counter);
    }
}

enum Plan {
    Join,
    Begin,
    Savepoint,
    Without,
    Refuse(ErrorKind),
}

/// How an attempt ended.
enum End {
    Committed(Said),
    RolledBack(Said),
    /// The body's error asks for another attempt.
    Asked(Said),
    /// A fault, and what the caller gets if no policy covers it.
    Fault(Way, Said),
    Unknown,
}

impl Way {
    fn kind(self) -> ErrorKind {
        match self {
            Self::Deadlock => ErrorKind::Serialization,
            Self::LockTimeout => ErrorKind::LockTimeout,
            Self::Refused => ErrorKind::Statement,
            Self::LostBefore | Self::LostAfter => ErrorKind::ConnectionLost,
        }
    }
}

impl Reference {
    pub(super) fn new(program: &Program, nature: Nature) -> Self {
        Self {
            server: Server::new(program.connections, program.faults.clone()),
            nature,
            frames: Vec::new(),
            hidden: 0,
            diary: Vec::new(),
            fresh: 1,
            rows: BTreeSet::new(),
        }
    }

    pub(super) fn run(&mut self, unit: &Unit) -> Said {
        let said = self.unit(unit);
        assert!(self.frames.is_empty(), "the model itself leaves nothing behind");
        said
    }

    pub(super) fn take_diary(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.diary)
    }

    pub(super) fn take_log(&mut self) -> Vec<(u32, String)> {
        std::mem::take(&mut self.server.log)
    }

    /// Those that were committed since the last call, in order.
    pub(super) fn take_rows(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.rows).into_iter().collect()
    }

    pub(super) fn figures(&self) -> Figures {
        self.server.figures()
    }
}

/// Operations.
impl Reference {
    fn steps(&mut self, steps: &[Step]) -> Said {
        for step in steps {
            let said = self.step(step);
            if said != Said::Value {
                return said;
            }
        }
        Said::Value
    }

    fn step(&mut self, step: &Step) -> Said {
        match step {
            Step::Write(reaction) => {
                let number = self.fresh;
                self.fresh += 1;
                self.react(*reaction, |model| model.insert(number))
            }
            Step::Duplicate(reaction) => self.react(*reaction, |model| model.insert(0)),
            Step::Unit(unit, reaction) => self.react(*reaction, |model| model.unit(unit)),
            Step::Savepoint(body, reaction) => self.react(*reaction, |model| {
                // The handle is that of whatever unit runs here; its name is told when hooks fail.
                let name = model.names_last().to_owned();
                model.nested(&name, OnError::RollBack, body)
            }),
            Step::Mark => {
                self.level().mark.get_or_insert(ErrorKind::RollbackOnly);
                Said::Value
            }
            Step::Count => {
                let counter = self.level().counter.get_or_insert(0);
                *counter += 1;
                let count = *counter;
                self.diary.push(Note::Counted(count));
                Said::Value
            }
            Step::Hook(hook) => {
                self.level().hooks.push(hook.clone());
                Said::Value
            }
            Step::Fail(number) => Said::Own(*number),
            Step::Panic(number) => Said::Panic(*number),
        }
    }

    fn react(&mut self, reaction: Reaction, operation: impl FnOnce(&mut Self) -> Said) -> Said {
        let said = operation(self);
        let goes_on = matches!(said, Said::Panic(_)) && reaction != Reaction::Catch;
        if goes_on {
            return said;
        }
        self.diary.push(Note::Saw(said));
        if reaction == Reaction::PassOn { said } else { Said::Value }
    }

    fn insert(&mut self, number: u64) -> Said {
        let sql = format!("INSERT INTO entry VALUES ({number})");
        if let Err(kind) = self.begin().and_then(|()| self.send(&sql)) {
            return Said::Work(kind);
        }
        let Setting { transaction, access, .. } = self.frame().setting;
        if self.nature == Nature::Real && access == Access::ReadOnly {
            return Said::Work(ErrorKind::ReadOnly);
        }
        if self.nature == Nature::Real && number == 0 {
            return Said::Work(ErrorKind::Statement);
        }
        if transaction {
            self.level().rows.push(number);
        } else {
            self.rows.insert(number);
        }
        Said::Value
    }
}
