//! For a type that names a parameter the compiler proposes the bound.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn place<O: Into<u64>>(tx: &mut Tx<'_>, order: Option<O>) -> Result<u64, Error> {
    //~^ RUSTC E0277
    let _ = tx;
    Ok(order.map_or(0, Into::into))
}

fn main() {
    let _ = place(Some(1_u64));
}
