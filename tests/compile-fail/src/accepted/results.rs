//! Error types of every origin, and bodies that end in every way.

use std::error::Error as StdError;

use unit_of_work::{Error, ErrorKind, Tx, unit_of_work};

use super::assert_ran;

#[derive(Debug)]
enum BankError {
    Insufficient,
    Work(Error),
}

impl From<Error> for BankError {
    fn from(error: Error) -> Self {
        Self::Work(error)
    }
}

type Banked<T> = Result<T, BankError>;

#[unit_of_work]
fn own_error(tx: &mut Tx<'_>, balance: i64, amount: i64) -> Banked<i64> {
    tx.exec_drop("DELETE FROM account", ())?;
    if balance < amount {
        return Err(BankError::Insufficient);
    }
    Ok(balance - amount)
}

#[unit_of_work]
fn boxed_error(tx: &mut Tx<'_>) -> Result<u64, Box<dyn StdError>> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok("7".parse()?)
}

#[unit_of_work]
fn boxed_error_for_threads(tx: &mut Tx<'_>) -> Result<u64, Box<dyn StdError + Send + Sync>> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok("7".parse()?)
}

#[unit_of_work]
fn labelled(tx: &mut Tx<'_>, values: &[i64]) -> Result<i64, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    let found = 'search: {
        for value in values {
            if *value > 7 {
                break 'search *value;
            }
        }
        0
    };
    Ok(found)
}

#[unit_of_work]
fn recursive(tx: &mut Tx<'_>, depth: u32) -> Result<u32, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    if depth == 0 { Ok(0) } else { recursive(depth - 1) }
}

#[unit_of_work]
fn one_line(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[test]
fn an_own_error_carries_the_units_failure() {
    let error = own_error(1, 2).expect_err("no database is installed");
    assert!(matches!(error, BankError::Work(error) if error.kind() == ErrorKind::NoDatabase));
}

#[test]
fn a_boxed_error_carries_the_units_failure() {
    let error = boxed_error().expect_err("no database is installed");
    assert!(error.downcast_ref::<Error>().is_some_and(|error| error.kind() == ErrorKind::NoDatabase));
}

#[test]
fn a_boxed_error_for_threads_carries_the_units_failure() {
    let error = boxed_error_for_threads().expect_err("no database is installed");
    assert!(error.downcast_ref::<Error>().is_some_and(|error| error.kind() == ErrorKind::NoDatabase));
}

#[test]
fn a_body_may_have_blocks_with_labels() {
    assert_ran(labelled(&[1]), "compile_fail::accepted::results::labelled");
}

#[test]
fn a_unit_may_call_itself() {
    assert_ran(recursive(3), "compile_fail::accepted::results::recursive");
}

#[test]
fn a_body_may_be_one_line() {
    assert_ran(one_line(), "compile_fail::accepted::results::one_line");
}
