//! Without a `Result` nothing says whether to commit.

use unit_of_work::{Tx, unit_of_work};

#[unit_of_work]
fn count(tx: &mut Tx<'_>) -> i32 {
    //~^ ERROR a unit of work must return `Result<T, E>`, not `i32`
    let _ = tx;
    7
}

fn main() {
    let _: i32 = count();
}
