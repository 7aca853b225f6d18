//! Makes up programs. Decides what occurs and how often: everything is to meet everything within some ten thousand programs,
//! and most programs are to get somewhere before something fails.

use std::ops::RangeInclusive;

use fastrand::Rng;
use unit_of_work::{Access, Isolation, OnError, Propagation};

use super::{Event, Hook, Nature, Planned, Program, Reaction, Replay, Sql, Step, Then, Unit, Way};

impl Program {
    pub(in crate::model) fn random(rng: &mut Rng, nature: Nature) -> Self {
        let mut generator = Generator { rng, nature, ids: 0, budget: 14 };
        let unit = generator.unit(0);
        let faults = match nature {
            Nature::Real => Vec::new(),
            Nature::Scripted => {
                (0..generator.choose(&[0, 0, 0, 1, 1, 1, 2, 3])).flat_map(|_| generator.faults()).collect()
            }
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
        use Propagation::{Mandatory, Nested, Never, NotSupported, Outermost, Required, RequiresNew, Supports};
        let mode = match depth {
            0 if self.one_in(40) => Mandatory,
            0 => self.choose(&[
                Required,
                Required,
                Required,
                Required,
                Outermost,
                RequiresNew,
                Nested,
                NotSupported,
                Supports,
                Never,
            ]),
            _ => self.choose(&[
                Required,
                Required,
                Required,
                RequiresNew,
                RequiresNew,
                Nested,
                Nested,
                Nested,
                NotSupported,
                Supports,
                Mandatory,
                Never,
                Outermost,
            ]),
        };
        // Where there may be no transaction of its own, a level is a contradiction.
        let level = self.one_in(4) && !matches!(mode, Supports | NotSupported | Never);
        let levels =
            [Isolation::ReadUncommitted, Isolation::ReadCommitted, Isolation::RepeatableRead, Isolation::Serializable];
        Unit {
            id: self.id(),
            mode,
            isolation: level.then(|| self.choose(&levels)),
            access: if self.one_in(8) { Access::ReadOnly } else { Access::ReadWrite },
            attempts: self.choose(&[1, 2, 2, 2]),
            replay: self.choose(&[Replay::Once, Replay::Repeatable]),
            on_error: self.choose(&[
                OnError::RollBack,
                OnError::RollBack,
                OnError::RollBack,
                OnError::RollBack,
                OnError::Commit,
                OnError::RunAgain,
            ]),
            body: self.steps(depth, if depth == 0 { 1..=6 } else { 0..=5 }),
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
            26..30 if self.nature == Nature::Real => Step::Duplicate(reaction),
            26..54 if depth < DEEPEST => Step::Unit(self.unit(depth + 1), reaction),
            54..63 if depth < DEEPEST => Step::Savepoint(self.steps(depth + 1, 0..=3), reaction),
            63..66 => Step::Mark,
            66..76 => Step::Count,
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
            6..8 => Event::Rollback,
            _ => Event::Unknown,
        };
        // A hook that seldom runs should show much when it does.
        let then = match self.rng.u32(0..if event == Event::Unknown { 3 } else { 10 }) {
            0 => Then::Fail(self.id()),
            1 => Then::Panic(self.id()),
            2..6 if event == Event::Commit && depth < DEEPEST => Then::Unit(Box::new(self.unit(depth + 1))),
            _ => Then::Nothing,
        };
        Hook::After(id, event, then)
    }

    fn faults(&mut self) -> Vec<Planned> {
        use Sql::{Commit, Insert, Release, RollbackTo};
        use Way::{Deadlock, LockTimeout, LostAfter, LostBefore, Refused};
        const ANY_WAY: [Way; 6] = [Deadlock, Deadlock, LockTimeout, Refused, LostBefore, LostAfter];
        // Each kind, and those more often that there are more of, or that are sent in few programs.
        let mut kinds = Sql::ALL.to_vec();
        kinds.extend([Insert, Insert, Insert, Insert, Commit, Commit, Commit, Release, RollbackTo]);
        let sql = self.choose(&kinds);
        let ways = if sql.can_only_be_lost() { &[LostBefore, LostAfter][..] } else { &ANY_WAY };
        let planned = Planned { sql, nth: self.choose(&[1, 1, 1, 2, 2, 3, 4]), way: self.choose(ways) };
        match sql {
            // Sent only after another connection was lost.
            Sql::Kill | Sql::Ping => {
                let before = Planned { sql: Insert, nth: self.choose(&[1, 2]), way: LostAfter };
                vec![before, Planned { nth: self.choose(&[1, 1, 1, 2]), ..planned }]
            }
            _ => vec![planned],
        }
    }
}
