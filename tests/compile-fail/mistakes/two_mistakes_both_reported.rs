//! Nobody shall have to build twice to learn of the second mistake.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(isolation = "chaos", retry(max_attempts = 0))]
//~^ ERROR unknown isolation level `chaos`; expected `read uncommitted`, `read committed`, `repeatable read` or `serializable`
//~^^ ERROR `max_attempts` is at least 1: the first run counts
const fn transfer(tx: &mut Tx<'_>, from: u64) -> Result<u64, Error> {
    //~^ ERROR a unit of work talks to a database and cannot be `const`: remove `const`
    let _ = tx;
    Ok(from)
}

fn main() {
    let _ = transfer(1);
}
