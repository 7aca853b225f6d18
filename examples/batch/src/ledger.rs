//! Where accounts, nights and payments are: on a private server, or in a database of ours on the user's, which stays there; and
//! that one run works on it at a time.

use std::time::Duration;

use ephemeral_mysql::Server;
use unit_of_work::{Database, Error};
use url::Url;

use crate::args::Args;
use crate::night;
use crate::trouble::Trouble;

/// The only database that is touched on a server of the user's.
pub(crate) const DATABASE: &str = "unit_of_work_batch";
/// A lock of the server's that a run holds.
const LOCK: &str = "unit_of_work_batch";
/// A run that was killed has lost its lock as soon as the server notices.
const LOCK_WAIT_SECONDS: u64 = 5;
/// What became of a COMMIT is asked for within moments; these rows are for people.
const OUTCOMES_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// Besides those of the threads: the one with the lock, and the one that `--disturb` kills from.
const OTHER_CONNECTIONS: usize = 3;

pub(crate) const SCHEMA: [&str; 7] = [
    "CREATE TABLE IF NOT EXISTS account (
        id BIGINT UNSIGNED PRIMARY KEY,
        balance BIGINT UNSIGNED NOT NULL,
        spent BIGINT UNSIGNED NOT NULL,
        nightly_limit BIGINT UNSIGNED NOT NULL
    ) ENGINE = InnoDB",
    // What a file is called, what was in it, and how much money there was when it was begun.
    "CREATE TABLE IF NOT EXISTS night (
        id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
        name VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL UNIQUE,
        fingerprint CHAR(64) CHARACTER SET ascii NOT NULL,
        line_count BIGINT UNSIGNED NOT NULL,
        money BIGINT UNSIGNED NOT NULL,
        closed TINYINT NOT NULL
    ) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS run (
        night BIGINT UNSIGNED NOT NULL,
        number BIGINT UNSIGNED NOT NULL,
        began DATETIME(6) NOT NULL,
        PRIMARY KEY (night, number)
    ) ENGINE = InnoDB",
    // How many lines of a lane are settled: all that a run needs to know of the runs before it.
    "CREATE TABLE IF NOT EXISTS lane (
        night BIGINT UNSIGNED NOT NULL,
        number BIGINT UNSIGNED NOT NULL,
        done BIGINT UNSIGNED NOT NULL,
        PRIMARY KEY (night, number)
    ) ENGINE = InnoDB",
    // A line for each chunk, from which the report is made.
    "CREATE TABLE IF NOT EXISTS chunk (
        night BIGINT UNSIGNED NOT NULL,
        lane BIGINT UNSIGNED NOT NULL,
        first BIGINT UNSIGNED NOT NULL,
        run BIGINT UNSIGNED NOT NULL,
        posted BIGINT UNSIGNED NOT NULL,
        rejected BIGINT UNSIGNED NOT NULL,
        retries BIGINT UNSIGNED NOT NULL,
        at DATETIME(6) NOT NULL,
        PRIMARY KEY (night, lane, first)
    ) ENGINE = InnoDB",
    // A line of the file is there once (the primary key), and so is a payment, whatever the file is called (`id`).
    "CREATE TABLE IF NOT EXISTS payment (
        night BIGINT UNSIGNED NOT NULL,
        line BIGINT UNSIGNED NOT NULL,
        id BIGINT UNSIGNED NOT NULL UNIQUE,
        from_account BIGINT UNSIGNED NOT NULL,
        to_account BIGINT UNSIGNED NOT NULL,
        amount BIGINT UNSIGNED NOT NULL,
        fee BIGINT UNSIGNED NOT NULL,
        PRIMARY KEY (night, line)
    ) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS reject (
        night BIGINT UNSIGNED NOT NULL,
        line BIGINT UNSIGNED NOT NULL,
        text VARCHAR(400) CHARACTER SET utf8mb4 NOT NULL,
        rule VARCHAR(40) CHARACTER SET utf8mb4 NOT NULL,
        reason VARCHAR(400) CHARACTER SET utf8mb4 NOT NULL,
        PRIMARY KEY (night, line)
    ) ENGINE = InnoDB",
];

/// The database, and the server under it if that is ours.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) db: Database,
    /// Runs as long as this value lives.
    _private: Option<Server>,
}

impl Ledger {
    /// With accounts in it.
    pub(crate) fn open(args: &Args) -> Result<Self, Trouble> {
        let ledger = match &args.url {
            Some(url) => Self { db: connect(url, args.threads).map_err(Trouble::UsersServer)?, _private: None },
            None => Self::on_private(args)?,
        };
        ledger.set_up(args)?;
        Ok(ledger)
    }

    fn on_private(args: &Args) -> Result<Self, Trouble> {
        let server = Server::start()?;
        Ok(Self { db: connect(&server.url(""), args.threads)?, _private: Some(server) })
    }

    /// As it is; `None` if there is none.
    pub(crate) fn look(args: &Args) -> Result<Option<Database>, Trouble> {
        let Some(url) = &args.url else { return Ok(None) };
        let there = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = ? AND table_name = 'reject'";
        let look = || {
            let found: Option<u64> =
                Database::connect(&at(url, ""))?.session(|session| session.exec_first(there, (DATABASE,)))?;
            if found == Some(0) { Ok(None) } else { Database::connect(&at(url, DATABASE)).map(Some) }
        };
        look().map_err(Trouble::UsersServer)
    }

    /// A new one on a server of ours: whatever was there is gone.
    pub(crate) fn anew(server: &Server, args: &Args) -> Result<Self, Trouble> {
        Database::connect(&server.url(""))?
            .session(|session| session.query_drop(format!("DROP DATABASE IF EXISTS `{DATABASE}`")))?;
        let ledger = Self { db: connect(&server.url(""), args.threads)?, _private: None };
        ledger.set_up(args)?;
        Ok(ledger)
    }

    fn set_up(&self, args: &Args) -> Result<(), Trouble> {
        let _entered = self.db.enter();
        night::open_accounts(args.accounts, args.balance, args.limit)?;
        Ok(())
    }

    /// Does what no two runs must do at once. Should the server end the lock's connection, the rows of `lane` still keep every
    /// line from being posted twice.
    pub(crate) fn alone<R>(&self, work: impl FnOnce() -> Result<R, Trouble>) -> Result<R, Trouble> {
        let done = self.db.session(|session| {
            let locked: Option<u64> =
                session.exec_first("SELECT COALESCE(GET_LOCK(?, ?), 0)", (LOCK, LOCK_WAIT_SECONDS))?;
            if locked != Some(1) {
                return Ok(Err(Trouble::Busy));
            }
            // By the one that is alone: two would wait for each other's rows.
            self.db.purge_outcomes(OUTCOMES_KEPT)?;
            Ok(work())
        });
        done.unwrap_or_else(|error| Err(error.into()))
    }
}

/// Kills a connection that somebody works with, but not the one with the lock; whether there was one.
pub(crate) fn kill_one(db: &Database, random: &mut fastrand::Rng) -> Result<bool, Error> {
    db.session(|session| {
        let others = "SELECT id FROM information_schema.processlist \
                      WHERE db = ? AND id <> CONNECTION_ID() AND id <> COALESCE(IS_USED_LOCK(?), 0)";
        let others: Vec<u64> = session.exec(others, (DATABASE, LOCK))?;
        let Some(id) = random.choice(others) else { return Ok(false) };
        // It may be gone by now.
        Ok(session.query_drop(format!("KILL {id}")).is_ok())
    })
}

/// Closing pays everything out in single statements, which take longer than any chunk: millions of lines on a busy server.
const CLOSING: Duration = Duration::from_secs(600);

fn connect(url: &str, threads: usize) -> Result<Database, Error> {
    Database::connect(&at(url, ""))?
        .session(|session| session.query_drop(format!("CREATE DATABASE IF NOT EXISTS `{DATABASE}`")))?;
    let db = Database::builder()
        .url(at(url, DATABASE))
        .max_connections(threads + OTHER_CONNECTIONS)
        .network_timeout(CLOSING)
        .connect()?;
    create_tables(&db)?;
    Ok(db)
}

pub(crate) fn create_tables(db: &Database) -> Result<(), Error> {
    db.session(|session| SCHEMA.iter().try_for_each(|table| session.query_drop(table)))?;
    db.create_outcome_table()
}

/// The URL with this database, or with none: one that is named may not be there yet. What is no URL is left to the driver to refuse.
fn at(url: &str, database: &str) -> String {
    Url::parse(url).map_or_else(
        |_| url.to_owned(),
        |mut url| {
            url.set_path(database);
            url.into()
        },
    )
}
