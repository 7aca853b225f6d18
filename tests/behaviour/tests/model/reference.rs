//! The model: what a program must do, written from the description of units of work and not from their code. A stack of frames,
//! each with its levels of hooks, marks and rows; doom; a list of what ended on its own. What the server is asked is `server`'s.

mod attempts;
mod server;
mod units;

use std::collections::BTreeSet;

use unit_of_work::{Access, ErrorKind, OnError};

use super::program::{Hook, Nature, Planned, Reaction, Step, Unit, Way};
use super::seen::{Figures, Note, Said};
use server::{Commits, Server, Setting};

pub(super) struct Reference {
    server: Server,
    nature: Nature,
    /// Attempts that run on the thread, the outermost first.
    frames: Vec<Frame>,
    /// So many of them are invisible: a hook runs when its unit has ended, and what it opens is fresh.
    hidden: usize,
    /// Of the units whose bodies run: what the innermost handle is called.
    names: Vec<String>,
    diary: Vec<Note>,
    fresh: u64,
    rows: BTreeSet<u64>,
    happened: Vec<String>,
}

/// One attempt of a unit with a session of its own.
struct Frame {
    session: usize,
    setting: Setting,
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
    /// `fresh`: the first number that is written.
    pub(super) fn new(nature: Nature, connections: usize, faults: &[Planned], fresh: u64) -> Self {
        Self {
            server: Server::new(connections, faults.to_vec()),
            nature,
            frames: Vec::new(),
            hidden: 0,
            names: Vec::new(),
            diary: Vec::new(),
            fresh,
            rows: BTreeSet::new(),
            happened: Vec::new(),
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

    /// What a tally should count, in words.
    pub(super) fn take_happened(&mut self) -> Vec<String> {
        self.happened
            .extend(self.server.failed.drain(..).map(|Planned { sql, way, .. }| format!("{sql:?} met {way:?}")));
        std::mem::take(&mut self.happened)
    }

    fn happens(&mut self, what: &str) {
        self.happened.push(what.to_owned());
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
                let name = model.names.last().expect("a body runs").clone();
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
        let Setting { commits, access, .. } = self.frame().setting;
        if self.nature == Nature::Real && access == Access::ReadOnly {
            return Said::Work(ErrorKind::ReadOnly);
        }
        if self.nature == Nature::Real && number == 0 {
            return Said::Work(ErrorKind::Statement);
        }
        match commits {
            Commits::AtEnd => self.level().rows.push(number),
            Commits::Each => drop(self.rows.insert(number)),
        }
        Said::Value
    }
}

/// Statements.
impl Reference {
    fn visible(&self) -> &[Frame] {
        &self.frames[self.hidden..]
    }

    fn in_unit(&self) -> bool {
        !self.visible().is_empty()
    }

    fn frame(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("a body runs")
    }

    fn level(&mut self) -> &mut Level {
        self.frame().levels.last_mut().expect("an attempt has its own level")
    }

    /// Before each statement: a doomed unit gets its first fault again; the first one wakes the session.
    fn begin(&mut self) -> Result<(), ErrorKind> {
        let frame = self.frames.last_mut().expect("a body runs");
        if let Some(fault) = frame.doom {
            return Err(fault.kind());
        }
        if !std::mem::replace(&mut frame.used, true) {
            frame.session = self.server.wake(frame.session);
        }
        let begun = self.server.begin(frame.session, frame.setting);
        self.noted(begun)
    }

    fn send(&mut self, sql: &str) -> Result<(), ErrorKind> {
        let session = self.frame().session;
        let sent = self.server.ask(session, sql);
        self.noted(sent)
    }

    fn noted(&mut self, answer: Result<(), Way>) -> Result<(), ErrorKind> {
        answer.map_err(|fault| {
            match fault {
                Way::Refused => {}
                Way::Deadlock | Way::LockTimeout | Way::LostBefore | Way::LostAfter => {
                    self.frame().doom.get_or_insert(fault);
                }
            }
            fault.kind()
        })
    }
}
