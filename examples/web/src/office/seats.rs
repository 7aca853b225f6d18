//! Holding seats for two minutes, and giving them back.

use serde::Serialize;
use unit_of_work::{Error, Tx, unit_of_work};

use super::moment::Moment;
use super::{Customer, OfficeError, Seat, events, rules};

/// How long seats are held for a customer who has not bought them yet, in seconds.
pub(crate) const HELD_FOR: u32 = 120;

/// Seats that a customer has taken.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Hold {
    pub(crate) id: u64,
    pub(crate) event: u64,
    pub(crate) customer: Customer,
    pub(crate) seats: Vec<Seat>,
    #[serde(flatten)]
    pub(crate) state: HoldState,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub(crate) enum HoldState {
    /// Until then it can be bought; `seconds_left` is what the server's clock says now.
    Open { expires_at: Moment, seconds_left: u32 },
    /// It was too late, or it was given back, or the payment was refused, or the purchase cancelled.
    Over,
    /// Sold by this purchase, or being paid.
    Bought { purchase: u64 },
}

/// Holds `seats` of `event` for `customer`, all or none.
///
/// `NoEvent`; `Broken` with the rule that forbids it.
#[unit_of_work(timeout = "5s", contention(key = event))]
pub(crate) fn hold(tx: &mut Tx<'_>, event: u64, customer: &Customer, seats: &[Seat]) -> Result<Hold, OfficeError> {
    let seen = events::look(tx, event)?;
    rules::may_take(&seen.situation, customer, seats)?;
    let sql = "INSERT INTO seat_hold (event, customer, created_at, ends_at) VALUES (?, ?, ?, ?)";
    tx.exec_drop(sql, (event, customer.as_str(), &seen.at, &seen.held_until))?;
    let id = tx.last_insert_id().expect("the column is AUTO_INCREMENT and was not given");
    for seat in seats {
        let sql = "INSERT INTO held_seat (hold, seat_row, seat_number) VALUES (?, ?, ?)";
        tx.defer(sql, (id, seat.row(), seat.number()))?;
    }
    let state = HoldState::Open { expires_at: seen.held_until, seconds_left: HELD_FOR };
    Ok(Hold { id, event, customer: customer.clone(), seats: seats.to_vec(), state })
}

/// A hold as it is now; a snapshot. `NoHold`.
#[unit_of_work(read_only, isolation = "repeatable read", timeout = "5s")]
pub(crate) fn find(tx: &mut Tx<'_>, hold: u64) -> Result<Hold, OfficeError> {
    read(tx, hold)
}

/// Gives the seats of a hold back, now. One that is over stays so.
///
/// `NoHold`; `Bought` if it was bought: then it is the purchase that can be cancelled.
#[unit_of_work(timeout = "5s")]
pub(crate) fn release(tx: &mut Tx<'_>, hold: u64) -> Result<(), OfficeError> {
    lock(tx, hold)?;
    match read(tx, hold)?.state {
        HoldState::Bought { purchase } => Err(OfficeError::Bought { hold, purchase }),
        HoldState::Open { .. } => Ok(end(tx, hold)?),
        HoldState::Over => Ok(()),
    }
}

/// With the lock that a change will need: of two who only read first, each would wait for the other, and one would have to run
/// again.
pub(super) fn lock(tx: &mut Tx<'_>, hold: u64) -> Result<(), OfficeError> {
    let found: Option<u64> = tx.exec_first("SELECT id FROM seat_hold WHERE id = ? FOR UPDATE", (hold,))?;
    found.map(|_| ()).ok_or(OfficeError::NoHold(hold))
}

/// Of a hold that is locked; if it has ended meanwhile, it ended then: its seats may be somebody else's since.
pub(super) fn end(tx: &mut Tx<'_>, hold: u64) -> Result<(), Error> {
    tx.exec_drop("UPDATE seat_hold SET ends_at = LEAST(ends_at, UTC_TIMESTAMP(6)) WHERE id = ?", (hold,))
}

pub(super) fn read(tx: &mut Tx<'_>, id: u64) -> Result<Hold, OfficeError> {
    let sql = "SELECT event, customer, CAST(ends_at AS CHAR), GREATEST(TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), ends_at), 0)
        FROM seat_hold WHERE id = ?";
    let (event, customer, ends_at, left): (_, _, _, u64) = tx.exec_first(sql, (id,))?.ok_or(OfficeError::NoHold(id))?;
    let seats = tx.exec_map(
        "SELECT seat_row, seat_number FROM held_seat WHERE hold = ? ORDER BY seat_row, seat_number",
        (id,),
        |(row, number)| Seat::new(row, number),
    )?;
    let state = state(tx, id, Moment::known(ends_at), left)?;
    Ok(Hold { id, event, customer: Customer::known(customer), seats, state })
}

fn state(tx: &mut Tx<'_>, hold: u64, ends_at: Moment, microseconds_left: u64) -> Result<HoldState, Error> {
    if ends_at.is_never() {
        let purchase: Option<u64> = tx.exec_first("SELECT id FROM purchase WHERE hold = ?", (hold,))?;
        return Ok(HoldState::Bought { purchase: purchase.expect("a purchase made it last for ever") });
    }
    if microseconds_left == 0 {
        return Ok(HoldState::Over);
    }
    let seconds_left = u32::try_from(microseconds_left.div_ceil(1_000_000)).unwrap_or(u32::MAX);
    Ok(HoldState::Open { expires_at: ends_at, seconds_left })
}
