//! Is my connection thread safe, and what does isolation do for me? Threads add 1 to one counter, in units of work, on a real
//! server; then it is counted. Here is the order of things; the units of work themselves are in `counting`.

mod arena;
mod args;
mod counting;
mod race;
mod report;
mod story;
mod trouble;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use crate::arena::Arena;
use crate::args::Args;
use crate::race::{Load, race};
use crate::report::Row;
use crate::trouble::Trouble;

const PROMISE_BROKEN: u8 = 1;
const NOT_POSSIBLE: u8 = 2;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(broken) if broken.is_empty() => ExitCode::SUCCESS,
        Ok(broken) => {
            eprintln!("error: a promise was broken: {}", broken.join("; "));
            ExitCode::from(PROMISE_BROKEN)
        }
        Err(trouble) => {
            eprintln!("error: {trouble}");
            ExitCode::from(NOT_POSSIBLE)
        }
    }
}

/// Runs everything and prints it. Returns the promises that were broken.
fn run(args: &Args) -> Result<Vec<String>, Trouble> {
    let load = Load { threads: args.threads, rounds: args.rounds };
    let progress = progress();
    let measured = measure(args.url.as_deref(), load, &progress);
    progress.finish_and_clear();
    let (rows, left_out) = measured?;
    print(args, load, &rows, left_out)?;
    Ok(report::broken_promises(&rows))
}

fn measure(url: Option<&str>, load: Load, progress: &ProgressBar) -> Result<(Vec<Row>, Option<String>), Trouble> {
    let arena = Arena::open(url)?;
    Ok((races(&arena, load, progress)?, arena.left_out()))
}

fn races(arena: &Arena, load: Load, progress: &ProgressBar) -> Result<Vec<Row>, Trouble> {
    let heats = arena.heats();
    progress.set_length(load.units() * heats.len() as u64);
    let mut rows = Vec::with_capacity(heats.len());
    for heat in heats {
        progress.set_message(format!("{} at {}", heat.counting.way.name(), heat.counting.level));
        let db = arena.prepare(heat.snapshot, load.threads)?;
        let (tally, elapsed) = race(&db, heat.counting.add_one, load, progress)?;
        rows.push(Row::new(heat, tally, arena.count()?, elapsed));
    }
    Ok(rows)
}

fn print(args: &Args, load: Load, rows: &[Row], left_out: Option<String>) -> Result<(), Trouble> {
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(rows)?)?;
    } else {
        writeln!(out, "{}\n\n{}", report::LEGEND, report::table(rows))?;
        writeln!(out, "{}", story::tell(rows, load))?;
    }
    if let Some(left_out) = left_out {
        eprintln!("{left_out}");
    }
    Ok(())
}

/// On standard error, and hidden unless that is a terminal.
fn progress() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}").expect("the template has no mistake");
    let progress = ProgressBar::no_length().with_style(style).with_message("starting the server");
    progress.enable_steady_tick(Duration::from_millis(100));
    progress
}
