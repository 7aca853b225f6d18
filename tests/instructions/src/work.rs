//! What is counted. Units run on a scripted server that answers everything with success and writes nothing down, so that nearly
//! all that is counted is the library's own; the transfers on a real server are there to be compared with each other.

use clap::ValueEnum;
use ephemeral_mysql::Server;
use serde::{Deserialize, Serialize};
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::mysql::{Conn, Opts};
use unit_of_work::testing::Script;
use unit_of_work::{Database, Error, Tx, unit_of_work};

use crate::Failure;

/// One kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Work {
    /// A unit that sends nothing, on a script.
    Empty,
    /// A unit that executes one statement and commits, on a script.
    Statement,
    /// A unit that executes four statements and commits, on a script.
    Transfer,
    /// The same on a real server, with rows.
    ServedTransfer,
    /// The same packets on the same server, sent by the driver alone.
    BareTransfer,
}

/// Where a real server is, for the program that callgrind runs.
pub(crate) const SERVER: &str = "INSTRUCTIONS_SERVER";

const SELECT: &str = "SELECT balance FROM account WHERE id = ?";
const UPDATE: &str = "UPDATE account SET balance = ? WHERE id = ?";

impl Work {
    pub(crate) const ALL: [Self; 5] =
        [Self::Empty, Self::Statement, Self::Transfer, Self::ServedTransfer, Self::BareTransfer];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Statement => "statement",
            Self::Transfer => "transfer",
            Self::ServedTransfer => "served-transfer",
            Self::BareTransfer => "bare-transfer",
        }
    }

    /// How often it is run in the shorter of the two runs; the longer one is twice as long.
    pub(crate) fn times(self) -> u32 {
        match self {
            Self::Empty | Self::Statement | Self::Transfer => 1000,
            Self::ServedTransfer | Self::BareTransfer => 300,
        }
    }

    /// The server that it needs, ready.
    pub(crate) fn server(self) -> Result<Option<Server>, Failure> {
        match self {
            Self::Empty | Self::Statement | Self::Transfer => Ok(None),
            Self::ServedTransfer | Self::BareTransfer => {
                let server = Server::builder().start()?;
                let mut conn = server.conn()?;
                conn.query_drop("CREATE DATABASE bank")?;
                conn.query_drop(
                    "CREATE TABLE bank.account (id INT PRIMARY KEY, balance BIGINT NOT NULL) ENGINE=InnoDB",
                )?;
                conn.query_drop("INSERT INTO bank.account VALUES (1, 1000000), (2, 1000000)")?;
                Ok(Some(server))
            }
        }
    }
}

/// Runs it so many times.
pub(crate) fn run(work: Work, times: u32) -> Result<(), Failure> {
    let url = || std::env::var(SERVER).map_err(|_| format!("{SERVER} names no server"));
    match work {
        Work::Empty => scripted(times, empty),
        Work::Statement => scripted(times, statement),
        Work::Transfer => scripted(times, || transfer(1, 2, 1)),
        Work::ServedTransfer => units(&Database::connect(&url()?)?, times, || transfer(1, 2, 1)),
        Work::BareTransfer => bare(&url()?, times),
    }
}

fn scripted(times: u32, unit: impl Fn() -> Result<(), Error>) -> Result<(), Failure> {
    let script = Script::new();
    let database = Database::builder().script(&script).connect()?;
    script.write_nothing_down();
    units(&database, times, unit)
}

fn units(database: &Database, times: u32, unit: impl Fn() -> Result<(), Error>) -> Result<(), Failure> {
    database.install()?;
    for _ in 0..times {
        unit()?;
    }
    Ok(())
}

#[unit_of_work]
fn empty(_tx: &mut Tx<'_>) -> Result<(), Error> {
    Ok(())
}

#[unit_of_work]
fn statement(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop(UPDATE, (100, 1))
}

/// A script has no rows; what is counted then is a transfer between accounts that are not there.
#[unit_of_work]
fn transfer(tx: &mut Tx<'_>, from: u64, to: u64, amount: i64) -> Result<(), Error> {
    let first: i64 = tx.exec_first(SELECT, (from,))?.unwrap_or_default();
    let second: i64 = tx.exec_first(SELECT, (to,))?.unwrap_or_default();
    tx.exec_drop(UPDATE, (first - amount, from))?;
    tx.exec_drop(UPDATE, (second + amount, to))
}

fn bare(url: &str, times: u32) -> Result<(), Failure> {
    let mut conn = Conn::new(Opts::from_url(url)?)?;
    conn.query_drop("SET SESSION autocommit=0")?;
    let (select, update) = (conn.prep(SELECT)?, conn.prep(UPDATE)?);
    for _ in 0..times {
        let first: i64 = conn.exec_first(&select, (1,))?.unwrap_or_default();
        let second: i64 = conn.exec_first(&select, (2,))?.unwrap_or_default();
        conn.exec_drop(&update, (first - 1, 1))?;
        conn.exec_drop(&update, (second + 1, 2))?;
        conn.query_drop("COMMIT")?;
    }
    Ok(())
}
