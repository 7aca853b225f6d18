//! What may be done with a transaction while it lasts: hooks that own what they need, savepoints, values of the attempt, rows that
//! stream.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::Sender;

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Error, Tx, unit_of_work};

#[derive(Default)]
struct Journal(RefCell<Vec<u64>>);

#[unit_of_work]
fn hooks(tx: &mut Tx<'_>, name: &str, done: Sender<String>) -> Result<(), Error> {
    let owned = name.to_owned();
    tx.after_commit(move || drop(done.send(owned)));
    tx.before_commit(|tx| tx.exec_drop("DELETE FROM account", ()));
    tx.after_rollback(|cause| eprintln!("{cause:?}"));
    tx.on_unknown(|error| eprintln!("{error}"));
    Ok(())
}

#[unit_of_work]
fn savepoints(tx: &mut Tx<'_>, ids: &[u64]) -> Result<usize, Error> {
    let mut deleted = 0;
    for id in ids {
        let outcome = tx.savepoint(|tx| tx.exec_drop("DELETE FROM account WHERE id = ?", (id,)));
        deleted += usize::from(outcome.is_ok());
    }
    Ok(deleted)
}

#[unit_of_work]
fn locals(tx: &mut Tx<'_>, id: u64) -> Result<usize, Error> {
    let journal: Rc<Journal> = tx.local();
    journal.0.borrow_mut().push(id);
    tx.exec_drop("DELETE FROM account WHERE id = ?", (id,))?;
    let all = journal.0.borrow().len();
    Ok(all)
}

#[unit_of_work(read_only)]
fn rows(tx: &mut Tx<'_>) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let mut names = Vec::new();
    for row in tx.connection()?.query_iter("SELECT name FROM customer")? {
        names.push(unit_of_work::mysql::from_row(row?));
    }
    tx.query_drop("SELECT 1")?;
    Ok(names)
}

struct Repository<'a, 'u> {
    tx: &'a mut Tx<'u>,
}

impl Repository<'_, '_> {
    fn close(&mut self, id: u64) -> Result<(), Error> {
        self.tx.exec_drop("DELETE FROM account WHERE id = ?", (id,))
    }
}

#[unit_of_work]
fn repository(tx: &mut Tx<'_>, id: u64) -> Result<(), Error> {
    Repository { tx }.close(id)?;
    Repository { tx: &mut *tx }.close(id)?;
    tx.exec_drop("DELETE FROM account", ())
}

fn main() {
    let (sender, _receiver) = std::sync::mpsc::channel();
    let _ = (hooks("Ada", sender).is_err(), savepoints(&[1]).is_err(), locals(1).is_err());
    let _ = (rows().is_err(), repository(1).is_err());
}
