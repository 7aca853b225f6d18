//! What the calling thread has: the units that are active on it and its parked session, per database; and which database a
//! unit without one of its own uses: the thread's entered one, else the process's installed one.

use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::{Arc, OnceLock, Weak};

use crate::backend::Backend;
use crate::database::Database;
use crate::error::{Error, ErrorKind};
use crate::pool::{Pool, Slot};
use crate::transaction::Transaction;

thread_local! {
    static PLACES: RefCell<Vec<(usize, Rc<dyn Any>)>> = const { RefCell::new(Vec::new()) };
    static ENTERED: RefCell<Vec<Rc<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

static INSTALLED: OnceLock<Box<dyn Any + Send + Sync>> = OnceLock::new();

/// One thread's share of one database.
#[derive(Debug)]
pub(crate) struct Place<B: Backend> {
    units: RefCell<Vec<Rc<Transaction<B>>>>,
    pub(crate) slot: Arc<Slot<B>>,
    pool: Weak<Pool<B>>,
}

impl<B: Backend> Place<B> {
    /// The transaction of the innermost unit on this thread.
    pub(crate) fn active(&self) -> Option<Rc<Transaction<B>>> {
        self.units.borrow().last().cloned()
    }

    /// Makes a transaction the active one until the guard drops.
    pub(crate) fn bind(self: &Rc<Self>, transaction: Rc<Transaction<B>>) -> Bound<B> {
        self.units.borrow_mut().push(transaction);
        Bound { place: Rc::clone(self) }
    }
}

/// The thread ends, or the database is gone: what is parked goes to who needs it.
impl<B: Backend> Drop for Place<B> {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.leave(&self.slot);
        }
    }
}

/// Undoes a [`Place::bind`], also on unwinding.
#[must_use = "the transaction is active until this is dropped"]
#[derive(Debug)]
pub(crate) struct Bound<B: Backend> {
    place: Rc<Place<B>>,
}

impl<B: Backend> Drop for Bound<B> {
    fn drop(&mut self) {
        self.place.units.borrow_mut().pop();
    }
}

/// The calling thread's place for a database, made at the first use.
///
/// `None` while the thread is being torn down, when nothing can be kept for it any more.
pub(crate) fn place<B: Backend>(pool: &Arc<Pool<B>>) -> Option<Rc<Place<B>>> {
    // The place's weak reference keeps the allocation, so no other pool can get this address while the place exists.
    let address = Arc::as_ptr(pool).addr();
    let found = PLACES.try_with(|places| {
        let places = places.borrow();
        places.iter().filter(|(key, _)| *key == address).find_map(|(_, place)| typed(place))
    });
    match found {
        Ok(Some(place)) => Some(place),
        Ok(None) => settle_down(pool, address),
        Err(_torn_down) => None,
    }
}

fn typed<B: Backend>(place: &Rc<dyn Any>) -> Option<Rc<Place<B>>> {
    Rc::downcast::<Place<B>>(Rc::clone(place)).ok()
}

fn settle_down<B: Backend>(pool: &Arc<Pool<B>>, address: usize) -> Option<Rc<Place<B>>> {
    let place = Rc::new(Place { units: RefCell::default(), slot: pool.slot(), pool: Arc::downgrade(pool) });
    let kept: Rc<dyn Any> = Rc::<Place<B>>::clone(&place);
    let gone = PLACES.try_with(|places| {
        let mut places = places.borrow_mut();
        let (stay, gone) = places.drain(..).partition(|(_, place)| is_in_use::<B>(place));
        *places = stay;
        places.push((address, kept));
        gone
    });
    // Dropped here and not under the borrow: a pool's end may run a driver's destructors.
    let _: Vec<(usize, Rc<dyn Any>)> = gone.ok()?;
    Some(place)
}

fn is_in_use<B: Backend>(place: &Rc<dyn Any>) -> bool {
    place.downcast_ref::<Place<B>>().is_none_or(|place| place.pool.strong_count() > 0)
}

/// Makes a database the process's.
pub(crate) fn install<B: Backend>(database: Database<B>) -> Result<(), Error> {
    INSTALLED.set(Box::new(database)).map_err(|_second| {
        Error::new(
            ErrorKind::AlreadyInstalled,
            "a database is installed already; a second one is reached with `enter`, or with `db = …` in the attribute",
        )
    })
}

/// The database that units without one of their own use on this thread.
pub(crate) fn current<B: Backend>() -> Result<Database<B>, Error> {
    let entered = ENTERED.try_with(|entered| {
        entered.borrow().iter().rev().find_map(|database| database.downcast_ref::<Database<B>>().cloned())
    });
    let installed = || INSTALLED.get().and_then(|database| database.downcast_ref::<Database<B>>().cloned());
    entered.ok().flatten().or_else(installed).ok_or_else(|| {
        Error::new(
            ErrorKind::NoDatabase,
            "no database: call `Database::connect(url)?.install()?` once at the start of the program, or \
             `let _guard = database.enter();` on this thread, or name one with `db = …` in the attribute",
        )
    })
}

/// Makes a database the thread's until the guard drops.
pub(crate) fn enter<B: Backend>(database: Database<B>) -> Entered {
    let database: Rc<dyn Any> = Rc::new(database);
    ENTERED.with(|entered| entered.borrow_mut().push(Rc::clone(&database)));
    Entered { database, not_send: PhantomData }
}

/// The thread's database, until dropped. Made by [`Database::enter`].
#[must_use = "the database is the thread's only while this guard lives"]
#[derive(Debug)]
pub struct Entered {
    database: Rc<dyn Any>,
    not_send: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        // By identity, not by position: guards may be dropped in any order. Nothing is torn down under the borrow.
        let removed = ENTERED.try_with(|entered| {
            let mut entered = entered.borrow_mut();
            let at = entered.iter().rposition(|other| Rc::ptr_eq(other, &self.database))?;
            Some(entered.remove(at))
        });
        drop(removed);
    }
}
