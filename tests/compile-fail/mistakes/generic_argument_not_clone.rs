//! For a type parameter the compiler proposes the bound, and no name of ours that is hidden.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn place<O: Into<u64>>(tx: &mut Tx<'_>, order: O) -> Result<u64, Error> {
    //~^ RUSTC E0277
    let _ = tx;
    Ok(order.into())
}

fn main() {
    let _ = place(1_u64);
}
