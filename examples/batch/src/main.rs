//! Posts a file of payments in chunks, on several threads. Here is the order of things: open the ledger, post, write down what
//! was rejected, count the money. What posting means is in `payments`, who posts what in `crew`.

mod args;
mod audit;
mod crew;
mod ledger;
mod payments;
mod report;
mod sample;
mod source;
mod trouble;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::Args;
use crate::ledger::Ledger;
use crate::report::{Rejects, Run};
use crate::source::Source;
use crate::trouble::Trouble;

const MONEY_LOST: u8 = 1;
const NOT_POSSIBLE: u8 = 2;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("error: {trouble}");
            ExitCode::from(if matches!(trouble, Trouble::Money { .. }) { MONEY_LOST } else { NOT_POSSIBLE })
        }
    }
}

fn run(args: &Args) -> Result<(), Trouble> {
    let ledger = Ledger::open(args)?;
    let Some(file) = &args.file else { return demonstrate(args, &ledger) };
    let run = post(args, &ledger, file)?;
    report::print(&[("", &run)])
}

/// A generated file, posted twice: the second time there is nothing left to do.
fn demonstrate(args: &Args, ledger: &Ledger) -> Result<(), Trouble> {
    let place = tempfile::tempdir().map_err(Trouble::output("a temporary directory"))?;
    let file = place.path().join("payments.csv");
    sample::write(&file, args.accounts).map_err(Trouble::output(&file.display()))?;
    let first = post(args, ledger, &file)?;
    let again = post(args, ledger, &file)?;
    report::print(&[("first run", &first), ("the same file again", &again)])?;
    report::print_rejects(&first)
}

fn post(args: &Args, ledger: &Ledger, file: &Path) -> Result<Run, Trouble> {
    let source = Source::open(file, args.chunk)?;
    let rejects = args.rejects.clone().unwrap_or_else(|| file.with_extension("rejects.csv"));
    let mut rejects = Rejects::create(&rejects)?;
    let _entered = ledger.db.enter();
    let before = payments::total()?;
    let progress = progress(source.bytes());
    let (run, ended) = crew::post_all(&ledger.db, source, args.threads, &progress);
    progress.finish_and_clear();
    rejects.write(&run)?;
    ended?;
    let after = payments::total()?;
    if before == after { Ok(run) } else { Err(Trouble::Money { before, after }) }
}

/// On standard error, and hidden unless that is a terminal.
fn progress(bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {eta} left").expect("the template is right");
    let progress = ProgressBar::new(bytes).with_style(style);
    progress.enable_steady_tick(Duration::from_millis(100));
    progress
}
