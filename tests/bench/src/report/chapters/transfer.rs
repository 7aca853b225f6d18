//! Transfers with few conflicts: what the library's packets and its own work are worth.

use crate::Failure;
use crate::report::bars::{Bar, Bound, Measured};
use crate::report::chapters::{Chapter, circumstances};
use crate::report::measurement::Measurement;
use crate::report::plot::Plot;
use crate::report::store::{Record, Store};
use crate::statistics::Spread;
use crate::transfer::{Figures, table};

type Cell = Record<Vec<Figures>>;

const ABOUT: &str = "Each thread moves money between two random accounts of a thousand: two prepared selects and two prepared updates \
at SERIALIZABLE. `unit` is this library; `pool` the driver's own pool and transaction, at their default settings, with a loop around \
it that runs conflicts again; `own` the same on a connection that each thread keeps; `bare` the five packets and nothing else.\n";

const PLOT: &str = "plots/transfer.svg";

pub(super) fn tell(store: &Store) -> Result<Chapter, Failure> {
    let cells = Measurement::keys("transfer/").iter().map(|key| store.read(key)).collect::<Result<Vec<_>, _>>()?;
    let cells: Vec<Cell> = cells.into_iter().flatten().collect();
    let plot = if cells.is_empty() { String::new() } else { draw(&cells, store)? };
    let tables: String = cells.iter().map(|cell| told(&cell.figures)).collect();
    Ok(Chapter {
        title: "Transfers",
        text: format!("{ABOUT}{tables}\n{plot}"),
        bars: bars(&cells),
        disappoints: Vec::new(),
        circumstances: circumstances(&cells),
    })
}

fn told(figures: &[Figures]) -> String {
    let head = figures.first().map_or_else(String::new, |first| {
        format!("{} × {} (threads × rows), {} rounds", first.threads, first.rows, first.rounds)
    });
    format!("\n{head}:\n\n{}", table(figures).markdown())
}

fn draw(cells: &[Cell], store: &Store) -> Result<String, Failure> {
    let bar = |one: &Figures| (format!("{}, {} × {}", one.variant, one.threads, one.rows), one.ratio_to_pool);
    let all = cells.iter().flat_map(|cell| &cell.figures);
    let bars = all.filter(|one| one.variant != "pool").map(bar).collect();
    let plot = Plot { title: "Transfers: units per second", axis: "of the driver's pool", bars, lines: &[1.0] };
    store.write(PLOT, &plot.draw()?)?;
    Ok(format!("![units per second, of the driver's pool]({PLOT})\n"))
}

fn bars(cells: &[Cell]) -> Vec<Bar> {
    let bar = |threads: u32, other: &str, bound, figure: fn(&Figures) -> Spread| {
        let cell = cells.iter().find(|cell| cell.figures.first().is_some_and(|first| first.threads == threads));
        Bar {
            what: format!("transfer {threads} × 1000: units/s of `{other}`"),
            bound: Bound::AtLeast(bound),
            measured: Measured::of(cell, |figures| figures.iter().find(|one| one.variant == "unit").map(figure)),
        }
    };
    let of_pool = [(4, 1.8), (16, 1.7)].map(|(threads, bound)| bar(threads, "pool", bound, |one| one.ratio_to_pool));
    let of_bare = [1, 4, 16].map(|threads| bar(threads, "bare", 0.95, |one| one.ratio_to_bare));
    of_pool.into_iter().chain(of_bare).collect()
}
