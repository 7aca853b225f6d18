//! Are units as isolated as they asked to be? Threads append to lists and read them, and a checker looks for proof that they were
//! not. Here is the order of things; what is recorded is `workload` and `history`, what is a proof `check` and `graph`.

mod check;
mod graph;
mod history;
#[cfg(test)]
mod tests;
mod workload;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;
use unit_of_work::{Database, Isolation};

use self::check::{Anomaly, check};
use self::history::{Fate, Transaction};
use self::workload::{Load, Recorded};
use crate::arena::start_durable;
use crate::failure::Failure;
use crate::report::Report;

/// What is run.
#[derive(Debug, Clone, Args)]
pub(crate) struct Plan {
    /// The isolation of the units.
    #[arg(long, value_enum, default_value_t = Level::Serializable)]
    pub(crate) level: Level,
    /// How long units are run.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: u64,
    /// Threads that run them.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) threads: u8,
    /// A file for the history, one JSON line per transaction.
    #[arg(long)]
    pub(crate) history: Option<PathBuf>,
}

/// An isolation level on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    #[value(alias = "read uncommitted")]
    ReadUncommitted,
    #[value(alias = "read committed")]
    ReadCommitted,
    #[value(alias = "repeatable read")]
    RepeatableRead,
    Serializable,
}

impl Level {
    fn isolation(self) -> Isolation {
        match self {
            Self::ReadUncommitted => Isolation::ReadUncommitted,
            Self::ReadCommitted => Isolation::ReadCommitted,
            Self::RepeatableRead => Isolation::RepeatableRead,
            Self::Serializable => Isolation::Serializable,
        }
    }
}

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Findings {
    pub(crate) level: String,
    pub(crate) server: String,
    pub(crate) threads: u8,
    pub(crate) seconds: u64,
    pub(crate) ok: u64,
    pub(crate) fail: u64,
    pub(crate) info: u64,
    /// Runs of a body beyond each unit's first.
    pub(crate) retries: u64,
    /// Of all kinds together.
    pub(crate) anomalies: u64,
    /// Sets of transactions without an order count once, under the worst that they show.
    pub(crate) by_kind: BTreeMap<Anomaly, u64>,
    pub(crate) examples: BTreeMap<Anomaly, String>,
}

pub(crate) fn run(plan: &Plan) -> Result<Findings, Failure> {
    let server = start_durable()?;
    let home = server.database();
    workload::create(&mut home.conn())?;
    let db = Database::connect(&home.url())?;
    let level = plan.level.isolation();
    let load = Load { level, threads: plan.threads.into(), time: Duration::from_secs(plan.seconds) };
    let Recorded { history, runs } = workload::record(&db, load);
    if let Some(path) = &plan.history {
        history::write(&history, BufWriter::new(File::create(path)?))?;
    }
    let found = check(&history);
    let count = |fate: Fate| history.iter().filter(|Transaction { fate: seen, .. }| *seen == fate).count() as u64;
    Ok(Findings {
        level: level.to_string(),
        server: server.version().to_owned(),
        threads: plan.threads,
        seconds: plan.seconds,
        ok: count(Fate::Ok),
        fail: count(Fate::Fail),
        info: count(Fate::Info),
        retries: runs.saturating_sub(history.len() as u64),
        anomalies: found.counts().values().sum(),
        by_kind: found.counts(),
        examples: found.examples(),
    })
}

impl Report for Findings {
    /// An anomaly at `serializable`; and, because a checker that finds nothing anywhere is worth nothing, none at a level that
    /// allows them.
    fn broken(&self) -> Vec<String> {
        match (self.level == Isolation::Serializable.to_string(), self.anomalies) {
            (true, 1..) => vec![format!("{} anomalies at serializable: {:?}", self.anomalies, self.examples)],
            (false, 0) => vec![format!("the checker found nothing at {}, where there is something", self.level)],
            (true, 0) | (false, 1..) => Vec::new(),
        }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { level, server, threads, seconds, ok, fail, info, retries, anomalies, by_kind, examples } = self;
        writeln!(f, "{level} on {server}: {threads} threads for {seconds} s")?;
        writeln!(f, "  {ok} transactions, {fail} failed, {info} unknown; {retries} attempts run again")?;
        writeln!(f, "  {anomalies} anomalies {by_kind:?}")?;
        examples.iter().try_for_each(|(anomaly, example)| writeln!(f, "  {anomaly:?}: {example}"))
    }
}
