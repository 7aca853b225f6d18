//! The second process of a cell: this program once more, with its share of the threads, its own pool and its own gates. It is told
//! each slice on its standard input and tells its tally on its standard output, one line of JSON each. Clocks are compared by the
//! time of day, which both read from the same machine.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::hot::cell::{Cell, Stage};
use crate::hot::variant::Variant;
use crate::hot::workload::Workload;
use crate::slices::{Crew, Effort, Player, Slice};
use crate::tally::{Tally, histogram};

/// The other process, as a player of this one.
#[derive(Debug)]
pub(crate) struct Second {
    child: Child,
    slices: Option<ChildStdin>,
    tallies: BufReader<ChildStdout>,
}

/// What the second process is started with.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    url: String,
    #[arg(long)]
    workload: Workload,
    #[arg(long)]
    threads: u32,
    #[arg(long)]
    rows: u32,
    #[arg(long)]
    slice_ms: u64,
    #[arg(long, value_delimiter = ',')]
    variants: Vec<Variant>,
}

/// A slice in nanoseconds of the time of day.
#[derive(Debug, Serialize, Deserialize)]
struct ToldSlice {
    variant: usize,
    begin: u64,
    start: u64,
    end: u64,
}

/// A tally with its latencies as values and how often each occurred.
#[derive(Debug, Serialize, Deserialize)]
struct ToldTally {
    threads: Vec<u32>,
    buckets: Vec<u32>,
    latencies: Vec<(u64, u64)>,
    retries: u64,
    abandoned: u32,
}

impl Second {
    /// Starts it with so many threads.
    pub(crate) fn start(cell: &Cell, effort: Effort, url: &str, threads: u32) -> Result<Self, Failure> {
        let variants: Vec<_> = cell.variants.iter().map(Variant::to_string).collect();
        let mut child = Command::new(std::env::current_exe()?)
            .args(["second-process", "--url", url, "--workload", &cell.workload.name()])
            .args(["--threads", &threads.to_string(), "--rows", &cell.rows.to_string()])
            .args(["--slice-ms", &effort.slice.as_millis().to_string(), "--variants", &variants.join(",")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let slices = child.stdin.take();
        let tallies = BufReader::new(child.stdout.take().ok_or("the second process has no output")?);
        Ok(Self { child, slices, tallies })
    }
}

impl Player for Second {
    fn play(&mut self, slice: &Slice) -> Result<Tally, Failure> {
        let slices = self.slices.as_mut().ok_or("the second process has no input")?;
        writeln!(slices, "{}", serde_json::to_string(&ToldSlice::of(slice)?)?)?;
        let mut line = String::new();
        if self.tallies.read_line(&mut line)? == 0 {
            return Err("the second process ended before the run".into());
        }
        Ok(serde_json::from_str::<ToldTally>(&line)?.heard())
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        // Without an input it ends by itself.
        self.slices = None;
        let _ended = self.child.wait();
    }
}

/// The second process's whole life.
pub(crate) fn live(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { url, workload, threads, rows, slice_ms, variants } = arguments.clone();
    let cell = Cell { workload, threads, rows, variants };
    let stage = Stage::of(&cell, Effort { rounds: 0, slice: Duration::from_millis(slice_ms) }, &url)?;
    thread::scope(|scope| {
        let crew = Crew::start(scope, stage.invite(threads).collect());
        for line in std::io::stdin().lines() {
            let slice = serde_json::from_str::<ToldSlice>(&line?)?.heard();
            println!("{}", serde_json::to_string(&ToldTally::of(&crew.play(&slice)?))?);
        }
        Ok(())
    })
}

impl ToldSlice {
    fn of(slice: &Slice) -> Result<Self, Failure> {
        let (now, day) = (Instant::now(), time_of_day()?);
        let told = |instant: Instant| u64::try_from((day + instant.saturating_duration_since(now)).as_nanos());
        Ok(Self { variant: slice.variant, begin: told(slice.begin)?, start: told(slice.start)?, end: told(slice.end)? })
    }

    fn heard(&self) -> Slice {
        let (now, day) = (Instant::now(), time_of_day().unwrap_or_default());
        let heard = |told| now + Duration::from_nanos(told).saturating_sub(day);
        Slice { variant: self.variant, begin: heard(self.begin), start: heard(self.start), end: heard(self.end) }
    }
}

fn time_of_day() -> Result<Duration, Failure> {
    Ok(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?)
}

impl ToldTally {
    fn of(tally: &Tally) -> Self {
        Self {
            threads: tally.threads.clone(),
            buckets: tally.buckets.clone(),
            latencies: tally
                .latencies
                .iter_recorded()
                .map(|at| (at.value_iterated_to(), at.count_at_value()))
                .collect(),
            retries: tally.retries,
            abandoned: tally.abandoned,
        }
    }

    fn heard(self) -> Tally {
        let mut latencies = histogram();
        for (value, count) in self.latencies {
            latencies.record_n(value, count).expect("the histogram grows");
        }
        let Self { threads, buckets, retries, abandoned, .. } = self;
        Tally { threads, buckets, latencies, retries, abandoned }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn a_tally_arrives_as_it_was_sent() {
        let mut sent = Tally { threads: vec![3, 4], buckets: vec![7], retries: 5, abandoned: 6, ..Tally::default() };
        for value in [1, 1, 2_000, 3_000_000_000] {
            sent.latencies.record(value).expect("the histogram grows");
        }
        let line = serde_json::to_string(&ToldTally::of(&sent)).expect("JSON");
        let heard = serde_json::from_str::<ToldTally>(&line).expect("what was written").heard();
        assert_eq!((heard.threads, heard.buckets, heard.retries, heard.abandoned), (vec![3, 4], vec![7], 5, 6));
        assert_eq!(heard.latencies, sent.latencies);
    }

    #[test]
    fn workloads_have_the_names_that_they_are_read_by() {
        for workload in Workload::value_variants() {
            assert_eq!(Workload::from_str(&workload.name(), false).as_ref(), Ok(workload));
        }
    }
}
