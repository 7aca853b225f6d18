//! A second attempt needs the arguments again.

use unit_of_work::{Error, Tx, unit_of_work};

struct Order {
    id: u64,
}

#[unit_of_work]
fn place(tx: &mut Tx<'_>, order: Order) -> Result<u64, Error> {
    //~^ ERROR `Order` is not `Clone`: a second attempt of the unit could not be given this argument
    let _ = tx;
    Ok(order.id)
}

fn main() {
    let _ = place(Order { id: 1 });
}
