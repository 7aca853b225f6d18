//! The attribute of the crate `unit-of-work`. Use it through that crate, which re-exports it beside everything that its output
//! needs. This crate knows syntax, no policy: what an argument means is decided where it is obeyed, in the runtime.
//!
//! ```text
//! keys      the arguments, one table row each      list      a list of them, read past its mistakes
//! args      what they say together                 value     how each kind of value is read
//! function  the function, its body opaque          rules     what contradicts, what a signature may not be
//! block     an `impl` block, function by function  inherit   which of its arguments count for a function
//! expand    one call into the runtime              literals  the SQL in a body, by the runtime's own lists
//!                                                  errors    all mistakes at once, and "did you mean"
//! ```

// A panic here is shown to users as a defect of their code.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod args;
mod block;
mod errors;
mod expand;
mod function;
mod inherit;
mod keys;
mod list;
mod literals;
mod rules;
mod test;
#[cfg(test)]
mod tests;
mod value;

use proc_macro::TokenStream;

/// Makes a function a unit of work: a transaction of the calling thread that is committed when the body returns `Ok`, rolled
/// back when it returns `Err` or panics, and run again as a whole when the server could not serialize it.
///
/// ```
/// use unit_of_work::{Error, Tx, unit_of_work};
///
/// #[unit_of_work(isolation = "serializable")]
/// fn transfer(tx: &mut Tx<'_>, from: u64, to: u64, amount: i64) -> Result<(), Error> {
///     tx.exec_drop("UPDATE account SET balance = balance - ? WHERE id = ?", (amount, from))?;
///     tx.exec_drop("UPDATE account SET balance = balance + ? WHERE id = ?", (amount, to))?;
///     Ok(())
/// }
///
/// // Callers pass no connection and no transaction.
/// let _: fn(u64, u64, i64) -> Result<(), Error> = transfer;
/// ```
///
/// # The function
///
/// - **The transaction** is the first parameter (after `self`) if it is called `tx` or its type's last word is `Tx`. It is
///   written `&mut Tx<'_>`, without a named lifetime, and disappears from the signature that callers see. A function without one
///   is a unit as well.
/// - **The return type** is a `Result` whose error implements `From<unit_of_work::Error>` and `Debug`. It cannot borrow from the
///   transaction; it may borrow from the arguments.
/// - **The arguments** are cloned for each attempt that another may follow, and moved into the last one. So while the unit is
///   retried they are `Clone`, and there is no `&mut` argument, no `&mut self` and no `mut self`: a second attempt would see what
///   the first one left. `self` by value can be used, but not moved out of. A unit is not retried with `retry = "never"`, and
///   with the modes of `propagation` that never begin a transaction: `mandatory`, `supports`, `not_supported`, `never`.
/// - It is a free function, a method, an associated function or a provided method of a trait; it is neither `async` nor `const`.
/// - **The body** stays as it was written; its tokens are looked through for one thing. A string literal that is sent, in a call on a
///   chain that begins with the transaction parameter's name (`tx.exec_drop("…", …)`, `tx.connection()?.query_iter("…")`), is read
///   by the same rules as when it is sent, and what would be refused then is an error now: transaction control, statements that
///   commit, a second statement, a write in a unit that is `read_only`. So are a `concat!` of literals and a constant that is declared in the
///   body. Words in strings and comments of the text mean nothing, and nothing is read where a nested function, a loop or the like
///   gives the name to something else.
/// - Everything else stays as it was written: visibility, generics, `where`, patterns, other attributes. Attributes *above* this
///   one see the function as it was written, those below it see it as callers do. Only `Location::caller()` inside the body of a
///   `#[track_caller]` function names the body, since a closure cannot be tracked.
///
/// # `isolation`
///
/// `"read uncommitted"`, `"read committed"`, `"repeatable read"` or `"serializable"`, in any case, with spaces, `-` or `_`; or a
/// path to a constant. Default: the database's, which is `serializable` unless its builder was told otherwise.
///
/// ```
/// # use unit_of_work::{Error, Isolation, Tx, unit_of_work};
/// const REPORTS: Isolation = Isolation::RepeatableRead;
///
/// #[unit_of_work(isolation = REPORTS)]
/// fn report(tx: &mut Tx<'_>) -> Result<Option<i64>, Error> {
///     tx.exec_first("SELECT COALESCE(SUM(balance), 0) FROM account", ())
/// }
/// ```
///
/// # `access`, `read_only`
///
/// `access = "read write"` or `access = "read only"`, for which `read_only` is short; or a path to a constant. Default: read and
/// write. The server refuses a write in a unit that is read only. At `serializable` such a unit still locks the rows that it reads;
/// a report that should not is better off at `repeatable read`.
///
/// ```
/// # use unit_of_work::{Error, Tx, unit_of_work};
/// #[unit_of_work(read_only)]
/// fn balance(tx: &mut Tx<'_>, account: u64) -> Result<Option<i64>, Error> {
///     tx.exec_first("SELECT balance FROM account WHERE id = ?", (account,))
/// }
///
/// #[unit_of_work(access = "read only", isolation = "repeatable read")]
/// fn total(tx: &mut Tx<'_>) -> Result<Option<i64>, Error> {
///     tx.query_first("SELECT COALESCE(SUM(balance), 0) FROM account")
/// }
/// ```
///
/// # `propagation`
///
/// What the unit does when the thread is in a unit of the same database already, and when it is not: one of the words below, in
/// any case, with spaces, `-` or `_`; or a path to a constant. Default: `"required"`.
///
/// | | nothing active | a transaction active |
/// |---|---|---|
/// | `"required"` | begins one | joins it |
/// | `"outermost"` | begins one | refuses |
/// | `"requires_new"` | begins one | suspends it, begins another on a second session |
/// | `"nested"` | begins one | sets a savepoint in it |
/// | `"mandatory"` | refuses | joins it |
/// | `"supports"` | runs without | joins it |
/// | `"not_supported"` | runs without | suspends it, runs without |
/// | `"never"` | runs without | refuses |
///
/// A unit that never begins a transaction is not retried, and one that may run without any has no `isolation` and no `snapshot`;
/// arguments that say otherwise are refused. What a path stands for is not known when that is checked: such a unit counts as one
/// that is retried.
///
/// ```
/// # use unit_of_work::{Error, Tx, unit_of_work};
/// #[unit_of_work(propagation = "nested")]
/// fn book(tx: &mut Tx<'_>, seat: u32) -> Result<(), Error> {
///     tx.exec_drop("UPDATE seat SET taken = TRUE WHERE id = ?", (seat,))
/// }
///
/// #[unit_of_work]
/// fn travel(tx: &mut Tx<'_>, wanted: u32, other: u32) -> Result<(), Error> {
///     // What the first call did is undone when it fails, and the second one is tried instead.
///     book(wanted).or_else(|_| book(other))
/// }
/// ```
///
/// # `repeatable`
///
/// The unit may end on its own again when the unit around it is run again. Without it, the outer unit is not run again once this
/// one has committed, since its work would be done twice. It is for units that end on their own inside another: `requires_new`,
/// `supports`, `not_supported`, `never`, and those with `db`. Default: off.
///
/// ```
/// # use unit_of_work::{Error, Tx, unit_of_work};
/// #[unit_of_work(propagation = "requires_new", repeatable)]
/// fn log_try(tx: &mut Tx<'_>, account: u64) -> Result<(), Error> {
///     tx.exec_drop("INSERT INTO trial (account) VALUES (?)", (account,))
/// }
/// ```
///
/// # `retry`
///
/// `retry(max_attempts = …, within = "…", base = "…", cap = "…")`: at most so many runs; none begins later than that after the
/// first; the upper end of the first sleep between two, and the most it grows to. A length of time is a whole number with `ms`,
/// `s`, `m` or `h`; each value may also be a path to a constant (`u32`, `Duration`). What is not given keeps its default: any
/// number of runs within 10 s, sleeps from 1 ms to 250 ms. Default without the argument: the database's policy.
///
/// `retry = "never"`: the fault is returned as it is. The arguments are moved, so that they need not be `Clone`, and `&mut` is
/// allowed.
///
/// ```
/// # use unit_of_work::{Error, Tx, unit_of_work};
/// #[unit_of_work(retry(max_attempts = 5, within = "2s"))]
/// fn reserve(tx: &mut Tx<'_>, seat: u32) -> Result<(), Error> {
///     tx.exec_drop("UPDATE seat SET taken = TRUE WHERE id = ?", (seat,))
/// }
///
/// #[unit_of_work(retry = "never")]
/// fn collect(tx: &mut Tx<'_>, names: &mut Vec<String>) -> Result<(), Error> {
///     names.extend(tx.exec::<String, _, _>("SELECT name FROM customer", ())?);
///     Ok(())
/// }
/// ```
///
/// # `timeout`, `lock_wait`
///
/// `timeout`: the time within which the unit has to end, all attempts and all waiting included. Default: none.
///
/// `lock_wait`: how long the server lets a statement wait for a lock, of a row or of a table's definition, in whole seconds,
/// rounded up, at least one. Default: the database's, which is what the server is set to but at most 5 s, unless its builder says
/// otherwise.
///
/// Each is a length of time, written as for `retry`, or a path to a `Duration`.
///
/// ```
/// # use unit_of_work::{Error, Tx, unit_of_work};
/// use std::time::Duration;
///
/// const BRIEF: Duration = Duration::from_secs(1);
///
/// #[unit_of_work(timeout = "750ms", lock_wait = BRIEF)]
/// fn reserve(tx: &mut Tx<'_>, seat: u32) -> Result<(), Error> {
///     tx.exec_drop("UPDATE seat SET taken = TRUE WHERE id = ?", (seat,))
/// }
/// ```
///
/// # `snapshot`
///
/// All reads see the database as it was when the transaction began, rather than at the first read. It implies
/// `isolation = "repeatable read"`; beside another level it is refused, since servers ignore it there. Default: off.
///
/// ```
/// # use unit_of_work::{Error, Tx, unit_of_work};
/// #[unit_of_work(snapshot, read_only)]
/// fn export(tx: &mut Tx<'_>) -> Result<Vec<(u64, i64)>, Error> {
///     tx.exec("SELECT id, balance FROM account", ())
/// }
/// ```
///
/// # `commit_on`, `retry_on`
///
/// Errors of the body that do not simply roll back: those that match `commit_on(PATTERN)` are returned after a COMMIT, for those
/// that match `retry_on(PATTERN)` the unit is rolled back and run again, as long as `retry` allows; an error that matches both
/// commits. Default: none.
///
/// A pattern is what stands before the arrow in `match`, over a reference to the error: alternatives with `|`, bindings (which
/// are references), and at the end `if` and a condition. The condition may use `self`, and arguments that are references or
/// `Copy`. A name alone matches every error, and is refused where it can be nothing else; a variant is written with its path.
///
/// ```
/// # use unit_of_work::{Error, Tx, unit_of_work};
/// #[derive(Debug)]
/// enum LoginError {
///     WrongPassword,
///     Outdated { version: u64 },
///     Work(Error),
/// }
/// # impl From<Error> for LoginError {
/// #     fn from(error: Error) -> Self {
/// #         Self::Work(error)
/// #     }
/// # }
///
/// // The failed login is counted, although the caller gets an error.
/// #[unit_of_work(commit_on(LoginError::WrongPassword), retry_on(LoginError::Outdated { version } if *version > 0))]
/// fn log_in(tx: &mut Tx<'_>, user: u64) -> Result<(), LoginError> {
///     tx.exec_drop("UPDATE user SET failures = failures + 1 WHERE id = ?", (user,))?;
///     Err(LoginError::WrongPassword)
/// }
///
/// // An error in a box, by its type.
/// #[unit_of_work(retry_on(error if error.is::<std::num::ParseIntError>()))]
/// fn parse(tx: &mut Tx<'_>, id: u64) -> Result<u64, Box<dyn std::error::Error>> {
///     let text: Option<String> = tx.exec_first("SELECT text FROM message WHERE id = ?", (id,))?;
///     Ok(text.unwrap_or_default().parse()?)
/// }
/// ```
///
/// # `exactly_once`
///
/// When the answer to COMMIT is lost, the runtime finds out whether it was carried out, instead of returning `CommitUnknown`: each
/// attempt leaves a row of its own in the table `unit_of_work_outcome`, which
/// `Database::create_outcome_table` makes. A unit that joins, or is nested, makes the whole transaction so.
/// It needs a transaction that writes: beside `read_only` and where the unit may run without a transaction it is refused. Default:
/// off; `exactly_once = false` where the `impl` block says it.
///
/// ```
/// # use unit_of_work::{Error, Tx, unit_of_work};
/// #[unit_of_work(exactly_once)]
/// fn pay(tx: &mut Tx<'_>, account: u64, cents: i64) -> Result<(), Error> {
///     tx.exec_drop("UPDATE account SET balance = balance - ? WHERE id = ?", (cents, account))
/// }
/// ```
///
/// # `contention`
///
/// `contention(key = EXPR)`: calls with different keys do not wait for each other. `EXPR` is computed from the arguments, once, before
/// the first attempt; it is `Hash`. Give what conflicts are about: with the account as the key one hot account does not slow the
/// cold ones. Default: one line for all calls of the unit, and no waiting at all while there are no conflicts.
///
/// ```
/// # use unit_of_work::{Error, Tx, unit_of_work};
/// #[unit_of_work(contention(key = account))]
/// fn pay(tx: &mut Tx<'_>, account: u64, cents: i64) -> Result<(), Error> {
///     tx.exec_drop("UPDATE account SET balance = balance - ? WHERE id = ?", (cents, account))
/// }
/// ```
///
/// # `allow`
///
/// `allow(write)`: literals that write are right in this unit although it is `read_only`. The server permits it for rows of temporary
/// tables. Default: they are refused at compile time.
///
/// ```
/// # use unit_of_work::{Error, Tx, unit_of_work};
/// #[unit_of_work(read_only, allow(write))]
/// fn rank(tx: &mut Tx<'_>) -> Result<Vec<u64>, Error> {
///     tx.query_drop("INSERT INTO scratch SELECT id, RANK() OVER (ORDER BY balance) FROM account")?;
///     tx.query("SELECT id FROM scratch WHERE place <= 10")
/// }
/// ```
///
/// # `skip`, whole `impl` blocks
///
/// On an `impl` block the attribute makes a unit of each function that takes a transaction, with the block's arguments as defaults.
/// A function's own attribute, which is known by its last word `unit_of_work`, also in `cfg_attr`, decides what it names; `snapshot = false`,
/// `repeatable = false` and `exactly_once = false` switch off what the block says. An `isolation`, a `retry` and the like that say
/// nothing to a function of its `propagation` are left out there. A function without a transaction becomes a unit only by an attribute
/// of its own, and one with `#[unit_of_work(skip)]` stays what it is: for what takes the transaction of a unit that calls it.
/// Default: nothing is skipped.
///
/// ```
/// # use unit_of_work::{Error, Tx, unit_of_work};
/// struct Accounts {
///     limit: i64,
/// }
///
/// #[unit_of_work(timeout = "2s")]
/// impl Accounts {
///     fn new(limit: i64) -> Self {
///         Self { limit }
///     }
///
///     fn pay(&self, tx: &mut Tx<'_>, from: u64, to: u64, cents: i64) -> Result<(), Error> {
///         self.add(tx, from, -cents.min(self.limit))?;
///         self.add(tx, to, cents.min(self.limit))
///     }
///
///     #[unit_of_work(read_only, isolation = "repeatable read")]
///     fn total(&self, tx: &mut Tx<'_>) -> Result<Option<i64>, Error> {
///         tx.query_first("SELECT COALESCE(SUM(balance), 0) FROM account")
///     }
///
///     #[unit_of_work(skip)]
///     fn add(&self, tx: &mut Tx<'_>, account: u64, cents: i64) -> Result<(), Error> {
///         tx.exec_drop("UPDATE account SET balance = balance + ? WHERE id = ?", (cents, account))
///     }
/// }
///
/// let _: fn(&Accounts, u64, u64, i64) -> Result<(), Error> = Accounts::pay;
/// ```
///
/// # `name`
///
/// The name that messages, events and figures give the unit. Default: `module::Type::function`.
///
/// ```
/// # use unit_of_work::{Error, Tx, unit_of_work};
/// #[unit_of_work(name = "monthly billing")]
/// fn bill(tx: &mut Tx<'_>) -> Result<(), Error> {
///     tx.exec_drop("INSERT INTO invoice SELECT id, total FROM purchase", ())
/// }
/// ```
///
/// # `db`
///
/// The database, as an expression: a `Database` or anything that dereferences to one (a static, a field, an `Arc`). It may use
/// `self` and the arguments and is evaluated once per call. Default: the one that the thread has entered, else the installed one.
///
/// ```
/// # use unit_of_work::{Database, Error, Tx, unit_of_work};
/// struct Accounts {
///     ledger: Database,
/// }
///
/// impl Accounts {
///     #[unit_of_work(db = self.ledger)]
///     fn close(&self, tx: &mut Tx<'_>, account: u64) -> Result<(), Error> {
///         tx.exec_drop("DELETE FROM account WHERE id = ?", (account,))
///     }
/// }
/// ```
///
/// # `crate`
///
/// Where the library is found, as a path: for a dependency under another name, or one that another crate re-exports. Default:
/// `::unit_of_work`.
///
/// ```
/// # use unit_of_work as persistence;
/// # use unit_of_work::Error;
/// #[persistence::unit_of_work(crate = persistence)]
/// fn tidy(tx: &mut persistence::Tx<'_>) -> Result<(), Error> {
///     tx.exec_drop("DELETE FROM session WHERE expired", ())
/// }
/// ```
///
/// # What the attribute writes
///
/// One call into the runtime, with a static that describes the unit, the arguments made fit to be given to several attempts, and the
/// body as a closure. To see it, set the variable `UNIT_OF_WORK_EXPAND` to `1` when the crate is compiled; each expansion is printed
/// to the standard error stream, among the compiler's own words if it has any. A crate that is compiled already is not compiled
/// again for that, unless a file of it is touched (`src/main.rs` in a program):
///
/// ```sh
/// touch src/lib.rs
/// UNIT_OF_WORK_EXPAND=1 cargo check --quiet 2> expanded.rs
/// rustfmt --edition 2024 expanded.rs
/// ```
#[proc_macro_attribute]
pub fn unit_of_work(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let expansion = expand::unit_of_work(arguments.into(), &item.into()).into();
    if std::env::var_os("UNIT_OF_WORK_EXPAND").is_some_and(|value| value == "1") {
        eprintln!("{expansion}\n");
    }
    expansion
}

/// Makes a function a test with a database: `#[unit_of_work::test]`.
///
/// The function takes the database, `db: &Database`, or nothing; units without a `db` of their own run on it (it is
/// [entered](https://docs.rs/unit-of-work/latest/unit_of_work/struct.Database.html#method.enter)). Tests run at once, each on its
/// thread of `cargo test`, and do not see each other. When one panics or returns an `Err`, what it sent to the server is printed:
/// for each statement the connection, the text, the kinds of the values (not the values) and what came of it, and how each attempt
/// of a unit ended. Needs the feature `testing`.
///
/// ```no_run
/// use unit_of_work::{Database, Error, Tx, unit_of_work};
///
/// #[unit_of_work]
/// fn open(tx: &mut Tx, id: u64) -> Result<(), Error> {
///     tx.exec_drop("INSERT INTO account VALUES (?, 0)", (id,))
/// }
///
/// #[unit_of_work::test(schema = "CREATE TABLE account (id BIGINT PRIMARY KEY, balance BIGINT)")]
/// fn an_account_is_opened_once(db: &Database) -> Result<(), Error> {
///     open(1)?;
///     assert!(open(1).is_err());
///     assert_eq!(db.stats().in_use, 0);
///     Ok(())
/// }
/// ```
///
/// # `sandbox`
///
/// The test runs in one transaction, which is rolled back at its end, in a database that it shares with the other tests of the
/// process that have the same `schema` and `setup`: that is fast where these take long, and what is different in a sandbox is
/// listed at `Database::sandbox`. Give each of these tests keys of its own: who inserts the same key waits for the others, and three
/// that do may meet in a deadlock. The shared database is made when the first of these tests begins and dropped when the last that
/// runs has ended; after one in which a procedure commits, tests that begin later get a new one. Without `schema` and `setup` it is the
/// one that the URL names, which must be there. Default: a database for each test, with a name that begins with
/// `unit_of_work_test_`, dropped at its end.
///
/// ```no_run
/// # use unit_of_work::Database;
/// #[unit_of_work::test(sandbox, schema = "CREATE TABLE account (id BIGINT PRIMARY KEY, balance BIGINT)")]
/// fn nobody_is_rich(db: &Database) {
///     // …
/// }
/// ```
///
/// # `schema`
///
/// SQL that is run before, statement by statement: anything that is a `String` or becomes one. A procedure, whose body has semicolons
/// of its own, is made in `setup`. Default: an empty database.
///
/// ```no_run
/// # use unit_of_work::Database;
/// #[unit_of_work::test(schema = concat!("CREATE TABLE account (id BIGINT PRIMARY KEY);", "INSERT INTO account VALUES (1)"))]
/// fn there_is_an_account(db: &Database) {
///     // …
/// }
/// ```
///
/// # `setup`
///
/// A function (or a closure that captures nothing) that is called with the database before, after `schema`. What it sends is not part
/// of what is printed. Default: nothing is called.
///
/// ```no_run
/// # use unit_of_work::Database;
/// fn fill(db: &Database) {
///     db.session(|session| session.query_drop("CREATE TABLE account (id BIGINT PRIMARY KEY)")).expect("a table");
/// }
///
/// #[unit_of_work::test(setup = fill)]
/// fn there_is_a_table(db: &Database) {
///     // …
/// }
/// ```
///
/// # `url`
///
/// Where the server is, as an expression: anything that is a `String` or becomes one. The user must be allowed to create databases
/// whose names begin with `unit_of_work_test_`. What tests that were killed have left of these there is dropped by the next that
/// come. Default: the environment variable `UNIT_OF_WORK_TEST_URL`; where it is not set, with the feature `ephemeral` a private
/// MariaDB server that is gone with the process, otherwise the test fails.
///
/// ```no_run
/// # use unit_of_work::Database;
/// #[unit_of_work::test(url = "mysql://root@127.0.0.1:3306")]
/// fn on_this_machine(db: &Database) {
///     // …
/// }
/// ```
///
/// # `crate`
///
/// Where the library is found, as a path. Default: `::unit_of_work`.
///
/// ```no_run
/// # use unit_of_work as persistence;
/// #[persistence::test(crate = persistence)]
/// fn under_another_name() {
///     // …
/// }
/// ```
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    test::test(arguments.into(), &item.into()).into()
}
