//! Where accounts and payments are: on a private server, or in a database of ours on the user's, which stays there.

use ephemeral_mysql::Server;
use unit_of_work::{Database, Error};
use url::Url;

use crate::args::Args;
use crate::payments;
use crate::trouble::Trouble;

/// The only database that is touched on a server of the user's.
const DATABASE: &str = "unit_of_work_batch";

pub(crate) const SCHEMA: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS account (id BIGINT UNSIGNED PRIMARY KEY, balance BIGINT UNSIGNED NOT NULL) ENGINE = InnoDB",
    // The primary key is what keeps a payment from being posted twice.
    "CREATE TABLE IF NOT EXISTS payment (
        id BIGINT UNSIGNED PRIMARY KEY,
        from_account BIGINT UNSIGNED NOT NULL,
        to_account BIGINT UNSIGNED NOT NULL,
        amount BIGINT UNSIGNED NOT NULL
    ) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS audit (
        id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
        at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
        payments BIGINT UNSIGNED NOT NULL,
        amount BIGINT UNSIGNED NOT NULL
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
        let ledger = Self::on_users_server_or_private(args)?;
        let _entered = ledger.db.enter();
        payments::open_accounts(args.accounts, args.balance)?;
        Ok(ledger)
    }

    fn on_users_server_or_private(args: &Args) -> Result<Self, Trouble> {
        if let Some(url) = &args.url {
            let db = connect(url, args.threads).map_err(Trouble::UsersServer)?;
            return Ok(Self { db, _private: None });
        }
        let server = Server::start()?;
        Ok(Self { db: connect(&server.url(""), args.threads)?, _private: Some(server) })
    }
}

fn connect(url: &str, threads: usize) -> Result<Database, Error> {
    Database::connect(url)?
        .session(|session| session.query_drop(format!("CREATE DATABASE IF NOT EXISTS `{DATABASE}`")))?;
    let db = Database::builder().url(with_database(url)).max_connections(threads).connect()?;
    create_tables(&db)?;
    Ok(db)
}

pub(crate) fn create_tables(db: &Database) -> Result<(), Error> {
    db.session(|session| SCHEMA.iter().try_for_each(|table| session.query_drop(table)))
}

fn with_database(url: &str) -> String {
    let mut url = Url::parse(url).expect("a connection was opened with this URL");
    url.set_path(DATABASE);
    url.into()
}
