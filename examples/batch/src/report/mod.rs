//! What became of a night, told from the rows, so that a run that continues one, or comes when it is closed, tells the whole of it:
//! a text for people, a file of rejects for who mends them, a chart of how it went.

mod chart;
mod sheets;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use unit_of_work::{Error, Tx, unit_of_work};

use crate::rules::{FEES, Posting, Reject};

pub(crate) use sheets::Sheets;

/// What became of a night, or what would.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) night: String,
    pub(crate) lines: u64,
    pub(crate) sums: Sums,
    /// In the order of the file.
    pub(crate) rejects: Vec<Reject>,
    /// None in a dry run.
    pub(crate) chunks: Vec<Done>,
    /// What all accounts held when the night began, and again when it was closed, in cents.
    pub(crate) money: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) posted: u64,
    /// In cents, without fees.
    pub(crate) amount: u64,
    pub(crate) fees: u64,
}

/// A chunk that was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) run: u64,
    /// Since its run began.
    pub(crate) at: Duration,
    pub(crate) lines: u64,
    /// Attempts beyond the first.
    pub(crate) retries: u64,
}

/// How many of the rejected lines a text has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Listed {
    All,
    First(usize),
}

/// Reads what is there of a night.
#[unit_of_work(read_only, isolation = "repeatable read", snapshot)]
pub(crate) fn of_night(tx: &mut Tx<'_>, night: u64) -> Result<Report, Error> {
    let of_night = "SELECT name, line_count, money FROM night WHERE id = ?";
    let (name, lines, money) = tx.exec_first(of_night, (night,))?.expect("nights are not deleted");
    let sums = "SELECT COUNT(*), CAST(COALESCE(SUM(amount), 0) AS UNSIGNED), CAST(COALESCE(SUM(fee), 0) AS UNSIGNED) \
                FROM payment WHERE night = ?";
    let (posted, amount, fees) = tx.exec_first(sums, (night,))?.expect("an aggregate is always one row");
    let rejects = tx.exec_map(
        "SELECT line, text, rule, reason FROM reject WHERE night = ? ORDER BY line",
        (night,),
        |(line, text, rule, reason)| Reject { line, text, rule, reason },
    )?;
    let sums = Sums { posted, amount, fees };
    Ok(Report { night: name, lines, sums, rejects, chunks: chunks(tx, night)?, money })
}

fn chunks(tx: &mut Tx<'_>, night: u64) -> Result<Vec<Done>, Error> {
    // A clock that was set back in the middle is no reason to fail.
    let since = "SELECT run.number, CAST(GREATEST(0, TIMESTAMPDIFF(MICROSECOND, run.began, chunk.at)) AS UNSIGNED), \
                 chunk.posted + chunk.rejected, chunk.retries \
                 FROM chunk JOIN run ON run.night = chunk.night AND run.number = chunk.run WHERE chunk.night = ? ORDER BY 1, 2";
    tx.exec_map(since, (night,), |(run, micros, lines, retries)| Done {
        run,
        at: Duration::from_micros(micros),
        lines,
        retries,
    })
}

impl Sums {
    pub(crate) fn add(&mut self, posting: &Posting) {
        self.posted += 1;
        self.amount += posting.payment.amount;
        self.fees += posting.fee;
    }
}

impl Report {
    /// The whole in words, under a heading. A file that is read by machines is `rejects.csv`.
    pub(crate) fn text(&self, heading: &str, listed: Listed) -> String {
        let mut text = format!("{heading}\n");
        self.counts(&mut text);
        self.times(&mut text);
        self.list(&mut text, listed);
        text
    }

    fn counts(&self, text: &mut String) {
        let Sums { posted, amount, fees } = self.sums;
        row(text, "lines", self.lines, "");
        row(text, "posted", posted, &format!("{} in all, and {} in fees", money(amount), money(fees)));
        row(text, "rejected", self.rejects.len() as u64, "");
        let mut rules = BTreeMap::<&str, u64>::new();
        self.rejects.iter().for_each(|reject| *rules.entry(&reject.rule).or_default() += 1);
        for (rule, count) in rules {
            row(text, &format!("  {rule}"), count, "");
        }
    }

    fn times(&self, text: &mut String) {
        let Some(runs) = self.chunks.iter().map(|done| done.run).max() else { return };
        let lines: u64 = self.chunks.iter().map(|done| done.lines).sum();
        let seconds = chart::length(&self.chunks).as_secs_f64();
        let rate = if seconds > 0.0 { format!("{:.0} lines a second", per(lines, seconds)) } else { String::new() };
        row(text, "chunks", self.chunks.len() as u64, &format!("in {seconds:.2} s, {rate}"));
        row(text, "retries", self.chunks.iter().map(|done| done.retries).sum(), "");
        row(text, "runs", runs, "");
    }

    fn list(&self, text: &mut String, listed: Listed) {
        let shown = match listed {
            Listed::All => self.rejects.len(),
            Listed::First(most) => most.min(self.rejects.len()),
        };
        if shown > 0 {
            text.push_str("Rejected lines:\n");
        }
        for Reject { line, text: found, reason, .. } in &self.rejects[..shown] {
            put(text, format_args!("  line {line}: {found}: {reason}\n"));
        }
        if shown < self.rejects.len() {
            let more = self.rejects.len() - shown;
            put(text, format_args!("  and {more} more; --report DIR writes down all of them\n"));
        }
    }
}

/// That all of the money is there, of a night that is closed: closing counted it. What accounts hold since then is not asked.
pub(crate) fn balanced(report: &Report) -> String {
    format!(
        "The money adds up: the accounts held {} when the night began and when it was closed, with account {FEES} for the fees.\n",
        money(report.money)
    )
}

fn row(text: &mut String, name: &str, count: u64, more: &str) {
    let line = format!("  {name:<24}{count:>9}  {more}");
    put(text, format_args!("{}\n", line.trim_end()));
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("a String takes everything");
}

/// Cents as people write them.
pub(crate) fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[expect(clippy::cast_precision_loss, reason = "nobody counts so many lines that the last ones mattered in a rate")]
pub(crate) fn per(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds
}

#[cfg(test)]
mod tests;
