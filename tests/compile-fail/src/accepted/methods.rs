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

fn unit_of<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.expect_err("no database is installed").unit().unwrap_or_default().to_owned()
}

#[test]
fn every_receiver_stays_as_it_was() {
    let mut account = Account { id: 1 };
    assert!(unit_of(account.by_reference(2)).ends_with("::by_reference"));
    assert!(unit_of(account.clone().by_value()).ends_with("::by_value"));
    assert!(unit_of(Arc::new(account.clone()).shared()).ends_with("::shared"));
    assert!(unit_of(Rc::new(account.clone()).behind_two()).ends_with("::behind_two"));
    assert!(unit_of(account.changed(3)).ends_with("::changed"));
    assert!(unit_of(Account::associated(4)).ends_with("::associated"));
    assert!(unit_of(Book.provided(5)).ends_with("::provided"));
    assert!(unit_of(Book.implemented(6)).ends_with("::implemented"));
}

#[test]
fn a_method_is_an_ordinary_method_to_its_callers() {
    let _: fn(&'static Account<u64>, i64) -> Result<_, Error> = Account::by_reference;
    let ledger: &dyn Ledger = &Book;
    assert!(ledger.provided(1).is_err());
}
