//! Makes a program that fails smaller: one operation less, what is inside an operation in its place, one argument less; again
//! and again as long as it still fails.

use unit_of_work::{Access, OnError};

use super::{Hook, Program, Replay, Step, Then, Unit};

impl Program {
    /// Programs that are smaller by one thing each.
    fn smaller(&self) -> Vec<Self> {
        let mut all: Vec<Self> =
            inner_units(&self.unit.body).into_iter().map(|unit| Self { unit, ..self.clone() }).collect();
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
    pub(in crate::model) fn shrunk(&self, fails: impl Fn(&Self) -> bool) -> Self {
        let mut least = self.clone();
        while let Some(less) = least.smaller().into_iter().find(|less| fails(less)) {
            least = less;
        }
        least
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
        Step::Unit(unit, reaction) => smaller_unit(unit).into_iter().map(|unit| Step::Unit(unit, *reaction)).collect(),
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
