//! The work that is disturbed: money moves between accounts, and every movement leaves an entry with the number of its unit. The
//! entries have no unique key on purpose: a unit that happens twice must be seen, not refused by the server.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use unit_of_work::mysql::Conn;
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Database, Error, Tx};

use crate::mode::Mode;

/// What an account begins with.
pub(crate) const OPENING: i64 = 1000;

/// The account number that stands for the world outside: it has no row and no balance.
pub(crate) const OUTSIDE: u32 = 0;

const SELECT: &str = "SELECT balance FROM account WHERE id = ?";
const UPDATE: &str = "UPDATE account SET balance = ? WHERE id = ?";
const INSERT: &str = "INSERT INTO entry (unit, source, target, amount) VALUES (?, ?, ?, ?)";

/// One unit of a run: who ran it, and which of theirs it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Number(u64);

impl Number {
    pub(crate) fn new(writer: u32, sequence: u32) -> Self {
        Self(u64::from(writer) << 32 | u64::from(sequence))
    }

    pub(crate) fn raw(self) -> u64 {
        self.0
    }

    pub(crate) fn from_raw(raw: u64) -> Self {
        Self(raw)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0 >> 32, self.0 & u64::from(u32::MAX))
    }
}

/// What a unit is to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Movement {
    pub(crate) source: u32,
    pub(crate) target: u32,
    pub(crate) amount: i64,
}

impl Movement {
    /// One unit of money comes from outside.
    pub(crate) fn deposit(accounts: u32) -> Self {
        Self { source: OUTSIDE, target: fastrand::u32(1..=accounts), amount: 1 }
    }

    /// Some money goes from one account to another.
    pub(crate) fn transfer(accounts: u32) -> Self {
        let source = fastrand::u32(1..=accounts);
        // Another one than the source.
        let target = (source - 1 + fastrand::u32(1..accounts)) % accounts + 1;
        Self { source, target, amount: fastrand::i64(1..=9) }
    }
}

/// Makes the tables, with accounts 1 to `accounts`.
pub(crate) fn create(conn: &mut Conn, accounts: u32) -> Result<(), unit_of_work::mysql::Error> {
    conn.query_drop("CREATE TABLE account (id INT UNSIGNED PRIMARY KEY, balance BIGINT NOT NULL) ENGINE=InnoDB")?;
    conn.query_drop(
        "CREATE TABLE entry (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, unit BIGINT UNSIGNED NOT NULL, source INT UNSIGNED \
         NOT NULL, target INT UNSIGNED NOT NULL, amount BIGINT NOT NULL) ENGINE=InnoDB",
    )?;
    conn.exec_batch("INSERT INTO account VALUES (?, ?)", (1..=accounts).map(|id| (id, OPENING)))
}

/// Units that are run, and how often their bodies were.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) db: Database,
    pub(crate) mode: Mode,
    runs: AtomicU64,
}

impl Work {
    /// # Errors
    /// What the mode needs cannot be made.
    pub(crate) fn new(db: Database, mode: Mode) -> Result<Self, Error> {
        mode.prepare(&db)?;
        Ok(Self { db, mode, runs: AtomicU64::new(0) })
    }

    /// Runs one unit.
    ///
    /// # Errors
    /// The unit's.
    pub(crate) fn run(&self, unit: Number, movement: Movement) -> Result<(), Error> {
        self.mode.unit(&self.db, "movement").run(|tx| {
            self.runs.fetch_add(1, Ordering::Relaxed);
            book(tx, unit, movement)
        })
    }

    /// What became of COMMITs without an answer.
    pub(crate) fn resolved(&self) -> Resolved {
        let stats = self.db.stats();
        Resolved {
            committed: stats.resolved_committed,
            rolled_back: stats.resolved_rolled_back,
            unresolved: stats.unresolved,
        }
    }

    /// How often a body ran.
    pub(crate) fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }
}

/// How many COMMITs without an answer the library found out about, and what.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Resolved {
    #[serde(rename = "resolved_committed")]
    pub(crate) committed: u64,
    /// The unit ran again then.
    #[serde(rename = "resolved_rolled_back")]
    pub(crate) rolled_back: u64,
    /// Not in time.
    pub(crate) unresolved: u64,
}

impl fmt::Display for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { committed, rolled_back, unresolved } = self;
        write!(f, "{committed} COMMITs resolved as committed, {rolled_back} as rolled back, {unresolved} not")
    }
}

/// Reads, adds, and writes back: whoever is not isolated loses money here.
fn book(tx: &mut Tx<'_>, unit: Number, Movement { source, target, amount }: Movement) -> Result<(), Error> {
    for (account, change) in [(source, -amount), (target, amount)] {
        if account != OUTSIDE {
            let balance: i64 = tx.exec_first(SELECT, (account,))?.expect("all accounts are there");
            tx.exec_drop(UPDATE, (balance + change, account))?;
        }
    }
    tx.exec_drop(INSERT, (unit.raw(), source, target, amount))
}
