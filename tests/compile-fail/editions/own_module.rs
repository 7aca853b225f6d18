//! A module of the user's that has the library's name.

mod unit_of_work {
    pub(crate) use ::unit_of_work::*;

    pub(crate) type Outcome<T> = Result<T, Error>;

    pub(crate) mod accounts {
        use super::{Outcome, Tx, unit_of_work};

        #[unit_of_work]
        pub(crate) fn close(tx: &mut Tx<'_>, id: u64) -> Outcome<()> {
            tx.exec_drop("DELETE FROM account WHERE id = ?", (id,))
        }
    }
}

use self::unit_of_work::{Outcome, Tx};

#[unit_of_work::unit_of_work]
fn open(tx: &mut Tx<'_>, id: u64) -> Outcome<()> {
    tx.exec_drop("INSERT INTO account VALUES (?)", (id,))
}

fn main() {
    let _ = (open(1).is_err(), unit_of_work::accounts::close(1).is_err());
}
