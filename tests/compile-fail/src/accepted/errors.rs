//! Patterns over the body's error: alternatives, conditions, bindings by reference; own, boxed and generic error types.

use std::error::Error as StdError;
use std::fmt::Debug;

use unit_of_work::{Error, ErrorKind, Tx, unit_of_work};

use super::assert_ran;

#[derive(Debug)]
enum BankError {
    Blocked(u64),
    Frozen { since: String },
    Work(Error),
}

impl From<Error> for BankError {
    fn from(error: Error) -> Self {
        Self::Work(error)
    }
}

type Banked<T> = Result<T, BankError>;

const LIMIT: u64 = 3;

fn delete(tx: &mut Tx<'_>, days: u64) -> Banked<()> {
    tx.exec_drop("DELETE FROM account", ())?;
    match days {
        0 => Ok(()),
        1..=LIMIT => Err(BankError::Blocked(days)),
        _ => Err(BankError::Frozen { since: days.to_string() }),
    }
}

#[unit_of_work(commit_on(BankError::Blocked(_)))]
fn one_variant(tx: &mut Tx<'_>) -> Banked<()> {
    delete(tx, 1)
}

#[unit_of_work(retry_on(| BankError::Blocked(1..=LIMIT) | BankError::Frozen { .. }))]
fn alternatives(tx: &mut Tx<'_>) -> Banked<()> {
    delete(tx, 2)
}

struct Branch {
    patience: u64,
}

impl Branch {
    // A condition may use `self` and what the body does not take over.
    #[unit_of_work(
        commit_on(BankError::Blocked(days) if *days < self.patience && since.len() > 1),
        retry_on(error @ BankError::Frozen { since: then } if then == since || format!("{error:?}").len() > limit),
    )]
    fn conditions(&self, tx: &mut Tx<'_>, since: &str, limit: usize) -> Banked<()> {
        let _ = (since, limit);
        delete(tx, self.patience)
    }
}

// Nothing is left for the arm that the attribute adds; the compiler does not say so.
#[unit_of_work(commit_on(_))]
fn whatever(tx: &mut Tx<'_>) -> Banked<()> {
    delete(tx, 3)
}

#[unit_of_work(commit_on(BankError::Blocked(_) | BankError::Work(_)), retry_on(BankError::Frozen { since: _ }))]
fn all_in_two_parts(tx: &mut Tx<'_>) -> Banked<()> {
    delete(tx, 4)
}

#[unit_of_work(read_only, commit_on(error if error.kind() == ErrorKind::Doomed))]
fn opaque(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("SELECT id FROM account", ())
}

#[unit_of_work(retry_on(error if error.is::<std::num::ParseIntError>()), commit_on(error if error.is::<std::fmt::Error>()))]
fn boxed(tx: &mut Tx<'_>) -> Result<u64, Box<dyn StdError + Send + Sync>> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok("7".parse()?)
}

trait Judged: From<Error> + Debug {
    fn is_final(&self) -> bool;
}

impl Judged for Error {
    fn is_final(&self) -> bool {
        self.kind() == ErrorKind::Doomed
    }
}

#[unit_of_work(commit_on(error if error.is_final()), retry_on(error if !E::is_final(error)))]
fn generic<E: Judged, T: Clone>(tx: &mut Tx<'_>, value: T) -> Result<T, E> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(value)
}

#[unit_of_work(commit_on(BankError::Blocked(_)))]
fn opaque_value(tx: &mut Tx<'_>, days: u64) -> Result<impl Debug, BankError> {
    delete(tx, days)
}

macro_rules! committing {
    ($function:ident, $pattern:pat) => {
        #[unit_of_work(commit_on($pattern))]
        fn $function(tx: &mut Tx<'_>) -> Banked<()> {
            delete(tx, 5)
        }
    };
}

committing!(from_a_macro, BankError::Blocked(1) | BankError::Frozen { .. });

#[test]
fn errors_are_judged_by_every_kind_of_pattern() {
    let name = |unit: Banked<()>| match unit {
        Err(BankError::Work(error)) => error.unit().map(ToOwned::to_owned),
        Ok(()) | Err(BankError::Blocked(_) | BankError::Frozen { .. }) => None,
    };
    for (unit, expected) in [
        (one_variant(), "one_variant"),
        (alternatives(), "alternatives"),
        (Branch { patience: 1 }.conditions("", 1), "Branch::conditions"),
        (whatever(), "whatever"),
        (all_in_two_parts(), "all_in_two_parts"),
        (from_a_macro(), "from_a_macro"),
    ] {
        assert_eq!(name(unit), Some(format!("compile_fail::accepted::errors::{expected}")));
    }
    assert!(boxed().is_err());
    assert!(opaque_value(1).is_err());
    assert_ran(opaque(), "compile_fail::accepted::errors::opaque");
    assert_ran(generic::<Error, _>("value"), "compile_fail::accepted::errors::generic");
}
