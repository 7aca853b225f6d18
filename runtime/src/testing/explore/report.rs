//! What an exploration found, run by run, as values and as a table.

use std::fmt::{self, Debug};

use super::stage::{Fault, Looked, Looks, Said, Seen};
use super::verdict::{Finding, words};
use crate::backend::mysql::wire::failing::Way;
use crate::outcome::Outcome;
use crate::shown;

/// All runs of an exploration. Shown as a table, followed by the findings in full:
///
/// ```text
/// 10 runs, each with a failure: 3 went wrong
///   #  round trip                                    failure          what happened
///   1  UPDATE account SET balance = balance - 10 W…  deadlock (1213)  ran again, Ok(())                 sound
///   1  UPDATE account SET balance = balance - 10 W…  refused (1205)   ran again, Ok(())                 sound
/// …
///   2  UPDATE account SET balance = balance + 10 W…  deadlock (1213)  ran again, Ok(())                 WRONG
/// …
///
/// #2 `UPDATE account SET balance = balance + 10 WHERE id = 2`, deadlock (1213): by its result the effects outside of the database
/// are 1; they are 2; what must happen once and only after COMMIT belongs into `after_commit`
/// ```
#[derive(Debug, Clone)]
pub struct Exploration {
    runs: Vec<Run>,
    in_a_row: u32,
    at_rows: Looked,
    at_effects: Looked,
}

/// One run with one failure.
#[derive(Debug, Clone)]
pub struct Run {
    round_trip: u64,
    statement: String,
    way: Way,
    attempts: u32,
    happened: String,
    finding: Option<Finding>,
}

impl Run {
    pub(super) fn of<R: Debug, T: PartialEq, U>(
        fault: Fault,
        seen: &Seen<R, T, U>,
        expected: &Seen<R, T, U>,
        at_rows: Looked,
        finding: Option<Finding>,
    ) -> Self {
        let at = usize::try_from(fault.round_trip - 1).unwrap_or(usize::MAX);
        let statement = seen.record.sent.get(at).map(|text| shown::statement(text).to_string()).unwrap_or_default();
        let Fault { round_trip, way, .. } = fault;
        let happened = happened(seen, expected, at_rows);
        Self { round_trip, statement, way, attempts: seen.attempts, happened, finding }
    }

    /// Which round trip failed, counted from 1.
    pub fn round_trip(&self) -> u64 {
        self.round_trip
    }

    /// What it asked, shortened.
    pub fn statement(&self) -> &str {
        &self.statement
    }

    /// How it failed.
    pub fn way(&self) -> Way {
        self.way
    }

    /// How often a unit began in it that is not inside another one.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// What went wrong, if something did.
    pub fn finding(&self) -> Option<&Finding> {
        self.finding.as_ref()
    }
}

impl Exploration {
    pub(super) fn of<T, U>(runs: Vec<Run>, in_a_row: u32, looks: &Looks<'_, T, U>) -> Self {
        Self { runs, in_a_row, at_rows: looks.at_rows, at_effects: looks.at_effects }
    }

    /// All runs, in the order of the round trips that failed.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The runs in which something went wrong.
    pub fn findings(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(|run| run.finding.is_some())
    }

    /// Whether nothing went wrong in any run.
    pub fn is_sound(&self) -> bool {
        self.findings().next().is_none()
    }

    /// For the end of a test.
    ///
    /// # Panics
    /// With the table, when something went wrong in a run.
    #[track_caller]
    pub fn assert_sound(&self) {
        assert!(self.is_sound(), "{self}");
    }
}

fn happened<R: Debug, T: PartialEq, U>(seen: &Seen<R, T, U>, expected: &Seen<R, T, U>, at_rows: Looked) -> String {
    let again = if seen.attempts > expected.attempts { "ran again, " } else { "" };
    let stays = match at_rows {
        Looked::Never => "who knows what",
        Looked::AfterEach if seen.after.rows == expected.before.rows => "nothing",
        Looked::AfterEach => "something",
    };
    match &seen.said {
        Said::Returned(_) => format!("{again}{}", words(&seen.said)),
        Said::Failed(_) if seen.outcomes.contains(&Outcome::Unknown) => format!("{again}unknown, {stays} stays"),
        Said::Failed(_) => format!("{again}failed, {stays} stays"),
        Said::Panicked(_) => format!("{again}panicked, {stays} stays"),
    }
}

/// Characters of a column.
const STATEMENT: usize = 44;
const HAPPENED: usize = 32;

impl fmt::Display for Exploration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (runs, wrong) = (self.runs.len(), self.findings().count());
        writeln!(f, "{runs} runs, each with a failure{}: {wrong} went wrong", times(self.in_a_row))?;
        f.write_str(unseen(self.at_rows, self.at_effects))?;
        writeln!(f, "{:>3}  {:STATEMENT$}  {:15}  what happened", "#", "round trip", "failure")?;
        for run in &self.runs {
            let verdict = if run.finding.is_some() { "WRONG" } else { "sound" };
            let (statement, happened) = (short(&run.statement, STATEMENT), short(&run.happened, HAPPENED));
            let (number, way) = (run.round_trip, run.way.to_string());
            writeln!(f, "{number:>3}  {statement:STATEMENT$}  {way:15}  {happened:HAPPENED$}  {verdict}")?;
        }
        for run in self.findings() {
            let Run { round_trip, statement, way, .. } = run;
            let finding = run.finding.as_ref().expect("of those that have one");
            writeln!(f, "\n#{round_trip} `{statement}`, {way}: {finding}")?;
        }
        Ok(())
    }
}

/// What "sound" does not cover.
fn unseen(at_rows: Looked, at_effects: Looked) -> &'static str {
    match (at_rows, at_effects) {
        (Looked::AfterEach, _) => "",
        (Looked::Never, Looked::AfterEach) => {
            "rows were not observed, only results and effects were compared: see `Explore::observe`\n"
        }
        (Looked::Never, Looked::Never) => {
            "neither rows nor effects were observed, only results were compared: see `Explore::observe` and `Explore::effects`\n"
        }
    }
}

fn times(in_a_row: u32) -> String {
    if in_a_row == 1 { String::new() } else { format!(", {in_a_row} times in a row") }
}

fn short(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}
