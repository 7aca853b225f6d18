//! Only what is a function or has some can carry it.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
//~^ ERROR `#[unit_of_work]` belongs on a function, a method or an `impl` block
mod accounts {
    use super::{Error, Tx};

    pub fn touch(tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }
}

fn main() {
    let _: fn(&mut Tx<'_>) -> Result<(), Error> = accounts::touch;
}
