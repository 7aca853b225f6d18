//! What the calling thread has: the units that are active on it, its parked session per database, and which database a unit
//! without one of its own uses: the thread's entered one, else the process's installed one.

use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::{Arc, OnceLock, Weak};

use crate::backend::Backend;
use crate::database::Database;
use crate::error::{Error, ErrorKind};
use crate::label::Label;
use crate::ledger::{Keeper, Ledger};
use crate::pool::{Pool, Slot};
use crate::transaction::Transaction;

thread_local! {
    static UNITS: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
    static PLACES: RefCell<Vec<(usize, Rc<dyn Any>)>> = const { RefCell::new(Vec::new()) };
    static ENTERED: RefCell<Vec<Rc<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

#[cfg(feature = "testing")]
thread_local! {
    static SANDBOXES: RefCell<Vec<(usize, Rc<dyn Any>)>> = const { RefCell::new(Vec::new()) };
}

static INSTALLED: OnceLock<Box<dyn Any + Send + Sync>> = OnceLock::new();

/// A unit with a session of its own, of whatever engine.
trait Active: Keeper {
    /// Where the pool is that the session is from.
    fn pool(&self) -> usize;
    fn unit(&self) -> &Label;
    /// An `Rc<Transaction<B>>`.
    fn transaction(self: Rc<Self>) -> Rc<dyn Any>;
}

impl<B: Backend> Active for Transaction<B> {
    fn pool(&self) -> usize {
        address(self.database().pool())
    }

    fn unit(&self) -> &Label {
        &self.unit
    }

    fn transaction(self: Rc<Self>) -> Rc<dyn Any> {
        self
    }
}

impl<B: Backend> Keeper for Transaction<B> {
    fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}

/// One line of the thread's stack of units.
enum Entry {
    Unit(Rc<dyn Active>),
    /// What is below is hidden. Units above that end on their own are still written into this one's list, if there is one.
    Barrier(Option<Rc<dyn Keeper>>),
}

/// Makes a transaction the active one until the guard drops.
pub(crate) fn bind<B: Backend>(transaction: &Rc<Transaction<B>>) -> Bound {
    push(Entry::Unit(Rc::<Transaction<B>>::clone(transaction)))
}

/// Hides the thread's units until the guard drops: what runs meanwhile has nothing to do with them.
pub(crate) fn hide() -> Bound {
    push(Entry::Barrier(None))
}

/// The same for hooks: units that they open are fresh ones, but if they commit inside an attempt it is not repeated.
pub(crate) fn hide_from_hooks(around: Option<Rc<dyn Keeper>>) -> Bound {
    push(Entry::Barrier(around))
}

fn push(entry: Entry) -> Bound {
    UNITS.with(|units| units.borrow_mut().push(entry));
    Bound { not_send: PhantomData }
}

/// Undoes [`bind`] and [`hide`], also on unwinding.
#[must_use = "the unit is active until this is dropped"]
#[derive(Debug)]
pub(crate) struct Bound {
    not_send: PhantomData<*const ()>,
}

impl Drop for Bound {
    fn drop(&mut self) {
        // Dropped after the borrow has ended: a transaction's end may run destructors of users' hooks.
        let entry = UNITS.try_with(|units| units.borrow_mut().pop());
        drop(entry);
    }
}

/// The innermost visible unit that `pick` likes.
fn visible<R>(mut pick: impl FnMut(&Rc<dyn Active>) -> Option<R>) -> Option<R> {
    let found = UNITS.try_with(|units| {
        for entry in units.borrow().iter().rev() {
            match entry {
                Entry::Barrier(_) => return None,
                Entry::Unit(active) => {
                    if let Some(picked) = pick(active) {
                        return Some(picked);
                    }
                }
            }
        }
        None
    });
    found.ok().flatten()
}

/// The active transaction of this database.
pub(crate) fn active<B: Backend>(pool: &Arc<Pool<B>>) -> Option<Rc<Transaction<B>>> {
    let ours = address(pool);
    visible(|active| if active.pool() == ours { typed(Rc::clone(active).transaction()) } else { None })
}

/// The innermost transaction of this database, hidden or not.
pub(crate) fn hidden<B: Backend>(pool: &Arc<Pool<B>>) -> Option<Rc<Transaction<B>>> {
    let ours = address(pool);
    let found = UNITS.try_with(|units| {
        units.borrow().iter().rev().find_map(|entry| match entry {
            Entry::Unit(active) if active.pool() == ours => typed(Rc::clone(active).transaction()),
            Entry::Unit(_) | Entry::Barrier(_) => None,
        })
    });
    found.ok().flatten()
}

/// The active transaction of whatever database of this engine.
pub(crate) fn innermost<B: Backend>() -> Option<Rc<Transaction<B>>> {
    visible(|active| typed(Rc::clone(active).transaction()))
}

/// The unit around in whose list it is written what ends on its own, of whatever database.
pub(crate) fn enclosing() -> Option<Rc<dyn Keeper>> {
    let found = UNITS.try_with(|units| -> Option<Rc<dyn Keeper>> {
        match units.borrow().last()? {
            Entry::Unit(active) => Some(Rc::<dyn Active>::clone(active)),
            Entry::Barrier(around) => around.clone(),
        }
    });
    found.ok().flatten()
}

/// Who the unit around is, of whatever database.
pub(crate) fn innermost_unit() -> Option<Label> {
    visible(|active| Some(active.unit().clone()))
}

/// The transaction of the sandbox that the thread's units of this database run in. Nothing hides it: hooks and what runs
/// [`outside`](crate::outside) are in it too.
#[cfg(feature = "testing")]
pub(crate) fn sandbox<B: Backend>(pool: &Arc<Pool<B>>) -> Option<Rc<Transaction<B>>> {
    let ours = address(pool);
    let found = SANDBOXES.try_with(|sandboxes| {
        sandboxes.borrow().iter().find_map(|(pool, base)| if *pool == ours { typed(Rc::clone(base)) } else { None })
    });
    found.ok().flatten()
}

/// Sandboxes are for tests.
#[cfg(not(feature = "testing"))]
pub(crate) fn sandbox<B: Backend>(_pool: &Arc<Pool<B>>) -> Option<Rc<Transaction<B>>> {
    None
}

/// Has the thread's units of its database run in this transaction, until [`leave_sandbox`].
#[cfg(feature = "testing")]
pub(crate) fn enter_sandbox<B: Backend>(base: &Rc<Transaction<B>>) {
    let pool = address(base.database().pool());
    SANDBOXES.with(|sandboxes| sandboxes.borrow_mut().push((pool, Rc::<Transaction<B>>::clone(base))));
}

/// Undoes [`enter_sandbox`].
#[cfg(feature = "testing")]
pub(crate) fn leave_sandbox<B: Backend>(base: &Transaction<B>) {
    let ours = address(base.database().pool());
    let left = SANDBOXES.try_with(|sandboxes| {
        let mut sandboxes = sandboxes.borrow_mut();
        let at = sandboxes.iter().position(|(pool, _)| *pool == ours)?;
        Some(sandboxes.remove(at))
    });
    // Dropped after the borrow has ended.
    drop(left);
}

/// Whether the thread is in the middle of a unit, of whatever database, hidden or not.
pub(crate) fn is_inside_a_unit() -> bool {
    let found = UNITS.try_with(|units| units.borrow().iter().any(|entry| matches!(entry, Entry::Unit(_))));
    found.unwrap_or(false)
}

/// Who has a reference to a pool, weak ones included, keeps its address from being another's.
fn address<B: Backend>(pool: &Arc<Pool<B>>) -> usize {
    Arc::as_ptr(pool).addr()
}

fn typed<T: 'static>(any: Rc<dyn Any>) -> Option<Rc<T>> {
    Rc::downcast::<T>(any).ok()
}

/// One thread's share of one database's pool.
#[derive(Debug)]
pub(crate) struct Place<B: Backend> {
    pub(crate) slot: Arc<Slot<B>>,
    /// The memory of a transaction that has ended.
    pub(crate) spare: RefCell<Option<Rc<Transaction<B>>>>,
    pool: Weak<Pool<B>>,
}

/// The thread ends, or the database is gone: what is parked goes to who needs it.
impl<B: Backend> Drop for Place<B> {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.leave(&self.slot);
        }
    }
}

/// The calling thread's place for a database, made at the first use.
///
/// `None` while the thread is being torn down, when nothing can be kept for it any more.
pub(crate) fn place<B: Backend>(pool: &Arc<Pool<B>>) -> Option<Rc<Place<B>>> {
    let ours = address(pool);
    let found = PLACES.try_with(|places| {
        places.borrow().iter().filter(|(pool, _)| *pool == ours).find_map(|(_, place)| typed(Rc::clone(place)))
    });
    match found {
        Ok(Some(place)) => Some(place),
        Ok(None) => settle_down(pool),
        Err(_torn_down) => None,
    }
}

fn settle_down<B: Backend>(pool: &Arc<Pool<B>>) -> Option<Rc<Place<B>>> {
    let place = Rc::new(Place { slot: pool.slot(), spare: RefCell::default(), pool: Arc::downgrade(pool) });
    let kept: Rc<dyn Any> = Rc::<Place<B>>::clone(&place);
    let gone = PLACES.try_with(|places| {
        let mut places = places.borrow_mut();
        let (stay, gone) = places.drain(..).partition(|(_, place)| is_in_use::<B>(place));
        *places = stay;
        places.push((address(pool), kept));
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

/// A database to work with, without a clone of the handle: all threads would count in the same place.
pub(crate) enum Current<B: Backend> {
    Entered(Rc<Database<B>>),
    Installed(&'static Database<B>),
}

impl<B: Backend> Deref for Current<B> {
    type Target = Database<B>;

    fn deref(&self) -> &Database<B> {
        match self {
            Self::Entered(database) => database,
            Self::Installed(database) => database,
        }
    }
}

/// The database that units without one of their own use on this thread.
pub(crate) fn current<B: Backend>() -> Result<Current<B>, Error> {
    let entered = ENTERED.try_with(|entered| {
        entered.borrow().iter().rev().find_map(|database| typed(Rc::clone(database)).map(Current::Entered))
    });
    let installed = || INSTALLED.get().and_then(|database| database.downcast_ref().map(Current::Installed));
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
