//! Only a function can run.

use unit_of_work::unit_of_work;

#[unit_of_work]
//~^ ERROR `#[unit_of_work]` belongs on a function, a method or an `impl` block
struct Account {
    id: u64,
}

fn main() {
    let _ = Account { id: 1 }.id;
}
