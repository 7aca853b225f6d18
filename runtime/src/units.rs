//! What the process's units have done: declared options, ends, retries, times. Counted by `figures`; here is what a program gets
//! to see of it, as values, as a table and, with the feature `serde`, as data.

mod figures;
mod histogram;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use crate::options::{Access, Isolation, LostCommit, Propagation, Replay, Retry, Snapshot};
use crate::outcome::Outcome;

#[cfg(feature = "metrics")]
pub(crate) use figures::listed;
pub(crate) use figures::{Figures, Reason, named, register};

/// Every unit that has run in this process, on whatever database and thread, with what it was declared to be and what became of
/// it; in order of name and place.
///
/// Counting costs a unit two additions, no lock, and no allocation after the first of its kind. The figures are those of one moment
/// only if nothing runs meanwhile.
///
/// Prints as a table:
///
/// ```no_run
/// println!("{}", unit_of_work::units());
/// ```
///
/// A test can hold on to what a unit promises, so that nobody weakens it unnoticed. It is listed once it has run, and a scripted
/// server is good enough for that (feature `testing`):
///
/// ```no_run
/// use unit_of_work::{Error, Isolation, Tx, unit_of_work, units};
///
/// #[unit_of_work(isolation = "serializable")]
/// fn transfer(tx: &mut Tx, from: u64, to: u64) -> Result<(), Error> {
///     tx.exec_drop("UPDATE account SET balance = balance - 1 WHERE id = ?", (from,))?;
///     tx.exec_drop("UPDATE account SET balance = balance + 1 WHERE id = ?", (to,))
/// }
///
/// # fn main() -> Result<(), Error> {
/// transfer(1, 2)?;
/// let units = units();
/// let transfer = units.named("transfer").expect("it has run");
/// assert_eq!(transfer.isolation, Some(Isolation::Serializable));
/// assert_eq!(transfer.committed, 1);
/// # Ok(()) }
/// ```
pub fn units() -> Units {
    let ran = |figures: &&Figures| figures.runs() + figures.count_joined() > 0;
    let mut units: Vec<_> = figures::all().into_iter().filter(ran).map(UnitStats::of).collect();
    units.sort_by(|one, other| (&one.name, &one.file, one.line).cmp(&(&other.name, &other.file, other.line)));
    Units(units)
}

/// Units with their figures, made by [`units`]. A slice; its `Display` is a table.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Units(Vec<UnitStats>);

/// What a unit is, and what became of it so far.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct UnitStats {
    /// Module, type and function, or what it was named.
    pub name: String,
    /// The file that it stands in.
    pub file: &'static str,
    /// The line of its name, or of the call of `Database::unit`.
    pub line: u32,
    /// As declared; `None` = its database's default. A unit without the attribute has what it had when it first ran.
    #[cfg_attr(feature = "serde", serde(serialize_with = "data::words"))]
    pub isolation: Option<Isolation>,
    /// Whether it may write.
    #[cfg_attr(feature = "serde", serde(serialize_with = "data::word"))]
    pub access: Access,
    /// What it does inside another unit, and alone.
    #[cfg_attr(feature = "serde", serde(serialize_with = "data::word"))]
    pub propagation: Propagation,
    /// As declared; `None` = its database's policy.
    #[cfg_attr(feature = "serde", serde(serialize_with = "data::policy"))]
    pub retry: Option<Retry>,
    /// Its deadline, if it has one.
    #[cfg_attr(feature = "serde", serde(rename = "timeout_us", serialize_with = "data::perhaps_micros"))]
    pub timeout: Option<Duration>,
    /// As declared; `None` = its database's.
    #[cfg_attr(feature = "serde", serde(rename = "lock_wait_us", serialize_with = "data::perhaps_micros"))]
    pub lock_wait: Option<Duration>,
    /// Whether its read view is that of its begin.
    pub snapshot: bool,
    /// Whether a COMMIT of it without an answer is resolved.
    pub exactly_once: bool,
    /// Whether it may end on its own again when the unit around it runs again.
    pub repeatable: bool,
    /// How often it ran with an outcome of its own, however many attempts each took: the sum of the six that follow.
    pub runs: u64,
    /// COMMIT was confirmed.
    pub committed: u64,
    /// Nothing of it is in the database.
    pub rolled_back: u64,
    /// Nothing of it reached the server: it sent no statement, or could not begin.
    pub not_started: u64,
    /// COMMIT was not answered, and what became of it is not known.
    pub unknown: u64,
    /// Part of it is in the database.
    pub torn: u64,
    /// It ran without a transaction.
    pub untransacted: u64,
    /// How often it ran as a part of another unit's transaction, which then decided.
    pub joined: u64,
    /// Attempts that were followed by another, by what ended them: the server's error number, else the
    /// [`ErrorKind`](crate::ErrorKind), `asked` for errors of the body that ask for another attempt.
    pub retries: BTreeMap<String, u64>,
    /// What half of its runs stayed within, all attempts, waiting, backoff and hooks included; within an eighth.
    #[cfg_attr(feature = "serde", serde(rename = "p50_us", serialize_with = "data::micros"))]
    pub p50: Duration,
    /// What 99 of 100 stayed within.
    #[cfg_attr(feature = "serde", serde(rename = "p99_us", serialize_with = "data::micros"))]
    pub p99: Duration,
    /// How many of its attempts the admission gate lets in at once; `None` = it has none so far. With a gate for each key or database it
    /// is that of the gate that was left last.
    pub gate_width: Option<u32>,
}

impl Units {
    /// The unit of this name; the end of a name will do, where only one unit's ends so: `transfer` for `bank::Account::transfer`.
    pub fn named(&self, name: &str) -> Option<&UnitStats> {
        let ends = |unit: &&UnitStats| unit.name.strip_suffix(name).is_some_and(|path| path.ends_with("::"));
        let mut alike = self.0.iter().filter(ends);
        let exactly = self.0.iter().find(|unit| unit.name == name);
        exactly.or_else(|| alike.next().filter(|_| alike.next().is_none()))
    }
}

impl Deref for Units {
    type Target = [UnitStats];

    fn deref(&self) -> &[UnitStats] {
        &self.0
    }
}

impl UnitStats {
    fn of(figures: &Figures) -> Self {
        let durations = figures.durations();
        let options = figures.options;
        let (file, line) = figures.label.place();
        Self {
            name: figures.label.name().to_owned(),
            file,
            line,
            isolation: options.isolation,
            access: options.access,
            propagation: options.propagation,
            retry: options.retry,
            timeout: options.timeout,
            lock_wait: options.lock_wait,
            snapshot: options.snapshot == Snapshot::AtBegin,
            exactly_once: options.lost_commit == LostCommit::Resolved,
            repeatable: options.replay == Replay::Repeatable,
            runs: figures.runs(),
            committed: figures.count(Outcome::Committed),
            rolled_back: figures.count(Outcome::RolledBack),
            not_started: figures.count(Outcome::NotStarted),
            unknown: figures.count(Outcome::Unknown),
            torn: figures.count(Outcome::Torn),
            untransacted: figures.count(Outcome::Untransacted),
            joined: figures.count_joined(),
            retries: figures.retries().into_iter().map(|(reason, times)| (reason.to_string(), times)).collect(),
            p50: histogram::percentile(&durations, 50),
            p99: histogram::percentile(&durations, 99),
            gate_width: figures.gate(),
        }
    }

    fn cells(&self) -> [String; COLUMNS.len()] {
        let Self { name, file, line, .. } = self;
        let elsewise = self.runs - self.committed.min(self.runs);
        let elsewise = elsewise - self.rolled_back.min(elsewise);
        let retries: Vec<_> = self.retries.iter().map(|(reason, times)| format!("{reason}:{times}")).collect();
        [
            name.clone(),
            format!("{file}:{line}"),
            self.isolation.map_or_else(|| "default".to_owned(), |level| level.to_string()),
            self.runs.to_string(),
            self.committed.to_string(),
            self.rolled_back.to_string(),
            elsewise.to_string(),
            self.joined.to_string(),
            if retries.is_empty() { "-".to_owned() } else { retries.join(" ") },
            if self.runs == 0 { "-".to_owned() } else { format!("{:.1?}", self.p50) },
            if self.runs == 0 { "-".to_owned() } else { format!("{:.1?}", self.p99) },
            self.gate_width.map_or_else(|| "-".to_owned(), |width| width.to_string()),
        ]
    }
}

/// "Other" is the sum of the ends that are rare.
const COLUMNS: [&str; 12] = [
    "unit",
    "place",
    "isolation",
    "runs",
    "committed",
    "rolled back",
    "other",
    "joined",
    "retries",
    "p50",
    "p99",
    "gate",
];

/// Columns that are words, and begin at the left.
const WORDS: [usize; 4] = [0, 1, 2, 8];

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> =
            std::iter::once(COLUMNS.map(str::to_owned)).chain(self.0.iter().map(UnitStats::cells)).collect();
        let wide = |column: usize| lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or_default();
        let widths: [usize; COLUMNS.len()] = std::array::from_fn(wide);
        for (at, cells) in lines.iter().enumerate() {
            let padded = cells.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
                if WORDS.contains(&column) { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            let line = padded.collect::<Vec<_>>().join("  ");
            write!(f, "{}{}", if at == 0 { "" } else { "\n" }, line.trim_end())?;
        }
        Ok(())
    }
}

/// How values of ours become data: words as they are printed, times in microseconds.
#[cfg(feature = "serde")]
mod data {
    use std::fmt::Display;
    use std::time::Duration;

    use serde::ser::SerializeStruct;
    use serde::{Serialize, Serializer};

    use crate::options::Retry;

    pub(super) fn word<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    #[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
    pub(super) fn words<T: Display, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(ToString::to_string).serialize(to)
    }

    #[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
    pub(super) fn policy<S: Serializer>(retry: &Option<Retry>, to: S) -> Result<S::Ok, S::Error> {
        let Some(retry) = retry else { return to.serialize_none() };
        let mut policy = to.serialize_struct("Retry", 2)?;
        let limit = Some(retry.max_attempts).filter(|attempts| *attempts < u32::MAX);
        policy.serialize_field("max_attempts", &limit)?;
        policy.serialize_field("within_us", &in_micros(retry.within))?;
        policy.end()
    }

    fn in_micros(time: Duration) -> u64 {
        u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
    }

    pub(super) fn micros<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(in_micros(*time))
    }

    #[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
    pub(super) fn perhaps_micros<S: Serializer>(time: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        time.map(in_micros).serialize(to)
    }
}
