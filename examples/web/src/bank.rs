//! Where the accounts are: on a private server, or in a database of ours on the user's. It decides the settings that suit a
//! service, where somebody waits for every answer.

use std::time::Duration;

use ephemeral_mysql::Server;
use unit_of_work::{Database, Error, Retry};
use url::Url;

/// The only database that is touched on a server of the user's.
const DATABASE: &str = "unit_of_work_web";

/// Nobody waits for a web page longer than this: better a 503, so that the client decides.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS account (
        id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
        owner VARCHAR(100) CHARACTER SET utf8mb4 NOT NULL,
        balance BIGINT UNSIGNED NOT NULL
    ) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS transfer (
        id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
        idempotency_key VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin UNIQUE,
        from_account BIGINT UNSIGNED NOT NULL,
        to_account BIGINT UNSIGNED NOT NULL,
        amount BIGINT UNSIGNED NOT NULL
    ) ENGINE = InnoDB",
];

/// The database, and the server under it if that is ours.
#[derive(Debug)]
pub(crate) struct Bank {
    pub(crate) db: Database,
    /// Runs as long as this value lives.
    _private: Option<Server>,
}

impl Bank {
    /// On the server at `url`, or on a private one; with at most so many connections.
    pub(crate) fn open(url: Option<&str>, connections: usize) -> Result<Self, Box<dyn std::error::Error>> {
        if let Some(url) = url {
            return Ok(Self { db: connect(url, connections)?, _private: None });
        }
        let server = Server::start()?;
        Ok(Self { db: connect(&server.url(""), connections)?, _private: Some(server) })
    }
}

fn connect(url: &str, connections: usize) -> Result<Database, Error> {
    Database::connect(url)?
        .session(|session| session.query_drop(format!("CREATE DATABASE IF NOT EXISTS `{DATABASE}`")))?;
    let db = Database::builder()
        .url(with_database(url))
        .max_connections(connections)
        .retry(Retry::DEFAULT.within(PATIENCE))
        .acquire_timeout(PATIENCE)
        .connect_timeout(PATIENCE)
        .connect()?;
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
