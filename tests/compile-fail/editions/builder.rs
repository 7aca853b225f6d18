//! Units without the attribute: closures that borrow what they need, and change what they own a cell of.

use std::cell::Cell;

use unit_of_work::{Database, Error, Isolation, Propagation, Tx};

#[derive(Debug)]
enum BankError {
    Insufficient { missing: i64 },
    Work(Error),
}

impl From<Error> for BankError {
    fn from(error: Error) -> Self {
        BankError::Work(error)
    }
}

fn transfer(db: &Database, from: u64, amount: i64, note: &str) -> Result<i64, BankError> {
    let attempts = Cell::new(0);
    let debit = |tx: &mut Tx<'_>| tx.exec_drop("UPDATE account SET balance = balance - ? WHERE id = ?", (amount, from));
    db.unit("transfer").isolation(Isolation::Serializable).propagation(Propagation::RequiresNew).run::<_, BankError>(
        |tx| {
            attempts.set(attempts.get() + 1);
            let balance: i64 = tx.exec_first("SELECT balance FROM account WHERE id = ?", (from,))?.unwrap_or(0);
            if balance < amount {
                return Err(BankError::Insufficient { missing: amount - balance });
            }
            debit(tx)?;
            let note = note.to_owned();
            tx.after_commit(move || println!("{note}"));
            Ok(balance - amount)
        },
    )
}

fn main() {
    let unit: fn(&Database, u64, i64, &str) -> Result<i64, BankError> = transfer;
    let _ = (unit, |error: BankError| match error {
        BankError::Insufficient { missing } => Some(missing),
        BankError::Work(error) => error.code().map(i64::from),
    });
}
