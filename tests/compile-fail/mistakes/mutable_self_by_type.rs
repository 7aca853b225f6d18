//! However it is spelt, `self` must not change.

use unit_of_work::{Error, Tx, unit_of_work};

struct Counter(u64);

impl Counter {
    #[unit_of_work]
    fn count(self: &mut Self, tx: &mut Tx<'_>) -> Result<(), Error> {
        //~^ ERROR a second attempt would see what the first one left: take `&self`, change a clone of it in the body and return that
        self.0 += 1;
        tx.exec_drop("DELETE FROM account", ())
    }
}

fn main() {
    let _ = Counter(0).count();
}
