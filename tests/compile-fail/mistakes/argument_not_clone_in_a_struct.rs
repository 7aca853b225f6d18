//! What is `Clone` only if its contents are is refused for them.

use unit_of_work::{Error, Tx, unit_of_work};

struct Order(u64);

#[derive(Clone)]
struct Basket<T> {
    orders: Vec<T>,
}

#[unit_of_work]
fn place(tx: &mut Tx<'_>, basket: Basket<Order>) -> Result<u64, Error> {
    //~^ ERROR `Basket<Order>` is not `Clone`: a second attempt of the unit could not be given this argument
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(basket.orders.iter().map(|order| order.0).sum())
}

fn main() {
    let _ = place(Basket { orders: Vec::new() });
}
