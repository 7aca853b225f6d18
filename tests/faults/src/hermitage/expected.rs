//! What each schedule is expected to show on MariaDB, as it was measured with the bare packets on 10.11: a unit of this library
//! must be neither better nor worse than the level that it asked for.

use unit_of_work::Isolation;

/// `x`: the anomaly happens. Otherwise it does not, and what keeps it from happening: an error's number, `wait`, or nothing.
/// Columns: read uncommitted, read committed, then repeatable read and serializable without and with snapshot isolation.
const MARIADB: [(&str, [&str; 6]); 14] = [
    ("G0", ["wait", "wait", "wait", "wait", "wait", "1020"]),
    ("G1a", ["x", "", "", "wait", "", "wait"]),
    ("G1b", ["x", "", "", "wait", "", "1020"]),
    ("G1c", ["x", "", "", "1213", "", "1213"]),
    ("OTV", ["x", "wait", "wait", "wait", "wait", "1020"]),
    ("PMP read", ["x", "x", "", "wait", "", "wait"]),
    ("PMP write predicate", ["wait", "x", "x", "wait", "1020", "1020"]),
    ("P4 lost update", ["x", "x", "x", "1213", "1020", "1213"]),
    ("G-single", ["x", "x", "", "wait", "", "wait"]),
    ("G-single predicate", ["x", "x", "", "wait", "", "wait"]),
    ("G-single write predicate", ["x", "x", "x", "1213", "1020", "1213"]),
    ("G2-item write skew", ["x", "x", "x", "1213", "x", "1213"]),
    ("G2", ["x", "x", "x", "1213", "x", "1213"]),
    ("G2 Fekete", ["x", "x", "x", "1213", "x", "1213"]),
];

/// Whether MariaDB's `innodb_snapshot_isolation` is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Snapshot {
    Off,
    On,
}

/// Whether the anomaly is expected, and in which words of the table.
pub(crate) fn expected(name: &str, level: Isolation, snapshot: Snapshot) -> &'static str {
    let column = match (level, snapshot) {
        (Isolation::ReadUncommitted, _) => 0,
        (Isolation::ReadCommitted, _) => 1,
        (Isolation::RepeatableRead, Snapshot::Off) => 2,
        (Isolation::Serializable, Snapshot::Off) => 3,
        (Isolation::RepeatableRead, Snapshot::On) => 4,
        (Isolation::Serializable, Snapshot::On) => 5,
    };
    let row = MARIADB.iter().find(|(row, _)| *row == name);
    row.map_or_else(|| panic!("the table has no row {name}"), |(_, columns)| columns[column])
}
