//! Whatever else stands on a function stays in force.

use unit_of_work::{Error, Tx, unit_of_work};

use super::assert_ran;

/// Pays once.
#[unit_of_work]
#[must_use = "the receipt is the only proof"]
#[track_caller]
#[inline]
#[deprecated = "use `pay_twice`"]
fn pay(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[cfg(not(test))]
#[unit_of_work]
fn one_of_two(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work]
#[cfg(test)]
fn one_of_two(tx: &mut Tx<'_>, only_in_tests: u64) -> Result<u64, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(only_in_tests)
}

#[allow(unused_variables)]
#[unit_of_work]
fn lints_of_the_function(tx: &mut Tx<'_>, unused: u64) -> Result<(), Error> {
    Ok(())
}

#[unit_of_work]
fn lints_of_a_parameter(
    #[allow(unused_variables)] tx: &mut Tx<'_>,
    #[expect(unused_variables)] unused: u64,
    used: u64,
) -> Result<u64, Error> {
    Ok(used)
}

#[unit_of_work]
fn lints_inside(tx: &mut Tx<'_>, unused: u64) -> Result<(), Error> {
    #![allow(unused_variables)]
    Ok(())
}

#[test]
fn a_function_stays_deprecated_and_its_result_must_be_used() {
    #[expect(deprecated)]
    let paid = pay();
    assert_ran(paid, "compile_fail::accepted::attributes::pay");
}

#[test]
fn of_two_functions_under_a_condition_one_is_there() {
    assert_ran(one_of_two(1), "compile_fail::accepted::attributes::one_of_two");
}

#[test]
fn lints_above_a_function_are_its_own() {
    assert_ran(lints_of_the_function(1), "compile_fail::accepted::attributes::lints_of_the_function");
}

#[test]
fn lints_of_a_parameter_are_its_own() {
    assert_ran(lints_of_a_parameter(1, 2), "compile_fail::accepted::attributes::lints_of_a_parameter");
}

#[test]
fn lints_at_the_beginning_of_a_body_are_its_own() {
    assert_ran(lints_inside(1), "compile_fail::accepted::attributes::lints_inside");
}
