//! What `#[unit_of_work::test]` calls: a test with a database, and with an account of what was sent when it fails. Where the
//! database is decides `home`; what is written down `Record`.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use crate::database::Database;
use crate::error::Error;
use crate::ground::Stays;
use crate::testing::Record;
use crate::testing::home::{Home, SetUp, Shared, server};

/// A test's declaration; each argument of the attribute is the setter of its name. Not public API.
#[derive(Debug, Clone)]
#[must_use]
pub struct Test {
    ground: Ground,
    url: Option<String>,
    set_up: SetUp,
}

/// What keeps tests apart.
#[derive(Debug, Clone, Copy)]
enum Ground {
    /// A database for each.
    Database,
    /// A database for all, and a transaction for each, which is rolled back.
    Sandbox,
}

impl Test {
    /// With a database of its own, on the server that the environment names.
    pub fn new() -> Self {
        Self { ground: Ground::Database, url: None, set_up: SetUp::default() }
    }

    /// In a sandbox.
    pub fn sandbox(mut self) -> Self {
        self.ground = Ground::Sandbox;
        self
    }

    /// On this server.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// With these statements run first.
    pub fn schema(mut self, sql: impl Into<String>) -> Self {
        self.set_up.schema = Some(sql.into());
        self
    }

    /// With this function called first, after `schema`.
    pub fn setup(mut self, run: fn(&Database)) -> Self {
        self.set_up.run = Some(run);
        self
    }

    /// Runs the test.
    ///
    /// # Panics
    /// As the test does; with the error's text when there is no database for it.
    pub fn run<R: TestResult>(self, test: impl FnOnce(&Database) -> R) -> R {
        let server = self.url.clone().map_or_else(server, Ok).unwrap_or_else(|error| no_database(&error));
        match self.ground {
            Ground::Database => {
                let home = Home::fresh(&server, &self.set_up).unwrap_or_else(|error| no_database(&error));
                self.run_in(&home, test, || ())
            }
            Ground::Sandbox => {
                let shared = Shared::of(&server, &self.set_up);
                let home = shared.home(&server, &self.set_up).unwrap_or_else(|error| no_database(&error));
                self.run_in(home, test, || shared.forget())
            }
        }
    }

    /// `spoiled` is called when something of a sandbox stays in the database.
    fn run_in<R: TestResult>(&self, home: &Home, test: impl FnOnce(&Database) -> R, spoiled: impl FnOnce()) -> R {
        let record = Record::new();
        let db = home.open(&record).unwrap_or_else(|error| no_database(&error));
        let _entered = db.enter();
        let sandbox = match self.ground {
            Ground::Database => None,
            Ground::Sandbox => Some(db.sandbox().unwrap_or_else(|error| no_database(&error))),
        };
        let ended = catch_unwind(AssertUnwindSafe(|| test(&db)));
        let failed = ended.as_ref().map_or(true, TestResult::is_failed);
        if failed {
            eprint!("{}", Account(&record));
        }
        if sandbox.as_ref().is_some_and(|sandbox| sandbox.stays() == Stays::Something) {
            eprintln!(
                "a procedure that the test called may have committed, and with it all that the test wrote before: that stays in the \
                 database"
            );
            spoiled();
        }
        drop(sandbox);
        // What a thread of the test still does is its own matter: the database is dropped all the same.
        let _still_in_use = db.close(Duration::ZERO);
        ended.unwrap_or_else(|payload| resume_unwind(payload))
    }
}

impl Default for Test {
    fn default() -> Self {
        Self::new()
    }
}

fn no_database(error: &Error) -> ! {
    panic!("there is no database for this test: {error}")
}

/// What is printed of a test that failed.
struct Account<'r>(&'r Record);

impl fmt::Display for Account<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "the test sent nothing to the database");
        }
        write!(f, "what the test sent to the database, and what came of it:\n{}", self.0)
    }
}

/// What a test may return.
#[diagnostic::on_unimplemented(
    message = "a test returns nothing or a `Result`, not `{Self}`",
    label = "this return type cannot say whether the test failed"
)]
pub trait TestResult {
    /// Whether it says that the test failed.
    fn is_failed(&self) -> bool;
}

impl TestResult for () {
    fn is_failed(&self) -> bool {
        false
    }
}

impl<T, E> TestResult for Result<T, E> {
    fn is_failed(&self) -> bool {
        self.is_err()
    }
}
