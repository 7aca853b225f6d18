//! A schedule as it went, as text: a column for each transaction, what it sent and what came of it. What is recorded decides `play`;
//! here is how it is drawn. The guide's chapter about isolation shows some of them.

use std::fmt;

use super::play::{End, Reply, Rows};
use super::schedules::Step;

/// A column's width: the longest statement of the schedules that are drawn.
const WIDTH: usize = 47;

/// What became of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Event {
    Waits,
    Answered(Reply),
    Ended(End),
}

/// One line of the schedule, and what happened before the next one was played.
#[derive(Debug)]
struct Line {
    who: usize,
    step: Step,
    events: Vec<(usize, Event)>,
}

/// What happened, in order.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    lines: Vec<Line>,
}

impl Timeline {
    pub(super) fn sends(&mut self, who: usize, step: Step) {
        self.lines.push(Line { who, step, events: Vec::new() });
    }

    /// Said once, however often it is seen.
    pub(super) fn waits(&mut self, who: usize) {
        let last = self.lines.iter().rev().flat_map(|line| line.events.iter().rev()).find(|(other, _)| *other == who);
        if !matches!(last, Some((_, Event::Waits))) {
            self.happened(who, Event::Waits);
        }
    }

    pub(super) fn answered(&mut self, who: usize, reply: Reply) {
        self.happened(who, Event::Answered(reply));
    }

    pub(super) fn ended(&mut self, who: usize, end: End) {
        self.happened(who, Event::Ended(end));
    }

    /// Who was on comes first: in which order two threads tell what happened at the same time is chance.
    fn happened(&mut self, who: usize, event: Event) {
        if let Some(line) = self.lines.last_mut() {
            line.events.push((who, event));
            let on = line.who;
            line.events.sort_by_key(|(who, _)| (*who != on, *who));
        }
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transactions = self.lines.iter().map(|line| line.who + 1).max().unwrap_or(0);
        let names: Vec<_> = (1..=transactions).map(|number| format!("T{number}")).collect();
        writeln!(f, "{}", row(names.iter().map(String::as_str).enumerate()))?;
        for line in &self.lines {
            writeln!(f, "{}", row([(line.who, line.step.to_string().as_str())].into_iter()))?;
            for (who, event) in &line.events {
                writeln!(f, "{}", row([(*who, format!("  {event}").as_str())].into_iter()))?;
            }
        }
        Ok(())
    }
}

/// Texts in their columns.
fn row<'a>(cells: impl Iterator<Item = (usize, &'a str)>) -> String {
    let line = cells.fold(String::new(), |mut line, (column, text)| {
        let indent = (column * WIDTH).saturating_sub(line.chars().count());
        line.push_str(&" ".repeat(indent));
        line.push_str(text);
        line
    });
    line.trim_end().to_owned()
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql(sql) => f.write_str(sql),
            Self::Commit => f.write_str("COMMIT"),
            Self::Rollback => f.write_str("ROLLBACK"),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waits => f.write_str("… waits for a lock"),
            Self::Answered(Reply::Read(rows)) => write!(f, "→ {}", shown(rows)),
            Self::Answered(Reply::Changed(1)) => f.write_str("→ 1 row"),
            Self::Answered(Reply::Changed(rows)) => write!(f, "→ {rows} rows"),
            Self::Ended(End::Committed) => f.write_str("→ committed"),
            Self::Ended(End::RolledBack) => f.write_str("→ rolled back"),
            Self::Ended(End::Refused(Some(code))) => write!(f, "→ error {code}, rolled back"),
            Self::Ended(End::Refused(None)) => f.write_str("→ failed, rolled back"),
        }
    }
}

/// `row 1 = 10, row 2 = 20`.
pub(super) fn shown(rows: &Rows) -> String {
    let rows: Vec<_> = rows.iter().map(|(id, value)| format!("row {id} = {value}")).collect();
    if rows.is_empty() { "no row".to_owned() } else { rows.join(", ") }
}
