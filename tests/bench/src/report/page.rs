//! The page: what is measured and how, on what, which bars hold, where it disappoints, and then the chapters.

use std::path::PathBuf;

use crate::Failure;
use crate::report::bars::{Bar, Verdict};
use crate::report::chapters::{self, Chapter};
use crate::report::circumstances::{Circumstances, Machine};
use crate::report::store::Store;
use crate::table::Table;

const HOW: &str = "# What a unit of work costs\n\n\
This page is made by `cargo run --release -p bench -- report` from the figures in `figures/`, which hold every slice.\n\n\
Machines are noisy, and what one of them does in a second says little about another one. So every figure that matters here is a ratio \
between two ways to do the same work, measured in turn in one run on one private server: threads live for the whole run, a round gives \
each way one slice of a second or half of one (as the table below says), and each round takes them in another order. A ratio is that of two slices of the same round; what is \
shown is the median of those ratios with its 95 % interval by order statistics, as `median (low – high)`. A bar fails when the whole \
interval lies on its wrong side. Client and server share the machine, so that figures per second are those of both together. After \
each run the balances of all accounts must add up, or nothing is shown. The server does not flush to a disk at COMMIT unless that is \
what is measured.\n";

/// Makes the page and its plots from what is kept, and returns where it is.
pub(crate) fn make(store: &Store) -> Result<PathBuf, Failure> {
    let chapters = chapters::all(store)?;
    let told: String = chapters.iter().map(Chapter::markdown).collect();
    let bars: Vec<_> = chapters.iter().flat_map(|chapter| &chapter.bars).collect();
    let page = [
        HOW.to_owned(),
        format!("\n## On what\n\n{}", machines(&chapters)),
        format!("\n## The bars\n\n{}", verdicts(&bars)),
        format!("\n## Where it disappoints\n\n{}", disappointments(&chapters, &bars)),
        told,
    ];
    store.write("REPORT.md", &page.concat())
}

impl Chapter {
    fn markdown(&self) -> String {
        let text = if self.circumstances.is_empty() { "Not measured.\n" } else { &self.text };
        format!("\n## {}\n\n{text}", self.title)
    }
}

fn verdicts(bars: &[&Bar]) -> String {
    let mut table = Table::new(["bar", "asked", "measured", "verdict"]);
    for bar in bars {
        table.row([bar.what.clone(), bar.bound.to_string(), bar.figure(), bar.verdict().to_string()]);
    }
    table.markdown()
}

fn disappointments(chapters: &[Chapter], bars: &[&Bar]) -> String {
    let missed = |bar: &&&Bar| matches!(bar.verdict(), Verdict::Fail | Verdict::Doubtful);
    let missed = bars
        .iter()
        .filter(missed)
        .map(|bar| format!("A bar is missed: {} is {}, asked is {}.", bar.what, bar.figure(), bar.bound));
    let told = chapters.iter().flat_map(|chapter| chapter.disappoints.iter().cloned());
    let all: Vec<_> = missed.chain(told).map(|sentence| format!("- {sentence}\n")).collect();
    if all.is_empty() { "In nothing that was measured here.\n".to_owned() } else { all.concat() }
}

/// One paragraph a machine, and one line for each time that something was measured on it.
fn machines(chapters: &[Chapter]) -> String {
    let all: Vec<_> = chapters.iter().flat_map(|chapter| &chapter.circumstances).collect();
    let mut machines: Vec<&Machine> = Vec::new();
    for on in &all {
        if !machines.contains(&&on.machine) {
            machines.push(&on.machine);
        }
    }
    let on = |machine: &&Machine| {
        let here: Vec<_> = all.iter().filter(|on| on.machine == **machine).copied().collect();
        format!("{}\n{}", described(machine), times(&here))
    };
    machines.iter().map(on).collect::<Vec<_>>().join("\n")
}

fn described(machine: &Machine) -> String {
    let Machine { processor, cores, memory_gib, kernel, compiler, server, settings } = machine;
    let settings: Vec<_> = settings.iter().map(|(name, value)| format!("`{name}={value}`")).collect();
    format!(
        "{processor}, {cores} cores, {memory_gib} GiB of memory, {kernel}, {compiler}, server {server} with {}.\n",
        settings.join(", ")
    )
}

fn times(all: &[&Circumstances]) -> String {
    let mut table = Table::new(["measured", "at (UTC)", "commit", "load before", "rounds", "slice ms"]);
    for on in all {
        let Circumstances { measurement, date, commit, load_before, rounds, slice_ms, .. } = on;
        table.row([
            measurement.clone(),
            date.clone(),
            commit.clone(),
            load_before.clone(),
            rounds.to_string(),
            slice_ms.to_string(),
        ]);
    }
    table.markdown()
}
