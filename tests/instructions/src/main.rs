//! What a unit of work costs in instructions and in allocations: exact figures, the same on an idle machine and on a busy one. Each
//! kind of work is run twice under callgrind, once longer than the other time, and the difference is what one unit costs.
//! This file reads the arguments; what is run lies in `work`, how it is counted in `callgrind`, what it may cost in `records`.

mod callgrind;
mod records;
mod valgrind;
mod work;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::callgrind::Cost;
use crate::records::Records;
use crate::work::Work;

/// Any failure that ends the program.
type Failure = Box<dyn Error + Send + Sync>;

/// Counts what units of work cost, and fails where one costs a fifth more than what was recorded.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Counts only this one. Default: all.
    #[arg(long)]
    work: Option<Work>,
    /// Leaves callgrind's profile of the longer run here, for `callgrind_annotate`.
    #[arg(long)]
    profile: Option<std::path::PathBuf>,
    /// Prints one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Command {
    /// Makes what is counted now the record.
    Record,
    /// What callgrind runs: the same work so many times.
    #[command(hide = true)]
    Run {
        #[arg(value_enum)]
        work: Work,
        times: u32,
    },
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("instructions: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    match arguments.command {
        Some(Command::Run { work, times }) => work::run(work, times).map(|()| ExitCode::SUCCESS),
        Some(Command::Record) => {
            Records::of(&count(arguments)?).write()?;
            Ok(ExitCode::SUCCESS)
        }
        None => {
            let counted = count(arguments)?;
            let records = Records::read()?;
            if arguments.json {
                println!("{}", serde_json::to_string_pretty(&Records::of(&counted))?);
            } else {
                print!("{}", records.compared(&counted));
            }
            Ok(if records.hold(&counted) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

fn count(arguments: &Arguments) -> Result<Vec<(Work, Cost)>, Failure> {
    let valgrind = valgrind::find()?;
    let wanted = Work::ALL.into_iter().filter(|work| arguments.work.is_none_or(|wanted| wanted == *work));
    wanted.map(|work| Ok((work, callgrind::count(&valgrind, work, arguments.profile.as_deref())?))).collect()
}
