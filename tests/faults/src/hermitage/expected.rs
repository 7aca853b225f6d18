//! What each schedule is expected to show on MariaDB, as it was measured with the bare packets on 10.11: a unit of this library
//! must be neither better nor worse than the level that it asked for.

use ephemeral_mysql::Flavour;
use unit_of_work::Isolation;

use super::play::Ask;

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

/// Which server, and how it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    /// MariaDB with `innodb_snapshot_isolation` off: the default before 11.6.
    MariaDb,
    /// MariaDB with it on.
    MariaDbSnapshot,
    /// MySQL, which has no such setting and shows what MariaDB shows without it.
    MySql,
}

impl Setting {
    pub(crate) fn flavour(self) -> Flavour {
        match self {
            Self::MariaDb | Self::MariaDbSnapshot => Flavour::MariaDb,
            Self::MySql => Flavour::MySql,
        }
    }

    pub(crate) fn ask(self) -> Ask {
        match self {
            Self::MariaDb | Self::MariaDbSnapshot => Ask::Status,
            Self::MySql => Ask::Transactions,
        }
    }

    /// What has to be said to the server.
    pub(crate) fn sql(self) -> Option<&'static str> {
        match self {
            Self::MariaDb => Some("SET GLOBAL innodb_snapshot_isolation = 0"),
            Self::MariaDbSnapshot => Some("SET GLOBAL innodb_snapshot_isolation = 1"),
            Self::MySql => None,
        }
    }
}

/// Whether the anomaly is expected, and in which words of the table.
pub(crate) fn expected(name: &str, level: Isolation, setting: Setting) -> &'static str {
    let column = match (level, setting) {
        (Isolation::ReadUncommitted, _) => 0,
        (Isolation::ReadCommitted, _) => 1,
        (Isolation::RepeatableRead, Setting::MariaDb | Setting::MySql) => 2,
        (Isolation::Serializable, Setting::MariaDb | Setting::MySql) => 3,
        (Isolation::RepeatableRead, Setting::MariaDbSnapshot) => 4,
        (Isolation::Serializable, Setting::MariaDbSnapshot) => 5,
    };
    let row = MARIADB.iter().find(|(row, _)| *row == name);
    row.map_or_else(|| panic!("the table has no row {name}"), |(_, columns)| columns[column])
}
