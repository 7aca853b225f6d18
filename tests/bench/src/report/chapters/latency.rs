//! Transfers over a slow network: there round trips are everything.

use crate::Failure;
use crate::latency::Figures;
use crate::report::bars::{Bar, Bound, Measured};
use crate::report::chapters::{Chapter, circumstances};
use crate::report::measurement::Measurement;
use crate::report::plot::Plot;
use crate::report::store::{Record, Store};

type Added = Record<Figures>;

const ABOUT: &str = "The same transfers through a proxy that adds time to every round trip, as a network does. What it really adds \
is measured before each run, on pings. Nothing else differs, so what is left is how many packets each variant waits for: ten of the \
pool, five of ours, three with deferred writes, so that a network that costs everything would make 2 and 3.33. One thread waits for \
nothing else; several share the processors with the proxy and the server.\n";

const PLOT: &str = "plots/latency.svg";

pub(super) fn tell(store: &Store) -> Result<Chapter, Failure> {
    let all = Measurement::keys("latency/").iter().map(|key| store.read(key)).collect::<Result<Vec<_>, _>>()?;
    let all: Vec<Added> = all.into_iter().flatten().collect();
    let plot = if all.is_empty() { String::new() } else { draw(&all, store)? };
    let told = |one: &Added| format!("\n{}:\n\n{}", one.figures.head(), one.figures.table().markdown());
    let tables: Vec<_> = all.iter().map(told).collect();
    Ok(Chapter {
        title: "A slow network",
        text: format!("{ABOUT}{}\n{plot}", tables.concat()),
        bars: bars(&all),
        disappoints: Vec::new(),
        circumstances: circumstances(&all),
    })
}

fn draw(all: &[Added], store: &Store) -> Result<String, Failure> {
    let bars = all
        .iter()
        .flat_map(|one| one.figures.ratios_to_pool())
        .filter(|(label, _)| !label.starts_with("pool"))
        .collect();
    let plot =
        Plot { title: "A slow network: units per second", axis: "of the driver's pool", bars, lines: &[1.0, 2.0] };
    store.write(PLOT, &plot.draw()?)?;
    Ok(format!("![units per second, of the driver's pool]({PLOT})\n"))
}

fn bars(all: &[Added]) -> Vec<Bar> {
    [1, 4].into_iter().flat_map(|threads| asked(all, threads)).collect()
}

fn asked(all: &[Added], threads: u32) -> [Bar; 2] {
    const ADDED_US: u64 = 500;
    let record = all.iter().find(|one| one.figures.added_us == ADDED_US && one.figures.threads == threads);
    let bar = |variant: &'static str, bound| Bar {
        what: format!("{ADDED_US} µs a round trip, threads: {threads}: units/s of `{variant}` to `pool`"),
        bound: Bound::AtLeast(bound),
        measured: Measured::of(record, |figures: &Figures| figures.ratio_to_pool(variant)),
    };
    [bar("unit", 2.0), bar("unit_deferred", 3.0)]
}
