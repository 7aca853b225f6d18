//! What is left alone has no arguments.

use unit_of_work::{Error, Tx, unit_of_work};

struct Accounts;

#[unit_of_work]
impl Accounts {
    #[unit_of_work(skip, read_only)]
    //~^ ERROR `skip` leaves one function of an `impl` block alone when the block carries the attribute
    fn open(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("SELECT 1", ())
    }
}

fn main() {
    let _ = Accounts.open();
}
