//! The payment provider, as a stub: somebody else's service, which is asked over a network, so it can be slow, fail before it has done
//! anything, or do it and lose its answer. Who asks again with the same key is charged once. Its book is a table beside ours, written in
//! transactions of its own, so that it survives our end as a real provider would.

use std::thread;
use std::time::Duration;

use unit_of_work::{Database, Error, Tx, unit_of_work};

use crate::office::Customer;

/// What it does wrong, for tests and for those who want to see it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moods {
    /// How long each answer takes. What is asked has been done by then.
    pub(crate) delay: Duration,
    /// How often each payment fails before it succeeds: at first nothing is done, then it is done and the answer lost, by turns.
    pub(crate) failures: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Provider {
    db: Database,
    moods: Moods,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Accepted,
    Refused,
}

/// It did not answer, and nobody knows what it has done: to be asked again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("the payment provider gave no answer to call {0}")]
    Lost(u32),
    #[error("the payment provider's book: {0}")]
    Book(#[from] Error),
}

/// Customers whose address begins so have no money: as test cards of real providers, this makes a refusal at will.
const BROKE: &str = "broke";

/// And for these it takes its time.
const SLOW: (&str, Duration) = ("slow", Duration::from_secs(60));

impl Provider {
    pub(crate) fn new(db: Database, moods: Moods) -> Self {
        Self { db, moods }
    }

    /// Takes `cents` from `customer`, once for each key.
    pub(crate) fn charge(&self, key: &str, customer: &Customer, cents: u32) -> Result<Answer, NoAnswer> {
        let takes = if customer.as_str().starts_with(SLOW.0) { SLOW.1 } else { self.moods.delay };
        if customer.as_str().starts_with(BROKE) {
            return self.book(key, "charge", 0, takes).map(|()| Answer::Refused);
        }
        self.book(key, "charge", cents, takes).map(|()| Answer::Accepted)
    }

    /// Gives back what was taken with this key, once.
    pub(crate) fn refund(&self, key: &str, cents: u32) -> Result<Answer, NoAnswer> {
        self.book(key, "refund", cents, self.moods.delay).map(|()| Answer::Accepted)
    }

    fn book(&self, key: &str, entry: &'static str, cents: u32, takes: Duration) -> Result<(), NoAnswer> {
        let _entered = self.db.enter();
        let call = count_call(key, entry)?;
        let fails = call <= self.moods.failures;
        if fails && call % 2 == 1 {
            return Err(NoAnswer::Lost(call));
        }
        write(key, entry, cents)?;
        thread::sleep(takes);
        if fails { Err(NoAnswer::Lost(call)) } else { Ok(()) }
    }
}

#[unit_of_work(timeout = "5s")]
fn count_call(tx: &mut Tx<'_>, key: &str, entry: &str) -> Result<u32, Error> {
    let sql = "INSERT INTO provider_book (idempotency_key, entry, calls) VALUES (?, ?, 1)
        ON DUPLICATE KEY UPDATE calls = calls + 1";
    tx.exec_drop(sql, (key, entry))?;
    let sql = "SELECT calls FROM provider_book WHERE idempotency_key = ? AND entry = ?";
    Ok(tx.exec_first(sql, (key, entry))?.expect("it was just written"))
}

/// However often: what it comes to is the same.
#[unit_of_work(timeout = "5s")]
fn write(tx: &mut Tx<'_>, key: &str, entry: &str, cents: u32) -> Result<(), Error> {
    let sql = "UPDATE provider_book SET cents = ? WHERE idempotency_key = ? AND entry = ?";
    tx.exec_drop(sql, (cents, key, entry))
}
