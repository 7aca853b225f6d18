//! Where a test's database is: which server, and a database there with a fresh name, for one test alone or for all that share a
//! set-up and run at the time. It is dropped when the last of them has ended, however that ends; where the process itself was
//! killed, by the next process that comes (`names`).

mod names;

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use crate::builder::DatabaseBuilder;
use crate::database::Database;
use crate::error::{Error, ErrorKind};
use crate::testing::Record;
use names::Name;

use unit_of_work_sql::{Mode, statements};

/// Where the server is said to be, when the test does not say it. Not the variable that programs read: tests must not come near
/// the application's own server because a shell has it set.
const VARIABLE: &str = "UNIT_OF_WORK_TEST_URL";

/// A database that several tests use at once.
#[derive(Debug, Default)]
pub(super) struct Shared(OnceLock<Result<Home, Error>>);

/// A server and a set-up, and the database of the tests that run with them now.
type Known = (String, SetUp, Weak<Shared>);

static KNOWN: Mutex<Vec<Known>> = Mutex::new(Vec::new());

impl Shared {
    /// The one of all tests with this set-up, to be made by the first that asks for it; it lives as long as one of them.
    pub(super) fn of(server: &str, set_up: &SetUp) -> Arc<Self> {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, _, shared)| shared.strong_count() > 0);
        let same = known.iter().find(|(url, other, _)| url == server && other.is_same(set_up));
        if let Some(shared) = same.and_then(|(_, _, shared)| shared.upgrade()) {
            return shared;
        }
        let shared = Arc::new(Self::default());
        known.push((server.to_owned(), set_up.clone(), Arc::downgrade(&shared)));
        shared
    }

    /// Tests that begin from now on do not get this one: somebody has left something in it. Those that run go on.
    pub(super) fn forget(self: &Arc<Self>) {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, _, shared)| !std::ptr::eq(shared.as_ptr(), Arc::as_ptr(self)));
    }

    /// Makes it, or waits until another test has; without any set-up it is the database that the URL names.
    pub(super) fn home(&self, server: &str, set_up: &SetUp) -> Result<&Home, Error> {
        let made = self.0.get_or_init(|| match set_up {
            SetUp { schema: None, run: None } => Ok(Home { url: server.to_owned(), _made: None }),
            set_up => Home::fresh(server, set_up),
        });
        made.as_ref().map_err(Clone::clone)
    }
}

/// What is done once to a database that was made.
#[derive(Debug, Clone, Default)]
pub(super) struct SetUp {
    /// Statements with `;` between them.
    pub(super) schema: Option<String>,
    pub(super) run: Option<fn(&Database)>,
}

impl SetUp {
    /// Whether they leave the same behind. Two functions that are compiled to one do.
    fn is_same(&self, other: &Self) -> bool {
        let same = match (self.run, other.run) {
            (Some(one), Some(other)) => std::ptr::fn_addr_eq(one, other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        same && self.schema == other.schema
    }
}

/// A database, dropped with this value if it was made for it.
#[derive(Debug)]
pub(super) struct Home {
    url: String,
    /// Dropped on the server with this value.
    _made: Option<Made>,
}

#[derive(Debug)]
struct Made {
    server: Database,
    name: Name,
}

impl Home {
    /// A fresh one.
    pub(super) fn fresh(server: &str, set_up: &SetUp) -> Result<Self, Error> {
        let admin = Database::builder().url(in_database(server, "")).max_connections(1).connect()?;
        names::sweep(server, &admin);
        let name = Name::fresh(&admin)?;
        admin.session(|session| session.query_drop(format!("CREATE DATABASE `{name}`")))?;
        // From here on it is dropped, also when the set-up fails.
        let home = Self { url: in_database(server, name.text()), _made: Some(Made { server: admin, name }) };
        home.prepare(set_up)?;
        Ok(home)
    }

    /// Opens it, with a record of what is sent from now on.
    pub(super) fn open(&self, record: &Record) -> Result<Database, Error> {
        let db = self.builder().record(record).connect()?;
        record.clear();
        Ok(db)
    }

    fn builder(&self) -> DatabaseBuilder {
        Database::builder().url(&self.url)
    }

    fn prepare(&self, set_up: &SetUp) -> Result<(), Error> {
        let db = self.builder().connect()?;
        if let Some(schema) = &set_up.schema {
            db.session(|session| {
                statements(schema, Mode::default()).into_iter().try_for_each(|sql| session.query_drop(sql))
            })?;
        }
        if let Some(run) = set_up.run {
            let _entered = db.enter();
            run(&db);
        }
        db.close(Duration::ZERO)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let Self { server, name } = self;
        let dropped = server.session(|session| {
            // A thread that the test left behind may hold a lock on a table's definition.
            session.query_drop("SET SESSION lock_wait_timeout = 5")?;
            session.query_drop(format!("DROP DATABASE IF EXISTS `{name}`"))
        });
        if let Err(error) = dropped {
            eprintln!("the test's database `{name}` could not be dropped: {error}");
        }
    }
}

/// The server of a test that names none.
pub(super) fn server() -> Result<String, Error> {
    let named = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty());
    named.map_or_else(private_server, Ok)
}

#[cfg(feature = "ephemeral")]
fn private_server() -> Result<String, Error> {
    static SERVER: Mutex<Option<ephemeral_mysql::Server>> = Mutex::new(None);
    let mut server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(running) = &*server {
        return Ok(running.url(""));
    }
    let started = ephemeral_mysql::Server::start().map_err(|error| {
        Error::new(ErrorKind::Connect, format!("no private server could be started for the test: {error}"))
    })?;
    Ok(server.insert(started).url(""))
}

#[cfg(not(feature = "ephemeral"))]
fn private_server() -> Result<String, Error> {
    let detail = format!(
        "the test names no server: set the variable {VARIABLE} to `mysql://user:password@host:3306/database`, or write \
         `#[unit_of_work::test(url = \"…\")]`; with the feature `ephemeral` of `unit-of-work` a private server is started instead"
    );
    Err(Error::new(ErrorKind::Configuration, detail))
}

/// The same server's other database: the path is replaced, parameters stay.
fn in_database(url: &str, database: &str) -> String {
    let (address, parameters) = match url.split_once('?') {
        Some((address, parameters)) => (address, format!("?{parameters}")),
        None => (url, String::new()),
    };
    let authority = address.find("://").map_or(0, |at| at + "://".len());
    let end = address[authority..].find('/').map_or(address.len(), |at| authority + at);
    format!("{}/{database}{parameters}", &address[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_a_url_is_replaced() {
        for (url, other) in [
            ("mysql://root@127.0.0.1:3306/bank", "mysql://root@127.0.0.1:3306/x"),
            ("mysql://root@127.0.0.1:3306", "mysql://root@127.0.0.1:3306/x"),
            ("mysql://a:b%2Fc@host/bank?ssl-mode=REQUIRED", "mysql://a:b%2Fc@host/x?ssl-mode=REQUIRED"),
            ("mysql://host?root_cert_path=/etc/ca.pem", "mysql://host/x?root_cert_path=/etc/ca.pem"),
        ] {
            assert_eq!(in_database(url, "x"), other);
        }
    }
}
