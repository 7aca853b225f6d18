//! Methods with every kind of `self`, associated functions, trait methods that are provided or implemented.

use std::rc::Rc;
use std::sync::Arc;

use unit_of_work::{Error, Tx, unit_of_work};

#[derive(Debug, Clone)]
struct Account<T> {
    id: T,
}

impl<T: Clone + std::fmt::Debug> Account<T> {
    #[unit_of_work]
    fn by_reference(&self, tx: &mut Tx<'_>, amount: i64) -> Result<(T, i64), Error> {
        tx.exec_drop("DELETE FROM account", ())?;
        Ok((self.id.clone(), amount))
    }

    #[unit_of_work]
    fn by_value(self, tx: &mut Tx<'_>) -> Result<T, Error> {
        tx.exec_drop("DELETE FROM account", ())?;
        Ok(self.id.clone())
    }

    #[unit_of_work]
    fn shared(self: Arc<Self>, tx: &mut Tx<'_>) -> Result<Arc<Self>, Error> {
        tx.exec_drop("DELETE FROM account", ())?;
        Ok(Arc::clone(&self))
    }

    #[unit_of_work]
    fn counted(self: Rc<Self>, tx: &mut Tx<'_>) -> Result<Rc<Self>, Error> {
        tx.exec_drop("DELETE FROM account", ())?;
        Ok(Rc::clone(&self))
    }

    #[unit_of_work]
    fn behind_two(self: &Rc<Self>, tx: &mut Tx<'_>) -> Result<&T, Error> {
        tx.exec_drop("DELETE FROM account", ())?;
        Ok(&self.id)
    }

    #[unit_of_work(retry = "never")]
    fn changed(&mut self, tx: &mut Tx<'_>, id: T) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())?;
        self.id = id;
        Ok(())
    }

    #[unit_of_work]
    fn associated(tx: &mut Tx<'_>, id: T) -> Result<Self, Error>
    where
        T: Clone,
    {
        tx.exec_drop("DELETE FROM account", ())?;
        Ok(Self { id })
    }
}

trait Ledger {
    #[unit_of_work]
    fn provided(&self, tx: &mut Tx<'_>, amount: i64) -> Result<i64, Error> {
        tx.exec_drop("DELETE FROM account", ())?;
        Ok(amount)
    }

    #[unit_of_work]
    fn boxed(self: Box<Self>, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }

    fn implemented(&self, amount: i64) -> Result<i64, Error>;
}

struct Book;

impl Ledger for Book {
    #[unit_of_work]
    fn implemented(&self, tx: &mut Tx<'_>, amount: i64) -> Result<i64, Error> {
        tx.exec_drop("DELETE FROM account", ())?;
        Ok(amount)
    }
}

/// The unit ran, and is called by the method's name.
fn assert_method_ran<T: std::fmt::Debug>(result: Result<T, Error>, method: &str) {
    let error = result.expect_err("no database is installed");
    let unit = error.unit().unwrap_or_default();
    assert!(unit.ends_with(&format!("::{method}")), "{unit}");
}

#[test]
fn self_by_reference() {
    assert_method_ran(Account { id: 1 }.by_reference(2), "by_reference");
}

#[test]
fn self_by_value() {
    assert_method_ran(Account { id: 1 }.by_value(), "by_value");
}

#[test]
fn self_in_an_arc() {
    assert_method_ran(Arc::new(Account { id: 1 }).shared(), "shared");
}

#[test]
fn self_in_an_rc() {
    assert_method_ran(Rc::new(Account { id: 1 }).counted(), "counted");
}

#[test]
fn self_in_a_box() {
    assert_method_ran(Box::new(Book).boxed(), "boxed");
}

#[test]
fn self_behind_two_pointers() {
    assert_method_ran(Rc::new(Account { id: 1 }).behind_two(), "behind_two");
}

#[test]
fn self_that_changes_where_nothing_runs_again() {
    assert_method_ran(Account { id: 1 }.changed(3), "changed");
}

#[test]
fn an_associated_function() {
    assert_method_ran(Account::associated(4), "associated");
}

#[test]
fn a_provided_method_of_a_trait() {
    assert_method_ran(Book.provided(5), "provided");
}

#[test]
fn a_method_of_a_trait_where_it_is_implemented() {
    assert_method_ran(Book.implemented(6), "implemented");
}

#[test]
fn a_method_is_an_ordinary_method_to_its_callers() {
    let _: fn(&'static Account<u64>, i64) -> Result<_, Error> = Account::by_reference;
    let ledger: &dyn Ledger = &Book;
    assert!(ledger.provided(1).is_err());
}
