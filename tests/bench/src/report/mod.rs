//! `bench report`: everything that is measured, one after another, written down as it was found, and a page made of it. This file
//! decides the order of the steps. `measurement` says what there is to measure, `store` where it is kept, `circumstances` what it
//! was measured on, `bars` what was promised and whether it holds, `page` and `chapters` how it is told, `plot` how it is drawn.

pub(crate) mod bars;
mod chapters;
mod circumstances;
mod measurement;
mod page;
mod plot;
mod store;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Failure;
use crate::report::circumstances::{Circumstances, Machine};
use crate::report::measurement::Measurement;
use crate::report::store::{Record, Store};
use crate::slices::Effort;

/// What is to be measured, and where it is written.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Report {
    /// Slices of 0.1 s and few rounds, to see that everything runs. No bar is judged by them.
    #[arg(long)]
    quick: bool,
    /// Length of a slice in milliseconds. From half a second on bars are judged; each figure says how long its slices were.
    #[arg(long, default_value_t = 1000, conflicts_with = "quick", value_parser = clap::value_parser!(u64).range(1..))]
    slice_ms: u64,
    /// Only what has such a name or begins with it: `hot`, `hot/uniform_64x4`. The page has everything that was ever kept.
    #[arg(long, num_args = 1.., value_name = "SECTION")]
    only: Vec<String>,
    /// Measures nothing and makes the page from the figures that are kept.
    #[arg(long, conflicts_with_all = ["quick", "only"])]
    render: bool,
    /// Where `figures/`, `plots/` and `REPORT.md` are; unless given, in `tests/bench`, and in `target/bench-quick` with `--quick`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Enough for a verdict.
const ENOUGH: Effort = Effort { rounds: 20, slice: Duration::from_millis(500) };

const QUICK: Effort = Effort { rounds: 2, slice: Duration::from_millis(100) };

/// Measures what is asked for and makes the page. What fails is said at the end: the rest is measured all the same.
pub(crate) fn make(arguments: &Report) -> Result<String, Failure> {
    let store = Store::at(&arguments.out());
    let failed = if arguments.render { Vec::new() } else { measure(arguments, &store)? };
    let page = page::make(&store)?;
    if failed.is_empty() {
        Ok(format!("{}\n", page.display()))
    } else {
        Err(format!("{} is made without what failed: {}", page.display(), failed.join("; ")).into())
    }
}

/// What could not be measured, and why.
fn measure(arguments: &Report, store: &Store) -> Result<Vec<String>, Failure> {
    let effort = arguments.effort();
    let asked = arguments.measurements()?;
    let machine = Machine::look()?;
    let mut failed = Vec::new();
    for measurement in asked {
        let key = measurement.key();
        eprintln!("{key}");
        let circumstances = Circumstances::now(&key, &machine, effort)?;
        match measurement.measure(effort) {
            Ok(figures) => store.keep(&key, &Record { circumstances, figures })?,
            Err(failure) => failed.push(format!("{key}: {failure}")),
        }
    }
    Ok(failed)
}

impl Report {
    fn effort(&self) -> Effort {
        let whole = Effort { slice: Duration::from_millis(self.slice_ms), ..ENOUGH };
        if self.quick { QUICK } else { whole }
    }

    fn out(&self) -> PathBuf {
        let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
        match &self.out {
            Some(directory) => directory.clone(),
            None if self.quick => ours.join("../../target/bench-quick"),
            None => ours.to_owned(),
        }
    }

    fn measurements(&self) -> Result<Vec<Measurement>, Failure> {
        let asked = |name: &str| self.only.is_empty() || self.only.iter().any(|only| name.starts_with(only.as_str()));
        let all = Measurement::all();
        let names: Vec<_> = all.iter().map(Measurement::key).collect();
        match self.only.iter().find(|only| !names.iter().any(|name| name.starts_with(only.as_str()))) {
            Some(unknown) => Err(format!("there is no `{unknown}`; there are {}", names.join(", ")).into()),
            None => Ok(all.into_iter().filter(|measurement| asked(&measurement.key())).collect()),
        }
    }
}
