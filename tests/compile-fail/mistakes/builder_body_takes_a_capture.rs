//! A second attempt would find it gone.

use unit_of_work::{Database, Error};

struct Order(u64);

fn place(db: &Database, order: Order, orders: fn(Order)) -> Result<(), Error> {
    db.unit("place").run::<_, Error>(|tx| {
        tx.exec_drop("INSERT INTO purchase VALUES (?)", (order.0,))?;
        orders(order);
        //~^ RUSTC E0507
        Ok(())
    })
}

fn main() {
    let _: fn(&Database, Order, fn(Order)) -> Result<(), Error> = place;
}
