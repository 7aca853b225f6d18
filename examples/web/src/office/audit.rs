//! Broken rules, counted from the rows: every hold that was ever made is looked at in the moment in which it was made. It is written
//! otherwise than `rules`, which it checks, and asks nobody what was meant.

use std::collections::BTreeMap;

use serde::Serialize;
use unit_of_work::{Tx, unit_of_work};

use super::moment::Moment;
use super::rules::MOST_SEATS;
use super::{Customer, Hall, OfficeError, Seat};

/// How often each rule was broken in an event; all 0 unless an isolation level below `serializable` was at work.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Audit {
    /// Seats that were taken when they were taken already.
    pub(crate) sold_twice: u32,
    /// Holds that gave a customer more than four seats.
    pub(crate) too_many: u32,
    /// Free seats that a hold left alone.
    pub(crate) stranded: u32,
    /// People above the quota, now.
    pub(crate) above_quota: u32,
    /// Purchases whose seats are not theirs, or that have seats they should have given back.
    pub(crate) mismatched: u32,
    /// All of these together.
    pub(crate) broken: u32,
}

/// Audits an event; a snapshot. `NoEvent`.
#[unit_of_work(read_only, isolation = "repeatable read", timeout = "5s")]
pub(crate) fn audit(tx: &mut Tx<'_>, event: u64) -> Result<Audit, OfficeError> {
    let sql = "SELECT seat_rows, seats_per_row, quota, (SELECT COUNT(*) FROM guest WHERE event = event.id),
        CAST(UTC_TIMESTAMP(6) AS CHAR) FROM event WHERE id = ?";
    let (rows, seats_per_row, quota, guests, now) = tx.exec_first(sql, (event,))?.ok_or(OfficeError::NoEvent(event))?;
    let history = history(tx, event)?;
    let sql = "SELECT COUNT(*) FROM purchase JOIN seat_hold ON seat_hold.id = hold
        WHERE event = ? AND (state IN ('pending', 'paid')) <> (ends_at = ?)";
    let mismatched = tx.exec_first(sql, (event, Moment::NEVER))?.expect("a count is one row");
    let hall = Hall { rows, seats_per_row };
    Ok(Audit { mismatched, ..judge(hall, quota, guests, &Moment::known(now), &history) }.summed())
}

/// A hold, from when to when.
#[derive(Debug)]
struct Past {
    customer: Customer,
    from: Moment,
    until: Moment,
    seats: Vec<Seat>,
}

/// In the order in which the holds were made: whoever makes one has locked the place of the next, so numbers come in order.
fn history(tx: &mut Tx<'_>, event: u64) -> Result<Vec<Past>, OfficeError> {
    let sql = "SELECT id, customer, CAST(created_at AS CHAR), CAST(ends_at AS CHAR), seat_row, seat_number
        FROM seat_hold JOIN held_seat ON hold = id WHERE event = ?";
    let mut holds: BTreeMap<u64, Past> = BTreeMap::new();
    tx.exec_each(sql, (event,), |(id, customer, from, until, row, number)| {
        let hold = holds.entry(id).or_insert_with(|| Past {
            customer: Customer::known(customer),
            from: Moment::known(from),
            until: Moment::known(until),
            seats: Vec::new(),
        });
        hold.seats.push(Seat::new(row, number));
    })?;
    Ok(holds.into_values().collect())
}

fn judge(hall: Hall, quota: u32, guests: u32, now: &Moment, history: &[Past]) -> Audit {
    let mut audit = Audit::default();
    let mut lasting: Vec<&Past> = Vec::new();
    for (hold, earliest) in history.iter().zip(earliest(history)) {
        lasting.retain(|other| other.until > *earliest);
        let others: Vec<&Past> = lasting.iter().copied().filter(|other| other.until > hold.from).collect();
        let taken = |seat: Seat| others.iter().any(|other| other.seats.contains(&seat));
        audit.sold_twice += count(hold.seats.iter().filter(|seat| taken(**seat)));
        let owned: usize = others.iter().filter(|other| other.customer == hold.customer).map(|o| o.seats.len()).sum();
        audit.too_many += u32::from(owned + hold.seats.len() > MOST_SEATS);
        audit.stranded += (0..hall.rows).map(|row| alone(hall, row, hold, taken)).sum::<u32>();
        lasting.push(hold);
    }
    let inside: usize = history.iter().filter(|hold| hold.until > *now).map(|hold| hold.seats.len()).sum();
    audit.above_quota = guests.saturating_add(u32::try_from(inside).unwrap_or(u32::MAX)).saturating_sub(quota);
    audit
}

/// For each hold, when it or the earliest of those after it was made: what had ended by then need not be looked at any more, or a long
/// history would take for ever. (Who had to wait may have a later number and an earlier moment.)
fn earliest(history: &[Past]) -> Vec<&Moment> {
    let mut moments: Vec<&Moment> = history.iter().map(|hold| &hold.from).collect();
    for number in (1..moments.len()).rev() {
        moments[number - 1] = moments[number - 1].min(moments[number]);
    }
    moments
}

/// How many seats of a row a hold left alone: the row as letters, `x` taken, `h` by this hold, `.` free.
fn alone(hall: Hall, row: u8, hold: &Past, taken: impl Fn(Seat) -> bool) -> u32 {
    if hold.seats.iter().all(|seat| seat.row() != row) {
        return 0;
    }
    let letter = |number| match Seat::new(row, number) {
        seat if hold.seats.contains(&seat) => 'h',
        seat if taken(seat) => 'x',
        _ => '.',
    };
    let row: Vec<char> = ['x'].into_iter().chain((1..=hall.seats_per_row).map(letter)).chain(['x']).collect();
    count(row.windows(3).filter(|three| matches!(three, ['h', '.', 'h' | 'x'] | ['x', '.', 'h'])))
}

fn count<T>(things: impl Iterator<Item = T>) -> u32 {
    u32::try_from(things.count()).unwrap_or(u32::MAX)
}

impl Audit {
    fn summed(self) -> Self {
        let broken = self.sold_twice + self.too_many + self.stranded + self.above_quota + self.mismatched;
        Self { broken, ..self }
    }
}

#[cfg(test)]
mod tests;
