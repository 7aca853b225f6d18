//! What a unit of work costs: the same work by this library and by others, in turn on one private server. This file reads the
//! arguments and decides the exit code; each sub-command has a file or a folder of its name. What they share: `bank` what a transfer
//! is, `variants` how it is sent, `slices` who runs when, `tally` what is counted, `statistics` what the counts mean, `table` how
//! they are shown.

mod bank;
mod compile;
mod hot;
mod round_trips;
mod slices;
mod statistics;
mod table;
mod tally;
mod transfer;
mod variants;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use ephemeral_mysql::Server;
use serde::Serialize;

use crate::compile::Compile;
use crate::hot::Hot;
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
    /// The attribute at compile time: `cargo check` of many annotated functions against the same calls by hand.
    Compile(Compile),
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

/// Nothing is flushed to a disk at COMMIT: what is measured is the way to the server and back, not the disk. Every variant keeps a
/// connection a thread.
fn start_server() -> Result<Server, Failure> {
    Ok(Server::builder().option("innodb_flush_log_at_trx_commit", "2").option("max_connections", "4000").start()?)
}

fn print<F: Serialize>(figures: &F, json: bool, text: impl FnOnce() -> String) -> Result<(), Failure> {
    if json {
        println!("{}", serde_json::to_string_pretty(figures)?);
    } else {
        print!("{}", text());
    }
    Ok(())
}
