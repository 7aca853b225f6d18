//! The figures: one row per race, as a table or as JSON, and which promises they break. What they mean in words is `story`'s.

use std::fmt::Write as _;
use std::time::Duration;

use serde::{Serialize, Serializer};
use unit_of_work::Isolation;

use crate::arena::{Heat, Snapshot};
use crate::counting::Way;
use crate::race::Tally;

/// What was seen in one race.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) way: Way,
    #[serde(serialize_with = "as_text")]
    pub(crate) level: Isolation,
    pub(crate) snapshot_isolation: bool,
    pub(crate) acknowledged: u64,
    /// What the counter says.
    pub(crate) got: u64,
    /// `acknowledged - got`: more than 0 means lost updates; less than 0, units that happened and were not acknowledged.
    pub(crate) lost: i64,
    pub(crate) gave_up: u64,
    pub(crate) retries: u64,
    pub(crate) units_per_s: f64,
}

impl Row {
    pub(crate) fn new(heat: Heat, tally: Tally, got: u64, elapsed: Duration) -> Self {
        Self {
            way: heat.counting.way,
            level: heat.counting.level,
            snapshot_isolation: heat.snapshot == Snapshot::On,
            acknowledged: tally.acknowledged,
            got,
            lost: tally.acknowledged.cast_signed() - got.cast_signed(),
            gave_up: tally.gave_up,
            retries: tally.retries,
            units_per_s: (ratio(tally.acknowledged, 1) / elapsed.as_secs_f64()).round(),
        }
    }

    /// What is said of it beside its way.
    pub(crate) fn conditions(&self) -> String {
        // Other levels take no notice of the setting.
        if self.snapshot_isolation && self.level == Isolation::RepeatableRead {
            format!("{} *", self.level)
        } else {
            self.level.to_string()
        }
    }
}

/// For shares and rates that are shown with a few digits: exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts of this program's units stay far below 2^53")]
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde decides this signature")]
fn as_text<S: Serializer>(level: &Isolation, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(level)
}

/// Characters of the bar.
const BAR: u64 = 20;

/// What the ways send and what the columns count.
pub(crate) const LEGEND: &str = "\
read-add-write: SELECT n, then UPDATE SET n = <what was read + 1>; for-update: the same with SELECT n FOR UPDATE;
in-place: UPDATE SET n = n + 1.
acknowledged: units that returned Ok; got: the counter afterwards; lost: acknowledged - got;
gave up: units that met their retry limit; retries: attempts beyond the first.";

/// The rows, aligned, with a head, and a line on what the star means if there is one.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut table = format!(
        "{:<14}  {:<17}  {:>12}  {:>8}  {:>8}  {:>7}  {:>8}  {:>8}  {}\n",
        "way", "level", "acknowledged", "got", "lost", "gave up", "retries", "units/s", "kept █ lost ░"
    );
    for row in rows {
        line(&mut table, row).expect("writing to a string does not fail");
    }
    if rows.iter().any(|row| row.conditions().ends_with('*')) {
        table.push_str(
            "* with MariaDB's innodb_snapshot_isolation=ON; rows without a star: OFF, or of no effect at that level\n",
        );
    }
    table
}

fn line(table: &mut String, row: &Row) -> std::fmt::Result {
    writeln!(
        table,
        "{:<14}  {:<17}  {:>12}  {:>8}  {:>8}  {:>7}  {:>8}  {:>8.0}  {}",
        row.way.name(),
        row.conditions(),
        row.acknowledged,
        row.got,
        row.lost,
        row.gave_up,
        row.retries,
        row.units_per_s,
        bar(row)
    )
}

/// The part of what was acknowledged that the counter has. The smallest loss shows.
fn bar(row: &Row) -> String {
    let kept = (BAR * row.got.min(row.acknowledged)).checked_div(row.acknowledged).unwrap_or(0);
    "█".repeat(usize::try_from(kept).unwrap_or(0)) + &"░".repeat(usize::try_from(BAR - kept).unwrap_or(0))
}

/// What must not be, whatever the server and the load: each broken promise as a sentence.
pub(crate) fn broken_promises(rows: &[Row]) -> Vec<String> {
    let of = |row: &Row| format!("{} at {}", row.way.name(), row.conditions());
    let serializable = || rows.iter().filter(|row| row.level == Isolation::Serializable);
    let lost = serializable().filter(|row| row.lost > 0).map(|row| format!("{} lost {} additions", of(row), row.lost));
    let gave_up =
        serializable().filter(|row| row.gave_up > 0).map(|row| format!("{} gave up {} units", of(row), row.gave_up));
    let gained = rows.iter().filter(|row| row.lost < 0);
    let gained = gained.map(|row| format!("{} counted {} additions that nobody was told of", of(row), -row.lost));
    lost.chain(gave_up).chain(gained).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counting::ALL;

    fn rows() -> Vec<Row> {
        let tally = Tally { acknowledged: 100, gave_up: 0, retries: 0 };
        let row =
            |counting| Row::new(Heat { counting, snapshot: Snapshot::Off }, tally, 100, Duration::from_millis(500));
        ALL.map(row).into()
    }

    fn serializable(rows: &mut [Row]) -> &mut Row {
        rows.iter_mut().find(|row| row.level == Isolation::Serializable).expect("one unit is serializable")
    }

    #[test]
    fn a_row_counts_what_is_lost_and_how_fast_it_was() {
        let tally = Tally { acknowledged: 100, gave_up: 0, retries: 3 };
        let row = Row::new(Heat { counting: ALL[0], snapshot: Snapshot::Off }, tally, 40, Duration::from_millis(500));
        assert_eq!((row.lost, row.retries), (60, 3));
        assert!((row.units_per_s - 200.0).abs() < 0.5);
    }

    #[test]
    fn losses_below_serializable_break_no_promise() {
        let mut rows = rows();
        (rows[0].got, rows[0].lost) = (40, 60);
        assert_eq!(broken_promises(&rows), Vec::<String>::new());
    }

    #[test]
    fn at_serializable_a_loss_or_a_unit_that_gave_up_breaks_one() {
        let mut rows = rows();
        serializable(&mut rows).lost = 1;
        assert_eq!(broken_promises(&rows), ["read-add-write at serializable lost 1 additions"]);
        serializable(&mut rows).gave_up = 2;
        assert_eq!(broken_promises(&rows).len(), 2);
    }

    #[test]
    fn an_addition_that_was_not_acknowledged_breaks_one_at_any_level() {
        let mut rows = rows();
        rows[0].lost = -1;
        let said = "read-add-write at read uncommitted counted 1 additions that nobody was told of";
        assert_eq!(broken_promises(&rows), [said]);
    }

    #[test]
    fn the_smallest_loss_shows_in_the_bar() {
        let row = |got| Row { acknowledged: 1000, got, ..rows().remove(0) };
        assert_eq!(bar(&row(1000)), "█".repeat(20));
        assert_eq!(bar(&row(999)), "█".repeat(19) + "░");
        assert_eq!(bar(&row(0)), "░".repeat(20));
        assert_eq!(bar(&Row { acknowledged: 0, ..row(0) }), "░".repeat(20));
    }
}
