//! Without a return type nothing says whether to commit.

use unit_of_work::{Tx, unit_of_work};

#[unit_of_work]
fn tidy(tx: &mut Tx<'_>) {
    //~^ ERROR a unit of work must return `Result<T, E>`
    let _ = tx;
}

fn main() {
    tidy();
}
