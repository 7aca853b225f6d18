//! What came of a run: a table for people, and a file of rejects for who mends them.

use std::fs::File;
use std::io::{Write, stdout};
use std::path::Path;
use std::time::Duration;

use crate::payments::{Posted, Reject};
use crate::trouble::Trouble;

/// What came of a run, or of one thread's share in it.
#[derive(Debug, Default)]
pub(crate) struct Run {
    posted: Posted,
    chunks: u64,
    elapsed: Duration,
}

impl Run {
    pub(crate) fn count(&mut self, chunk: Posted) {
        self.chunks += 1;
        self.posted.add(chunk);
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.chunks += other.chunks;
        self.posted.add(other.posted);
    }

    /// Threads finish in any order; the file has one.
    pub(crate) fn finish(&mut self, elapsed: Duration) {
        self.elapsed = elapsed;
        self.posted.rejects.sort_by_key(|reject| reject.line);
    }
}

impl Posted {
    fn add(&mut self, other: Self) {
        self.now += other.now;
        self.before += other.before;
        self.retries += other.retries;
        self.rejects.extend(other.rejects);
    }
}

/// A column for each run.
pub(crate) fn print(runs: &[(&str, &Run)]) -> Result<(), Trouble> {
    let table = [
        row("", runs, |(title, _)| (*title).to_owned()),
        row("payments posted", runs, |(_, run)| run.posted.now.to_string()),
        row("posted before", runs, |(_, run)| run.posted.before.to_string()),
        row("rejected", runs, |(_, run)| run.posted.rejects.len().to_string()),
        row("chunks", runs, |(_, run)| run.chunks.to_string()),
        row("chunks run again", runs, |(_, run)| run.posted.retries.to_string()),
        row("seconds", runs, |(_, run)| format!("{:.2}", run.elapsed.as_secs_f64())),
        "The accounts hold as much money as before.\n".to_owned(),
    ];
    stdout().write_all(table.concat().as_bytes()).map_err(Trouble::output("the summary"))
}

fn row(name: &str, runs: &[(&str, &Run)], cell: impl Fn(&(&str, &Run)) -> String) -> String {
    let cells = runs.iter().fold(format!("{name:<16}"), |line, run| format!("{line}  {:>19}", cell(run)));
    format!("{}\n", cells.trim_end())
}

/// For who has no file to look into.
pub(crate) fn print_rejects(run: &Run) -> Result<(), Trouble> {
    let list = run.posted.rejects.iter().map(|Reject { line, row, reason }| format!("line {line}: {row}: {reason}\n"));
    let list = format!("Rejected:\n{}", list.collect::<String>());
    stdout().write_all(list.as_bytes()).map_err(Trouble::output("the rejects"))
}

/// The file of a run's rejects: always that of the last run. It is made before anything is posted, so that who cannot write it
/// learns so in time.
pub(crate) struct Rejects<'p> {
    path: &'p Path,
    file: csv::Writer<File>,
}

impl<'p> Rejects<'p> {
    pub(crate) fn create(path: &'p Path) -> Result<Self, Trouble> {
        let file = File::create(path).map_err(Trouble::output(&path.display()))?;
        Ok(Self { path, file: csv::Writer::from_writer(file) })
    }

    pub(crate) fn write(&mut self, run: &Run) -> Result<(), Trouble> {
        self.rows(run).map_err(|error| Trouble::output(&self.path.display())(error.into()))
    }

    fn rows(&mut self, run: &Run) -> Result<(), csv::Error> {
        self.file.write_record(["line", "row", "reason"])?;
        for Reject { line, row, reason } in &run.posted.rejects {
            self.file.write_record([&line.to_string(), row, reason])?;
        }
        Ok(self.file.flush()?)
    }
}
