//! A whole block: inherited defaults, functions that override them, functions that are left alone, and everything else that an
//! `impl` can hold.

use std::fmt::Debug;
use std::rc::Rc;
use std::sync::Arc;

use unit_of_work::{Database, Error, Tx, unit_of_work};

struct Accounts<K, const N: usize> {
    db: Database,
    keys: [K; N],
}

macro_rules! accessor {
    ($name:ident) => {
        fn $name(&self) -> usize {
            N
        }
    };
}

/// What the block says counts for each of its functions.
#[unit_of_work(db = self.db, isolation = "serializable", retry(max_attempts = 5), snapshot = false)]
impl<K, const N: usize> Accounts<K, N>
where
    K: Clone + Debug + Into<u64>,
{
    #![allow(clippy::needless_pass_by_value)]

    const HALF: usize = { N / 2 };

    accessor!(first);

    /// Inherits everything.
    fn open(&self, tx: &mut Tx<'_>, key: K) -> Result<u64, Error> {
        let key: u64 = key.into();
        tx.exec_drop("INSERT INTO account VALUES (?)", (key,))?;
        Ok(key)
    }

    #[unit_of_work(isolation = "read committed", read_only)]
    pub(crate) fn count(&self, tx: &mut Tx<'_>) -> Result<Option<u64>, Error> {
        tx.exec_first("SELECT COUNT(*) FROM account", ())
    }

    #[unit_of_work(retry = "never")]
    fn changes(&mut self, tx: &mut Tx<'_>, key: K) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())?;
        if let Some(first) = self.keys.first_mut() {
            *first = key;
        }
        Ok(())
    }

    #[unit_of_work(propagation = "supports")]
    fn anywhere(&self, tx: &mut Tx<'_>, one: Box<dyn Fn() -> u64>) -> Result<(), Error> {
        self.helper_here(tx)?;
        self.helper(tx, one())
    }

    /// Called inside of others, with their transaction.
    #[unit_of_work(skip)]
    fn helper(&self, tx: &mut Tx<'_>, id: u64) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account WHERE id = ?", (id,))
    }

    #[cfg_attr(all(), unit_of_work(read_only), inline)]
    fn here(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("SELECT 1", ())
    }

    #[cfg_attr(any(), unit_of_work(read_only))]
    fn writes_here(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }

    #[cfg_attr(all(), unit_of_work(skip))]
    fn helper_here(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }

    #[cfg(any())]
    fn only_elsewhere(&self, tx: &mut Tx<'_>) -> Missing {
        tx.missing()
    }

    #[cfg(any())]
    #[unit_of_work(naem = "elsewhere")]
    async fn wrong_only_elsewhere(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.query_drop("COMMIT")
    }

    #[cfg(all())]
    fn only_here(&self, tx: &mut Tx<'_>) -> Result<usize, Error> {
        tx.exec_drop("DELETE FROM account", ())?;
        Ok(Self::HALF + self.first())
    }

    fn shared(self: Arc<Self>, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }

    fn counted(self: Rc<Self>, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }

    fn boxed(self: Box<Self>, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }

    fn new(db: Database, keys: [K; N]) -> Self {
        Self { db, keys }
    }
}

trait Ledger<T, const N: usize> {
    type Entry;
    const NAME: &'static str;

    fn enter(&self, entry: Self::Entry) -> Result<[T; N], Error>;
    fn name(&self) -> &'static str {
        Self::NAME
    }
}

struct Book;

#[unit_of_work(lock_wait = "1s")]
impl<T: Copy + Default> Ledger<T, { 1 + 1 }> for Book {
    type Entry = (u64, T);
    const NAME: &'static str = "book";

    fn enter(&self, tx: &mut Tx<'_>, (id, value): Self::Entry) -> Result<[T; 2], Error> {
        tx.exec_drop("INSERT INTO entry VALUES (?)", (id,))?;
        Ok([value, T::default()])
    }
}

fn main() {
    let _: fn(Database, [u64; 2]) -> Accounts<u64, 2> = Accounts::new;
    let _: fn(&Accounts<u64, 2>, u64) -> Result<u64, Error> = Accounts::open;
    let _: fn(&Accounts<u64, 2>) -> Result<Option<u64>, Error> = Accounts::count;
    let _: fn(&mut Accounts<u64, 2>, u64) -> Result<(), Error> = Accounts::changes;
    let _: fn(&Accounts<u64, 2>, Box<dyn Fn() -> u64>) -> Result<(), Error> = Accounts::anywhere;
    let _: [fn(&Accounts<u64, 2>) -> Result<(), Error>; 2] = [Accounts::here, Accounts::writes_here];
    let _: fn(&Accounts<u64, 2>) -> Result<usize, Error> = Accounts::only_here;
    let _: fn(Arc<Accounts<u64, 2>>) -> Result<(), Error> = Accounts::shared;
    let _: fn(Rc<Accounts<u64, 2>>) -> Result<(), Error> = Accounts::counted;
    let _: fn(Box<Accounts<u64, 2>>) -> Result<(), Error> = Accounts::boxed;
    let _: (bool, &str) = (Book.enter((1, 2)).is_err(), Ledger::<u64, 2>::name(&Book));
}
