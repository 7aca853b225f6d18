//! How often each operation and each outcome occurred in a test, so that a generator that has stopped making something is
//! noticed: the test fails for what did not occur at all.

use std::collections::BTreeMap;
use std::fmt;

use unit_of_work::Access;

use super::program::{Hook, Program, Sql, Step, Then, Unit, Way};
use super::seen::{Note, Said, Seen};

#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<String, u32>);

impl Tally {
    pub(super) fn program(&mut self, program: &Program) {
        self.unit(&program.unit);
    }

    pub(super) fn seen(&mut self, seen: &Seen) {
        self.count(format!("outermost said {}", words(seen.said)));
        for note in &seen.diary {
            self.count(match note {
                Note::Saw(said) => format!("inner said {}", words(*said)),
                Note::Counted(1) => "counted 1".to_owned(),
                Note::Counted(_) => "counted on".to_owned(),
                Note::Ran { in_unit, .. } => format!("a hook ran, {} a unit", if *in_unit { "in" } else { "outside" }),
                Note::Reported(_, kind, _) => format!("{kind:?} reported"),
            });
        }
    }

    pub(super) fn happened(&mut self, happened: Vec<String>) {
        for what in happened {
            self.count(what);
        }
    }

    /// # Panics
    /// When one of them did not occur.
    pub(super) fn assert_none_is_missing(&self, keys: impl IntoIterator<Item = String>) {
        let missing: Vec<String> = keys.into_iter().filter(|key| !self.0.contains_key(key)).collect();
        assert!(missing.is_empty(), "never occurred: {missing:#?}\n{self}");
    }

    fn count(&mut self, key: impl Into<String>) {
        *self.0.entry(key.into()).or_default() += 1;
    }

    fn unit(&mut self, unit: &Unit) {
        self.count(format!("attempts {}", unit.attempts));
        self.count(format!("on error {:?}", unit.on_error));
        self.count(format!("replay {:?}", unit.replay));
        self.count(if unit.isolation.is_some() { "isolation given" } else { "isolation left open" });
        self.count(if unit.access == Access::ReadOnly { "read only" } else { "read write" });
        self.steps(&unit.body);
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Write(reaction) => self.count(format!("write, {reaction:?}")),
                Step::Duplicate(reaction) => self.count(format!("duplicate, {reaction:?}")),
                Step::Unit(unit, reaction) => {
                    self.count(format!("unit, {reaction:?}"));
                    self.unit(unit);
                }
                Step::Savepoint(body, reaction) => {
                    self.count(format!("savepoint, {reaction:?}"));
                    self.steps(body);
                }
                Step::Mark => self.count("mark"),
                Step::Count => self.count("count"),
                Step::Hook(hook) => self.hook(hook),
                Step::Fail(_) => self.count("fail"),
                Step::Panic(_) => self.count("panic"),
            }
        }
    }

    fn hook(&mut self, hook: &Hook) {
        match hook {
            Hook::BeforeCommit(_, steps) => {
                self.count("hook before commit");
                self.steps(steps);
            }
            Hook::After(_, event, then) => {
                let what = match then {
                    Then::Nothing => "notes",
                    Then::Fail(_) => "fails",
                    Then::Panic(_) => "panics",
                    Then::Unit(unit) => {
                        self.unit(unit);
                        "opens a unit"
                    }
                };
                self.count(format!("hook after {event:?} {what}"));
            }
        }
    }
}

/// Without the numbers.
fn words(said: Said) -> String {
    match said {
        Said::Value => "Value".to_owned(),
        Said::Own(_) => "Own".to_owned(),
        Said::Work(kind) => format!("{kind:?}"),
        Said::Panic(_) => "Panic".to_owned(),
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(key, count)| writeln!(f, "{count:>8}  {key}"))
    }
}

/// What every test of many programs must have done.
pub(super) fn operations() -> Vec<String> {
    let mut all: Vec<String> = PLANS.iter().map(|&plan| plan.to_owned()).collect();
    for operation in ["write", "unit", "savepoint"] {
        all.extend(["PassOn", "Swallow", "Catch"].map(|reaction| format!("{operation}, {reaction}")));
    }
    for event in ["Commit", "Rollback"] {
        all.extend(["notes", "fails", "panics"].map(|what| format!("hook after {event} {what}")));
    }
    all.extend(["RollBack", "Commit", "RunAgain"].map(|what| format!("on error {what}")));
    let others = [
        "hook after Commit opens a unit",
        "a unit in a hook while another is suspended",
        "hook before commit",
        "a hook ran, in a unit",
        "a hook ran, outside a unit",
        "AfterCommit reported",
        "AfterRollback reported",
        "mark",
        "counted 1",
        "counted on",
        "isolation given",
        "read only",
        "replay Repeatable",
        "attempts 1",
        "attempts 2",
        "run again",
    ];
    all.extend(others.map(str::to_owned));
    all
}

/// What the modes lead to; `outermost` inside and the like are refused.
const PLANS: [&str; 19] = [
    "Required outside: Begin",
    "Outermost outside: Begin",
    "RequiresNew outside: Begin",
    "Nested outside: Begin",
    "Mandatory outside: Refuse(Propagation)",
    "Supports outside: Without",
    "NotSupported outside: Without",
    "Required inside a unit: Join",
    "Required inside a unit: Begin",
    "Required inside a unit: Refuse(AccessConflict)",
    "Outermost inside a unit: Refuse(Propagation)",
    "RequiresNew inside a unit: Begin",
    "Nested inside a unit: Savepoint",
    "Nested inside a unit: Refuse(Propagation)",
    "Mandatory inside a unit: Join",
    "Supports inside a unit: Join",
    "NotSupported inside a unit: Without",
    "Never inside a unit: Refuse(Propagation)",
    "Never inside a unit: Join",
];

/// Every statement that can fail has failed in every way that it can.
pub(super) fn faults() -> Vec<String> {
    let ways = [Way::Deadlock, Way::LockTimeout, Way::Refused, Way::LostBefore, Way::LostAfter];
    let all = Sql::ALL.iter().flat_map(|sql| ways.map(|way| (*sql, way)));
    let can_be = all.filter(|(sql, way)| !sql.can_only_be_lost() || matches!(way, Way::LostBefore | Way::LostAfter));
    can_be.map(|(sql, way)| format!("{sql:?} met {way:?}")).collect()
}
