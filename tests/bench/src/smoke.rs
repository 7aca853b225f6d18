//! `bench smoke`: what CI can hold on a machine that it shares. Round trips must be exact; what is a matter of speed fails only
//! when the whole interval of its ratio misses a bound that lies far below what the report asks for.

use std::time::Duration;

use crate::Failure;
use crate::hot::{self, Cell};
use crate::report::bars::{Bar, Bound, Measured, Verdict};
use crate::server::Commit;
use crate::slices::Effort;
use crate::statistics::Spread;
use crate::table::Table;
use crate::transfer::{self, Transfer};

const EFFORT: Effort = Effort { rounds: 8, slice: Duration::from_millis(500) };

/// Packets of a transfer: two reads, two writes and COMMIT, or the writes with it, and nothing else.
const ROUND_TRIPS: [(&str, &str); 2] = [("unit", "5"), ("unit_deferred", "3")];

/// A table of bounds; `Err` when one is missed.
pub(crate) fn run() -> Result<String, Failure> {
    let mut bars = transfers()?;
    bars.extend(hot_rows()?);
    let mut table = Table::new(["what", "asked", "measured", "verdict"]);
    for bar in &bars {
        table.row([bar.what.clone(), bar.bound.to_string(), bar.figure(), bar.verdict().to_string()]);
    }
    let missed = bars.iter().any(|bar| bar.verdict() == Verdict::Fail);
    if missed { Err(format!("a bound is missed\n{table}").into()) } else { Ok(table.to_string()) }
}

fn transfers() -> Result<Vec<Bar>, Failure> {
    let figures = transfer::measure(&Transfer::of(4, 1000, EFFORT, Commit::Written))?;
    let of = |variant: &str| {
        figures.iter().find(|one| one.variant == variant).ok_or_else(|| format!("`{variant}` was not measured"))
    };
    for (variant, packets) in ROUND_TRIPS {
        let counted = of(variant)?.round_trips_per_unit.to_string();
        if counted != packets {
            return Err(format!("a transfer by `{variant}` took {counted} round trips instead of {packets}").into());
        }
    }
    Ok(vec![bar("4 × 1000: units/s of `pool`", Bound::AtLeast(1.4), of("unit")?.ratio_to_pool)])
}

/// The report asks for more; how much more there is depends on how well backing off does on a machine.
fn hot_rows() -> Result<Vec<Bar>, Failure> {
    let figures = hot::measure_one(&Cell::four_rows(), EFFORT)?;
    let unit = figures.iter().find(|one| one.variant == "unit").ok_or("`unit` was not measured")?;
    let rate = unit.of_backoff.ok_or("`backoff` was not measured")?;
    let latency = unit.p99_to_backoff.ok_or("`backoff` was not measured")?;
    Ok(vec![
        bar("64 × 4: units/s of `backoff`", Bound::AtLeast(1.5), rate),
        bar("64 × 4: p99 of `backoff`", Bound::AtMost(0.3), latency),
    ])
}

fn bar(what: &str, bound: Bound, measured: Spread) -> Bar {
    Bar { what: what.to_owned(), bound, measured: Measured::Enough(measured) }
}
