//! Nothing of what the attribute writes is blamed on the user, by any lint that somebody may have switched on.

#![forbid(unsafe_code)]
#![deny(
    absolute_paths_not_starting_with_crate,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    keyword_idents,
    let_underscore_drop,
    macro_use_extern_crate,
    meta_variable_misuse,
    missing_abi,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    non_ascii_idents,
    redundant_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unreachable_pub,
    unused,
    unused_crate_dependencies,
    unused_extern_crates,
    unused_import_braces,
    unused_lifetimes,
    unused_macro_rules,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]

use renamed as _;
use unit_of_work::{Database, Error, ErrorKind, Tx, unit_of_work};

/// A service.
#[derive(Debug)]
pub struct Service {
    db: Database,
}

#[unit_of_work(db = self.db, retry(max_attempts = 3))]
impl Service {
    /// What the key is made of is used.
    ///
    /// # Errors
    /// When the unit fails.
    #[unit_of_work(contention(key = (shelf.len(), box_number)))]
    pub fn count(&self, tx: &mut Tx<'_>, shelf: &str, box_number: u64) -> Result<Option<u64>, Error> {
        tx.query_first("SELECT 1")
    }

    /// Moves money.
    ///
    /// # Errors
    /// When the unit fails.
    pub fn transfer(
        &self,
        tx: &mut Tx<'_>,
        from: u64,
        (to, amount): (u64, i64),
        note: Option<String>,
    ) -> Result<String, Error> {
        if amount == 0 {
            return Ok(String::new());
        }
        tx.exec_drop("UPDATE account SET balance = balance - ? WHERE id = ?", (amount, from))?;
        tx.exec_drop("UPDATE account SET balance = balance + ? WHERE id = ?", (amount, to))?;
        Ok(note.unwrap_or_default())
    }
}

/// Reads a name.
///
/// # Errors
/// When the unit fails.
#[unit_of_work(read_only, commit_on(error if error.kind() == ErrorKind::Doomed))]
pub fn name<'a, T: AsRef<str> + ?Sized>(tx: &mut Tx<'_>, id: &'a T, _unused: u8) -> Result<&'a str, Error> {
    tx.exec_drop("SELECT name FROM customer WHERE id = ?", (id.as_ref(),))?;
    Ok(id.as_ref())
}

fn main() {
    drop(name("1", 2));
    let _: fn(&Service, u64, (u64, i64), Option<String>) -> Result<String, Error> = Service::transfer;
}
