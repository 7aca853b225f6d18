//! Holds what callers were told against the rows: pure, once the rows are read. Who disturbed what does not matter here.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;
use unit_of_work::mysql::Conn;
use unit_of_work::mysql::prelude::Queryable;

use crate::answers::{Answer, Answers};
use crate::work::{Number, OPENING};

/// What a database holds after a run.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// How many entries each unit left.
    pub(crate) entries: HashMap<Number, u64>,
    /// Accounts whose balance is not the opening balance and what their entries say, in words.
    pub(crate) wrong_balances: Vec<String>,
}

impl Rows {
    pub(crate) fn read(conn: &mut Conn) -> Result<Self, unit_of_work::mysql::Error> {
        let entries = conn
            .query_map("SELECT unit, COUNT(*) FROM entry GROUP BY unit", |(unit, count): (u64, u64)| {
                (Number::from_raw(unit), count)
            })?;
        let mut wrong_balances = wrong_balances(conn)?;
        if !wrong_balances.is_empty() {
            // Whether it passes by itself is the first question of whoever looks into it.
            wrong_balances.push(format!("looked at again: {:?}", self::wrong_balances(conn)?));
        }
        Ok(Self { entries: entries.into_iter().collect(), wrong_balances })
    }
}

fn wrong_balances(conn: &mut Conn) -> Result<Vec<String>, unit_of_work::mysql::Error> {
    let sums = format!(
        "SELECT id, balance, {OPENING} + (SELECT COALESCE(SUM(amount), 0) FROM entry WHERE target = account.id) \
         - (SELECT COALESCE(SUM(amount), 0) FROM entry WHERE source = account.id) AS told FROM account HAVING balance <> told"
    );
    conn.query_map(sums, |(id, balance, told): (u32, i64, i64)| {
        format!("account {id} holds {balance}, its entries say {told}")
    })
}

impl Rows {
    /// Together with those of another database.
    pub(crate) fn with(mut self, other: Self) -> Self {
        for (unit, count) in other.entries {
            *self.entries.entry(unit).or_default() += count;
        }
        self.wrong_balances.extend(other.wrong_balances);
        self
    }
}

/// What was found. All but `balance_ok` count units.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Audit {
    /// Acknowledged and not in the database.
    pub(crate) lost: u64,
    /// More than once in the database, whatever was said.
    pub(crate) doubled: u64,
    /// Told to be rolled back and in the database, or there without having been asked for.
    pub(crate) phantom: u64,
    /// Unknown to their callers and in the database.
    pub(crate) unknown_committed: u64,
    /// Whether every account holds what its entries say, and there are as many units as acknowledged and unknown ones allow.
    pub(crate) balance_ok: bool,
    /// One of those that are wrong, for whoever looks into it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) example: Option<String>,
}

impl Audit {
    pub(crate) fn of(answers: &Answers, rows: &Rows) -> Self {
        let mut audit = Self::default();
        let mut entries = rows.entries.clone();
        for (unit, answer) in answers.iter() {
            audit.judge(unit, answer, entries.remove(&unit).unwrap_or(0));
        }
        for (unit, count) in entries {
            audit.phantom += 1;
            audit.example.get_or_insert(format!("unit {unit} was never run and left {count} entries"));
        }
        let counts = answers.counts();
        let there: u64 = rows.entries.values().sum();
        audit.balance_ok = rows.wrong_balances.is_empty()
            && (counts.acknowledged..=counts.acknowledged + counts.unknown).contains(&there);
        audit.example =
            audit.example.or_else(|| (!rows.wrong_balances.is_empty()).then(|| rows.wrong_balances.join("; ")));
        audit
    }

    fn judge(&mut self, unit: Number, answer: Answer, count: u64) {
        let wrong = match (answer, count) {
            (_, 2..) => &mut self.doubled,
            (Answer::Committed, 0) => &mut self.lost,
            (Answer::Absent, 1) => &mut self.phantom,
            (Answer::Unknown, 1) => {
                self.unknown_committed += 1;
                return;
            }
            (Answer::Committed, 1) | (Answer::Absent | Answer::Unknown, 0) => return,
        };
        *wrong += 1;
        self.example.get_or_insert(format!("unit {unit} was told {answer:?} and left {count} entries"));
    }

    /// In words, what was promised and is not so.
    pub(crate) fn broken(&self) -> Vec<String> {
        let counted =
            [(self.lost, "lost"), (self.doubled, "doubled"), (self.phantom, "there though told to be rolled back")];
        let counted = counted.into_iter().filter(|(count, _)| *count > 0);
        let mut broken: Vec<_> = counted.map(|(count, what)| format!("{count} units {what}")).collect();
        if !self.balance_ok {
            broken.push("the balances do not add up".to_owned());
        }
        broken.extend(self.example.clone());
        broken
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lost, doubled, phantom, unknown_committed, balance_ok, .. } = self;
        let balances = if *balance_ok { "the balances add up" } else { "THE BALANCES DO NOT ADD UP" };
        write!(f, "{lost} lost, {doubled} doubled, {phantom} there against what was said; ")?;
        write!(f, "{unknown_committed} of the unknown ones are there; {balances}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audit(told: &[Answer], entries: &[u64], wrong_balances: usize) -> Audit {
        let mut answers = Answers::default();
        let wrong_balances = vec!["account 1 holds 1, its entries say 2".to_owned(); wrong_balances];
        let mut rows = Rows { wrong_balances, ..Rows::default() };
        for (sequence, answer) in (0..).zip(told) {
            answers.note(Number::new(1, sequence), *answer);
        }
        for (sequence, count) in (0..).zip(entries).filter(|(_, count)| **count > 0) {
            rows.entries.insert(Number::new(1, sequence), *count);
        }
        Audit::of(&answers, &rows)
    }

    #[test]
    fn the_truth_is_found_to_be_true() {
        use Answer::{Absent, Committed, Unknown};
        let audit = audit(&[Committed, Absent, Unknown, Unknown], &[1, 0, 0, 1], 0);
        assert_eq!(audit.broken(), [""; 0]);
        assert_eq!(audit, Audit { unknown_committed: 1, balance_ok: true, ..Audit::default() });
    }

    #[test]
    fn each_lie_is_found() {
        use Answer::{Absent, Committed, Unknown};
        assert_eq!(audit(&[Committed, Unknown], &[0, 0], 0).lost, 1);
        assert_eq!(audit(&[Committed, Committed], &[0, 1], 0).lost, 1);
        assert_eq!(audit(&[Committed], &[2], 0).doubled, 1);
        assert_eq!(audit(&[Unknown], &[2], 0).doubled, 1);
        assert_eq!(audit(&[Absent], &[1], 0).phantom, 1);
        assert_eq!(audit(&[], &[1], 0).phantom, 1);
        for wrong in [audit(&[Committed], &[0], 0), audit(&[Committed], &[1], 1), audit(&[Unknown], &[2], 0)] {
            assert!(!wrong.balance_ok && !wrong.broken().is_empty(), "{wrong:?}");
        }
    }
}
