//! The units of work. A chunk is one transaction, run again as a whole when the server could not serialize it; each payment in
//! it is a unit nested in that, so that a bad one is undone alone.

#[cfg(test)]
mod explored;

use indicatif::ProgressBar;
use serde::Deserialize;
use unit_of_work::{Error, ErrorKind, Tx, unit_of_work};

use crate::audit;
use crate::source::{Chunk, Row};

/// A row of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Payment {
    id: u64,
    from: u64,
    to: u64,
    amount: u64,
}

/// What became of a chunk, or of several.
#[derive(Debug, Default)]
pub(crate) struct Posted {
    /// Posted by it.
    pub(crate) now: u64,
    /// By an earlier run, or earlier in this one.
    pub(crate) before: u64,
    pub(crate) rejects: Vec<Reject>,
    /// Attempts beyond the first.
    pub(crate) retries: u64,
}

/// A row that was not posted.
#[derive(Debug)]
pub(crate) struct Reject {
    pub(crate) line: u64,
    pub(crate) row: String,
    pub(crate) reason: String,
}

impl Reject {
    fn of(row: &Row, refusal: &Refusal) -> Self {
        Self { line: row.line, row: row.text.clone(), reason: refusal.to_string() }
    }
}

#[derive(Debug)]
enum Posting {
    /// This much.
    Now(u64),
    Before,
}

/// Why a payment cannot be posted.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{0}")]
    Unreadable(String),
    #[error("the amount is 0")]
    NoAmount,
    #[error("from and to are the same account")]
    SameAccount,
    #[error("there is no account {0}")]
    NoAccount(u64),
    #[error("account {0} does not have that much")]
    Insufficient(u64),
    #[error("payment {0} was posted already, with other accounts or another amount")]
    OtherPayment(u64),
    #[error(transparent)]
    Work(#[from] Error),
}

/// Posts the payments of a chunk and says what became of each. An `Err` says that none of them was posted.
#[unit_of_work(retry(within = "1m"))]
pub(crate) fn post(tx: &mut Tx<'_>, chunk: &Chunk, progress: &ProgressBar) -> Result<Posted, Error> {
    let mut posted = Posted { retries: u64::from(tx.attempt() - 1), ..Posted::default() };
    for row in &chunk.rows {
        match pay(&row.payment) {
            Ok(Posting::Now(amount)) => {
                posted.now += 1;
                audit::note(tx, amount);
            }
            Ok(Posting::Before) => posted.before += 1,
            // The server refused a statement, and the payment was undone alone. After any other error the chunk is lost.
            Err(Refusal::Work(error)) if error.kind() != ErrorKind::Statement => return Err(error),
            Err(refusal) => posted.rejects.push(Reject::of(row, &refusal)),
        }
    }
    let (progress, bytes) = (progress.clone(), chunk.bytes);
    tx.after_commit(move || progress.inc(bytes));
    Ok(posted)
}

#[unit_of_work(propagation = "nested")]
fn pay(tx: &mut Tx<'_>, payment: &Result<Payment, String>) -> Result<Posting, Refusal> {
    let payment = payment.as_ref().map_err(|reason| Refusal::Unreadable(reason.clone()))?;
    let Payment { id, from, to, amount } = *payment;
    if amount == 0 {
        return Err(Refusal::NoAmount);
    }
    if from == to {
        return Err(Refusal::SameAccount);
    }
    match tx.exec_drop("INSERT INTO payment VALUES (?, ?, ?, ?)", (id, from, to, amount)) {
        Err(error) if error.code() == Some(DUPLICATE_KEY) => return posted_before(tx, payment),
        inserted => inserted?,
    }
    tx.exec_drop("UPDATE account SET balance = balance - ? WHERE id = ? AND balance >= ?", (amount, from, amount))?;
    if tx.affected_rows() == 0 {
        let there: Option<u64> = tx.exec_first("SELECT id FROM account WHERE id = ?", (from,))?;
        return Err(there.map_or(Refusal::NoAccount(from), Refusal::Insufficient));
    }
    tx.exec_drop("UPDATE account SET balance = balance + ? WHERE id = ?", (amount, to))?;
    if tx.affected_rows() == 0 {
        return Err(Refusal::NoAccount(to));
    }
    Ok(Posting::Now(amount))
}

fn posted_before(tx: &mut Tx<'_>, payment: &Payment) -> Result<Posting, Refusal> {
    let sql = "SELECT id, from_account, to_account, amount FROM payment WHERE id = ?";
    let (id, from, to, amount) = tx.exec_first(sql, (payment.id,))?.expect("the server said that it is there");
    let same = *payment == Payment { id, from, to, amount };
    if same { Ok(Posting::Before) } else { Err(Refusal::OtherPayment(id)) }
}

/// Opens accounts 1 to `accounts` if there are none.
#[unit_of_work]
pub(crate) fn open_accounts(tx: &mut Tx<'_>, accounts: u64, balance: u64) -> Result<(), Error> {
    if tx.query_first::<u64, _>("SELECT id FROM account LIMIT 1")?.is_some() {
        return Ok(());
    }
    tx.exec_batch("INSERT INTO account VALUES (?, ?)", (1..=accounts).map(|id| (id, balance)))
}

/// The money in all accounts, at one moment. At `serializable` it would lock every account it reads.
#[unit_of_work(read_only, isolation = "repeatable read")]
pub(crate) fn total(tx: &mut Tx<'_>) -> Result<u64, Error> {
    Ok(tx.query_first("SELECT COALESCE(SUM(balance), 0) FROM account")?.expect("a sum is always one row"))
}

/// `ER_DUP_ENTRY`: only the statement failed, the transaction goes on.
const DUPLICATE_KEY: u16 = 1062;

#[cfg(test)]
mod tests;
