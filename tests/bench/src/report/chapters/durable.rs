//! The same transfers on a disk, with every COMMIT flushed: there the disk is most of what a unit waits for.

use crate::Failure;
use crate::report::chapters::{Chapter, circumstances};
use crate::report::measurement::Measurement;
use crate::report::store::{Record, Store};
use crate::transfer::{Figures, table};

const ABOUT: &str = "The transfers once more, on a disk: log and binary log are flushed before the server answers a COMMIT \
(`innodb_flush_log_at_trx_commit=1`, `sync_binlog=1`).\n";

pub(super) fn tell(store: &Store) -> Result<Chapter, Failure> {
    let cells = Measurement::keys("durable/").iter().map(|key| store.read(key)).collect::<Result<Vec<_>, _>>()?;
    let cells: Vec<Record<Vec<Figures>>> = cells.into_iter().flatten().collect();
    let told = |figures: &[Figures]| {
        let head = figures.first().map(Figures::head).unwrap_or_default();
        format!("\n{head}\n{}", table(figures).markdown())
    };
    let tables: String = cells.iter().map(|cell| told(&cell.figures)).collect();
    Ok(Chapter {
        title: "On a disk",
        text: format!("{ABOUT}{tables}"),
        circumstances: circumstances(&cells),
        ..Chapter::default()
    })
}
