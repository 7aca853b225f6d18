//! The ticket office: events with numbered seats, held for two minutes, bought, cancelled, and a guest list that shares the quota.
//! Here is where its database is: on a private server, or in a database of ours on the user's. Each function of the modules below is
//! a unit of work of the thread that calls it, in the database that this thread has entered; what may be taken is decided by `rules`.

pub(crate) mod audit;
mod customer;
mod error;
pub(crate) mod events;
pub(crate) mod guests;
mod key;
mod moment;
pub(crate) mod purchases;
pub(crate) mod rules;
mod schema;
mod seat;
pub(crate) mod seats;

use std::time::Duration;

use ephemeral_mysql::Server;
use unit_of_work::{Database, Error, Retry};
use url::Url;

pub(crate) use customer::Customer;
pub(crate) use error::OfficeError;
pub(crate) use key::Key;
pub(crate) use moment::Moment;
pub(crate) use schema::create_tables;
pub(crate) use seat::{Hall, Seat};

/// The only database that is touched on a server of the user's.
const DATABASE: &str = "unit_of_work_web";

/// The database, and the server under it if that is ours.
pub(crate) struct Office {
    pub(crate) db: Database,
    /// Holds the password.
    url: String,
    /// Runs as long as this value lives.
    _private: Option<Server>,
}

impl Office {
    /// On the server at `url`, or on a private one; with at most so many connections, for one of which, and for another attempt,
    /// nobody waits longer than `patience`. There are three events in it at least.
    pub(crate) fn open(
        url: Option<&str>,
        connections: usize,
        patience: Duration,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        if let Some(url) = url {
            return Ok(Self::on(url, connections, patience, None)?);
        }
        let server = Server::start()?;
        Ok(Self::on(&server.url(""), connections, patience, Some(server))?)
    }

    fn on(url: &str, connections: usize, patience: Duration, private: Option<Server>) -> Result<Self, Error> {
        let db = connect(url, connections, patience)?;
        Ok(Self { db, url: with_database(url, DATABASE), _private: private })
    }

    /// Of its database, for those who want connections of their own. Holds the password.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

fn connect(url: &str, connections: usize, patience: Duration) -> Result<Database, Error> {
    // Without a database: one that the URL names may not be there yet.
    Database::connect(&with_database(url, ""))?
        .session(|session| session.query_drop(format!("CREATE DATABASE IF NOT EXISTS `{DATABASE}`")))?;
    let db = Database::builder()
        .url(with_database(url, DATABASE))
        .max_connections(connections)
        .retry(Retry::DEFAULT.within(patience))
        .acquire_timeout(patience)
        .connect_timeout(patience)
        .connect()?;
    create_tables(&db)?;
    schema::seed(&db)?;
    Ok(db)
}

/// What is no URL is left to the driver to refuse.
fn with_database(url: &str, database: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else { return url.to_owned() };
    parsed.set_path(database);
    parsed.into()
}

#[cfg(test)]
mod tests;
