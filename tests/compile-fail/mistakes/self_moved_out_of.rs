//! A second attempt would find `self` gone.

use unit_of_work::{Error, Tx, unit_of_work};

struct Order {
    name: String,
}

impl Order {
    #[unit_of_work]
    fn place(self, tx: &mut Tx<'_>) -> Result<String, Error> {
        tx.exec_drop("DELETE FROM account", ())?;
        Ok(self.name)
        //~^ RUSTC E0507
    }
}

fn main() {
    let _ = Order { name: String::new() }.place();
}
