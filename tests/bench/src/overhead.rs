//! `bench overhead`: what the attribute adds to a unit when the server's time is taken out. This file decides what is run and shown:
//! transfers against the bare packets on one thread, and units that send nothing at all, which `empty` runs.

mod empty;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::bank::Bank;
use crate::length::Length;
use crate::server::{self, Commit};
use crate::slices::Effort;
use crate::statistics::{Spread, paired, spread};
use crate::table::{Table, shown};
use crate::tally::Taken;
use crate::variants::{Engines, Variant};
use crate::{Failure, transfer};

/// Many enough that one thread never meets itself in a cache of the server.
const ROWS: u32 = 1000;

/// How much is to be run.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Overhead {
    #[command(flatten)]
    length: Length,
    /// Prints one JSON object instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What was measured.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    rounds: u32,
    transfer: OneThread,
    empty: Vec<Empty>,
}

/// A transfer by one thread: nobody is in the way.
#[derive(Debug, Serialize, Deserialize)]
struct OneThread {
    /// Of the units per second, round by round.
    ratio_to_bare: Spread,
    /// What a unit takes longer than its bare packets, round by round; less than nothing when it is lost in the server's noise.
    added_ns: Spread,
}

/// A unit that sends nothing, in one of its forms.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Empty {
    unit: String,
    ns: Spread,
    /// To the plainest one, round by round.
    ratio_to_plain: Spread,
}

impl Overhead {
    pub(crate) fn of(effort: Effort) -> Self {
        Self { length: Length::of(effort), json: false }
    }
}

/// Runs everything on a server of its own.
pub(crate) fn measure(arguments: &Overhead) -> Result<Figures, Failure> {
    let server = server::start(Commit::Written)?.server;
    let bank = Arc::new(Bank::open(&server, ROWS)?);
    let plan = arguments.length.plan(1);
    let engines = Engines::connect(&bank.url(), plan.threads)?;
    let taken = transfer::run(&plan, &[Variant::Unit, Variant::Bare], &engines, &bank)?;
    bank.check()?;
    Ok(Figures { rounds: plan.rounds, transfer: OneThread::of(&taken), empty: empty::measure(&bank.url(), &plan)? })
}

impl OneThread {
    fn of(taken: &[Taken]) -> Self {
        let (unit, bare) = (&taken[0].rates, &taken[1].rates);
        let added: Vec<_> = unit.iter().zip(bare).map(|(unit, bare)| 1e9 / unit - 1e9 / bare).collect();
        Self { ratio_to_bare: paired(unit, bare), added_ns: spread(&added) }
    }
}

/// For people.
pub(crate) fn text(figures: &Figures) -> String {
    let Figures { rounds, transfer: OneThread { ratio_to_bare, added_ns }, empty } = figures;
    let mut table = Table::new(["unit that sends nothing", "ns", "of the plain one"]);
    for each in empty {
        table.row([each.unit.clone(), shown(each.ns, 0), shown(each.ratio_to_plain, 2)]);
    }
    let (ratio, added) = (shown(*ratio_to_bare, 3), shown(*added_ns, 0));
    let head = format!("1 thread, {ROWS} rows, {rounds} rounds: {ratio} of bare, {added} ns more than bare\n");
    format!("{head}{table}{}", crate::table::HOW_TO_READ)
}
