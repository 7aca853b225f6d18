//! For tests of functions that are units of work: a scripted server, planned failures, a clock that the test moves, a transaction
//! around a test that leaves nothing behind, and [`explore`], which tries all failures. They stand below the functions, which run
//! as they are written. Which of them for what, and tests with a database: [the guide](crate::guide::testing).
//!
//! What your functions do with your tables is best tested on a real server, in a [sandbox](crate::Database::sandbox). What they do when something fails cannot be had from
//! one on request; here it can, without a server and in microseconds.
//!
//! # A deadlock, then success
//!
//! A [`Script`] answers every statement with success and no rows, but for what it is told, and writes down what it was asked.
//!
//! ```
//! use unit_of_work::testing::{Reply, Script};
//! use unit_of_work::{Database, Error, Tx, unit_of_work};
//!
//! #[unit_of_work]
//! fn add_ten(tx: &mut Tx, id: u64) -> Result<i64, Error> {
//!     let balance: i64 = tx.exec_first("SELECT balance FROM account WHERE id = ?", (id,))?.unwrap_or(0);
//!     tx.exec_drop("UPDATE account SET balance = ? WHERE id = ?", (balance + 10, id))?;
//!     Ok(balance + 10)
//! }
//!
//! # fn main() -> Result<(), Error> {
//! let server = Script::new();
//! let db = Database::builder().script(&server).connect()?;
//! let _entered = db.enter(); // for this thread, so that tests do not meet
//! server.answer("SELECT balance", Reply::value("balance", 100));
//! server.answer("UPDATE", Reply::deadlock());
//! server.answer("SELECT balance", Reply::value("balance", 107)); // the rival's
//!
//! assert_eq!(add_ten(1)?, 117);
//! assert_eq!(
//!     server.take_log(),
//!     [
//!         "SELECT balance FROM account WHERE id = ?",
//!         "UPDATE account SET balance = ? WHERE id = ?",
//!         "ROLLBACK AND NO CHAIN NO RELEASE",
//!         "SELECT balance FROM account WHERE id = ?",
//!         "UPDATE account SET balance = ? WHERE id = ?",
//!         "COMMIT AND NO CHAIN NO RELEASE",
//!     ]
//! );
//! # Ok(()) }
//! ```
//!
//! # A COMMIT without an answer
//!
//! The one error after which nobody knows what is in the database. Does your handler look before it pays again?
//!
//! ```
//! use unit_of_work::testing::{Reply, Script};
//! use unit_of_work::{Database, Error, ErrorKind, Outcome, Tx, unit_of_work};
//!
//! #[unit_of_work]
//! fn pay(tx: &mut Tx, order: u64) -> Result<(), Error> {
//!     tx.exec_drop("INSERT INTO payment (order_id) VALUES (?)", (order,))
//! }
//!
//! #[unit_of_work(read_only)]
//! fn is_paid(tx: &mut Tx, order: u64) -> Result<bool, Error> {
//!     Ok(tx.exec_first::<u64, _, _>("SELECT order_id FROM payment WHERE order_id = ?", (order,))?.is_some())
//! }
//!
//! fn pay_once(order: u64) -> Result<(), Error> {
//!     match pay(order) {
//!         Err(error) if error.kind() == ErrorKind::CommitUnknown && is_paid(order)? => Ok(()),
//!         result => result,
//!     }
//! }
//!
//! # fn main() -> Result<(), Error> {
//! let server = Script::new();
//! let _entered = Database::builder().script(&server).connect()?.enter();
//!
//! server.answer("COMMIT", Reply::LostAfter);
//! server.answer("SELECT order_id", Reply::value("order_id", 7));
//! pay_once(7)?;
//! let paid = server.take_log().iter().filter(|text| text.starts_with("INSERT INTO payment")).count();
//! assert_eq!(paid, 1, "and not twice");
//!
//! server.answer("COMMIT", Reply::LostBefore);
//! let error = pay_once(8).expect_err("there is no such row");
//! assert_eq!((error.kind(), error.outcome()), (ErrorKind::CommitUnknown, Some(Outcome::Unknown)));
//! # Ok(()) }
//! ```
//!
//! # No session to be had
//!
//! ```
//! use std::sync::mpsc::channel;
//! use std::time::Duration;
//! use unit_of_work::testing::{Reply, Script};
//! use unit_of_work::{Database, Error, ErrorKind, Outcome};
//!
//! # fn main() -> Result<(), Error> {
//! let server = Script::new();
//! let db = Database::builder()
//!     .script(&server)
//!     .max_connections(1)
//!     .acquire_timeout(Duration::from_millis(10))
//!     .connect()?;
//! let (holding, held) = channel();
//! let (end, ended) = channel::<()>();
//! let theirs = db.clone();
//! let other = std::thread::spawn(move || {
//!     let _session = theirs.scope().expect("it is free");
//!     holding.send(()).expect("somebody waits for this");
//!     let _hung_up = ended.recv();
//! });
//! held.recv().expect("the other thread holds the only one");
//! let unit = db.unit("count").run::<(), Error>(|tx| tx.query_drop("SELECT COUNT(*) FROM account"));
//! let error = unit.expect_err("there is no other");
//! assert_eq!((error.kind(), error.outcome()), (ErrorKind::PoolTimeout, Some(Outcome::NotStarted)));
//! drop(end);
//! other.join().expect("it ends");
//!
//! // A server that has no room for another connection.
//! server.refuse_connections(Some(Reply::error(1040, "08004", "Too many connections")));
//! assert!(Database::builder().script(&server).connect().is_err());
//! # Ok(()) }
//! ```
//!
//! # Hooks that fail
//!
//! Before COMMIT one that fails rolls the unit back. After it the unit is committed whatever a hook does: its caller gets the value,
//! and somebody else is told.
//!
//! ```
//! use std::sync::mpsc::channel;
//! use unit_of_work::testing::Script;
//! use unit_of_work::{Database, Error, ErrorKind, HookKind, Outcome};
//!
//! # fn main() -> Result<(), Error> {
//! let (told, failures) = channel();
//! let db = Database::builder()
//!     .script(&Script::new())
//!     .on_hook_error(move |failure| told.send((failure.hook, failure.message.clone())).expect("somebody listens"))
//!     .connect()?;
//!
//! let refused = db.unit("audited").run::<(), Error>(|tx| {
//!     tx.before_commit(|_tx| Err::<(), _>("the books do not balance"));
//!     tx.query_drop("UPDATE account SET balance = 0")
//! });
//! let refused = refused.expect_err("the hook refused");
//! assert_eq!((refused.kind(), refused.outcome()), (ErrorKind::HookRefused, Some(Outcome::RolledBack)));
//!
//! db.unit("mailed").run::<(), Error>(|tx| {
//!     tx.after_commit(|| Err::<(), _>("no mail server"));
//!     tx.query_drop("UPDATE account SET balance = 0")
//! })?;
//! assert_eq!(failures.recv(), Ok((HookKind::AfterCommit, "no mail server".to_owned())));
//! # Ok(()) }
//! ```
//!
//! # Time
//!
//! With a [`VirtualClock`] backoff takes no time, and a test sees how much it would have been.
//!
//! ```
//! use std::time::Duration;
//! use unit_of_work::testing::{Reply, Script, VirtualClock};
//! use unit_of_work::{Database, Error, ErrorKind, Retry};
//!
//! # fn main() -> Result<(), Error> {
//! let (server, clock) = (Script::new(), VirtualClock::new());
//! let db = Database::builder().script(&server).clock(clock.clone()).connect()?;
//! server.always("UPDATE", Reply::deadlock());
//! let unit = db.unit("never").retry(Retry::DEFAULT.within(Duration::from_secs(3600)));
//! let error = unit.run::<(), Error>(|tx| tx.query_drop("UPDATE account SET balance = 0")).expect_err("it gives up");
//! assert_eq!(error.kind(), ErrorKind::RetriesExhausted);
//! assert!(clock.slept().iter().sum::<Duration>() > Duration::from_secs(3000));
//! # Ok(()) }
//! ```
//!
//! # All failures
//!
//! [`Failures`] fail a chosen round trip in front of any server, also a real one; [`explore`] fails each of them in each way, and
//! finds what a unit does twice, or by half.

mod clock;
mod explore;
pub(crate) mod harness;
mod home;
mod sandbox;

pub use crate::backend::mysql::wire::failing::{Failures, Way};
pub use crate::backend::mysql::wire::recording::Record;
pub use crate::backend::mysql::wire::scripted::{Reply, Script, Sent};
pub use crate::clock::Clock;
pub use clock::VirtualClock;
pub use explore::{Exploration, Explore, Finding, Run, WAYS, explore};
pub use sandbox::Sandbox;
