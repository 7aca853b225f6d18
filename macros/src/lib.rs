//! The attribute of the crate `unit-of-work`. Use it through that crate, which re-exports it beside everything that its output
//! needs. This crate knows syntax, no policy: what an argument means is decided where it is obeyed, in the runtime.
//!
//! ```text
//! args      the arguments, one table row each      value     how each kind of value is read
//! function  the function, its body opaque          rules     what a signature may not be
//! expand    one call into the runtime              errors    all mistakes at once, and "did you mean"
//! ```

// A panic here is shown to users as a defect of their code.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod args;
mod errors;
mod expand;
mod function;
mod rules;
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
///   the first one left. `self` by value can be used, but not moved out of.
/// - It is a free function, a method, an associated function or a provided method of a trait; it is neither `async` nor `const`.
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
///     tx.exec_first("SELECT SUM(balance) FROM account", ())
/// }
/// ```
///
/// # `access`, `read_only`
///
/// `access = "read write"` or `access = "read only"`, for which `read_only` is short; or a path to a constant. Default: read and
/// write. The server refuses a write in a unit that is read only.
///
/// ```
/// # use unit_of_work::{Error, Tx, unit_of_work};
/// #[unit_of_work(read_only)]
/// fn balance(tx: &mut Tx<'_>, account: u64) -> Result<Option<i64>, Error> {
///     tx.exec_first("SELECT balance FROM account WHERE id = ?", (account,))
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
#[proc_macro_attribute]
pub fn unit_of_work(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::unit_of_work(arguments.into(), &item.into()).into()
}
