//! Where a soak happens: a private server that keeps what it acknowledged, and a database with the tables of `work` on it.

use ephemeral_mysql::{Profile, Server};
use proxy::Proxy;
use unit_of_work::mysql::Conn;

use crate::answers::Answers;
use crate::audit::{Audit, Rows};
use crate::failure::Failure;
use crate::work;

/// A server and the database on it; both are gone with this value.
#[derive(Debug)]
pub(crate) struct Arena {
    // In front of the server, which has to be there when it is dropped.
    home: ephemeral_mysql::Database,
    pub(crate) server: Server,
}

impl Arena {
    /// Flushes at every commit, as servers do that must not lose anything.
    pub(crate) fn durable(accounts: u32) -> Result<Self, Failure> {
        let server = start_durable()?;
        let home = server.database();
        work::create(&mut home.conn(), accounts)?;
        Ok(Self { home, server })
    }

    pub(crate) fn url(&self) -> String {
        self.home.url()
    }

    pub(crate) fn url_through(&self, proxy: &Proxy) -> String {
        proxy.url(self.home.name())
    }

    /// A way in past everything that is disturbed.
    pub(crate) fn conn(&self) -> Result<Conn, Failure> {
        let mut conn = self.server.conn()?;
        unit_of_work::mysql::prelude::Queryable::query_drop(&mut conn, format!("USE `{}`", self.home.name()))?;
        Ok(conn)
    }

    pub(crate) fn audit(&self, answers: &Answers) -> Result<Audit, Failure> {
        Ok(Audit::of(answers, &Rows::read(&mut self.conn()?)?))
    }
}

/// A server that flushes at every commit.
pub(crate) fn start_durable() -> Result<Server, Failure> {
    Ok(Server::builder().profile(Profile::Durable).start()?)
}
