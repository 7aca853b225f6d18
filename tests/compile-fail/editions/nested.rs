//! Units inside of functions, of other units, of closures and of constants; units that call themselves and each other.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn outer(tx: &mut Tx<'_>, depth: u32) -> Result<u32, Error> {
    #[unit_of_work(propagation = "nested")]
    fn inner(tx: &mut Tx<'_>, depth: u32) -> Result<u32, Error> {
        tx.exec_drop("DELETE FROM account WHERE id = ?", (depth,))?;
        if depth == 0 { Ok(0) } else { outer(depth - 1) }
    }
    fn plain(tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }
    plain(tx)?;
    let again = || {
        #[unit_of_work]
        fn in_a_closure(tx: &mut Tx<'_>) -> Result<u32, Error> {
            tx.exec_drop("DELETE FROM account", ())?;
            Ok(1)
        }
        in_a_closure()
    };
    Ok(inner(depth)? + again()?)
}

#[unit_of_work]
fn is_even(tx: &mut Tx<'_>, n: u64) -> Result<bool, Error> {
    tx.exec_drop("DELETE FROM account WHERE id = ?", (n,))?;
    if n == 0 { Ok(true) } else { is_odd(n - 1) }
}

#[unit_of_work]
fn is_odd(n: u64) -> Result<bool, Error> {
    if n == 0 { Ok(false) } else { is_even(n - 1) }
}

#[unit_of_work]
fn down<const N: usize, T: Clone>(tx: &mut Tx<'_>, values: [T; N], left: usize) -> Result<Option<T>, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    if left == 0 { Ok(values.first().cloned()) } else { down(values, left - 1) }
}

const TABLE: &[fn(u64) -> Result<bool, Error>] = &[is_even, is_odd];

fn main() {
    let _ = (outer(3).is_err(), down([1, 2], 3).is_err(), TABLE.iter().any(|unit| unit(1).is_ok()));
}
