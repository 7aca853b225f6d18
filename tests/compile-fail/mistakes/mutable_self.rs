//! What the body changes in `self` is not rolled back with the transaction.

use unit_of_work::{Error, Tx, unit_of_work};

#[derive(Clone)]
struct Counter(u64);

impl Counter {
    #[unit_of_work]
    fn by_reference(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        //~^ ERROR a second attempt would see what the first one left: take `&self`, change a clone of it in the body and return that
        let _ = tx;
        self.0 += 1;
        Ok(())
    }

    #[unit_of_work]
    fn by_value(mut self, tx: &mut Tx<'_>) -> Result<u64, Error> {
        //~^ ERROR a second attempt would see what the first one left: take `&self`, change a clone of it in the body and return that
        let _ = tx;
        self.0 += 1;
        Ok(self.0)
    }
}

fn main() {
    let mut counter = Counter(0);
    let _ = (counter.by_reference(), counter.by_value());
}
