//! The units of work: what requests do to the database. Each function is a transaction of the thread that calls it; which
//! database that is, and what its errors mean to a client, is decided elsewhere.

#[cfg(test)]
mod explored;

use serde::{Deserialize, Serialize};
use unit_of_work::{Error, Tx, unit_of_work};

/// Somebody's money, in cents.
#[derive(Debug, Serialize)]
pub(crate) struct Account {
    id: u64,
    owner: String,
    balance: u64,
}

impl Account {
    fn of((id, owner, balance): (u64, String, u64)) -> Self {
        Self { id, owner, balance }
    }
}

/// An order to move money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Transfer {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) amount: u64,
}

/// When a transfer was made; with its number.
#[derive(Debug)]
pub(crate) enum Made {
    Now(u64),
    /// By an earlier request with the same key.
    Before(u64),
}

/// Why a unit was rolled back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BankError {
    #[error("there is no account {0}")]
    NoAccount(u64),
    #[error("account {account} has {balance}, which is less than {amount}")]
    Insufficient { account: u64, balance: u64, amount: u64 },
    #[error("this Idempotency-Key belongs to another transfer, number {0}")]
    KeyInUse(u64),
    #[error(transparent)]
    Work(#[from] Error),
}

#[unit_of_work]
pub(crate) fn open(tx: &mut Tx<'_>, owner: &str, balance: u64) -> Result<Account, BankError> {
    tx.exec_drop("INSERT INTO account (owner, balance) VALUES (?, ?)", (owner, balance))?;
    let id = tx.last_insert_id().expect(NUMBERED);
    Ok(Account { id, owner: owner.to_owned(), balance })
}

#[unit_of_work(read_only)]
pub(crate) fn find(tx: &mut Tx<'_>, id: u64) -> Result<Account, BankError> {
    let found = tx.exec_first("SELECT id, owner, balance FROM account WHERE id = ?", (id,))?;
    found.map(Account::of).ok_or(BankError::NoAccount(id))
}

/// A snapshot: the sum is right at any moment, and nobody waits for a reader.
#[unit_of_work(read_only, isolation = "repeatable read")]
pub(crate) fn list(tx: &mut Tx<'_>) -> Result<Vec<Account>, BankError> {
    Ok(tx.query_map("SELECT id, owner, balance FROM account ORDER BY id", Account::of)?)
}

/// Moves money once, however often it is called with the same `key`.
#[unit_of_work(timeout = "5s")]
pub(crate) fn transfer(tx: &mut Tx<'_>, order: &Transfer, key: Option<&str>) -> Result<Made, BankError> {
    let Transfer { from, to, amount } = *order;
    let sql = "INSERT INTO transfer (idempotency_key, from_account, to_account, amount) VALUES (?, ?, ?, ?)";
    match tx.exec_drop(sql, (key, from, to, amount)) {
        Err(error) if error.code() == Some(DUPLICATE_KEY) => return made_before(tx, order, key),
        inserted => inserted?,
    }
    let id = tx.last_insert_id().expect(NUMBERED);
    // With the lock that the update will need: two who only read first would each wait for the other.
    let balance: u64 = tx
        .exec_first("SELECT balance FROM account WHERE id = ? FOR UPDATE", (from,))?
        .ok_or(BankError::NoAccount(from))?;
    if balance < amount {
        return Err(BankError::Insufficient { account: from, balance, amount });
    }
    tx.exec_drop("UPDATE account SET balance = balance - ? WHERE id = ?", (amount, from))?;
    tx.exec_drop("UPDATE account SET balance = balance + ? WHERE id = ?", (amount, to))?;
    if tx.affected_rows() == 0 {
        return Err(BankError::NoAccount(to));
    }
    Ok(Made::Now(id))
}

fn made_before(tx: &mut Tx<'_>, order: &Transfer, key: Option<&str>) -> Result<Made, BankError> {
    let sql = "SELECT id, from_account, to_account, amount FROM transfer WHERE idempotency_key = ?";
    let (id, from, to, amount) = tx.exec_first(sql, (key,))?.expect("the server said that this key is there");
    if *order == (Transfer { from, to, amount }) { Ok(Made::Before(id)) } else { Err(BankError::KeyInUse(id)) }
}

/// `ER_DUP_ENTRY`: only the statement failed, the transaction goes on.
const DUPLICATE_KEY: u16 = 1062;

const NUMBERED: &str = "the column is AUTO_INCREMENT and was not given";

#[cfg(test)]
mod tests;
