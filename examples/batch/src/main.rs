//! Settles a file of payments in chunks, on several threads. Here is the order of things: read the file, open the ledger, begin the
//! night or continue it, settle what is left, close it, tell what became of it. What settling means is in `chunk`, which lines are
//! posted in `rules`, who settles what in `crew`.

mod args;
mod chunk;
mod compare;
mod crew;
mod ledger;
mod night;
mod progress;
mod rehearsal;
mod report;
mod rows;
mod rules;
mod sample;
mod source;
mod trouble;

use std::io::{Write, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use tempfile::TempDir;

use crate::args::Args;
use crate::crew::{Crew, Peace};
use crate::ledger::Ledger;
use crate::night::State;
use crate::report::{Listed, Report, Sheets, balanced};
use crate::source::Payments;
use crate::trouble::Trouble;

/// Of the run that shows itself.
const SAMPLE_LINES: u64 = 5000;
/// Rejected lines that are printed.
const PRINTED: usize = 10;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            // Where nobody can be told, the exit code remains.
            _ = writeln!(stderr(), "error: {trouble}");
            trouble.exit_code()
        }
    }
}

fn run(args: &Args) -> Result<(), Trouble> {
    if args.compare {
        return compare::compare(args);
    }
    let input = Input::of(args)?;
    if args.dry_run {
        return rehearse(args, &input);
    }
    let payments = Payments::read(&input.path)?;
    let sheets = args.report.as_deref().map(Sheets::open).transpose()?;
    let ledger = Ledger::open(args)?;
    settle(args, &ledger, &input, &payments, sheets)?;
    match input.again {
        Again::No => Ok(()),
        Again::ToShow => {
            print("\nThe same file again:\n\n")?;
            settle(args, &ledger, &input, &payments, None)
        }
    }
}

/// The file, and what the night is called.
struct Input {
    path: PathBuf,
    night: String,
    again: Again,
    /// A file that was made up is gone with the run.
    _place: Option<TempDir>,
}

/// Whether the file is settled twice.
enum Again {
    No,
    ToShow,
}

impl Input {
    fn of(args: &Args) -> Result<Self, Trouble> {
        let again =
            if args.file.is_none() && args.generate.is_none() && !args.dry_run { Again::ToShow } else { Again::No };
        let (path, place) = if let Some(file) = &args.file {
            (file.clone(), None)
        } else {
            let place = tempfile::tempdir().map_err(Trouble::output("a temporary directory"))?;
            (place.path().join("payments.csv"), Some(place))
        };
        if let Some(lines) = args.generate.or_else(|| place.as_ref().map(|_| SAMPLE_LINES)) {
            sample::write(&path, lines, args.accounts, args.seed).map_err(Trouble::generated(&path))?;
        }
        Ok(Self { night: name(args, &path)?, path, again, _place: place })
    }
}

fn name(args: &Args, path: &Path) -> Result<String, Trouble> {
    let file = || path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = args.night.clone().or_else(file).unwrap_or_default();
    if (1..=200).contains(&name.chars().count()) { Ok(name) } else { Err(Trouble::Name) }
}

fn settle(
    args: &Args,
    ledger: &Ledger,
    input: &Input,
    payments: &Payments,
    sheets: Option<Sheets<'_>>,
) -> Result<(), Trouble> {
    let _entered = ledger.db.enter();
    let (heading, report) = ledger.alone(|| {
        let night = night::begin(&input.night, payments)?;
        let before: u64 = night.done.iter().sum();
        if night.state == State::Open {
            work(args, ledger, &night, payments).map_err(Trouble::stopped)?;
        }
        let report = report::of_night(night.id).map_err(|error| Trouble::from(error).stopped())?;
        Ok((heading(&input.night, night.state, before), report))
    })?;
    tell(&heading, &report, sheets).map_err(Trouble::stopped)
}

fn work(args: &Args, ledger: &Ledger, night: &night::Night, payments: &Payments) -> Result<(), Trouble> {
    let peace = if args.disturb { Peace::Disturbed } else { Peace::Undisturbed };
    let crew = Crew { threads: args.threads, chunk: args.chunk, peace };
    crew::settle_all(&ledger.db, night, payments, crew)?;
    night::close(night.id)
}

fn heading(night: &str, was: State, before: u64) -> String {
    match (was, before) {
        (State::Closed, _) => format!("The night `{night}` was settled before; nothing was posted now."),
        (State::Open, 0) => format!("The night `{night}` is settled."),
        (State::Open, _) => format!("The night `{night}` is settled; {before} of its lines were so before this run."),
    }
}

fn tell(heading: &str, report: &Report, sheets: Option<Sheets<'_>>) -> Result<(), Trouble> {
    if let Some(sheets) = sheets {
        sheets.write(heading, report)?;
    }
    print(&format!("{}{}", report.text(heading, Listed::First(PRINTED)), balanced(report)))
}

fn rehearse(args: &Args, input: &Input) -> Result<(), Trouble> {
    let payments = Payments::read(&input.path)?;
    let sheets = args.report.as_deref().map(Sheets::open).transpose()?;
    let ledger = Ledger::look(args)?;
    let (report, before) = rehearsal::rehearse(ledger.as_ref(), args, &input.night, &payments)?;
    let heading = would_be(&input.night, before);
    if let Some(sheets) = sheets {
        sheets.write(&heading, &report)?;
    }
    print(&report.text(&heading, Listed::First(PRINTED)))
}

fn would_be(night: &str, before: u64) -> String {
    let settled = match before {
        0 => String::new(),
        _ => format!("\n  {before} lines are settled already, and not counted among posted and rejected"),
    };
    format!("Dry run of the night `{night}`: nothing was changed. This would be done:{settled}")
}

/// On standard output; a reader that went away is no reason to panic.
fn print(text: &str) -> Result<(), Trouble> {
    stdout().write_all(text.as_bytes()).and_then(|()| stdout().flush()).map_err(Trouble::output("standard output"))
}
