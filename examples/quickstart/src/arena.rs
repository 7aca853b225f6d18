//! Where the races are run: a private server, or a new database on the user's. It decides what may be changed there (on a
//! user's server, nothing but that database) and leaves no database behind.

use std::time::{Duration, SystemTime};

use ephemeral_mysql::Server;
use unit_of_work::{Database, Error};
use url::Url;

use crate::counting::{ALL, Counting, READ_ADD_WRITE_AT_REPEATABLE_READ};
use crate::trouble::Trouble;

/// What the name of each database that this program creates and drops begins with.
const DATABASE_PREFIX: &str = "unit_of_work_quickstart_";

/// MariaDB's `innodb_snapshot_isolation`: whether `repeatable read` refuses to overwrite what its snapshot does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Snapshot {
    On,
    /// Also on servers that do not have it.
    Off,
}

/// A race to be run: which unit, and under which setting of the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heat {
    pub(crate) counting: Counting,
    pub(crate) snapshot: Snapshot,
}

/// Whose server it is, and so what may be set on it.
#[derive(Debug)]
enum Host {
    /// Ours. It runs as long as this value lives.
    Private {
        _server: Server,
    },
    User,
}

/// A server with an empty database of ours, which is dropped with this value.
#[derive(Debug)]
pub(crate) struct Arena {
    // Dropped in this order: the connection, then the server.
    admin: Database,
    host: Host,
    /// With the name of our database in it.
    url: String,
    name: String,
    /// As found. `None` = this server does not have it.
    snapshot: Option<Snapshot>,
}

impl Arena {
    /// On the server at `url`, or on a private one.
    pub(crate) fn open(url: Option<&str>) -> Result<Self, Trouble> {
        match url {
            Some(url) => Self::on(Host::User, url).map_err(Trouble::UsersServer),
            None => {
                let server = Server::start()?;
                let url = server.url("");
                Ok(Self::on(Host::Private { _server: server }, &url)?)
            }
        }
    }

    fn on(host: Host, url: &str) -> Result<Self, Error> {
        let admin = Database::builder().url(url).max_connections(1).connect()?;
        let name = fresh_name();
        let snapshot = admin.session(|session| {
            let found = session.query_first("SHOW GLOBAL VARIABLES LIKE 'innodb_snapshot_isolation'")?;
            session.query_drop(format!("CREATE DATABASE `{name}`"))?;
            Ok(found.map(|(_, value): (String, String)| if value == "ON" { Snapshot::On } else { Snapshot::Off }))
        })?;
        let arena = Self { admin, host, url: with_database(url, &name), name, snapshot };
        arena.set_up()?;
        Ok(arena)
    }

    fn set_up(&self) -> Result<(), Error> {
        let name = &self.name;
        self.admin.session(|session| {
            session.query_drop(format!(
                "CREATE TABLE `{name}`.counter (id INT PRIMARY KEY, n BIGINT UNSIGNED NOT NULL) ENGINE = InnoDB"
            ))?;
            session.query_drop(format!("INSERT INTO `{name}`.counter VALUES (1, 0)"))
        })
    }

    /// What can be run here: every unit, and one of them a second time where the setting that decides its fate is ours to change.
    pub(crate) fn heats(&self) -> Vec<Heat> {
        let under = |snapshot| move |counting| Heat { counting, snapshot };
        match (&self.host, self.snapshot) {
            (Host::User, found) => ALL.map(under(found.unwrap_or(Snapshot::Off))).into(),
            (Host::Private { .. }, None) => ALL.map(under(Snapshot::Off)).into(),
            (Host::Private { .. }, Some(_)) => {
                let mut heats = ALL.map(under(Snapshot::Off)).to_vec();
                heats.push(under(Snapshot::On)(READ_ADD_WRITE_AT_REPEATABLE_READ));
                heats
            }
        }
    }

    /// What is not run here, and why.
    pub(crate) fn left_out(&self) -> Option<String> {
        let (other, why) = match (&self.host, self.snapshot) {
            (Host::Private { .. }, Some(_)) => return None,
            (_, None) => (Snapshot::On, "this server does not have that setting"),
            (Host::User, Some(Snapshot::Off)) => (Snapshot::On, "it is OFF on this server, and yours is not changed"),
            (Host::User, Some(Snapshot::On)) => (Snapshot::Off, "it is ON on this server, and yours is not changed"),
        };
        let value = if other == Snapshot::On { "ON" } else { "OFF" };
        Some(format!("Left out: read-add-write at repeatable read with innodb_snapshot_isolation={value}: {why}."))
    }

    /// Makes everything ready for a race: the counter at 0, the server's setting, and a database with a connection per thread.
    pub(crate) fn prepare(&self, snapshot: Snapshot, threads: usize) -> Result<Database, Error> {
        self.admin.session(|session| {
            session.query_drop(format!("UPDATE `{}`.counter SET n = 0 WHERE id = 1", self.name))?;
            match (&self.host, self.snapshot, snapshot) {
                (Host::User, _, _) | (Host::Private { .. }, None, _) => Ok(()),
                (Host::Private { .. }, Some(_), Snapshot::On) => {
                    session.query_drop("SET GLOBAL innodb_snapshot_isolation = ON")
                }
                (Host::Private { .. }, Some(_), Snapshot::Off) => {
                    session.query_drop("SET GLOBAL innodb_snapshot_isolation = OFF")
                }
            }
        })?;
        // A session takes the global value when it begins, so these connections must be new ones.
        Database::builder().url(&self.url).max_connections(threads).connect()
    }

    /// What the counter says.
    pub(crate) fn count(&self) -> Result<u64, Error> {
        let sql = format!("SELECT n FROM `{}`.counter WHERE id = 1", self.name);
        let n = self.admin.session(|session| session.query_first(sql))?;
        Ok(n.expect("the counter's row was put there when the database was set up, and nobody deletes it"))
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        let name = &self.name;
        if let Err(error) = self.admin.session(|session| session.query_drop(format!("DROP DATABASE `{name}`"))) {
            eprintln!("warning: the database `{name}` could not be dropped and is left behind: {error}");
        }
    }
}

/// Unique among processes (by number) and among machines that share a server (by time). Should it exist all the same, then
/// CREATE DATABASE fails, and nobody else's database is touched.
fn fresh_name() -> String {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    format!("{DATABASE_PREFIX}{}_{}", std::process::id(), since_1970.as_millis())
}

fn with_database(url: &str, name: &str) -> String {
    let mut url = Url::parse(url).expect("a connection was opened with this URL");
    url.set_path(name);
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_is_replaced_in_a_url() {
        let replaced = |url| with_database(url, "ours");
        assert_eq!(replaced("mysql://u:p%2Fw@h:3307/theirs?pool_min=1"), "mysql://u:p%2Fw@h:3307/ours?pool_min=1");
        assert_eq!(replaced("mysql://u@[::1]:3306"), "mysql://u@[::1]:3306/ours");
    }
}
