//! Where a soak happens: a private server that keeps what it acknowledged, and a database with the tables of `work` on it.

use std::thread;
use std::time::Duration;

use ephemeral_mysql::{Profile, Server};
use proxy::Proxy;
use unit_of_work::mysql::Conn;
use unit_of_work::mysql::prelude::Queryable;

use crate::answers::Answers;
use crate::audit::{Audit, Rows};
use crate::failure::Failure;
use crate::work;

/// Seconds after which a server's start time is told apart from that of another.
const GROWN_UP_S: u64 = 3;

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

    pub(crate) fn name(&self) -> &str {
        self.home.name()
    }

    pub(crate) fn url_through(&self, proxy: &Proxy) -> String {
        proxy.url(self.home.name())
    }

    /// A way in past everything that is disturbed.
    pub(crate) fn conn(&self) -> Result<Conn, Failure> {
        let mut conn = self.server.conn()?;
        conn.query_drop(format!("USE `{}`", self.home.name()))?;
        Ok(conn)
    }

    /// Waits until the server is old enough for connections of it to be ended: of a younger one they are not, because a restart
    /// could not be noticed.
    pub(crate) fn grow_up(&self) -> Result<(), Failure> {
        let mut conn = self.conn()?;
        loop {
            let uptime: Option<(String, u64)> = conn.query_first("SHOW GLOBAL STATUS LIKE 'Uptime'")?;
            if uptime.is_none_or(|(_, seconds)| seconds >= GROWN_UP_S) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn audit(&self, answers: &Answers) -> Result<Audit, Failure> {
        Ok(Audit::of(answers, &self.rows()?))
    }

    pub(crate) fn rows(&self) -> Result<Rows, Failure> {
        Ok(Rows::read(&mut self.conn()?)?)
    }
}

/// A server that flushes at every commit.
pub(crate) fn start_durable() -> Result<Server, Failure> {
    Ok(Server::builder().profile(Profile::Durable).start()?)
}
