//! Random programs: one outermost unit with units, savepoints, hooks, errors and panics inside, and the faults that a scripted
//! server has in store. Decides what is generated and how often, and how a program is made smaller; what it does is for
//! `reference` to say and for `real` to find out.

use std::ops::RangeInclusive;

use fastrand::Rng;
use unit_of_work::{Access, Isolation, OnError, Propagation};

/// Which kind of server a program is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// Answers everything with success, but for the planned faults.
    Scripted,
    /// Has a table with a primary key, and enforces `read only`.
    Real,
}

#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) unit: Unit,
    pub(super) faults: Vec<Planned>,
    /// The pool's `max_connections`.
    pub(super) connections: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) id: u32,
    pub(super) mode: Propagation,
    pub(super) isolation: Option<Isolation>,
    pub(super) access: Access,
    /// At most so many: 1 or 2.
    pub(super) attempts: u32,
    pub(super) replay: Replay,
    /// What each error of the body asks for.
    pub(super) on_error: OnError,
    pub(super) body: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replay {
    Once,
    Repeatable,
}

/// One operation; the numbers tell those apart that can be seen.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Inserts a fresh number.
    Write(Reaction),
    /// Inserts the number 0, which a real server has already.
    Duplicate(Reaction),
    Unit(Unit, Reaction),
    /// `tx.savepoint`.
    Savepoint(Vec<Step>, Reaction),
    /// `set_rollback_only`.
    Mark,
    /// Counts in `tx.local` and notes the count.
    Count,
    Hook(Hook),
    /// Returns an error of the program's own.
    Fail(u32),
    Panic(u32),
}

/// What is done about the failure of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reaction {
    PassOn,
    /// Errors are forgotten, panics go on.
    Swallow,
    /// Both are forgotten.
    Catch,
}

#[derive(Debug, Clone)]
pub(super) enum Hook {
    /// Works inside the transaction.
    BeforeCommit(u32, Vec<Step>),
    After(u32, Event, Then),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Commit,
    Rollback,
    Unknown,
}

/// What a hook does after it has noted that it ran.
#[derive(Debug, Clone)]
pub(super) enum Then {
    Nothing,
    Fail(u32),
    Panic(u32),
    Unit(Box<Unit>),
}

/// The `nth` statement of a kind is answered so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) sql: Sql,
    pub(super) nth: usize,
    pub(super) way: Way,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sql {
    Insert,
    Characteristics,
    Savepoint,
    Release,
    RollbackTo,
    Commit,
    Rollback,
    Kill,
    Ping,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// 1213.
    Deadlock,
    /// 1205.
    LockTimeout,
    /// 1062.
    Refused,
    LostBefore,
    LostAfter,
}

impl Sql {
    pub(super) const ALL: [Self; 9] = [
        Self::Insert,
        Self::Characteristics,
        Self::Savepoint,
        Self::Release,
        Self::RollbackTo,
        Self::Commit,
        Self::Rollback,
        Self::Kill,
        Self::Ping,
    ];

    /// How its text begins; no other's begins so.
    pub(super) fn start(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Characteristics => "SET SESSION",
            Self::Savepoint => "SAVEPOINT",
            Self::Release => "RELEASE",
            Self::RollbackTo => "ROLLBACK TO",
            Self::Commit => "COMMIT",
            Self::Rollback => "ROLLBACK AND",
            Self::Kill => "KILL",
            Self::Ping => "PING",
        }
    }

    /// Servers do not say to these what they say to statements that touch rows.
    pub(super) fn can_only_be_lost(self) -> bool {
        matches!(self, Self::Characteristics | Self::Kill | Self::Ping)
    }
}

impl Unit {
    pub(super) fn name(&self) -> String {
        format!("u{}", self.id)
    }

    /// Of one mode, the rest as it is by default.
    pub(super) fn plain(id: u32, mode: Propagation, body: Vec<Step>) -> Self {
        Self {
            id,
            mode,
            isolation: None,
            access: Access::ReadWrite,
            attempts: 2,
            replay: Replay::Once,
            on_error: OnError::RollBack,
            body,
        }
    }
}

impl Program {
    /// No faults, and sessions enough.
    pub(super) fn of(unit: Unit) -> Self {
        Self { unit, faults: Vec::new(), connections: 64 }
    }

    pub(super) fn random(rng: &mut Rng, nature: Nature) -> Self {
        let mut generator = Generator { rng, nature, ids: 0, budget: 14 };
        let unit = generator.unit(0);
        let faults = match nature {
            Nature::Real => Vec::new(),
            Nature::Scripted => (0..generator.choose(&[0, 0, 0, 1, 1, 1, 2, 3])).map(|_| generator.fault()).collect(),
        };
        let connections = match nature {
            Nature::Real => 64,
            Nature::Scripted => generator.choose(&[1, 2, 64, 64, 64, 64]),
        };
        Self { unit, faults, connections }
    }
}

struct Generator<'r> {
    rng: &'r mut Rng,
    nature: Nature,
    ids: u32,
    /// Operations that may still be made.
    budget: usize,
}

/// Units in units in units are enough.
const DEEPEST: usize = 3;

impl Generator<'_> {
    fn choose<T: Clone>(&mut self, all: &[T]) -> T {
        self.rng.choice(all).expect("there is something to choose from").clone()
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.rng.u32(0..n) == 0
    }

    fn id(&mut self) -> u32 {
        self.ids += 1;
        self.ids
    }

    fn unit(&mut self, depth: usize) -> Unit {
        use Propagation::{
            Mandatory, Nested, Never, NotSupported, Outermost, Required, RequiresNew, Supports,
        };
        let mode = match depth {
            0 => self.choose(&[Required, Required, Required, Outermost, RequiresNew, Nested, NotSupported, Supports, Mandatory]),
            _ => self.choose(&[
                Required, Required, Required, RequiresNew, RequiresNew, Nested, Nested, Nested, NotSupported, Supports,
                Mandatory, Never, Outermost,
            ]),
        };
        // Where there may be no transaction of its own, a level is a contradiction.
        let level = self.one_in(4) && !matches!(mode, Supports | NotSupported | Never);
        let levels = [Isolation::ReadUncommitted, Isolation::ReadCommitted, Isolation::RepeatableRead, Isolation::Serializable];
        Unit {
            id: self.id(),
            mode,
            isolation: level.then(|| self.choose(&levels)),
            access: if self.one_in(8) { Access::ReadOnly } else { Access::ReadWrite },
            attempts: self.choose(&[1, 2, 2, 2]),
            replay: self.choose(&[Replay::Once, Replay::Repeatable]),
            on_error: self.choose(&[
                OnError::RollBack, OnError::RollBack, OnError::RollBack, OnError::RollBack, OnError::Commit, OnError::RunAgain,
            ]),
            body: self.steps(depth, 0..=5),
        }
    }

    fn steps(&mut self, depth: usize, how_many: RangeInclusive<usize>) -> Vec<Step> {
        let wanted = self.rng.usize(how_many);
        let mut steps = Vec::new();
        while steps.len() < wanted && self.budget > 0 {
            self.budget -= 1;
            steps.push(self.step(depth));
        }
        steps
    }

    fn step(&mut self, depth: usize) -> Step {
        let reaction = self.choose(&[Reaction::PassOn, Reaction::PassOn, Reaction::Swallow, Reaction::Catch]);
        match self.rng.u32(0..100) {
            0..30 => Step::Write(reaction),
            30..34 if self.nature == Nature::Real => Step::Duplicate(reaction),
            30..60 if depth < DEEPEST => Step::Unit(self.unit(depth + 1), reaction),
            60..68 if depth < DEEPEST => Step::Savepoint(self.steps(depth + 1, 0..=3), reaction),
            68..71 => Step::Mark,
            71..76 => Step::Count,
            76..92 => Step::Hook(self.hook(depth)),
            92..96 => Step::Fail(self.id()),
            96..98 => Step::Panic(self.id()),
            _ => Step::Write(reaction),
        }
    }

    fn hook(&mut self, depth: usize) -> Hook {
        let id = self.id();
        let event = match self.rng.u32(0..10) {
            0..3 => return Hook::BeforeCommit(id, self.steps(depth + 1, 0..=2)),
            3..6 => Event::Commit,
            6..9 => Event::Rollback,
            _ => Event::Unknown,
        };
        let then = match self.rng.u32(0..10) {
            0 => Then::Fail(self.id()),
            1 => Then::Panic(self.id()),
            2..6 if event == Event::Commit && depth < DEEPEST => Then::Unit(Box::new(self.unit(depth + 1))),
            _ => Then::Nothing,
        };
        Hook::After(id, event, then)
    }

    fn fault(&mut self) -> Planned {
        use Sql::{Commit, Insert, RollbackTo};
        // Each kind, and those more often that there are more of.
        let mut kinds = Sql::ALL.to_vec();
        kinds.extend([Insert, Insert, Insert, Commit, Commit, RollbackTo]);
        let sql = self.choose(&kinds);
        let way = match sql.can_only_be_lost() {
            true => self.choose(&[Way::LostBefore, Way::LostAfter]),
            false => self.choose(&[Way::Deadlock, Way::Deadlock, Way::LockTimeout, Way::Refused, Way::LostBefore, Way::LostAfter]),
        };
        Planned { sql, nth: self.choose(&[1, 1, 1, 2, 2, 3, 4]), way }
    }
}

/// Making smaller.
impl Program {
    /// Programs that are smaller by one thing each.
    pub(super) fn smaller(&self) -> Vec<Self> {
        let mut all: Vec<Self> = inner_units(&self.unit.body).into_iter().map(|unit| Self { unit, ..self.clone() }).collect();
        all.extend((0..self.faults.len()).map(|at| {
            let mut less = self.clone();
            less.faults.remove(at);
            less
        }));
        if self.connections != 64 {
            all.push(Self { connections: 64, ..self.clone() });
        }
        all.extend(smaller_unit(&self.unit).into_iter().map(|unit| Self { unit, ..self.clone() }));
        all
    }

    /// The smallest found that still fails.
    pub(super) fn shrunk(mut self, fails: impl Fn(&Self) -> bool) -> Self {
        while let Some(less) = self.smaller().into_iter().find(|less| fails(less)) {
            self = less;
        }
        self
    }
}

fn inner_units(steps: &[Step]) -> Vec<Unit> {
    steps.iter().filter_map(|step| if let Step::Unit(unit, _) = step { Some(unit.clone()) } else { None }).collect()
}

/// One step less, the children of a step in its place, or one step smaller.
fn smaller_steps(steps: &[Step]) -> Vec<Vec<Step>> {
    let with = |at: usize, instead: &[Step]| {
        let mut less = steps.to_vec();
        less.splice(at..=at, instead.iter().cloned());
        less
    };
    let mut all: Vec<_> = (0..steps.len()).map(|at| with(at, &[])).collect();
    for (at, step) in steps.iter().enumerate() {
        if let Step::Unit(Unit { body, .. }, _) | Step::Savepoint(body, _) = step {
            all.push(with(at, body));
        }
        all.extend(smaller_step(step).into_iter().map(|step| with(at, &[step])));
    }
    all
}

fn smaller_step(step: &Step) -> Vec<Step> {
    match step {
        Step::Unit(unit, reaction) => {
            smaller_unit(unit).into_iter().map(|unit| Step::Unit(unit, *reaction)).collect()
        }
        Step::Savepoint(body, reaction) => {
            smaller_steps(body).into_iter().map(|body| Step::Savepoint(body, *reaction)).collect()
        }
        Step::Hook(Hook::BeforeCommit(id, steps)) => {
            smaller_steps(steps).into_iter().map(|steps| Step::Hook(Hook::BeforeCommit(*id, steps))).collect()
        }
        Step::Hook(Hook::After(id, event, then)) => {
            smaller_then(then).into_iter().map(|then| Step::Hook(Hook::After(*id, *event, then))).collect()
        }
        Step::Write(_) | Step::Duplicate(_) | Step::Mark | Step::Count | Step::Fail(_) | Step::Panic(_) => Vec::new(),
    }
}

fn smaller_then(then: &Then) -> Vec<Then> {
    match then {
        Then::Nothing => Vec::new(),
        Then::Fail(_) | Then::Panic(_) => vec![Then::Nothing],
        Then::Unit(unit) => {
            let smaller = smaller_unit(unit).into_iter().map(|unit| Then::Unit(Box::new(unit)));
            std::iter::once(Then::Nothing).chain(smaller).collect()
        }
    }
}

fn smaller_unit(unit: &Unit) -> Vec<Unit> {
    let mut all: Vec<_> = smaller_steps(&unit.body).into_iter().map(|body| Unit { body, ..unit.clone() }).collect();
    if unit.isolation.is_some() {
        all.push(Unit { isolation: None, ..unit.clone() });
    }
    if unit.access == Access::ReadOnly {
        all.push(Unit { access: Access::ReadWrite, ..unit.clone() });
    }
    if unit.on_error != OnError::RollBack {
        all.push(Unit { on_error: OnError::RollBack, ..unit.clone() });
    }
    if unit.attempts > 1 {
        all.push(Unit { attempts: 1, ..unit.clone() });
    }
    if unit.replay == Replay::Repeatable {
        all.push(Unit { replay: Replay::Once, ..unit.clone() });
    }
    all
}
