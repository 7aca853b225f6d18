//! The units of the hot cells, as a user of this library writes them. All variants of a cell run these same functions.

use std::thread;
use std::time::Duration;

use unit_of_work::{Error, Tx, unit_of_work};

use crate::bank::{SELECT, Transfer, UPDATE};

/// One piece of work.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Job {
    Transfer { rows: Transfer, course: Course },
    Redistribute(Share),
}

/// What a transfer does between reading and writing.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Course {
    Straight,
    /// Sleeps with both rows locked.
    Thinking(Duration),
    /// Ends there.
    ReadOnly,
}

/// The row that is hot where one is.
pub(crate) const HOT: u32 = 1;

/// Three rows in ascending order, whose money is evened out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share(pub(crate) [u32; 3]);

impl Job {
    pub(crate) fn transfer(rows: Transfer) -> Self {
        Self::Transfer { rows, course: Course::Straight }
    }

    pub(crate) fn thinking(rows: Transfer, pause: Duration) -> Self {
        Self::Transfer { rows, course: Course::Thinking(pause) }
    }

    pub(crate) fn reading(rows: Transfer) -> Self {
        Self::Transfer { rows, course: Course::ReadOnly }
    }

    /// Runs it as a unit of the thread's database; the result is the number of the attempt that was committed.
    pub(crate) fn run(self) -> Result<u32, Error> {
        match self {
            Self::Transfer { rows, course } => move_money(rows, course),
            Self::Redistribute(share) => even_out(share),
        }
    }

    /// The same with a gate of its own for the hot row.
    pub(crate) fn run_keyed(self) -> Result<u32, Error> {
        match self {
            Self::Transfer { rows, course } => move_money_keyed(rows, course),
            Self::Redistribute(share) => even_out(share),
        }
    }
}

#[unit_of_work(isolation = "serializable")]
fn move_money(tx: &mut Tx<'_>, rows: Transfer, course: Course) -> Result<u32, Error> {
    transfer(tx, rows, course)
}

#[unit_of_work(isolation = "serializable", contention(key = rows.lower == HOT))]
fn move_money_keyed(tx: &mut Tx<'_>, rows: Transfer, course: Course) -> Result<u32, Error> {
    transfer(tx, rows, course)
}

fn transfer(tx: &mut Tx<'_>, rows: Transfer, course: Course) -> Result<u32, Error> {
    let Transfer { lower, higher, amount } = rows;
    let (first, second) = (balance(tx, lower)?, balance(tx, higher)?);
    match course {
        Course::Straight => {}
        Course::Thinking(pause) => thread::sleep(pause),
        Course::ReadOnly => return Ok(tx.attempt()),
    }
    tx.exec_drop(UPDATE, (first - amount, lower))?;
    tx.exec_drop(UPDATE, (second + amount, higher))?;
    Ok(tx.attempt())
}

#[unit_of_work(isolation = "serializable")]
fn even_out(tx: &mut Tx<'_>, Share(rows): Share) -> Result<u32, Error> {
    let balances = [balance(tx, rows[0])?, balance(tx, rows[1])?, balance(tx, rows[2])?];
    let all: i64 = balances.iter().sum();
    for (row, rest) in rows.into_iter().zip(0..) {
        tx.exec_drop(UPDATE, (all / 3 + i64::from(rest < all % 3), row))?;
    }
    Ok(tx.attempt())
}

fn balance(tx: &mut Tx<'_>, row: u32) -> Result<i64, Error> {
    Ok(tx.exec_first(SELECT, (row,))?.expect("accounts are never deleted"))
}
