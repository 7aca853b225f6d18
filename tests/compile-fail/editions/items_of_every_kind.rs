//! Functions and blocks of every other kind: `main`, `unsafe`, `extern`, under conditions, with visibility in parts, for all types, for
//! objects, with types that macros write.

use unit_of_work::{Error, Tx, unit_of_work};

macro_rules! pair {
    ($a:ty) => {
        ($a, $a)
    };
}

mod deep {
    use super::*;
    #[unit_of_work]
    pub(in crate::deep) fn restricted(tx: &mut ::unit_of_work::Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }
    pub(super) fn call() -> bool {
        restricted().is_err()
    }
}

#[cfg_attr(all(), unit_of_work(read_only))]
fn conditional(tx: &mut Tx<'_>) -> Result<pair!(u64), Error> {
    Ok(tx.exec_first("SELECT 1, 2", ())?.unwrap_or((1, 2)))
}

#[unit_of_work]
fn consts<const N: usize>(
    tx: &mut Tx<'_>,
    all: [u8; 1 + 2],
    n: [u8; N],
) -> Result<impl Iterator<Item = u8> + use<N>, Error>
where
    [(); 1]: Sized,
{
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(std::iter::once(all[0]).chain(n))
}

/// That no such result can be passed to another language is the compiler's to say.
#[allow(improper_ctypes_definitions)]
#[unit_of_work]
extern "C" fn c(tx: &mut Tx<'_>, id: u64) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account WHERE id = ?", (id,))
}

#[unit_of_work]
fn ranked(tx: &mut Tx<'_>, f: impl for<'a> Fn(&'a str) -> &'a str + Clone, never: fn() -> !) -> Result<(), Error> {
    let _ = never;
    let Some(x): Option<u64> = tx.exec_first("SELECT 1", ())? else { return Ok(()) };
    let _ = async { x };
    println!("{}", f("a"));
    Ok(())
}

trait Ext {
    fn ext(&self, id: u64) -> Result<(), Error>;
}
#[unit_of_work]
impl<T: ?Sized> Ext for T {
    fn ext(&self, tx: &mut Tx<'_>, id: u64) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account WHERE id = ?", (id,))
    }
}
#[unit_of_work]
impl dyn Ext + '_ {
    fn more(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }
}
struct S;
#[unit_of_work]
unsafe impl Send for S where u8: Clone {}

#[unit_of_work]
impl S {}

#[unit_of_work]
impl S {
    const A: fn() -> u8 = {
        fn a() -> u8 {
            1
        }
        a
    };
    type_alias!();
    unsafe fn danger(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }
    const fn plain() -> u8 {
        7
    }
    pub(crate) async fn later() -> u8 {
        7
    }
}
#[macro_export]
macro_rules! type_alias {
    () => {};
}

#[unit_of_work]
fn main(tx: &mut Tx<'_>) -> Result<(), Error> {
    let _ = (conditional().is_err(), c(1).is_err(), deep::call(), 1.ext(2).is_err(), S::A(), S::plain(), S::later());
    let _ = (consts([1, 2, 3], [4]).is_err(), ranked(|x| x, || loop {}).is_err());
    let o: &dyn Ext = &1;
    let _ = o.more().is_err();
    let _ = unsafe { S.danger() };
    tx.exec_drop("DELETE FROM account", ())
}
