//! What a unit of work costs: the same transfers by this library, by the driver's own pool, and by the bare packets, in turn on
//! one private server. This file reads the arguments and decides the order of the steps and the exit code; what a transfer is
//! lies in `bank`, how it is sent in `variants`, how it is timed in `slices`, what the figures mean in `statistics`.

mod bank;
mod compile;
mod report;
mod round_trips;
mod slices;
mod statistics;
mod variants;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser};
use ephemeral_mysql::Server;
use serde::Serialize;

use crate::bank::Bank;
use crate::compile::Compile;
use crate::report::Figures;
use crate::slices::Plan;
use crate::variants::{Engines, Variant};

/// Any failure that ends the benchmark.
type Failure = Box<dyn Error + Send + Sync>;

/// Measures what a unit of work costs, on a private server of its own.
#[derive(Debug, Parser)]
enum Benchmark {
    /// Transfers between random accounts: two prepared selects and two prepared updates at SERIALIZABLE.
    Transfer(Transfer),
    /// The attribute at compile time: `cargo check` of many annotated functions against the same calls by hand.
    Compile(Compile),
}

#[derive(Debug, Args)]
struct Transfer {
    /// Threads that run transfers at once.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    threads: u32,
    /// Accounts to choose from.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(2..))]
    rows: u32,
    /// Rounds; in each of them every variant has one slice.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Length of a slice in milliseconds.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    slice_ms: u64,
    /// Prints one JSON array instead of a table.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let done = match Benchmark::parse() {
        Benchmark::Transfer(plan) => {
            measure(&plan).and_then(|figures| print(&figures, plan.json, || report::table(&figures)))
        }
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

fn measure(arguments: &Transfer) -> Result<Vec<Figures>, Failure> {
    let server = start_server()?;
    let bank = Bank::open(&server, arguments.rows)?;
    let plan =
        Plan { threads: arguments.threads, rounds: arguments.rounds, slice: Duration::from_millis(arguments.slice_ms) };
    let taken = slices::run(&plan, &Engines::connect(&bank.url(), plan.threads)?, &bank)?;
    let round_trips = round_trips::count(&server, &bank)?;
    // Figures of a bank that lost or made money are worth nothing, so they are not even shown.
    bank.check()?;
    let figures = |variant: Variant| Figures::of(variant, &plan, arguments.rows, &taken, round_trips[variant.index()]);
    Ok(Variant::ALL.map(figures).into())
}

/// Nothing is flushed to a disk at COMMIT: what is measured is the way to the server and back, not the disk.
fn start_server() -> Result<Server, Failure> {
    Ok(Server::builder().option("innodb_flush_log_at_trx_commit", "2").start()?)
}

fn print<F: Serialize>(figures: &F, json: bool, text: impl FnOnce() -> String) -> Result<(), Failure> {
    if json {
        println!("{}", serde_json::to_string_pretty(figures)?);
    } else {
        print!("{}", text());
    }
    Ok(())
}
