//! Arguments that a second attempt can be given: borrowed, shared, copied, cloned, and functions of every kind.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use unit_of_work::{Error, Tx, unit_of_work};

struct NotClone(u64);

#[unit_of_work]
fn borrowed(
    tx: &mut Tx<'_>,
    one: &NotClone,
    many: &[NotClone],
    path: &Path,
    by_name: &dyn Fn(&str),
) -> Result<(), Error> {
    by_name("Ada");
    tx.exec_drop("DELETE FROM account WHERE id = ?", (one.0 + many.len() as u64, path.exists()))
}

#[unit_of_work]
fn shared(
    tx: &mut Tx<'_>,
    sum: &RefCell<u64>,
    log: &Mutex<Vec<u64>>,
    all: Rc<NotClone>,
    more: Arc<[u64]>,
) -> Result<(), Error> {
    *sum.borrow_mut() += all.0;
    if let Ok(mut log) = log.lock() {
        log.extend(more.iter());
    }
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work]
fn cloned(tx: &mut Tx<'_>, text: Cow<'_, str>, map: HashMap<String, Option<Vec<u8>>>) -> Result<usize, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(text.into_owned().len() + map.into_values().flatten().count())
}

/// A mutable reference in the type of a function is no mutable argument, nor is one behind a shared reference.
#[unit_of_work]
fn functions(
    tx: &mut Tx<'_>,
    pointer: fn(&mut u64),
    object: &dyn Fn(&mut u64),
    closure: impl Fn(&mut u64) + Clone,
    behind: &[&mut u64],
) -> Result<u64, Error> {
    let mut sum = behind.len() as u64;
    pointer(&mut sum);
    object(&mut sum);
    closure(&mut sum);
    tx.exec_drop("DELETE FROM account WHERE id = ?", (sum,))?;
    Ok(sum)
}

#[unit_of_work(retry = "never")]
fn taken(
    tx: &mut Tx<'_>,
    one: NotClone,
    mut each: impl FnMut(u64),
    pair: (&mut u64, Option<&mut u64>),
) -> Result<(), Error> {
    each(one.0);
    *pair.0 += 1;
    if let Some(other) = pair.1 {
        *other += 1;
    }
    tx.exec_drop("DELETE FROM account", ())
}

fn main() {
    let one = NotClone(1);
    let _ = borrowed(&one, &[], Path::new("/"), &|_| ()).is_err();
    let _ = shared(&RefCell::new(0), &Mutex::default(), Rc::new(one), Arc::new([1])).is_err();
    let _ = cloned(Cow::Borrowed(""), HashMap::new()).is_err();
    let _ = functions(|n| *n += 1, &|n| *n += 1, |n| *n += 1, &[&mut 1]).is_err();
    let _ = taken(NotClone(1), |_| (), (&mut 1, None)).is_err();
}
