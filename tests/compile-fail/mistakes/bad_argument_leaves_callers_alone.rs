//! One mistake, one error: neither the callers nor the checks that the argument would have switched off follow up.

use unit_of_work::{Error, Tx, unit_of_work};

struct Order(u64);

#[unit_of_work(retyr = "never")]
//~^ ERROR unknown argument `retyr`; did you mean `retry`?
fn place(tx: &mut Tx<'_>, order: Order, total: &mut u64) -> Result<u64, Error> {
    tx.exec_drop("INSERT INTO purchase VALUES (1)", ())?;
    *total += order.0;
    Ok(*total)
}

fn main() {
    let _: Result<u64, Error> = place(Order(1), &mut 0);
}
