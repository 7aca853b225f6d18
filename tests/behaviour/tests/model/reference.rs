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
    /// Of the units whose bodies run: what the innermost handle is called.
    names: Vec<String>,
    diary: Vec<Note>,
    fresh: u64,
    rows: BTreeSet<u64>,
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
            names: Vec::new(),
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

/// Units.
impl Reference {
    fn unit(&mut self, unit: &Unit) -> Said {
        match self.plan(unit) {
            Plan::Join => self.join(unit),
            Plan::Begin => self.own(unit, true),
            Plan::Savepoint => self.nested(&unit.name(), unit.on_error, &unit.body),
            Plan::Without => self.own(unit, false),
            Plan::Refuse(kind) => Said::Work(kind),
        }
    }

    /// The table of modes. A unit without a transaction is none that could be joined, but its session serves others without.
    fn plan(&self, unit: &Unit) -> Plan {
        use Propagation::{Mandatory, Nested, Never, NotSupported, Outermost, Required, RequiresNew, Supports};
        let Some(active) = self.visible().last() else {
            return match unit.mode {
                Required | Outermost | RequiresNew | Nested => Plan::Begin,
                Mandatory => Plan::Refuse(ErrorKind::Propagation),
                _ => Plan::Without,
            };
        };
        match (unit.mode, active.setting.transaction) {
            (RequiresNew, _) | (Required, false) => Plan::Begin,
            (NotSupported, true) => Plan::Without,
            (Supports | NotSupported | Never, false) => Plan::Join,
            (Outermost, _) | (Never, true) | (Mandatory | Nested, false) => Plan::Refuse(ErrorKind::Propagation),
            _ if unit.isolation > Some(active.setting.isolation) => Plan::Refuse(ErrorKind::IsolationConflict),
            _ if unit.access == Access::ReadWrite && active.setting.access == Access::ReadOnly => {
                Plan::Refuse(ErrorKind::AccessConflict)
            }
            (Nested, true) => Plan::Savepoint,
            _ => Plan::Join,
        }
    }

    fn join(&mut self, unit: &Unit) -> Said {
        let said = self.body(&unit.name(), &unit.body);
        let fails = matches!(said, Said::Panic(_)) || (said.is_error() && unit.on_error != OnError::Commit);
        if fails && self.frame().setting.transaction {
            self.level().mark.get_or_insert(ErrorKind::Doomed);
        }
        said
    }

    fn body(&mut self, name: &str, steps: &[Step]) -> Said {
        self.names.push(name.to_owned());
        let said = self.steps(steps);
        self.names.pop();
        said
    }

    fn nested(&mut self, name: &str, on_error: OnError, body: &[Step]) -> Said {
        if !self.frame().setting.transaction {
            return Said::Work(ErrorKind::Propagation);
        }
        let set = self.begin().and_then(|()| {
            let session = self.frame().session;
            let savepoint = self.server.next_savepoint(session);
            self.send(&format!("SAVEPOINT {savepoint}")).map(|()| savepoint)
        });
        let savepoint = match set {
            Ok(savepoint) => savepoint,
            Err(kind) => return Said::Work(kind),
        };
        self.frame().levels.push(Level::default());
        let said = self.body(name, body);
        let level = self.frame().levels.pop().expect("it was pushed");
        if self.frame().doom.is_some() {
            self.level().merge(level);
            return said;
        }
        match (said, level.mark) {
            (Said::Own(_) | Said::Work(_), _) if on_error != OnError::Commit => self.undo(name, &savepoint, level, said),
            (Said::Panic(_), _) | (Said::Own(_) | Said::Work(_), Some(_)) => self.undo(name, &savepoint, level, said),
            (Said::Value, Some(mark)) => self.undo(name, &savepoint, level, Said::Work(mark)),
            (_, None) => self.release(&savepoint, level, said),
        }
    }

    /// If it cannot be undone alone, the whole is undone, and what belongs to it shares that. The caller gets what it would get
    /// otherwise: a failed roll-back does not hide its reason.
    fn undo(&mut self, name: &str, savepoint: &str, level: Level, said: Said) -> Said {
        match self.send(&format!("ROLLBACK TO SAVEPOINT {savepoint}")) {
            Ok(()) => self.attend(name, Event::Rollback, level.hooks),
            Err(_) => {
                self.level().merge(level);
                self.must_end();
            }
        }
        said
    }

    fn release(&mut self, savepoint: &str, level: Level, said: Said) -> Said {
        let released = self.send(&format!("RELEASE SAVEPOINT {savepoint}"));
        self.level().merge(level);
        match released {
            Ok(()) => said,
            Err(kind) => {
                self.must_end();
                Said::Work(kind)
            }
        }
    }

    /// A savepoint that nobody knows the state of: its unit failed, so what it did must not be committed.
    fn must_end(&mut self) {
        self.frame().doom.get_or_insert(Way::Refused);
    }
}

/// Attempts.
impl Reference {
    /// A unit with a session and an outcome of its own.
    fn own(&mut self, unit: &Unit, transaction: bool) -> Said {
        let most = if transaction { unit.attempts } else { 1 };
        let mut lock_timeouts = 0;
        for attempt in 1.. {
            let suspends = self.in_unit();
            let Some(session) = self.server.take() else { return Said::Work(ErrorKind::PoolTimeout) };
            let (once_only, end) = self.attempt(unit, transaction, session);
            let (said, again) = match end {
                End::Committed(said) | End::RolledBack(said) => return said,
                End::Unknown => return Said::Work(ErrorKind::CommitUnknown),
                End::Asked(said) => (said, true),
                End::Fault(fault, said) => {
                    lock_timeouts += u32::from(fault == Way::LockTimeout);
                    let again = match fault {
                        Way::Deadlock | Way::LostBefore | Way::LostAfter => true,
                        Way::LockTimeout => !suspends && lock_timeouts == 1,
                        Way::Refused => false,
                    };
                    let said = match () {
                        () if most == 1 || !again => said,
                        () if attempt == most => Said::Work(ErrorKind::RetriesExhausted),
                        () if once_only => Said::Work(fault.kind()),
                        () => said,
                    };
                    (said, again)
                }
            };
            if !again || attempt == most || once_only {
                return said;
            }
        }
        unreachable!("the last attempt returns")
    }

    /// One run of the body, its end, its hooks. First: whether it must not be followed by another.
    fn attempt(&mut self, unit: &Unit, transaction: bool, session: usize) -> (bool, End) {
        let setting = Setting { transaction, isolation: unit.isolation.unwrap_or(Isolation::Serializable), access: unit.access };
        self.frames.push(Frame {
            session,
            setting,
            used: false,
            doom: None,
            levels: vec![Level::default()],
            once_only: false,
        });
        let body = self.body(&unit.name(), &unit.body);
        let commits = body == Said::Value || (body.is_error() && unit.on_error == OnError::Commit);
        let hooks = if commits { self.before_commit(&unit.name()) } else { Said::Value };
        let mut frame = self.frames.pop().expect("it was pushed");
        let end = self.settle(&mut frame, unit.on_error, body, hooks);
        self.server.give_back(frame.session);
        self.remember(unit, &frame, &end);
        let Level { hooks, rows, .. } = frame.levels.pop().expect("an attempt has its own level");
        let event = match end {
            End::Committed(_) => Event::Commit,
            End::Unknown => Event::Unknown,
            End::RolledBack(_) | End::Asked(_) | End::Fault(..) => Event::Rollback,
        };
        if event == Event::Commit {
            self.rows.extend(rows);
        }
        let hidden = std::mem::replace(&mut self.hidden, self.frames.len());
        self.attend(&unit.name(), event, hooks);
        self.hidden = hidden;
        (frame.once_only, end)
    }

    /// In the order of registration, those that they register included; not where nothing will be committed.
    fn before_commit(&mut self, name: &str) -> Said {
        loop {
            let Frame { doom, levels, .. } = self.frame();
            let level = &mut levels[0];
            let next = level.hooks.iter().position(|hook| matches!(hook, Hook::BeforeCommit(..)));
            let Some(at) = next.filter(|_| doom.is_none() && level.mark.is_none()) else { return Said::Value };
            let Hook::BeforeCommit(id, steps) = level.hooks.remove(at) else { unreachable!("just found") };
            self.diary.push(Note::Ran { hook: id, in_unit: self.in_unit() });
            match self.body(name, &steps) {
                Said::Value => {}
                Said::Own(_) | Said::Work(_) => return Said::Work(ErrorKind::HookRefused),
                Said::Panic(number) => return Said::Panic(number),
            }
        }
    }

    /// A panic wins; then a fault; then a hook's refusal; then the body's own error; then a mark.
    fn settle(&mut self, frame: &mut Frame, on_error: OnError, body: Said, hooks: Said) -> End {
        let mark = frame.levels[0].mark;
        let end = match (body, hooks, frame.doom) {
            (Said::Panic(_), _, _) => End::RolledBack(body),
            (_, Said::Panic(_), _) => End::RolledBack(hooks),
            (_, Said::Value, Some(fault)) if body.is_error() => End::Fault(fault, body),
            (_, _, Some(fault)) => End::Fault(fault, Said::Work(fault.kind())),
            (_, Said::Work(_), None) => End::RolledBack(hooks),
            (Said::Own(_) | Said::Work(_), _, None) => match (on_error, mark) {
                (OnError::RunAgain, _) => End::Asked(body),
                (OnError::Commit, None) => return self.commit(frame, body),
                (OnError::RollBack, _) | (OnError::Commit, Some(_)) => End::RolledBack(body),
            },
            (_, _, None) => match mark {
                Some(kind) => End::RolledBack(Said::Work(kind)),
                None => return self.commit(frame, body),
            },
        };
        self.server.roll_back(frame.session);
        end
    }

    fn commit(&mut self, frame: &mut Frame, body: Said) -> End {
        match self.server.commit(frame.session) {
            Ok(()) => End::Committed(body),
            // What only read has nothing to lose.
            Err(Way::LostBefore | Way::LostAfter) if frame.setting.access == Access::ReadOnly => End::Committed(body),
            Err(Way::LostBefore | Way::LostAfter) => End::Unknown,
            Err(fault @ (Way::Deadlock | Way::LockTimeout | Way::Refused)) => {
                self.server.roll_back(frame.session);
                End::Fault(fault, Said::Work(fault.kind()))
            }
        }
    }

    /// What ended on its own stands, whatever becomes of the attempts around.
    fn remember(&mut self, unit: &Unit, frame: &Frame, end: &End) {
        let repeatable = unit.replay == Replay::Repeatable || unit.access == Access::ReadOnly;
        let once_only = match end {
            End::Unknown => true,
            _ if !frame.setting.transaction => frame.used && !repeatable,
            End::Committed(_) => !repeatable,
            End::RolledBack(_) | End::Asked(_) | End::Fault(..) => false,
        };
        if let Some(around) = self.frames.last_mut() {
            around.once_only |= once_only || frame.once_only;
        }
    }

    fn attend(&mut self, name: &str, event: Event, hooks: Vec<Hook>) {
        for hook in hooks {
            let Hook::After(id, on, then) = hook else { continue };
            if on != event {
                continue;
            }
            self.diary.push(Note::Ran { hook: id, in_unit: self.in_unit() });
            let said = match then {
                Then::Nothing => Said::Value,
                Then::Fail(number) => Said::Own(number),
                Then::Panic(number) => Said::Panic(number),
                Then::Unit(unit) => self.unit(&unit),
            };
            let kind = match event {
                Event::Commit => HookKind::AfterCommit,
                Event::Rollback => HookKind::AfterRollback,
                Event::Unknown => HookKind::OnUnknown,
            };
            if said != Said::Value {
                self.diary.push(Note::Reported(name.to_owned(), kind, said.to_string()));
            }
        }
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
