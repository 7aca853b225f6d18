//! What a block's own parameter stands for has to be `Clone` as well.

use unit_of_work::{Error, Tx, unit_of_work};

struct Accounts<K>(K);

#[unit_of_work]
impl<K> Accounts<K> {
    fn open(&self, tx: &mut Tx<'_>, key: K) -> Result<K, Error> {
        //~^ RUSTC E0277
        tx.exec_drop("DELETE FROM account", ())?;
        Ok(key)
    }
}

fn main() {
    let _ = Accounts(1).open(2);
}
