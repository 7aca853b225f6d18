//! `bench transfer`: the same transfers by every variant in turn, with their round trips at the socket. This file decides what is
//! run and what is shown of it; how a transfer is sent is decided in `variants`, how it is timed in `slices`.

use std::time::Duration;

use serde::Serialize;

use crate::bank::Bank;
use crate::slices::{self, Done, Invitation, Plan, Player, Slice};
use crate::statistics::{Spread, count, micros, paired, spread};
use crate::table::{Table, shown};
use crate::tally::{Taken, Tally};
use crate::variants::{Engines, Runner, Variant};
use crate::{Failure, round_trips};

/// How much is to be run.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Transfer {
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
    pub(crate) json: bool,
}

/// What was measured of one variant.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    variant: &'static str,
    threads: u32,
    rows: u32,
    rounds: u32,
    /// Median of the slices.
    units_per_s: f64,
    rate: Spread,
    p50_us: f64,
    p99_us: f64,
    retries_per_unit: f64,
    round_trips_per_unit: f64,
    /// Of the units per second, round by round.
    ratio_to_pool: Spread,
    ratio_to_bare: Spread,
}

/// Runs everything on a server of its own.
pub(crate) fn measure(arguments: &Transfer) -> Result<Vec<Figures>, Failure> {
    let server = crate::start_server()?;
    let bank = Bank::open(&server, arguments.rows)?;
    let plan = Plan {
        threads: arguments.threads,
        rounds: arguments.rounds,
        slice: Duration::from_millis(arguments.slice_ms),
        warm_up: Duration::ZERO,
    };
    let variants = Variant::ALL;
    let taken = run(&plan, &variants, &Engines::connect(&bank.url(), plan.threads)?, &bank)?;
    let trips: Vec<_> =
        variants.iter().map(|variant| round_trips::count(*variant, &server, &bank)).collect::<Result<_, _>>()?;
    // Figures of a bank that lost or made money are worth nothing, so they are not even shown.
    bank.check()?;
    Ok((0..variants.len()).map(|at| Figures::of(at, &variants, &plan, arguments.rows, &taken, trips[at])).collect())
}

fn run(plan: &Plan, variants: &[Variant], engines: &Engines, bank: &Bank) -> Result<Vec<Taken>, Failure> {
    let invite = |_| -> Invitation<'_> {
        Box::new(move || {
            let runners = variants.iter().map(|variant| engines.runner(*variant)).collect::<Result<_, _>>()?;
            Ok(Box::new(Thread { runners, bank }))
        })
    };
    slices::run(plan, variants.len(), (0..plan.threads).map(invite).collect())
}

/// A thread with its connections, one runner a variant.
struct Thread<'b> {
    runners: Vec<Box<dyn Runner>>,
    bank: &'b Bank,
}

impl Player for Thread<'_> {
    fn play(&mut self, slice: &Slice) -> Result<Tally, Failure> {
        let runner = &mut self.runners[slice.variant];
        slice.fill(|_| Ok(Done::committed(runner.transfer(self.bank.draw())?)))
    }
}

impl Figures {
    fn of(at: usize, variants: &[Variant], plan: &Plan, rows: u32, taken: &[Taken], round_trips: f64) -> Self {
        let own = &taken[at];
        let ratio_to = |other: Variant| {
            let other = variants.iter().position(|each| *each == other).expect("pool and bare are always measured");
            paired(&own.rates, &taken[other].rates)
        };
        let rate = spread(&own.rates);
        Self {
            variant: variants[at].name(),
            threads: plan.threads,
            rows,
            rounds: plan.rounds,
            units_per_s: rate.median,
            rate,
            p50_us: micros(own.latencies.value_at_quantile(0.5)),
            p99_us: micros(own.latencies.value_at_quantile(0.99)),
            retries_per_unit: count(own.retries) / count(own.latencies.len()),
            round_trips_per_unit: round_trips,
            ratio_to_pool: ratio_to(Variant::Pool),
            ratio_to_bare: ratio_to(Variant::Bare),
        }
    }
}

/// For people, one line a variant.
pub(crate) fn text(figures: &[Figures]) -> String {
    let mut table =
        Table::new(["variant", "units/s", "p50 µs", "p99 µs", "retries/unit", "trips/unit", "of pool", "of bare"]);
    for each in figures {
        table.row([
            each.variant.to_owned(),
            shown(each.rate, 0),
            format!("{:.0}", each.p50_us),
            format!("{:.0}", each.p99_us),
            format!("{:.4}", each.retries_per_unit),
            format!("{:.2}", each.round_trips_per_unit),
            shown(each.ratio_to_pool, 3),
            shown(each.ratio_to_bare, 3),
        ]);
    }
    let head = figures.first().map_or_else(String::new, |Figures { threads, rows, rounds, .. }| {
        format!("{threads} threads, {rows} rows, {rounds} rounds of one slice each, in turn on one server\n")
    });
    format!("{head}{table}{}", crate::table::HOW_TO_READ)
}
