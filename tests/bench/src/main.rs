//! What a unit of work costs: the same work by this library and by others, in turn on one private server. This file reads the
//! arguments and decides the exit code; each sub-command has a file or a folder of its name. What they share: `bank` what a
//! transfer is, `variants` how it is sent, `slices` who runs when, `server` on what, `tally` what is counted, `processor` what it
//! costs in processor time, `statistics` what the counts mean, `table` how they are shown.

mod bank;
mod compile;
mod hot;
mod latency;
mod length;
mod overhead;
mod processor;
mod report;
mod round_trips;
mod scale;
mod server;
mod slices;
mod smoke;
mod statistics;
mod table;
mod tally;
mod transfer;
mod variants;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use serde::Serialize;

use crate::compile::Compile;
use crate::hot::Hot;
use crate::latency::Latency;
use crate::overhead::Overhead;
use crate::report::Report;
use crate::scale::Scale;
use crate::transfer::Transfer;

/// Any failure that ends the benchmark.
type Failure = Box<dyn Error + Send + Sync>;

/// Measures what a unit of work costs, on a private server of its own.
#[derive(Debug, Parser)]
enum Benchmark {
    /// Transfers between random accounts: two prepared selects and two prepared updates at SERIALIZABLE.
    Transfer(Transfer),
    /// Few rows and many threads: the library's way to admit and run again against others.
    Hot(Hot),
    /// Started by `hot` itself.
    #[command(hide = true)]
    SecondProcess(hot::process::Arguments),
    /// The same transfers with time added to every round trip, as a network adds it.
    Latency(Latency),
    /// What the attribute adds to a unit when the server's time is taken out.
    Overhead(Overhead),
    /// Many threads, sessions and databases: units per second, memory, and a crowd of threads over a few sessions.
    Scale(Scale),
    /// The attribute at compile time: `cargo check` of many annotated functions against the same calls by hand.
    Compile(Compile),
    /// What CI holds: exact round trips, and bounds that a machine under load can keep.
    Smoke,
    /// Everything, as a page with tables, plots and verdicts.
    Report(Report),
}

fn main() -> ExitCode {
    let done = match Benchmark::parse() {
        Benchmark::Transfer(plan) => {
            transfer::measure(&plan).and_then(|figures| print(&figures, plan.json, || transfer::text(&figures)))
        }
        Benchmark::Hot(plan) => {
            hot::measure(&plan).and_then(|figures| print(&figures, plan.json, || hot::text(&figures)))
        }
        Benchmark::SecondProcess(arguments) => hot::process::live(&arguments),
        Benchmark::Latency(plan) => {
            latency::measure(&plan).and_then(|figures| print(&figures, plan.json, || latency::text(&figures)))
        }
        Benchmark::Overhead(plan) => {
            overhead::measure(&plan).and_then(|figures| print(&figures, plan.json, || overhead::text(&figures)))
        }
        Benchmark::Scale(plan) => {
            scale::measure(&plan).and_then(|figures| print(&figures, plan.json, || scale::text(&figures)))
        }
        Benchmark::Report(plan) => report::make(&plan).map(|made| print!("{made}")),
        Benchmark::Smoke => smoke::run().map(|kept| print!("{kept}")),
        Benchmark::Compile(plan) => {
            compile::measure(&plan).and_then(|cost| print(&cost, plan.json, || compile::text(&cost)))
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn print<F: Serialize>(figures: &F, json: bool, text: impl FnOnce() -> String) -> Result<(), Failure> {
    if json {
        println!("{}", serde_json::to_string_pretty(figures)?);
    } else {
        print!("{}", text());
    }
    Ok(())
}
