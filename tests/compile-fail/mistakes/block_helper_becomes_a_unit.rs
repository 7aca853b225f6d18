//! A helper that takes the transaction is called without it, unless it says `skip`.

use unit_of_work::{Error, Tx, unit_of_work};

struct Accounts;

#[unit_of_work]
impl Accounts {
    fn open(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        self.log(tx, "open")
        //~^ RUSTC E0061
    }

    fn log(&self, tx: &mut Tx<'_>, what: &str) -> Result<(), Error> {
        tx.exec_drop("INSERT INTO log VALUES (?)", (what,))
    }
}

fn main() {
    let _ = Accounts.open();
}
