//! A result may borrow from the arguments: with a lifetime that is left out, or with one that is named.

use std::borrow::Cow;

use unit_of_work::{Error, Tx, unit_of_work};

use super::assert_ran;

#[unit_of_work]
fn left_out(tx: &mut Tx<'_>, name: &str) -> Result<&str, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(name)
}

#[unit_of_work]
fn named<'a>(tx: &mut Tx<'_>, name: &'a str, prefix: &str) -> Result<&'a str, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(name.strip_prefix(prefix).unwrap_or(name))
}

#[unit_of_work]
fn hidden_in_a_type(tx: &mut Tx<'_>, name: Cow<'_, str>) -> Result<usize, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(name.len())
}

#[unit_of_work]
fn of_nobody(tx: &mut Tx<'_>) -> Result<&'static str, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok("constant")
}

#[unit_of_work]
fn of_a_function_pointer(tx: &mut Tx<'_>) -> Result<fn(&str) -> &str, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(str::trim)
}

/// What libraries build on a transaction: two lifetimes, since `&'a mut Tx<'a>` would have to outlive itself.
struct Accounts<'a, 'u> {
    tx: &'a mut Tx<'u>,
}

impl Accounts<'_, '_> {
    fn close(&mut self) -> Result<(), Error> {
        self.tx.exec_drop("DELETE FROM account", ())
    }
}

#[unit_of_work]
fn through_a_repository(tx: &mut Tx<'_>) -> Result<(), Error> {
    Accounts { tx }.close()?;
    Accounts { tx }.close()
}

#[test]
fn a_result_borrows_from_the_only_reference() {
    assert_ran(left_out("Ada Lovelace"), "compile_fail::accepted::lifetimes::left_out");
}

#[test]
fn a_result_borrows_from_the_argument_that_is_named() {
    let name = String::from("Ada Lovelace");
    let result = {
        let prefix = String::from("Ada ");
        named(&name, &prefix)
    };
    assert_ran(result, "compile_fail::accepted::lifetimes::named");
}

#[test]
fn a_lifetime_is_hidden_in_a_type() {
    assert_ran(hidden_in_a_type(Cow::Borrowed("Ada")), "compile_fail::accepted::lifetimes::hidden_in_a_type");
}

#[test]
fn a_result_that_is_static_borrows_from_nobody() {
    assert_ran(of_nobody(), "compile_fail::accepted::lifetimes::of_nobody");
}

#[test]
fn a_function_pointer_has_lifetimes_of_its_own() {
    assert_ran(of_a_function_pointer(), "compile_fail::accepted::lifetimes::of_a_function_pointer");
}

#[test]
fn the_transaction_can_be_held_by_a_type_with_two_lifetimes() {
    assert_ran(through_a_repository(), "compile_fail::accepted::lifetimes::through_a_repository");
}
