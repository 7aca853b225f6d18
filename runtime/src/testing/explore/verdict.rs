//! What counts as wrong: a pure comparison of what was seen of a run with what is seen of it undisturbed.

#[cfg(test)]
mod tests;

use std::fmt::{self, Debug};

use super::stage::{Said, Seen};
use crate::backend::mysql::wire::failing::shape;
use crate::outcome::Outcome;

/// What went wrong in a run. Values in their `Debug` form.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// It returned another value.
    OtherResult {
        /// What it returns undisturbed.
        expected: String,
        /// What it returned.
        got: String,
    },
    /// It left other rows than its result says.
    OtherRows {
        /// What its result says that there must be.
        expected: String,
        /// What is there.
        got: String,
    },
    /// It did something outside of the database once more or once less than its result says.
    OtherEffects {
        /// What its result says that there must be.
        expected: String,
        /// What is there.
        got: String,
    },
    /// The attempt after the failure asked less than the first one: something was kept.
    NotAskedAgain {
        /// What it did not ask.
        statement: String,
    },
    /// A unit inside ended on its own; so this one could not run again, and is undone while that one stands.
    EndedOnItsOwn {
        /// Name and place of the unit inside.
        unit: String,
    },
    /// Part of it is, or may be, in the database.
    Torn,
    /// It panicked.
    Panicked {
        /// With these words.
        message: String,
    },
}

pub(super) fn judge<R, T, U>(expected: &Seen<R, T, U>, seen: &Seen<R, T, U>) -> Option<Finding>
where
    R: PartialEq + Debug,
    T: PartialEq + Debug,
    U: PartialEq + Debug,
{
    match &seen.said {
        Said::Panicked(message) => Some(Finding::Panicked { message: message.clone() }),
        said if *said == expected.said => as_undisturbed(expected, seen),
        Said::Returned(_) => Some(Finding::OtherResult { expected: words(&expected.said), got: words(&seen.said) }),
        Said::Failed(_) => failed(expected, seen),
    }
}

fn as_undisturbed<R, T, U>(expected: &Seen<R, T, U>, seen: &Seen<R, T, U>) -> Option<Finding>
where
    T: PartialEq + Debug,
    U: PartialEq + Debug,
{
    other_rows(&[&expected.after.rows], &seen.after.rows)
        .or_else(|| other_effects(&[&expected.after.effects], &seen.after.effects))
        .or_else(|| not_asked_again(expected, seen))
}

fn failed<R, T, U>(expected: &Seen<R, T, U>, seen: &Seen<R, T, U>) -> Option<Finding>
where
    T: PartialEq + Debug,
    U: PartialEq + Debug,
{
    let (before, after) = (&expected.before, &expected.after);
    if seen.outcomes.contains(&Outcome::Unknown) {
        return other_rows(&[&before.rows, &after.rows], &seen.after.rows)
            .or_else(|| other_effects(&[&before.effects, &after.effects], &seen.after.effects));
    }
    if seen.outcomes.contains(&Outcome::Torn) {
        return Some(Finding::Torn);
    }
    if let Some(unit) = &seen.in_the_way {
        return Some(Finding::EndedOnItsOwn { unit: unit.to_string() });
    }
    other_rows(&[&before.rows], &seen.after.rows).or_else(|| other_effects(&[&before.effects], &seen.after.effects))
}

fn other_rows<T: PartialEq + Debug>(allowed: &[&T], got: &T) -> Option<Finding> {
    (!allowed.contains(&got)).then(|| Finding::OtherRows { expected: any_of(allowed), got: format!("{got:?}") })
}

fn other_effects<U: PartialEq + Debug>(allowed: &[&U], got: &U) -> Option<Finding> {
    (!allowed.contains(&got)).then(|| Finding::OtherEffects { expected: any_of(allowed), got: format!("{got:?}") })
}

fn any_of<V: Debug>(allowed: &[&V]) -> String {
    allowed.iter().map(|value| format!("{value:?}")).collect::<Vec<_>>().join(" or ")
}

/// Of one unit that ran again as a whole, its last attempt asks all that it asks undisturbed. Of several it is not known which of
/// them ran again.
fn not_asked_again<R, T, U>(expected: &Seen<R, T, U>, seen: &Seen<R, T, U>) -> Option<Finding> {
    let ran_again = (expected.attempts, expected.outcomes.len()) == (1, 1) && seen.attempts > 1;
    let from = seen.record.until_failed.filter(|_| ran_again)?;
    let asked = seen.record.sent.get(from..).unwrap_or_default();
    let usual = || expected.record.sent.iter().filter(|text| is_the_bodys(text));
    if asked.iter().filter(|text| is_the_bodys(text)).count() >= usual().count() {
        return None;
    }
    let missing = usual().find(|text| !asked.iter().any(|other| shape(other) == shape(text)))?;
    Some(Finding::NotAskedAgain { statement: missing.clone() })
}

/// What the runtime sends around attempts, and not in each.
const AROUND: [&str; 6] =
    ["SET SESSION ", "START TRANSACTION", "ROLLBACK AND ", "KILL CONNECTION ", "PING", "RESET CONNECTION"];

fn is_the_bodys(text: &str) -> bool {
    !AROUND.iter().any(|start| text.starts_with(start))
}

pub(super) fn words<R: Debug>(said: &Said<R>) -> String {
    match said {
        Said::Returned(value) => format!("Ok({value:?})"),
        Said::Failed(error) => format!("Err({error})"),
        Said::Panicked(message) => format!("a panic: {message}"),
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherResult { expected, got } => write!(f, "it returned {got}, and undisturbed {expected}"),
            Self::OtherRows { expected, got } => write!(f, "by its result the rows are {expected}; they are {got}"),
            Self::OtherEffects { expected, got } => write!(
                f,
                "by its result the effects outside of the database are {expected}; they are {got}; what must happen once and only \
                 after COMMIT belongs into `after_commit`; what counts it here is cleared in `set_up`"
            ),
            Self::NotAskedAgain { statement } => write!(
                f,
                "the next attempt did not send `{statement}` again: it uses what the attempt before has read, which may have changed"
            ),
            Self::EndedOnItsOwn { unit } => write!(
                f,
                "it was not run again, because unit {unit} had ended on its own inside and would be done twice; that one stands alone \
                 now; declare it `repeatable` if it may be done twice, or do it in the same transaction"
            ),
            Self::Torn => f.write_str("part of it is in the database, or may be"),
            Self::Panicked { message } => {
                write!(f, "it panicked, so it was not run again: {message}; return the error instead")
            }
        }
    }
}
