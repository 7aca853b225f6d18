//! The units of work: three ways to add 1 to a counter. This is the code that a program of your own would have; everything
//! else in this package runs it on many threads and looks at what came of it.
//!
//! Each unit returns how many attempts it took, so that retries can be counted.

use serde::Serialize;
use unit_of_work::{Error, Isolation, Tx, unit_of_work};

/// Reads, adds, writes back: what anybody writes at first. Nothing in it is wrong; whether it counts right is decided by the
/// isolation of the unit that calls it.
fn read_add_write(tx: &mut Tx<'_>) -> Result<u32, Error> {
    let n: u64 = tx.query_first("SELECT n FROM counter WHERE id = 1")?.expect(THE_ROW);
    tx.exec_drop("UPDATE counter SET n = ? WHERE id = 1", (n + 1,))?;
    Ok(tx.attempt())
}

#[unit_of_work(isolation = "serializable")]
fn at_serializable(tx: &mut Tx<'_>) -> Result<u32, Error> {
    read_add_write(tx)
}

#[unit_of_work(isolation = "repeatable read")]
fn at_repeatable_read(tx: &mut Tx<'_>) -> Result<u32, Error> {
    read_add_write(tx)
}

#[unit_of_work(isolation = "read committed")]
fn at_read_committed(tx: &mut Tx<'_>) -> Result<u32, Error> {
    read_add_write(tx)
}

#[unit_of_work(isolation = "read uncommitted")]
fn at_read_uncommitted(tx: &mut Tx<'_>) -> Result<u32, Error> {
    read_add_write(tx)
}

/// The same, but it locks the row when it reads it: who comes later waits.
#[unit_of_work(isolation = "repeatable read")]
fn for_update(tx: &mut Tx<'_>) -> Result<u32, Error> {
    let n: u64 = tx.query_first("SELECT n FROM counter WHERE id = 1 FOR UPDATE")?.expect(THE_ROW);
    tx.exec_drop("UPDATE counter SET n = ? WHERE id = 1", (n + 1,))?;
    Ok(tx.attempt())
}

/// Lets the server add: one statement, which locks the row while it reads and writes it.
#[unit_of_work(isolation = "repeatable read")]
fn in_place(tx: &mut Tx<'_>) -> Result<u32, Error> {
    tx.query_drop("UPDATE counter SET n = n + 1 WHERE id = 1")?;
    Ok(tx.attempt())
}

const THE_ROW: &str = "the arena has put the counter's row there, and nobody deletes it";

/// How the counter is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Way {
    ReadAddWrite,
    ForUpdate,
    InPlace,
}

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ReadAddWrite => "read-add-write",
            Self::ForUpdate => "for-update",
            Self::InPlace => "in-place",
        }
    }
}

/// One of the units above, with what it was declared as.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counting {
    pub(crate) way: Way,
    pub(crate) level: Isolation,
    pub(crate) add_one: fn() -> Result<u32, Error>,
}

/// All units, from the weakest level to the strongest.
pub(crate) const ALL: [Counting; 6] = [
    Counting { way: Way::ReadAddWrite, level: Isolation::ReadUncommitted, add_one: at_read_uncommitted },
    Counting { way: Way::ReadAddWrite, level: Isolation::ReadCommitted, add_one: at_read_committed },
    READ_ADD_WRITE_AT_REPEATABLE_READ,
    Counting { way: Way::ReadAddWrite, level: Isolation::Serializable, add_one: at_serializable },
    Counting { way: Way::ForUpdate, level: Isolation::RepeatableRead, add_one: for_update },
    Counting { way: Way::InPlace, level: Isolation::RepeatableRead, add_one: in_place },
];

/// The unit whose fate the server's `innodb_snapshot_isolation` decides.
pub(crate) const READ_ADD_WRITE_AT_REPEATABLE_READ: Counting =
    Counting { way: Way::ReadAddWrite, level: Isolation::RepeatableRead, add_one: at_repeatable_read };
