//! What the model says of units in units: what each mode leads to, what joining means, and savepoints.

use unit_of_work::{Access, ErrorKind, OnError, Propagation};

use super::server::Commits;
use super::{Level, Reference};
use crate::model::program::{Event, Step, Unit, Way};
use crate::model::seen::Said;

#[derive(Debug)]
enum Plan {
    Join,
    Begin,
    Savepoint,
    Without,
    Refuse(ErrorKind),
}

impl Reference {
    pub(super) fn unit(&mut self, unit: &Unit) -> Said {
        let plan = self.plan(unit);
        let around = if self.in_unit() { "inside a unit" } else { "outside" };
        self.happens(&format!("{:?} {around}: {plan:?}", unit.mode));
        match plan {
            Plan::Join => self.join(unit),
            Plan::Begin => self.own(unit, Commits::AtEnd),
            Plan::Savepoint => self.nested(&unit.name(), unit.on_error, &unit.body),
            Plan::Without => self.own(unit, Commits::Each),
            Plan::Refuse(kind) => Said::Work(kind),
        }
    }

    /// The table of modes. A unit without a transaction is none that could be joined, but its session serves others without.
    fn plan(&self, unit: &Unit) -> Plan {
        use Commits::{AtEnd, Each};
        use Propagation::{Mandatory, Nested, Never, NotSupported, Outermost, Required, RequiresNew, Supports};
        let Some(active) = self.visible().last() else {
            return match unit.mode {
                Required | Outermost | RequiresNew | Nested => Plan::Begin,
                Mandatory => Plan::Refuse(ErrorKind::Propagation),
                _ => Plan::Without,
            };
        };
        let writes_too_much = unit.access == Access::ReadWrite && active.setting.access == Access::ReadOnly;
        match (unit.mode, active.setting.commits) {
            (RequiresNew, _) | (Required, Each) => Plan::Begin,
            (NotSupported, AtEnd) => Plan::Without,
            (Supports | NotSupported | Never, Each) if !writes_too_much => Plan::Join,
            (Outermost, _) | (Never, AtEnd) | (Mandatory | Nested, Each) => Plan::Refuse(ErrorKind::Propagation),
            (_, AtEnd) if unit.isolation > Some(active.setting.isolation) => Plan::Refuse(ErrorKind::IsolationConflict),
            _ if writes_too_much => Plan::Refuse(ErrorKind::AccessConflict),
            (Nested, AtEnd) => Plan::Savepoint,
            _ => Plan::Join,
        }
    }

    fn join(&mut self, unit: &Unit) -> Said {
        let said = self.body(&unit.name(), &unit.body);
        let fails = matches!(said, Said::Panic(_)) || (said.is_error() && unit.on_error != OnError::Commit);
        if fails && self.frame().setting.commits == Commits::AtEnd {
            self.level().mark.get_or_insert(ErrorKind::Doomed);
        }
        said
    }

    pub(super) fn body(&mut self, name: &str, steps: &[Step]) -> Said {
        self.names.push(name.to_owned());
        let said = self.steps(steps);
        self.names.pop();
        said
    }

    pub(super) fn nested(&mut self, name: &str, on_error: OnError, body: &[Step]) -> Said {
        if self.frame().setting.commits == Commits::Each {
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
            (Said::Value, None) => self.release(&savepoint, level, said),
            (Said::Own(_) | Said::Work(_), None) if on_error == OnError::Commit => {
                self.release(&savepoint, level, said)
            }
            (Said::Value, Some(mark)) => self.undo(name, &savepoint, level, Said::Work(mark)),
            (Said::Own(_) | Said::Work(_) | Said::Panic(_), _) => self.undo(name, &savepoint, level, said),
        }
    }

    /// If it cannot be undone alone, the whole is undone, and what belongs to it shares that. The caller gets what it would get
    /// otherwise: a failed roll-back does not hide its reason.
    fn undo(&mut self, name: &str, savepoint: &str, level: Level, said: Said) -> Said {
        if self.send(&format!("ROLLBACK TO SAVEPOINT {savepoint}")).is_ok() {
            self.attend(name, Event::Rollback, level.hooks);
        } else {
            self.level().merge(level);
            self.must_end();
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
