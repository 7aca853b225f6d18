//! Hot rows: the library's admission and retry against what one could put around it instead.

use crate::Failure;
use crate::hot::{Figures, Storm, cell_table};
use crate::report::bars::{Bar, Bound, Measured};
use crate::report::chapters::{Chapter, circumstances};
use crate::report::measurement::Measurement;
use crate::report::plot::Plot;
use crate::report::store::{Record, Store};
use crate::statistics::{Spread, spread};

type Cell = Record<Vec<Figures>>;

const ABOUT: &str = "Many threads want the same rows. `unit` is the library as a user gets it. The others run the same function, \
wide open, one attempt a call, and what runs it again is in the benchmark: `at_once` without a pause, `backoff` after a sleep with \
full jitter (1 ms to 250 ms, as the library's own retry), `fixed_n` with a fair queue that admits n attempts at a time and puts one \
that failed at its tail. \"Of best\" is the rate to that of the best of those others, slice by slice of the same round; the best is \
picked after the fact, for each cell anew, which no fixed setting can do.\n\n\
A unit counts when it ends within the slice. Its latency is that of the whole unit, waiting and retries included; units that were not \
done 50 ms after the end of a slice were given up (`unit` is waited for), so that a 99th percentile near the length of a slice \
means \"or more\". \"Slowest/mean\" compares the units of the slowest thread with the mean over the whole run.\n";

const SHARES: &str = "plots/hot.svg";

/// The cell of the fairness bar and of the worst collapse, and those that a bar names.
const NAMED: [&str; 3] = ["uniform_64x4", "uniform_64x32", "uniform_64x1000"];

pub(super) fn tell(store: &Store) -> Result<Chapter, Failure> {
    let cells = Measurement::keys("hot/").iter().map(|key| store.read(key)).collect::<Result<Vec<_>, _>>()?;
    let cells: Vec<Cell> = cells.into_iter().flatten().collect();
    let plots = if cells.is_empty() { String::new() } else { draw(&cells, store)? };
    let tables: String = cells.iter().map(|cell| told(&cell.figures)).collect();
    Ok(Chapter {
        title: "Hot rows",
        text: format!("{ABOUT}\n{plots}{tables}"),
        bars: bars(&cells),
        disappoints: disappoints(&cells),
        circumstances: circumstances(&cells),
    })
}

fn told(figures: &[Figures]) -> String {
    let Some(first) = figures.first() else { return String::new() };
    let storms = |one: &Figures| one.storm.as_ref().map(|storm: &Storm| format!("\n`{}`: {storm}\n", one.variant));
    let storms: Vec<_> = figures.iter().filter_map(storms).collect();
    format!("\n### {}\n\n{}{}", heading(first), cell_table(figures).markdown(), storms.concat())
}

fn heading(first: &Figures) -> String {
    let best = first.best.as_deref().unwrap_or("nobody");
    format!("{}, {} × {}: best is `{best}`", first.workload, first.threads, first.rows)
}

fn unit(figures: &[Figures]) -> Option<&Figures> {
    figures.iter().find(|one| one.variant == "unit")
}

fn name(figures: &[Figures]) -> String {
    figures.first().map_or_else(String::new, |one| format!("{}_{}x{}", one.workload, one.threads, one.rows))
}

fn draw(cells: &[Cell], store: &Store) -> Result<String, Failure> {
    let share = |cell: &Cell| Some((name(&cell.figures), unit(&cell.figures)?.of_best?));
    let shares = Plot {
        title: "Hot rows: the library's units per second",
        axis: "of the best other policy of the cell",
        bars: cells.iter().filter_map(share).collect(),
        lines: &[0.8, 1.0],
    };
    store.write(SHARES, &shares.draw()?)?;
    let mut text = format!("![units per second, of the best other policy]({SHARES})\n");
    for cell in cells.iter().filter(|cell| NAMED.contains(&name(&cell.figures).as_str())) {
        text += &draw_rates(&cell.figures, store)?;
    }
    Ok(text)
}

fn draw_rates(figures: &[Figures], store: &Store) -> Result<String, Failure> {
    let name = name(figures);
    let bars = figures.iter().map(|one| (one.variant.clone(), one.rate)).collect();
    let plot = Plot { title: &format!("{name}: who admits how many"), axis: "units per second", bars, lines: &[] };
    let file = format!("plots/hot_{name}.svg");
    store.write(&file, &plot.draw()?)?;
    Ok(format!("![units per second of {name}]({file})\n"))
}

fn bars(cells: &[Cell]) -> Vec<Bar> {
    let each = cells.iter().map(|cell| {
        let name = name(&cell.figures);
        one(cells, &name, "units/s of the best other", Bound::AtLeast(0.8), |unit| unit.of_best)
    });
    let median = Bar {
        what: "hot, median over the cells: units/s of the best other".to_owned(),
        bound: Bound::AtLeast(0.95),
        measured: over_cells(cells),
    };
    let bar = |cell, what, bound, figure: fn(&Figures) -> Option<Spread>| one(cells, cell, what, bound, figure);
    let [four, thirty_two, thousand] = NAMED;
    let named = [
        bar(four, "p99 of `fixed_2`", Bound::AtMost(0.75), |unit| unit.p99_to_fixed_2),
        bar(thirty_two, "p99 of `fixed_4`", Bound::AtMost(0.6), |unit| unit.p99_to_fixed_4),
        bar(four, "units/s of `backoff`", Bound::AtLeast(4.5), |unit| unit.of_backoff),
        bar(four, "p99 of `backoff`", Bound::AtMost(0.1), |unit| unit.p99_to_backoff),
        bar(thirty_two, "units/s of `backoff`", Bound::AtLeast(5.0), |unit| unit.of_backoff),
        bar(thousand, "units/s of `backoff`", Bound::AtLeast(1.3), |unit| unit.of_backoff),
        bar(four, "slowest thread of the mean", Bound::AtLeast(0.5), |unit| Some(alone(unit.slowest_over_mean))),
    ];
    each.chain([median]).chain(named).collect()
}

fn one(cells: &[Cell], cell: &str, what: &str, bound: Bound, figure: fn(&Figures) -> Option<Spread>) -> Bar {
    let record = cells.iter().find(|record| name(&record.figures) == cell);
    let measured = Measured::of(record, |figures| unit(figures).and_then(figure));
    Bar { what: format!("hot {cell}: {what}"), bound, measured }
}

/// A figure of the whole run has no interval.
fn alone(figure: f64) -> Spread {
    Spread { median: figure, low: figure, high: figure }
}

/// The cells are what varies here.
fn over_cells(cells: &[Cell]) -> Measured {
    let medians: Vec<_> = cells.iter().filter_map(|cell| Some(unit(&cell.figures)?.of_best?.median)).collect();
    match medians.as_slice() {
        [] => Measured::Nothing,
        medians if cells.iter().all(|cell| cell.circumstances.are_enough()) => Measured::Enough(spread(medians)),
        medians => Measured::Briefly(spread(medians)),
    }
}

/// Where another policy is clearly better, and where somebody goes short.
fn disappoints(cells: &[Cell]) -> Vec<String> {
    let slower = cells.iter().filter_map(|cell| {
        let unit = unit(&cell.figures)?;
        let of_best = unit.of_best.filter(|of_best| of_best.high < 1.0)?;
        let (name, best) = (name(&cell.figures), unit.best.as_deref()?);
        Some(format!(
            "In {name} `{best}`, had one known it, makes more: the library reaches {:.2} of it.",
            of_best.median
        ))
    });
    let unfair = cells.iter().filter_map(|cell| {
        let unit = unit(&cell.figures).filter(|unit| unit.slowest_over_mean < 0.5)?;
        let name = name(&cell.figures);
        Some(format!("In {name} the slowest thread makes {:.2} of the mean.", unit.slowest_over_mean))
    });
    slower.chain(unfair).collect()
}
