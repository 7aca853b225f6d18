//! What every test begins with: a database of its own on the shared server, a `Database` of ours on it, and ways to look at
//! both from outside. Decides how the server is asked about transactions and lock waits; what must be true is the tests' matter.

use std::ops::RangeInclusive;
use std::thread;
use std::time::{Duration, Instant};

use proxy::Proxy;
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::mysql::{Conn, Row};
use unit_of_work::{Database, DatabaseBuilder, Error, ErrorKind, Isolation, Tx};

use crate::server::{self, IN_TRANSACTION, ISOLATION, READ_ONLY};

/// One half of a transfer.
pub(crate) const TAKE_TEN: &str = "UPDATE account SET balance = balance - 10 WHERE id = 1";
/// The other half.
pub(crate) const GIVE_TEN: &str = "UPDATE account SET balance = balance + 10 WHERE id = 2";

/// How long something that must happen may take on a busy machine before a test calls it missing.
pub(crate) const BOUND: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Waits until the server is old enough for connections of it to be killed: of a younger one they are not, because a restart
/// could not be noticed.
pub(crate) fn grow_up(server: &ephemeral_mysql::Server) {
    grow_to(server, 3);
}

/// Waits until the server has been up for so many seconds.
pub(crate) fn grow_to(server: &ephemeral_mysql::Server, seconds: u64) {
    let mut conn = server.conn().expect("the server answers");
    until("the server is old enough", || {
        let uptime: Option<(String, u64)> = conn.query_first("SHOW GLOBAL STATUS LIKE 'Uptime'").expect("a status");
        uptime.expect("every server has it").1 >= seconds
    });
}

/// A database of its own on the shared server, gone with its value.
#[derive(Debug)]
pub(crate) struct World {
    /// Ours, connected with default settings.
    pub(crate) db: Database,
    home: ephemeral_mysql::Database,
}

impl World {
    /// With default settings.
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// With settings.
    pub(crate) fn with(settings: impl FnOnce(DatabaseBuilder) -> DatabaseBuilder) -> Self {
        Self::on(server::shared(), settings)
    }

    /// On another server than the shared one, which must outlive this.
    pub(crate) fn on(
        server: &ephemeral_mysql::Server,
        settings: impl FnOnce(DatabaseBuilder) -> DatabaseBuilder,
    ) -> Self {
        grow_up(server);
        let home = server.database();
        Self { db: connect(&home.url(), settings), home }
    }

    /// With the table `account (id, balance)` filled with 100 for each of `ids`.
    pub(crate) fn with_accounts(ids: RangeInclusive<u64>) -> Self {
        let world = Self::new();
        world.make_accounts(ids);
        world
    }

    /// Makes the table `account (id, balance)` and fills it with 100 for each of `ids`.
    pub(crate) fn make_accounts(&self, ids: RangeInclusive<u64>) {
        self.execute("CREATE TABLE account (id BIGINT UNSIGNED PRIMARY KEY, balance BIGINT NOT NULL) ENGINE=InnoDB");
        for id in ids {
            self.execute(&format!("INSERT INTO account VALUES ({id}, 100)"));
        }
    }

    /// Where the database is.
    pub(crate) fn url(&self) -> String {
        self.home.url()
    }

    /// The database's name.
    pub(crate) fn name(&self) -> &str {
        self.home.name()
    }

    /// Another `Database` of ours on the same database.
    pub(crate) fn connect(&self, settings: impl FnOnce(DatabaseBuilder) -> DatabaseBuilder) -> Database {
        connect(&self.url(), settings)
    }

    /// A second way in: the driver's own connection, to look and to interfere from outside.
    pub(crate) fn conn(&self) -> Conn {
        self.home.conn()
    }

    /// Runs one statement outside of any unit.
    pub(crate) fn execute(&self, sql: &str) {
        self.db.session(|session| session.query_drop(sql)).unwrap_or_else(|error| panic!("{error}"));
    }

    /// A `Database` of ours on the same database that reaches it through a proxy.
    pub(crate) fn proxied(&self) -> (Database, Proxy) {
        self.proxied_with(|builder| builder)
    }

    /// The same with settings.
    pub(crate) fn proxied_with(&self, settings: impl FnOnce(DatabaseBuilder) -> DatabaseBuilder) -> (Database, Proxy) {
        let proxy = Proxy::start(("127.0.0.1", self.port())).expect("a loopback port is free");
        (connect(&proxy.url(self.name()), settings), proxy)
    }

    /// The server's port.
    pub(crate) fn port(&self) -> u16 {
        let opts = unit_of_work::mysql::Opts::from_url(&self.url()).expect("the server's own URL can be read");
        opts.get_tcp_port()
    }

    /// The balance of an account as others see it; `None` if there is no such account.
    pub(crate) fn balance(&self, id: u64) -> Option<i64> {
        self.conn().exec_first("SELECT balance FROM account WHERE id = ?", (id,)).expect("the table is there")
    }

    /// The balances of all accounts in the order of their ids, as others see them.
    pub(crate) fn balances(&self) -> Vec<i64> {
        self.conn().query("SELECT balance FROM account ORDER BY id").expect("the table is there")
    }

    /// One value, as others see it.
    pub(crate) fn count(&self, sql: &str) -> u64 {
        self.conn().query_first(sql).expect("the question is right").expect("there is an answer")
    }

    /// Connections of this database that the server has a transaction open for, but for the one that asks.
    pub(crate) fn open_transactions(&self) -> Vec<u64> {
        self.transactions().into_iter().map(|transaction| transaction.connection).collect()
    }

    /// Waits until `n` transactions of this database wait for a row lock.
    ///
    /// # Panics
    /// When they do not within [`BOUND`].
    pub(crate) fn until_waiting(&self, n: usize) {
        until(&format!("{n} transactions wait for a lock"), || {
            self.transactions().iter().filter(|transaction| transaction.waits).count() >= n
        });
    }

    /// Statement 9: nothing is bound to the thread, no transaction of this database is open, and the session that the next
    /// unit gets is as that unit expects. To be called when no other thread is in a unit.
    pub(crate) fn assert_clean(&self, db: &Database) {
        self.assert_clean_for(db, Isolation::Serializable);
    }

    /// The same for a next unit of another isolation.
    pub(crate) fn assert_clean_for(&self, db: &Database, isolation: Isolation) {
        let seen = db.unit("probe").isolation(isolation).run(|tx| {
            // Nothing was sent yet: what is open now was left by somebody else. A killed connection takes a moment to end.
            until("no transaction is open", || self.open_transactions().is_empty());
            Seen::by(tx)
        });
        let seen = seen.unwrap_or_else(|error| panic!("the next unit fails: {error}"));
        let expected = Seen {
            unit: "probe".into(),
            isolation: isolation.to_string().to_uppercase().replace(' ', "-"),
            in_transaction: 0,
            read_only: 0,
            autocommit: 0,
        };
        assert_eq!(seen, expected);
    }

    /// From `SHOW ENGINE INNODB STATUS`, because `information_schema.innodb_trx` is a copy that is not renewed while anybody has
    /// read it within the last tenth of a second (`can_cache_be_updated` in `storage/innobase/trx/trx0i_s.cc`).
    fn transactions(&self) -> Vec<Transaction> {
        let mut conn = self.conn();
        let of_this_database = "SELECT id FROM information_schema.processlist WHERE db = ? AND id <> CONNECTION_ID()";
        let connections: Vec<u64> = conn.exec(of_this_database, (self.name(),)).expect("the server answers");
        let status: Row = conn.query_first("SHOW ENGINE INNODB STATUS").expect("the server answers").expect("a row");
        let text: String = status.get("Status").expect("the column is there");
        let all = text.split("---TRANSACTION ").skip(1).filter_map(Transaction::read);
        all.filter(|transaction| connections.contains(&transaction.connection)).collect()
    }
}

/// An open transaction.
#[derive(Debug)]
struct Transaction {
    connection: u64,
    waits: bool,
}

impl Transaction {
    /// `421…, ACTIVE 3 sec starting index read … LOCK WAIT 2 lock struct(s), … MariaDB thread id 12, …`
    fn read(text: &str) -> Option<Self> {
        if text.lines().next()?.contains("not started") {
            return None;
        }
        let (_, after) = text.split_once("thread id ")?;
        let connection = after.split(',').next()?.parse().ok()?;
        Some(Self { connection, waits: text.contains("\nLOCK WAIT ") })
    }
}

/// What a unit finds on its session.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    unit: String,
    isolation: String,
    in_transaction: u8,
    read_only: u8,
    autocommit: u8,
}

impl Seen {
    fn by(tx: &mut Tx<'_>) -> Result<Self, Error> {
        // A statement that reads no table does not begin a transaction, so the first one sees what was there before.
        let row: Option<(u8, String, u8, u8)> =
            tx.query_first(format!("SELECT {IN_TRANSACTION}, {ISOLATION}, {READ_ONLY}, @@autocommit"))?;
        let (in_transaction, isolation, read_only, autocommit) = row.expect("a row");
        // Refused without being sent; the error names the unit that owns the transaction: another one if this one joined.
        let refused = tx.query_drop("COMMIT").expect_err("a unit may not commit by itself");
        assert_eq!(refused.kind(), ErrorKind::Refused, "{refused}");
        let unit = refused.unit().unwrap_or_default().to_owned();
        Ok(Self { unit, isolation, in_transaction, read_only, autocommit })
    }
}

/// Waits until `what` holds.
///
/// # Panics
/// When it does not within [`BOUND`].
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < BOUND, "{what}: not within {BOUND:?}");
        thread::sleep(LOOK_AGAIN);
    }
}

fn connect(url: &str, settings: impl FnOnce(DatabaseBuilder) -> DatabaseBuilder) -> Database {
    let connected = settings(Database::builder().url(url)).connect();
    connected.unwrap_or_else(|error| panic!("{error}"))
}

/// What the tests' own bodies fail with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// A decision of the body's.
    #[error("refused: {0}")]
    Refused(&'static str),
    /// The unit's.
    #[error(transparent)]
    Work(#[from] Error),
}

/// A body's decision to fail.
pub(crate) const FAIL: Result<(), Trouble> = Err(Trouble::Refused("a decision"));
