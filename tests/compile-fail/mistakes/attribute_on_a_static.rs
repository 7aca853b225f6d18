//! A static that holds a function is no function.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
//~^ ERROR `#[unit_of_work]` belongs on a function, a method or an `impl` block
static TRANSFER: fn() -> Result<(), Error> = transfer;

fn transfer() -> Result<(), Error> {
    let _: Option<&mut Tx<'_>> = None;
    TRANSFER()
}

fn main() {
    let _ = transfer();
}
