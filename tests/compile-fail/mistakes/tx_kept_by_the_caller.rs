//! What outlives the unit cannot hold its transaction.

use unit_of_work::{Error, Tx, unit_of_work};

use std::cell::RefCell;

type Slot<'a> = RefCell<Option<&'a mut Tx<'a>>>;

#[unit_of_work]
fn keep<'a>(tx: &mut Tx<'_>, slot: &Slot<'a>) -> Result<(), Error> {
    //~^ ALLOWED E0521
    *slot.borrow_mut() = Some(tx);
    //~^ RUSTC lifetime may not live long enough
    //~^^ ALLOWED E0521
    Ok(())
}

fn main() {
    let slot = Slot::default();
    let _ = keep(&slot);
}
