//! Raw names, and the name and place by which a unit is known.

use unit_of_work::{Error, Tx, unit_of_work};

use super::assert_ran;

#[unit_of_work]
fn r#match(tx: &mut Tx<'_>, r#type: u64, r#_ignored: u64) -> Result<u64, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(r#type)
}

#[unit_of_work(name = "monthly billing")]
fn bill(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

const ABOVE: u32 = line!();
#[rustfmt::skip]
#[unit_of_work(
    isolation = "serializable"
)]
fn
placed(tx: &mut Tx<'_>) -> Result<(), Error> { tx.exec_drop("DELETE FROM account", ()) }

#[test]
fn a_raw_name_is_told_without_its_mark() {
    assert_ran(r#match(1, 2), "compile_fail::accepted::names::match");
}

#[test]
fn a_unit_may_be_given_a_name() {
    assert_ran(bill(), "monthly billing");
}

#[test]
fn a_units_place_is_that_of_its_functions_name() {
    let error = placed().expect_err("no database is installed").to_string();
    let place = format!("names.rs:{})", ABOVE + 6);
    assert!(error.contains(&place), "the function's name is in {place}: {error}");
}
