//! Never guess, never lose, never double: soaks that break servers and connections under units of work, and then hold what every
//! caller was told against the rows. This file decides the order of the steps and the exit code; each sub-command has a file or a
//! folder of its name. What several share: `arena` the server, `mode` how units are declared, `work` what they do, `crew` who runs
//! them, `answers` what they were told, `audit` whether that is true.

mod answers;
mod arena;
mod args;
mod audit;
mod bank;
mod crew;
mod cut;
mod elle;
mod failure;
mod hermitage;
mod hold;
mod kill9;
mod mode;
mod report;
#[cfg(test)]
mod tests;
mod work;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Soak};
use crate::failure::Failure;

const PROMISE_BROKEN: u8 = 1;
const NOT_POSSIBLE: u8 = 2;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(broken) if broken.is_empty() => ExitCode::SUCCESS,
        Ok(broken) => {
            eprintln!("error: a promise was broken: {}", broken.join("; "));
            ExitCode::from(PROMISE_BROKEN)
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(NOT_POSSIBLE)
        }
    }
}

/// Runs one soak and prints what it found. Returns the promises that were broken.
fn run(args: &Args) -> Result<Vec<String>, Failure> {
    let form = args.form();
    match &args.soak {
        Soak::Kill9(plan) => form.print(&kill9::run_all(plan)?),
        Soak::Hermitage(plan) => form.print(&hermitage::run_all(*plan)?),
        Soak::Elle(plan) => form.print(&[elle::run(plan)?]),
        Soak::Bank(plan) => form.print(&bank::run_all(plan)?),
        Soak::Hold => form.print(&hold::run_all()?),
        Soak::Cut => form.print(&cut::run_all()?),
    }
}
