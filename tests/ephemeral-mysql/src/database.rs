//! One database on a private server, with a name of its own, dropped with its value.
//!
//! Tests that run at once on one server keep out of each other's way with one of these each.

use std::time::Duration;

use mysql::prelude::Queryable;
use mysql::{Conn, OptsBuilder};

/// What the name of each such database begins with.
pub const DATABASE_PREFIX: &str = "ephemeral_";

/// How long a server may be silent before dropping a database is given up. The data goes with the server anyway.
const PATIENCE: Duration = Duration::from_secs(10);

/// A database with a fresh name. It is dropped with this value; connections that hold locks in it then are closed.
///
/// It may outlive its server, and then does nothing.
#[derive(Debug)]
pub struct Database {
    name: String,
    port: u16,
}

impl Database {
    pub(crate) fn create(name: String, port: u16) -> Result<Self, mysql::Error> {
        Conn::new(root(port))?.query_drop(format!("CREATE DATABASE `{name}`"))?;
        Ok(Self { name, port })
    }

    /// The database's name: [`DATABASE_PREFIX`], the process id, a running number.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `mysql://root@127.0.0.1:PORT/NAME`.
    pub fn url(&self) -> String {
        url(self.port, &self.name)
    }

    /// A new connection as root with this database selected.
    ///
    /// # Panics
    ///
    /// If the server does not answer; [`Server::conn`](crate::Server::conn) returns an error instead.
    pub fn conn(&self) -> Conn {
        Conn::new(root(self.port).db_name(Some(&self.name)))
            .unwrap_or_else(|error| panic!("could not connect to the private server at {}: {error}", self.url()))
    }

    fn drop_on_server(&self) -> Result<(), mysql::Error> {
        let mut conn = Conn::new(root(self.port).read_timeout(Some(PATIENCE)))?;
        conn.query_drop("SET lock_wait_timeout = 1")?;
        let sql = format!("DROP DATABASE IF EXISTS `{}`", self.name);
        conn.query_drop(&sql).or_else(|_locked| {
            self.close_connections(&mut conn)?;
            conn.query_drop(&sql)
        })
    }

    /// A transaction left open by somebody holds metadata locks, and the database cannot be dropped.
    fn close_connections(&self, conn: &mut Conn) -> Result<(), mysql::Error> {
        let users = "SELECT id FROM information_schema.processlist WHERE db = ?";
        for id in conn.exec::<u64, _, _>(users, (&self.name,))? {
            // It may have gone by itself in the meantime.
            let _gone = conn.query_drop(format!("KILL {id}"));
        }
        Ok(())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The server may be stopped, paused or gone. Whatever is left here disappears with its data directory.
        let _left_to_the_server = self.drop_on_server();
    }
}

/// How root reaches the server: over TCP, without the driver's detour to the socket, so that a proxy or a fault on the
/// way concerns nobody but those who ask for it.
pub(crate) fn root(port: u16) -> OptsBuilder {
    OptsBuilder::new().ip_or_hostname(Some("127.0.0.1")).tcp_port(port).user(Some("root")).prefer_socket(false)
}

pub(crate) fn url(port: u16, database: &str) -> String {
    format!("mysql://root@127.0.0.1:{port}/{database}")
}
