//! `bench latency`: the same transfers with time added to every round trip, as a network adds it. This file decides what is run and
//! shown; `proxy` adds the time, and what it really adds is measured here and shown with the rest, because no sleep is exact.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ephemeral_mysql::Server;
use proxy::Proxy;
use serde::{Deserialize, Serialize};
use unit_of_work::mysql::{Conn, OptsBuilder};

use crate::bank::Bank;
use crate::length::Length;
use crate::server::{self, Commit};
use crate::slices::{Effort, Plan};
use crate::statistics::{Spread, micros, paired, spread};
use crate::table::{Table, shown};
use crate::tally::Taken;
use crate::variants::{Engines, Variant};
use crate::{Failure, transfer};

/// How much is to be run.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Latency {
    /// Microseconds added to each round trip; several may be given.
    #[arg(long, value_delimiter = ',', default_values_t = [500, 2000], value_parser = clap::value_parser!(u64).range(200..))]
    added_us: Vec<u64>,
    /// Threads that run transfers at once.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    threads: u32,
    /// Accounts to choose from.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(2..))]
    rows: u32,
    #[command(flatten)]
    length: Length,
    /// Prints one JSON array instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What was measured with one added time.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) added_us: u64,
    /// What a ping takes longer than on the direct way, ping by ping.
    really_added_us: Spread,
    pub(crate) threads: u32,
    rows: u32,
    rounds: u32,
    variants: Vec<One>,
}

/// What was measured of one variant.
#[derive(Debug, Serialize, Deserialize)]
struct One {
    variant: String,
    /// The slices' units per second.
    units_per_s: Spread,
    p50_us: f64,
    p99_us: f64,
    /// Of the units per second, round by round.
    ratio_to_pool: Spread,
    ratio_to_bare: Spread,
}

impl Latency {
    /// With one added time, and as many accounts as unless said otherwise.
    pub(crate) fn of(threads: u32, added_us: u64, effort: Effort) -> Self {
        Self { added_us: vec![added_us], threads, rows: 1000, length: Length::of(effort), json: false }
    }
}

/// Runs everything on a server of its own.
pub(crate) fn measure(arguments: &Latency) -> Result<Vec<Figures>, Failure> {
    let server = server::start(Commit::Written)?.server;
    let bank = Arc::new(Bank::open(&server, arguments.rows)?);
    let figures = arguments.added_us.iter().map(|added| with(*added, arguments, &server, &bank)).collect();
    bank.check()?;
    figures
}

fn with(added_us: u64, arguments: &Latency, server: &Server, bank: &Arc<Bank>) -> Result<Figures, Failure> {
    let plan = arguments.length.plan(arguments.threads);
    let proxy = Proxy::start(("127.0.0.1", server.port()))?;
    let really_added_us = delay(&proxy, Duration::from_micros(added_us), server, bank)?;
    let variants = Variant::all();
    let taken = transfer::run(&plan, &variants, &Engines::connect(&proxy.url(bank.name()), plan.threads)?, bank)?;
    let (rows, variants) = (arguments.rows, One::of(&variants, &taken));
    let Plan { threads, rounds, .. } = plan;
    Ok(Figures { added_us, really_added_us, threads, rows, rounds, variants })
}

/// Has `proxy` add `asked` to each round trip, and returns what it adds. Waking up late and passing packets on take time as well,
/// so it is told to wait less by as much as they take when nothing else runs; by half at most, for something else may run.
fn delay(proxy: &Proxy, asked: Duration, server: &Server, bank: &Bank) -> Result<Spread, Failure> {
    const STEPS: usize = 3;
    let mut pings = Pings::connect(proxy, server, bank)?;
    let mut told = asked;
    for _ in 0..STEPS {
        proxy.delay(told);
        let real = Duration::from_secs_f64(pings.added_us()?.median.max(0.0) / 1e6);
        told = (told + asked).saturating_sub(real).clamp(asked / 2, asked);
    }
    proxy.delay(told);
    pings.added_us()
}

/// The same round trip on both ways.
struct Pings {
    direct: Conn,
    through: Conn,
}

impl Pings {
    fn connect(proxy: &Proxy, server: &Server, bank: &Bank) -> Result<Self, Failure> {
        let conn = |port| {
            let opts = OptsBuilder::new().ip_or_hostname(Some("127.0.0.1")).tcp_port(port).user(Some("root"));
            Conn::new(opts.db_name(Some(bank.name())).prefer_socket(false))
        };
        Ok(Self { direct: conn(server.port())?, through: conn(proxy.port())? })
    }

    fn added_us(&mut self) -> Result<Spread, Failure> {
        const PINGS: usize = 100;
        let pairs: Result<Vec<f64>, Failure> =
            (0..PINGS).map(|_| Ok((ping(&mut self.through)? - ping(&mut self.direct)?) * 1e6)).collect();
        Ok(spread(&pairs?))
    }
}

/// Seconds.
fn ping(conn: &mut Conn) -> Result<f64, Failure> {
    let began = Instant::now();
    conn.ping()?;
    Ok(began.elapsed().as_secs_f64())
}

impl One {
    fn of(variants: &[Variant], taken: &[Taken]) -> Vec<Self> {
        let rates = |of| &taken[variants.iter().position(|each| *each == of).expect("always measured")].rates;
        let one = |(variant, own): (&Variant, &Taken)| Self {
            variant: variant.name().to_owned(),
            units_per_s: spread(&own.rates),
            p50_us: micros(own.latencies.value_at_quantile(0.5)),
            p99_us: micros(own.latencies.value_at_quantile(0.99)),
            ratio_to_pool: paired(&own.rates, rates(Variant::Pool)),
            ratio_to_bare: paired(&own.rates, rates(Variant::Bare)),
        };
        variants.iter().zip(taken).map(one).collect()
    }
}

/// For people, one table an added time.
pub(crate) fn text(figures: &[Figures]) -> String {
    let tables: Vec<_> = figures.iter().map(|one| format!("{}\n{}", one.head(), one.table())).collect();
    format!("{}{}", tables.join("\n"), crate::table::HOW_TO_READ)
}

impl Figures {
    /// What of the units per second of `pool` a variant makes.
    pub(crate) fn ratio_to_pool(&self, variant: &str) -> Option<Spread> {
        self.variants.iter().find(|one| one.variant == variant).map(|one| one.ratio_to_pool)
    }

    /// The same of all of them, with what they are called in a plot.
    pub(crate) fn ratios_to_pool(&self) -> impl Iterator<Item = (String, Spread)> {
        self.variants
            .iter()
            .map(|one| (format!("{}, {} × {} µs", one.variant, self.threads, self.added_us), one.ratio_to_pool))
    }

    pub(crate) fn head(&self) -> String {
        let Self { added_us, threads, rows, rounds, .. } = self;
        let real = shown(self.really_added_us, 0);
        format!("{added_us} µs a round trip ({real} µs in fact), threads: {threads}, {rows} rows, {rounds} rounds")
    }

    pub(crate) fn table(&self) -> Table<6> {
        let mut table = Table::new(["variant", "units/s", "p50 µs", "p99 µs", "of pool", "of bare"]);
        for one in &self.variants {
            table.row([
                one.variant.clone(),
                shown(one.units_per_s, 0),
                format!("{:.0}", one.p50_us),
                format!("{:.0}", one.p99_us),
                shown(one.ratio_to_pool, 2),
                shown(one.ratio_to_bare, 3),
            ]);
        }
        table
    }
}
