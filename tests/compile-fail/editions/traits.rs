//! Methods of traits, provided and implemented, for generic types, references and objects.

use std::fmt::Debug;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use unit_of_work::{Error, Tx, unit_of_work};

trait Repository<'a, K: Clone + 'a> {
    type Row: Default;
    const TABLE: &'static str;

    #[unit_of_work(read_only)]
    fn first(&self, tx: &mut Tx<'_>, key: &'a K) -> Result<(Self::Row, &'a K), Error> {
        tx.query_drop(format!("SELECT 1 FROM {}", Self::TABLE))?;
        Ok((Self::Row::default(), key))
    }

    fn add(&self, key: K) -> Result<K, Error>
    where
        Self: Sized;
}

struct Table<T>(T);

impl<'a, K, T> Repository<'a, K> for Table<T>
where
    K: Clone + Debug + 'a,
{
    type Row = (u64, String);
    const TABLE: &'static str = "row";

    #[unit_of_work(isolation = "serializable")]
    fn add(&self, tx: &mut Tx<'_>, key: K) -> Result<K, Error> {
        tx.exec_drop("INSERT INTO row VALUES (?)", (format!("{key:?}"),))?;
        Ok(key)
    }
}

trait Touch {
    #[unit_of_work]
    fn by_rc(self: Rc<Self>, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }

    #[unit_of_work]
    fn by_arc(self: Arc<Self>, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }

    #[unit_of_work]
    fn by_box(self: Box<Self>, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }

    #[unit_of_work]
    fn by_pin(self: Pin<&Self>, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }
}

impl<T> Touch for &Table<T> {}
impl Touch for [u8] {}

impl Touch for Table<u8> {}

fn main() {
    let table = Table(1_u8);
    let _ = (table.first(&"key").is_err(), table.add("key").is_err());
    let object: Arc<dyn Touch> = Arc::new(Table(1_u8));
    let _ = (object.by_arc().is_err(), Rc::new(&table).by_rc().is_err(), Box::new(&table).by_box().is_err());
    let _ = (Pin::new(&table).by_pin().is_err(), Rc::<[u8]>::from([1]).by_rc().is_err());
}
