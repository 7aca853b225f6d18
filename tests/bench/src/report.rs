//! The figures of a run as they are shown: one object a variant, or a table for people. What they are made of is decided in
//! `slices` and `statistics`.

use std::fmt::Write;

use serde::Serialize;

use crate::slices::{Plan, Taken};
use crate::statistics::{Spread, spread};
use crate::variants::Variant;

/// What was measured of one variant.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    variant: &'static str,
    threads: u32,
    rows: u32,
    rounds: u32,
    /// Median of the slices.
    units_per_s: f64,
    #[serde(skip)]
    spread: Spread,
    p50_us: f64,
    p99_us: f64,
    retries_per_unit: f64,
    round_trips_per_unit: f64,
    /// Of the units per second, round by round.
    ratio_to_pool: Spread,
    ratio_to_bare: Spread,
}

impl Figures {
    pub(crate) fn of(variant: Variant, plan: &Plan, rows: u32, taken: &[Taken; 3], round_trips: f64) -> Self {
        let own = &taken[variant.index()];
        let rates = spread(&own.rates);
        Self {
            variant: variant.name(),
            threads: plan.threads,
            rows,
            rounds: plan.rounds,
            units_per_s: rates.median,
            spread: rates,
            p50_us: micros(own.latencies.value_at_quantile(0.5)),
            p99_us: micros(own.latencies.value_at_quantile(0.99)),
            retries_per_unit: f64::from(own.retries) / count(own.latencies.len()),
            round_trips_per_unit: round_trips,
            ratio_to_pool: paired(own, &taken[Variant::Pool.index()]),
            ratio_to_bare: paired(own, &taken[Variant::Bare.index()]),
        }
    }
}

fn paired(own: &Taken, other: &Taken) -> Spread {
    spread(&own.rates.iter().zip(&other.rates).map(|(own, other)| own / other).collect::<Vec<_>>())
}

fn micros(nanos: u64) -> f64 {
    count(nanos) / 1000.0
}

#[allow(
    clippy::cast_precision_loss,
    reason = "counts of a run are far below 2^52, where a double still holds every integer"
)]
fn count(n: u64) -> f64 {
    n as f64
}

/// A table for people, one line a variant.
pub(crate) fn table(figures: &[Figures]) -> String {
    let mut text = String::new();
    if let Some(Figures { threads, rows, rounds, .. }) = figures.first() {
        line(
            &mut text,
            format_args!("{threads} threads, {rows} rows, {rounds} rounds of one slice each, in turn on one server"),
        );
    }
    line(
        &mut text,
        format_args!(
            "{:<8}{:>26}{:>9}{:>9}{:>13}{:>13}{:>22}{:>22}",
            "variant", "units/s", "p50 µs", "p99 µs", "retries/unit", "trips/unit", "of pool", "of bare"
        ),
    );
    for each in figures {
        line(
            &mut text,
            format_args!(
                "{:<8}{:>26}{:>9.0}{:>9.0}{:>13.4}{:>13.2}{:>22}{:>22}",
                each.variant,
                shown(each.spread, 0),
                each.p50_us,
                each.p99_us,
                each.retries_per_unit,
                each.round_trips_per_unit,
                shown(each.ratio_to_pool, 3),
                shown(each.ratio_to_bare, 3),
            ),
        );
    }
    line(
        &mut text,
        format_args!(
            "median (low – high): 95 % interval of the median by order statistics, below 6 rounds the smallest and largest; \
             ratios are of slices of one round"
        ),
    );
    text
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("a string takes all that is written to it");
}

/// `1.52 (1.48 – 1.57)`.
pub(crate) fn shown(Spread { median, low, high }: Spread, digits: usize) -> String {
    format!("{median:.digits$} ({low:.digits$} – {high:.digits$})")
}
