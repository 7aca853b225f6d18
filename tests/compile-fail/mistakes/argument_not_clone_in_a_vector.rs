//! What holds something that is not `Clone` is not either.

use unit_of_work::{Error, Tx, unit_of_work};

struct Order(u64);

#[unit_of_work]
fn place(tx: &mut Tx<'_>, orders: Vec<Order>) -> Result<usize, Error> {
    //~^ ERROR `Vec<Order>` is not `Clone`: a second attempt of the unit could not be given this argument
    let _ = tx;
    Ok(orders.len())
}

fn main() {
    let _ = place(vec![Order(1)]);
}
