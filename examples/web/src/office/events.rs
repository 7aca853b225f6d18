//! Events: what is on, and which seats are free. Other units read here what a rule needs.

use serde::Serialize;
use unit_of_work::{Error, Tx, unit_of_work};

use super::moment::Moment;
use super::rules::{self, Situation};
use super::{Customer, Hall, OfficeError, Seat, guests, seats};

/// An event as the list has it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Event {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) rows: u8,
    pub(crate) seats_per_row: u8,
    /// How many may come in, guests included.
    pub(crate) quota: u32,
    /// Of a seat, in cents.
    pub(crate) price: u32,
    pub(crate) guests: u32,
    /// How many seats are held or sold.
    pub(crate) taken: u32,
    /// How many seats can still be had.
    pub(crate) left: u32,
}

/// An event with its seats, row by row.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Plan {
    #[serde(flatten)]
    pub(crate) event: Event,
    pub(crate) seats: Vec<Place>,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Place {
    pub(crate) seat: Seat,
    pub(crate) state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Free,
    Held,
    /// Also while the payment provider is being asked.
    Sold,
}

/// All events, by number.
///
/// A snapshot: the sums are right at any moment, and nobody waits for a reader.
#[unit_of_work(read_only, isolation = "repeatable read", timeout = "5s")]
pub(crate) fn list(tx: &mut Tx<'_>) -> Result<Vec<Event>, OfficeError> {
    let ids: Vec<u64> = tx.query("SELECT id FROM event ORDER BY id")?;
    ids.into_iter().map(|id| Ok(look(tx, id)?.event())).collect()
}

/// One event with the state of each seat; a snapshot. `NoEvent` if there is none of this number.
#[unit_of_work(read_only, isolation = "repeatable read", timeout = "5s")]
pub(crate) fn find(tx: &mut Tx<'_>, id: u64) -> Result<Plan, OfficeError> {
    Ok(look(tx, id)?.plan())
}

/// What a unit that takes something has read: the event, and all that the rules ask about it.
#[derive(Debug)]
pub(super) struct Look {
    id: u64,
    name: String,
    price: u32,
    /// When it was looked at.
    pub(super) at: Moment,
    /// When a hold that is made now ends.
    pub(super) held_until: Moment,
    pub(super) situation: Situation,
    sold: Vec<Seat>,
}

/// Reads an event. In a `serializable` unit all of this stays as it is until the unit has ended: the rows are locked, and so are the
/// gaps in the index in which new holds and guests would come to be.
pub(super) fn look(tx: &mut Tx<'_>, id: u64) -> Result<Look, OfficeError> {
    let sql = "SELECT name, seat_rows, seats_per_row, quota, price, CAST(UTC_TIMESTAMP(6) AS CHAR),
        CAST(UTC_TIMESTAMP(6) + INTERVAL ? SECOND AS CHAR) FROM event WHERE id = ?";
    let found = tx.exec_first(sql, (seats::HELD_FOR, id))?;
    let (name, rows, seats_per_row, quota, price, at, held_until) = found.ok_or(OfficeError::NoEvent(id))?;
    let (at, held_until) = (Moment::known(at), Moment::known(held_until));
    let mut taken = Vec::new();
    let mut sold = Vec::new();
    for (seat, customer, until) in taken_at(tx, id, &at)? {
        if until.is_never() {
            sold.push(seat);
        }
        taken.push((seat, customer));
    }
    let hall = Hall { rows, seats_per_row };
    let guests = guests::count(tx, id)?;
    Ok(Look { id, name, price, at, held_until, situation: Situation { hall, quota, guests, taken }, sold })
}

type Taken = (Seat, Customer, Moment);

/// Holds that are over count as free. The index is forced because in a small table the server would rather read, and so lock, the
/// holds of all events; and first the holds, because their range is what must not change.
fn taken_at(tx: &mut Tx<'_>, event: u64, at: &Moment) -> Result<Vec<Taken>, Error> {
    let sql = "SELECT seat_row, seat_number, customer, CAST(ends_at AS CHAR)
        FROM seat_hold FORCE INDEX (taken) STRAIGHT_JOIN held_seat ON hold = id
        WHERE event = ? AND ends_at > CAST(? AS DATETIME(6))";
    tx.exec_map(sql, (event, at), |(row, number, customer, until)| {
        (Seat::new(row, number), Customer::known(customer), Moment::known(until))
    })
}

impl Look {
    fn event(self) -> Event {
        let Situation { hall, quota, guests, ref taken } = self.situation;
        let seats = u32::from(hall.rows) * u32::from(hall.seats_per_row);
        let taken = u32::try_from(taken.len()).unwrap_or(u32::MAX);
        let left = rules::left(&self.situation).min(seats.saturating_sub(taken));
        let (rows, seats_per_row) = (hall.rows, hall.seats_per_row);
        Event { id: self.id, name: self.name, rows, seats_per_row, quota, price: self.price, guests, taken, left }
    }

    fn plan(self) -> Plan {
        let taken = |seat: Seat| self.situation.taken.iter().any(|(taken, _)| *taken == seat);
        let place = |seat: Seat| match (self.sold.contains(&seat), taken(seat)) {
            (true, _) => Place { seat, state: State::Sold },
            (false, true) => Place { seat, state: State::Held },
            (false, false) => Place { seat, state: State::Free },
        };
        let seats = self.situation.hall.seats().map(place).collect();
        Plan { seats, event: self.event() }
    }
}
