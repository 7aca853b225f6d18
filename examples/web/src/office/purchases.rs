//! Buying what is held, once, and cancelling it. Money moves elsewhere: a purchase leaves an errand in the outbox, in the same
//! transaction, and is `pending` until the payment provider has answered.

use serde::Serialize;
use unit_of_work::{Error, Tx, unit_of_work};

use super::error::DUPLICATE_KEY;
use super::moment::Moment;
use super::{Customer, Key, OfficeError, Seat, seats};
use crate::outbox::{self, Errand};

/// Seats that somebody has bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Purchase {
    pub(crate) id: u64,
    pub(crate) hold: u64,
    pub(crate) event: u64,
    pub(crate) customer: Customer,
    pub(crate) seats: Vec<Seat>,
    /// In cents.
    pub(crate) amount: u32,
    pub(crate) state: PurchaseState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PurchaseState {
    /// The seats are sold, the payment provider has not answered yet.
    Pending,
    Paid,
    /// By the payment provider; the seats are free again.
    Refused,
    /// By the customer; the seats are free again, the money goes back.
    Cancelled,
}

/// When a purchase was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bought {
    Now(Purchase),
    /// By an earlier request with the same key.
    Before(Purchase),
}

/// Buys what is held, once, however often it is called with the same `key` and hold.
///
/// `NoHold`; `Over`; `Bought` by another key; `KeyInUse` by another hold.
#[unit_of_work(exactly_once, timeout = "5s")]
pub(crate) fn buy(tx: &mut Tx<'_>, hold: u64, key: &Key) -> Result<Bought, OfficeError> {
    seats::lock(tx, hold)?;
    let (amount, ends_at) = terms(tx, hold)?;
    let sql = "INSERT INTO purchase (hold, idempotency_key, amount) VALUES (?, ?, ?)";
    match tx.exec_drop(sql, (hold, key.as_str(), amount)) {
        Err(error) if error.code() == Some(DUPLICATE_KEY) => return bought_before(tx, hold, key, &ends_at),
        inserted => inserted?,
    }
    let id = tx.last_insert_id().expect("the column is AUTO_INCREMENT and was not given");
    tx.exec_drop("UPDATE seat_hold SET ends_at = ? WHERE id = ?", (Moment::NEVER, hold))?;
    // The clock is no row: nothing keeps it as it was read. So it decides only now: who has looked at the event before this UPDATE has
    // looked earlier than now, and who looks later waits for this unit. Neither sees a hold as over that is bought in time.
    if ends_at <= Moment::now(tx)? {
        return Err(OfficeError::Over(hold));
    }
    outbox::leave(tx, id, Errand::Charge)?;
    Ok(Bought::Now(read(tx, id)?))
}

/// What a hold costs, in cents, and when it ends.
fn terms(tx: &mut Tx<'_>, hold: u64) -> Result<(u32, Moment), Error> {
    let sql = "SELECT (SELECT COUNT(*) FROM held_seat WHERE hold = seat_hold.id) * price, CAST(ends_at AS CHAR)
        FROM seat_hold JOIN event ON event.id = event WHERE seat_hold.id = ?";
    let (amount, ends_at) = tx.exec_first(sql, (hold,))?.expect("it is locked, and a hold has an event");
    Ok((amount, Moment::known(ends_at)))
}

/// Which of the two keys was there already?
fn bought_before(tx: &mut Tx<'_>, hold: u64, key: &Key, ends_at: &Moment) -> Result<Bought, OfficeError> {
    let by_key: Option<(u64, u64)> =
        tx.exec_first("SELECT id, hold FROM purchase WHERE idempotency_key = ?", (key.as_str(),))?;
    match by_key {
        Some((id, of)) if of == hold => Ok(Bought::Before(read(tx, id)?)),
        Some((id, _)) => Err(OfficeError::KeyInUse(id)),
        // By a purchase that was refused or cancelled.
        None if !ends_at.is_never() => Err(OfficeError::Over(hold)),
        None => {
            let purchase = tx.exec_first("SELECT id FROM purchase WHERE hold = ?", (hold,))?;
            Err(OfficeError::Bought {
                hold,
                purchase: purchase.expect("the server said that one of the keys is there"),
            })
        }
    }
}

/// A purchase as it is now; a snapshot. `NoPurchase`.
#[unit_of_work(read_only, isolation = "repeatable read", timeout = "5s")]
pub(crate) fn find(tx: &mut Tx<'_>, purchase: u64) -> Result<Purchase, OfficeError> {
    read(tx, purchase)
}

/// Cancels a purchase that is paid: its seats are free at once, the money goes back later. One that is cancelled stays so.
///
/// `NoPurchase`; `BeingPaid` while it is pending; `Refused`.
#[unit_of_work(timeout = "5s")]
pub(crate) fn cancel(tx: &mut Tx<'_>, purchase: u64) -> Result<Purchase, OfficeError> {
    lock(tx, purchase)?;
    let found = read(tx, purchase)?;
    match found.state {
        PurchaseState::Pending => Err(OfficeError::BeingPaid(purchase)),
        PurchaseState::Refused => Err(OfficeError::Refused(purchase)),
        PurchaseState::Cancelled => Ok(found),
        PurchaseState::Paid => {
            give_back(tx, &found, PurchaseState::Cancelled)?;
            outbox::leave(tx, purchase, Errand::Refund)?;
            Ok(Purchase { state: PurchaseState::Cancelled, ..found })
        }
    }
}

/// What the payment provider said about a purchase that is pending; one that is not stays as it is. For the outbox's unit.
pub(crate) fn settle(tx: &mut Tx<'_>, purchase: u64, is_paid: bool) -> Result<(), OfficeError> {
    lock(tx, purchase)?;
    let found = read(tx, purchase)?;
    match found.state {
        PurchaseState::Pending if is_paid => set_state(tx, purchase, PurchaseState::Paid)?,
        PurchaseState::Pending => give_back(tx, &found, PurchaseState::Refused)?,
        PurchaseState::Paid | PurchaseState::Refused | PurchaseState::Cancelled => {}
    }
    Ok(())
}

fn give_back(tx: &mut Tx<'_>, purchase: &Purchase, state: PurchaseState) -> Result<(), OfficeError> {
    seats::lock(tx, purchase.hold)?;
    seats::end(tx, purchase.hold)?;
    Ok(set_state(tx, purchase.id, state)?)
}

fn set_state(tx: &mut Tx<'_>, purchase: u64, state: PurchaseState) -> Result<(), Error> {
    tx.exec_drop("UPDATE purchase SET state = ? WHERE id = ?", (state.word(), purchase))
}

/// With the lock that a change will need, as `seats::lock`.
fn lock(tx: &mut Tx<'_>, purchase: u64) -> Result<(), OfficeError> {
    let found: Option<u64> = tx.exec_first("SELECT id FROM purchase WHERE id = ? FOR UPDATE", (purchase,))?;
    found.map(|_| ()).ok_or(OfficeError::NoPurchase(purchase))
}

fn read(tx: &mut Tx<'_>, id: u64) -> Result<Purchase, OfficeError> {
    let sql = "SELECT hold, amount, state FROM purchase WHERE id = ?";
    let (hold, amount, state): (_, _, String) = tx.exec_first(sql, (id,))?.ok_or(OfficeError::NoPurchase(id))?;
    let seats::Hold { event, customer, seats, .. } = seats::read(tx, hold)?;
    Ok(Purchase { id, hold, event, customer, seats, amount, state: PurchaseState::known(&state) })
}

impl PurchaseState {
    const ALL: [Self; 4] = [Self::Pending, Self::Paid, Self::Refused, Self::Cancelled];

    /// In the column, and as clients read it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
        }
    }

    fn known(word: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.word() == word).expect("the column knows no other state")
    }
}

#[cfg(test)]
mod explored;
