//! What a block promises, a function of it takes back in so many words.

use unit_of_work::{Error, Tx, unit_of_work};

struct Accounts;

#[unit_of_work(snapshot)]
impl Accounts {
    #[unit_of_work(propagation = "supports")]
    fn open(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        //~^ ERROR the block says `snapshot`, so write `snapshot = false` here
        tx.exec_drop("DELETE FROM account", ())
    }
}

fn main() {
    let _ = Accounts.open();
}
