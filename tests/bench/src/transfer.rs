//! `bench transfer`: the same transfers by every variant in turn, with their round trips at the socket. This file decides what is
//! run and what is shown of it; how a transfer is sent is decided in `variants`, how it is timed in `slices`.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::bank::Bank;
use crate::processor::PerUnit;
use crate::round_trips::Seen;
use crate::server::{self, Commit, Measured};
use crate::slices::{self, Effort, Invitation, Plan, Player, Slice};
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
    /// Flushes every COMMIT to a disk, log and binary log.
    #[arg(long)]
    durable: bool,
    /// Prints one JSON array instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What was measured of one variant.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) variant: String,
    pub(crate) threads: u32,
    pub(crate) rows: u32,
    pub(crate) rounds: u32,
    pub(crate) durable: bool,
    file_system: String,
    /// Median of the slices.
    units_per_s: f64,
    rate: Spread,
    p50_us: f64,
    p99_us: f64,
    retries_per_unit: f64,
    /// Processor time of a unit; figures of older runs have none.
    client_cpu_us: Option<Spread>,
    server_cpu_us: Option<Spread>,
    /// Client and server together, of that of `bare`, round by round.
    cpu_to_bare: Option<Spread>,
    pub(crate) round_trips_per_unit: f64,
    /// What goes over the wire for one transfer, in order.
    pub(crate) sends: Vec<String>,
    /// Of the units per second, round by round.
    pub(crate) ratio_to_pool: Spread,
    pub(crate) ratio_to_bare: Spread,
}

impl Transfer {
    /// So long, with a `commit` that is flushed or not.
    pub(crate) fn of(threads: u32, rows: u32, effort: Effort, commit: Commit) -> Self {
        let slice_ms = u64::try_from(effort.slice.as_millis()).expect("no slice takes centuries");
        Self { threads, rows, rounds: effort.rounds, slice_ms, durable: commit == Commit::Flushed, json: false }
    }
}

/// Runs everything on a server of its own.
pub(crate) fn measure(arguments: &Transfer) -> Result<Vec<Figures>, Failure> {
    let commit = if arguments.durable { Commit::Flushed } else { Commit::Written };
    let Measured { server, file_system } = server::start(commit)?;
    let bank = Arc::new(Bank::open(&server, arguments.rows)?);
    let plan = Plan {
        threads: arguments.threads,
        rounds: arguments.rounds,
        slice: Duration::from_millis(arguments.slice_ms),
        warm_up: Duration::ZERO,
    };
    let variants = Variant::all();
    let taken = run(&plan, &variants, &Engines::connect(&bank.url(), plan.threads)?, &bank)?;
    let seen =
        variants.iter().map(|variant| round_trips::count(*variant, &server, &bank)).collect::<Result<Vec<_>, _>>()?;
    // Figures of a bank that lost or made money are worth nothing, so they are not even shown.
    bank.check()?;
    let setting = Setting { plan, rows: arguments.rows, durable: arguments.durable, file_system };
    Ok(seen.into_iter().enumerate().map(|(at, seen)| Figures::of(at, &variants, &setting, &taken, seen)).collect())
}

/// What was the same for all variants.
struct Setting {
    plan: Plan,
    rows: u32,
    durable: bool,
    file_system: String,
}

/// Runs the slices of `variants` on `plan.threads` threads, each with connections of its own.
pub(crate) fn run(
    plan: &Plan,
    variants: &[Variant],
    engines: &Engines,
    bank: &Arc<Bank>,
) -> Result<Vec<Taken>, Failure> {
    let invite = |_| -> Invitation<'_> {
        Box::new(move || {
            let runners = variants.iter().map(|variant| engines.runner(*variant)).collect::<Result<_, _>>()?;
            Ok(Box::new(Thread { runners, bank }))
        })
    };
    slices::run(plan, variants.len(), (0..plan.threads).map(invite).collect(), bank.meter())
}

/// A thread with its connections, one runner a variant.
struct Thread<'b> {
    runners: Vec<Box<dyn Runner>>,
    bank: &'b Arc<Bank>,
}

impl Player for Thread<'_> {
    fn play(&mut self, slice: &Slice) -> Result<Tally, Failure> {
        self.runners[slice.variant].play(slice, self.bank)
    }
}

impl Figures {
    fn of(at: usize, variants: &[Variant], setting: &Setting, taken: &[Taken], seen: Seen) -> Self {
        let own = &taken[at];
        let find = |variant: Variant| {
            &taken[variants.iter().position(|each| *each == variant).expect("pool and bare are always measured")]
        };
        let ratio_to = |other: Variant| paired(&own.rates, &find(other).rates);
        let processor = |part: fn(&PerUnit) -> f64| spread(&own.processor.iter().map(part).collect::<Vec<_>>());
        let rate = spread(&own.rates);
        Self {
            variant: variants[at].name().to_owned(),
            threads: setting.plan.threads,
            rows: setting.rows,
            rounds: setting.plan.rounds,
            durable: setting.durable,
            file_system: setting.file_system.clone(),
            units_per_s: rate.median,
            rate,
            p50_us: micros(own.latencies.value_at_quantile(0.5)),
            p99_us: micros(own.latencies.value_at_quantile(0.99)),
            retries_per_unit: count(own.retries) / count(own.latencies.len()),
            client_cpu_us: Some(processor(|spent| spent.client_us)),
            server_cpu_us: Some(processor(|spent| spent.server_us)),
            cpu_to_bare: Some(paired(&both_processors(own), &both_processors(find(Variant::Bare)))),
            round_trips_per_unit: seen.round_trips_per_unit,
            sends: seen.sends,
            ratio_to_pool: ratio_to(Variant::Pool),
            ratio_to_bare: ratio_to(Variant::Bare),
        }
    }
}

/// Of client and server together, slice by slice.
fn both_processors(taken: &Taken) -> Vec<f64> {
    taken.processor.iter().map(|spent| spent.client_us + spent.server_us).collect()
}

/// For people.
pub(crate) fn text(figures: &[Figures]) -> String {
    let sends: Vec<_> =
        figures.iter().map(|each| format!("{} sends: {}\n", each.variant, each.sends.join(" · "))).collect();
    let head = figures.first().map(Figures::head).unwrap_or_default();
    format!("{head}{}{}{}{PEERS}", table(figures), crate::table::HOW_TO_READ, sends.concat())
}

/// One line a variant.
pub(crate) fn table(figures: &[Figures]) -> Table<11> {
    let mut table = Table::new([
        "variant",
        "units/s",
        "p50 µs",
        "p99 µs",
        "client CPU µs",
        "server CPU µs",
        "CPU of bare",
        "retries/unit",
        "trips/unit",
        "of pool",
        "of bare",
    ]);
    let measured =
        |figure: Option<Spread>, digits| figure.map_or_else(|| "–".to_owned(), |figure| shown(figure, digits));
    for each in figures {
        table.row([
            each.variant.clone(),
            shown(each.rate, 0),
            format!("{:.0}", each.p50_us),
            format!("{:.0}", each.p99_us),
            measured(each.client_cpu_us, 1),
            measured(each.server_cpu_us, 1),
            measured(each.cpu_to_bare, 3),
            format!("{:.4}", each.retries_per_unit),
            format!("{:.2}", each.round_trips_per_unit),
            shown(each.ratio_to_pool, 3),
            shown(each.ratio_to_bare, 3),
        ]);
    }
    table
}

/// What there is to know of those that are not by this library.
const PEERS: &str = if cfg!(feature = "peers") {
    "All are written as their own documentation does, and run a transfer again by the same rules. sqlx and diesel run as tasks of an \
     asynchronous runtime, one for each thread. diesel is diesel-async, over a driver in Rust: the synchronous one is linked with the C \
     client, which takes an installed libmysqlclient, or cmake and OpenSSL to build it.\n"
} else {
    ""
};

impl Figures {
    pub(crate) fn head(&self) -> String {
        let Self { threads, rows, rounds, file_system, .. } = self;
        let commit = if self.durable { "flushed to a disk" } else { "not flushed" };
        format!(
            "{threads} threads, {rows} rows, {rounds} rounds of one slice each, in turn on one server; commits {commit} ({file_system})\n"
        )
    }
}
