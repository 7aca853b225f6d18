//! What is made of the slices of a cell: medians, ratios of slices of one round, fairness. The ratios' other side is the best of the
//! rivals, and single ones that a bar names.

use serde::{Deserialize, Serialize};

use crate::hot::cell::Cell;
use crate::hot::storm::Storm;
use crate::hot::variant::Variant;
use crate::hot::workload::Workload;
use crate::slices::Plan;
use crate::statistics::{Spread, count, micros, paired, spread};
use crate::table::{HOW_TO_READ, Table, shown};
use crate::tally::Taken;

/// What was measured of one variant in one cell.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) variant: String,
    pub(crate) workload: String,
    pub(crate) threads: u32,
    pub(crate) rows: u32,
    pub(crate) rounds: u32,
    pub(crate) slice_ms: u64,
    /// Median of the slices.
    pub(crate) units_per_s: f64,
    pub(crate) rate: Spread,
    pub(crate) p50_us: f64,
    /// Median of the slices' 99th percentiles, and that of all units together.
    pub(crate) p99_us: f64,
    pub(crate) p99_overall_us: f64,
    /// Units of the slowest thread over those of the mean one.
    pub(crate) slowest_over_mean: f64,
    pub(crate) retries_per_unit: f64,
    /// Units that were given up at the end of a slice.
    pub(crate) abandoned: u32,
    /// The rival with the highest median, and the rate to its rate.
    pub(crate) best: Option<String>,
    pub(crate) of_best: Option<Spread>,
    pub(crate) of_backoff: Option<Spread>,
    pub(crate) p99_to_fixed_2: Option<Spread>,
    pub(crate) p99_to_fixed_4: Option<Spread>,
    pub(crate) p99_to_backoff: Option<Spread>,
    /// Of that workload alone.
    pub(crate) storm: Option<Storm>,
    /// Slice by slice.
    pub(crate) rates: Vec<f64>,
    pub(crate) p99s_us: Vec<f64>,
}

impl Figures {
    /// Of all variants of a cell, in their order.
    pub(crate) fn of(cell: &Cell, plan: &Plan, taken: &[Taken]) -> Vec<Self> {
        let field = Field { variants: &cell.variants, taken };
        (0..taken.len()).map(|at| Self::of_one(at, cell, plan, &field)).collect()
    }

    fn of_one(at: usize, cell: &Cell, plan: &Plan, field: &Field<'_>) -> Self {
        let own = &field.taken[at];
        let rate = spread(&own.rates);
        let p99s_us = p99s(own);
        let best = field.best();
        let to = |name| field.find(name).map(|other| paired(&p99s_us, &p99s(other)));
        Self {
            variant: cell.variants[at].to_string(),
            workload: cell.workload.name(),
            threads: cell.threads,
            rows: cell.rows,
            rounds: plan.rounds,
            slice_ms: u64::try_from(plan.slice.as_millis()).expect("no slice takes centuries"),
            units_per_s: rate.median,
            rate,
            p50_us: micros(own.latencies.value_at_quantile(0.5)),
            p99_us: spread(&p99s_us).median,
            p99_overall_us: micros(own.latencies.value_at_quantile(0.99)),
            slowest_over_mean: slowest_over_mean(&own.threads),
            retries_per_unit: count(own.retries) / count(own.latencies.len().max(1)),
            abandoned: own.abandoned,
            best: best.map(|best| cell.variants[best].to_string()),
            of_best: best.map(|best| paired(&own.rates, &field.taken[best].rates)),
            of_backoff: field.find("backoff").map(|other| paired(&own.rates, &other.rates)),
            p99_to_fixed_2: to("fixed_2"),
            p99_to_fixed_4: to("fixed_4"),
            p99_to_backoff: to("backoff"),
            storm: (cell.workload == Workload::Storm).then(|| Storm::of(&own.courses, plan.slice)),
            rates: own.rates.clone(),
            p99s_us,
        }
    }
}

/// All that run in a cell.
struct Field<'t> {
    variants: &'t [Variant],
    taken: &'t [Taken],
}

impl Field<'_> {
    fn find(&self, name: &str) -> Option<&Taken> {
        let at = self.variants.iter().position(|variant| variant.to_string() == name)?;
        Some(&self.taken[at])
    }

    fn best(&self) -> Option<usize> {
        let rivals = (0..self.taken.len()).filter(|at| self.variants[*at].is_rival());
        let median = |at: &usize| spread(&self.taken[*at].rates).median;
        rivals.max_by(|one, other| median(one).total_cmp(&median(other)))
    }
}

fn p99s(taken: &Taken) -> Vec<f64> {
    taken.p99s.iter().copied().map(micros).collect()
}

/// 1 when all are alike, 0 when one did nothing or nobody did anything.
fn slowest_over_mean(threads: &[u32]) -> f64 {
    let slowest = threads.iter().copied().min().map_or(0.0, f64::from);
    let all: f64 = threads.iter().copied().map(f64::from).sum();
    let number: f64 = threads.iter().map(|_| 1.0).sum();
    if all > 0.0 { slowest * number / all } else { 0.0 }
}

/// For people, one line a variant.
pub(crate) fn text(figures: &[Figures]) -> String {
    let cells = figures.chunk_by(|a, b| (&a.workload, a.threads, a.rows) == (&b.workload, b.threads, b.rows));
    let cells: String = cells.map(cell_text).collect();
    format!("{cells}{HOW_TO_READ}")
}

fn cell_text(figures: &[Figures]) -> String {
    let Figures { workload, threads, rows, rounds, best, .. } = &figures[0];
    let best = best.as_deref().unwrap_or("nobody");
    let storms = figures.iter().filter_map(|each| Some(format!("{}: {}\n", each.variant, each.storm.as_ref()?)));
    let (table, storms) = (cell_table(figures), storms.collect::<String>());
    format!("{workload}: {threads} threads, {rows} rows, {rounds} rounds, best rival {best}\n{table}{storms}\n")
}

/// One line a variant.
pub(crate) fn cell_table(figures: &[Figures]) -> Table<11> {
    let mut table = Table::new([
        "variant",
        "units/s",
        "p50 ms",
        "p99 ms",
        "slowest/mean",
        "retries/unit",
        "given up",
        "of best",
        "of backoff",
        "p99 to fixed_2",
        "to fixed_4",
    ]);
    let ratio = |ratio: Option<Spread>| ratio.map_or_else(|| "–".to_owned(), |ratio| shown(ratio, 2));
    for each in figures {
        table.row([
            each.variant.clone(),
            shown(each.rate, 0),
            format!("{:.1}", each.p50_us / 1000.0),
            format!("{:.1}", each.p99_us / 1000.0),
            format!("{:.2}", each.slowest_over_mean),
            format!("{:.3}", each.retries_per_unit),
            each.abandoned.to_string(),
            ratio(each.of_best),
            ratio(each.of_backoff),
            ratio(each.p99_to_fixed_2),
            ratio(each.p99_to_fixed_4),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fairness_is_the_slowest_to_the_mean() {
        for (threads, expected) in [(&[4, 4][..], 1.0), (&[1, 3], 0.5), (&[0, 3], 0.0), (&[0, 0], 0.0), (&[], 0.0)] {
            assert!((slowest_over_mean(threads) - expected).abs() < 1e-9, "{threads:?}");
        }
    }

    #[test]
    fn the_library_is_held_against_the_best_rival_of_all_rounds_round_by_round() {
        let taken = [[90.0, 110.0, 100.0], [50.0, 50.0, 900.0], [100.0, 100.0, 100.0]].map(|rates| Taken {
            rates: rates.into(),
            p99s: vec![1000, 2000, 3000],
            threads: vec![1],
            ..Taken::default()
        });
        let variants = ["unit", "at_once", "fixed_2"].map(|name| name.parse().expect("a variant"));
        let cell = Cell { workload: Workload::Uniform, threads: 4, rows: 4, variants: variants.into() };
        let second = std::time::Duration::from_secs(1);
        let plan = Plan { threads: 4, rounds: 3, slice: second, warm_up: second };
        let figures = Figures::of(&cell, &plan, &taken);
        assert_eq!(figures[0].best.as_deref(), Some("fixed_2"));
        assert_eq!(figures[0].of_best, Some(Spread { median: 1.0, low: 0.9, high: 1.1 }));
        assert_eq!(figures[0].p99_to_fixed_2.map(|ratio| ratio.median), Some(1.0));
        assert_eq!(figures[0].p99_to_fixed_4, None);
    }
}
