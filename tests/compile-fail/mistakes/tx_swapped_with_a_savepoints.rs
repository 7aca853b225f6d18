//! The transaction around a savepoint and that of the savepoint cannot change places.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.savepoint(|outer| {
        outer.savepoint(|inner| {
            //~^ ALLOWED E0501
            //~^^ ALLOWED E0500
            std::mem::swap(outer, inner);
            //~^ RUSTC E0521
            //~^^ ALLOWED lifetime may not live long enough
            Ok::<_, Error>(())
        })
    })
}

fn main() {
    let _ = transfer();
}
