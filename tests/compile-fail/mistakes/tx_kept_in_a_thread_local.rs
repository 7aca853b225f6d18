//! What outlives the unit on its own thread cannot hold its transaction either.

use unit_of_work::{Error, Tx, unit_of_work};

use std::cell::RefCell;

thread_local! {
    static KEPT: RefCell<Option<&'static mut Tx<'static>>> = const { RefCell::new(None) };
}

#[unit_of_work]
fn keep(tx: &mut Tx<'_>) -> Result<(), Error> {
    KEPT.with_borrow_mut(|kept| *kept = Some(tx));
    //~^ RUSTC borrowed data escapes
    Ok(())
}

fn main() {
    let _ = keep();
}
