//! The schedules, as data: who does what in which order, and what would be an anomaly. Names, steps and judgements are those of
//! Hermitage (<https://github.com/ept/hermitage>, `mysql.md`); how they are run is decided in `play`.

use super::play::Story;

/// A step of one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Sql(&'static str),
    Commit,
    Rollback,
}

/// Which transaction does it, and what.
pub(crate) type Line = (usize, Step);

/// One anomaly, and the schedule that shows it where it is possible.
#[derive(Debug)]
pub(crate) struct Schedule {
    pub(crate) name: &'static str,
    pub(crate) lines: &'static [Line],
    /// Whether the story shows the anomaly.
    pub(crate) is_anomalous: fn(&Story) -> bool,
}

impl Schedule {
    /// How many transactions take part.
    pub(crate) fn transactions(&self) -> usize {
        self.lines.iter().map(|(who, _)| who + 1).max().unwrap_or(0)
    }
}

/// Two rows: 1 has 10, 2 has 20.
pub(crate) const TABLE: [&str; 3] = [
    "DROP TABLE IF EXISTS test",
    "CREATE TABLE test (id INT PRIMARY KEY, value INT) ENGINE=InnoDB",
    "INSERT INTO test VALUES (1, 10), (2, 20)",
];

pub(crate) const ALL_ROWS: &str = "SELECT id, value FROM test ORDER BY id";
const ROW_1: &str = "SELECT id, value FROM test WHERE id = 1";
const ROW_2: &str = "SELECT id, value FROM test WHERE id = 2";
const BOTH: &str = "SELECT id, value FROM test WHERE id IN (1, 2)";
const DIVISIBLE_BY_3: &str = "SELECT id, value FROM test WHERE value % 3 = 0";
const DIVISIBLE_BY_5: &str = "SELECT id, value FROM test WHERE value % 5 = 0";

const T1: usize = 0;
const T2: usize = 1;
const T3: usize = 2;

use Step::{Commit, Rollback, Sql};

pub(crate) const ALL: [Schedule; 14] = [
    Schedule {
        name: "G0",
        lines: &[
            (T1, Sql("UPDATE test SET value = 11 WHERE id = 1")),
            (T2, Sql("UPDATE test SET value = 12 WHERE id = 1")),
            (T1, Sql("UPDATE test SET value = 21 WHERE id = 2")),
            (T1, Commit),
            (T2, Sql("UPDATE test SET value = 22 WHERE id = 2")),
            (T2, Commit),
        ],
        is_anomalous: |story| [vec![(1, 11), (2, 22)], vec![(1, 12), (2, 21)]].contains(&story.end),
    },
    Schedule {
        name: "G1a",
        lines: &[
            (T1, Sql("UPDATE test SET value = 101 WHERE id = 1")),
            (T2, Sql(ALL_ROWS)),
            (T1, Rollback),
            (T2, Sql(ALL_ROWS)),
            (T2, Commit),
        ],
        is_anomalous: |story| story.saw(T2, (1, 101)),
    },
    Schedule {
        name: "G1b",
        lines: &[
            (T1, Sql("UPDATE test SET value = 101 WHERE id = 1")),
            (T2, Sql(ALL_ROWS)),
            (T1, Sql("UPDATE test SET value = 11 WHERE id = 1")),
            (T1, Commit),
            (T2, Sql(ALL_ROWS)),
            (T2, Commit),
        ],
        is_anomalous: |story| story.saw(T2, (1, 101)),
    },
    Schedule {
        name: "G1c",
        lines: &[
            (T1, Sql("UPDATE test SET value = 11 WHERE id = 1")),
            (T2, Sql("UPDATE test SET value = 22 WHERE id = 2")),
            (T1, Sql(ROW_2)),
            (T2, Sql(ROW_1)),
            (T1, Commit),
            (T2, Commit),
        ],
        is_anomalous: |story| story.saw(T1, (2, 22)) && story.saw(T2, (1, 11)),
    },
    Schedule {
        name: "OTV",
        lines: &[
            (T1, Sql("UPDATE test SET value = 11 WHERE id = 1")),
            (T1, Sql("UPDATE test SET value = 19 WHERE id = 2")),
            (T2, Sql("UPDATE test SET value = 12 WHERE id = 1")),
            (T1, Commit),
            (T3, Sql(ALL_ROWS)),
            (T2, Sql("UPDATE test SET value = 18 WHERE id = 2")),
            (T3, Sql(ALL_ROWS)),
            (T2, Commit),
            (T3, Sql(ALL_ROWS)),
            (T3, Commit),
        ],
        is_anomalous: |story| story.reads(T3).any(|rows| *rows == [(1, 12), (2, 19)]),
    },
    Schedule {
        name: "PMP read",
        lines: &[
            (T1, Sql("SELECT id, value FROM test WHERE value = 30")),
            (T2, Sql("INSERT INTO test VALUES (3, 30)")),
            (T2, Commit),
            (T1, Sql(DIVISIBLE_BY_3)),
            (T1, Commit),
        ],
        is_anomalous: |story| story.saw(T1, (3, 30)),
    },
    Schedule {
        name: "PMP write predicate",
        lines: &[
            (T1, Sql("UPDATE test SET value = value + 10")),
            (T2, Sql("SELECT id, value FROM test WHERE value = 20")),
            (T2, Sql("DELETE FROM test WHERE value = 20")),
            (T1, Commit),
            (T2, Sql(ALL_ROWS)),
            (T2, Commit),
        ],
        // What it deleted is not what it had seen.
        is_anomalous: |story| {
            let seen: Vec<_> = story.reads(T2).next().into_iter().flatten().map(|(id, _)| *id).collect();
            let left: Vec<_> = story.end.iter().map(|(id, _)| *id).collect();
            story.committed(T2) && !(1..=2).all(|id| seen.contains(&id) != left.contains(&id))
        },
    },
    Schedule {
        name: "P4 lost update",
        lines: &[
            (T1, Sql(ROW_1)),
            (T2, Sql(ROW_1)),
            (T1, Sql("UPDATE test SET value = 11 WHERE id = 1")),
            (T2, Sql("UPDATE test SET value = 11 WHERE id = 1")),
            (T1, Commit),
            (T2, Commit),
        ],
        is_anomalous: |story| story.committed(T1) && story.committed(T2),
    },
    Schedule {
        name: "G-single",
        lines: &[
            (T1, Sql(ROW_1)),
            (T2, Sql(ROW_1)),
            (T2, Sql(ROW_2)),
            (T2, Sql("UPDATE test SET value = 12 WHERE id = 1")),
            (T2, Sql("UPDATE test SET value = 18 WHERE id = 2")),
            (T2, Commit),
            (T1, Sql(ROW_2)),
            (T1, Commit),
        ],
        is_anomalous: |story| story.saw(T1, (1, 10)) && story.saw(T1, (2, 18)),
    },
    Schedule {
        name: "G-single predicate",
        lines: &[
            (T1, Sql(DIVISIBLE_BY_5)),
            (T2, Sql("UPDATE test SET value = 12 WHERE value = 10")),
            (T2, Commit),
            (T1, Sql(DIVISIBLE_BY_3)),
            (T1, Commit),
        ],
        is_anomalous: |story| story.saw(T1, (1, 12)),
    },
    Schedule {
        name: "G-single write predicate",
        lines: &[
            (T1, Sql(ROW_1)),
            (T2, Sql(ALL_ROWS)),
            (T2, Sql("UPDATE test SET value = 12 WHERE id = 1")),
            (T2, Sql("UPDATE test SET value = 18 WHERE id = 2")),
            (T2, Commit),
            (T1, Sql("DELETE FROM test WHERE value = 20")),
            (T1, Sql(ROW_2)),
            (T1, Commit),
        ],
        // It read from before the other one, and wrote to after it.
        is_anomalous: |story| story.committed(T1) && story.saw(T1, (1, 10)) && story.changed(T1) == Some(0),
    },
    Schedule {
        name: "G2-item write skew",
        lines: &[
            (T1, Sql(BOTH)),
            (T2, Sql(BOTH)),
            (T1, Sql("UPDATE test SET value = 11 WHERE id = 1")),
            (T2, Sql("UPDATE test SET value = 21 WHERE id = 2")),
            (T1, Commit),
            (T2, Commit),
        ],
        is_anomalous: |story| story.committed(T1) && story.committed(T2),
    },
    Schedule {
        name: "G2",
        lines: &[
            (T1, Sql(DIVISIBLE_BY_3)),
            (T2, Sql(DIVISIBLE_BY_3)),
            (T1, Sql("INSERT INTO test VALUES (3, 30)")),
            (T2, Sql("INSERT INTO test VALUES (4, 42)")),
            (T1, Commit),
            (T2, Commit),
        ],
        is_anomalous: |story| story.committed(T1) && story.committed(T2),
    },
    Schedule {
        name: "G2 Fekete",
        lines: &[
            (T1, Sql(ALL_ROWS)),
            (T2, Sql("UPDATE test SET value = value + 5 WHERE id = 2")),
            (T2, Commit),
            (T3, Sql(ALL_ROWS)),
            (T3, Commit),
            (T1, Sql("UPDATE test SET value = 0 WHERE id = 1")),
            (T1, Commit),
        ],
        is_anomalous: |story| {
            [T1, T2, T3].into_iter().all(|who| story.committed(who))
                && story.reads(T3).any(|rows| *rows == [(1, 10), (2, 25)])
        },
    },
];
