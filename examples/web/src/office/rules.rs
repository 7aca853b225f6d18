//! The rules that need more than one row, as pure functions on what a unit has read. Only `serializable` keeps them: two units that
//! each read a free place and each take it change no row that the other one changes.

use std::collections::HashSet;

use super::{Customer, Hall, Seat};

/// How many seats of an event a customer may have, held and sold ones together.
pub(crate) const MOST_SEATS: usize = 4;

/// An event at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Situation {
    pub(crate) hall: Hall,
    /// How many may come in.
    pub(crate) quota: u32,
    /// How many are on the guest list.
    pub(crate) guests: u32,
    /// What is held or sold, and by whom.
    pub(crate) taken: Vec<(Seat, Customer)>,
}

/// Why something may not be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    #[error("there is no seat {0} in this hall")]
    NoSuchSeat(Seat),
    #[error("seat {0} is asked for twice")]
    Twice(Seat),
    #[error("no seat is asked for")]
    Nothing,
    #[error("seat {0} is taken")]
    Taken(Seat),
    #[error("a customer has at most {MOST_SEATS} seats of an event; this one has {has} and asks for {wants} more")]
    TooMany { has: usize, wants: usize },
    #[error("{left} more may come in, guests included; {wants} are asked for")]
    Full { left: u32, wants: usize },
    #[error("seat {0} would be left alone between taken ones or at the aisle")]
    Stranded(Seat),
}

/// Whether `customer` may take the seats that are `wanted`.
pub(crate) fn may_take(situation: &Situation, customer: &Customer, wanted: &[Seat]) -> Result<(), Broken> {
    well_formed(situation.hall, wanted)?;
    let mut taken: HashSet<Seat> = situation.taken.iter().map(|(seat, _)| *seat).collect();
    match wanted.iter().find(|seat| taken.contains(seat)) {
        Some(seat) => return Err(Broken::Taken(*seat)),
        None => taken.extend(wanted),
    }
    let has = situation.taken.iter().filter(|(_, owner)| owner == customer).count();
    if has + wanted.len() > MOST_SEATS {
        return Err(Broken::TooMany { has, wants: wanted.len() });
    }
    room_for(situation, wanted.len())?;
    match stranded(situation.hall, &taken, wanted) {
        Some(seat) => Err(Broken::Stranded(seat)),
        None => Ok(()),
    }
}

/// Whether one more may be on the guest list.
pub(crate) fn may_invite(situation: &Situation) -> Result<(), Broken> {
    room_for(situation, 1)
}

fn well_formed(hall: Hall, wanted: &[Seat]) -> Result<(), Broken> {
    if wanted.is_empty() {
        return Err(Broken::Nothing);
    }
    let mut seen = HashSet::new();
    for seat in wanted {
        if !hall.has(*seat) {
            return Err(Broken::NoSuchSeat(*seat));
        }
        if !seen.insert(seat) {
            return Err(Broken::Twice(*seat));
        }
    }
    Ok(())
}

fn room_for(situation: &Situation, wants: usize) -> Result<(), Broken> {
    let left = left(situation);
    if usize::try_from(left).is_ok_and(|left| left < wants) { Err(Broken::Full { left, wants }) } else { Ok(()) }
}

/// How many more may come in.
pub(crate) fn left(situation: &Situation) -> u32 {
    let taken = u32::try_from(situation.taken.len()).unwrap_or(u32::MAX);
    situation.quota.saturating_sub(taken.saturating_add(situation.guests))
}

/// A free seat beside one of `wanted` that has no free seat beside itself. Who takes the seats makes it so: a seat that was alone
/// before had no free seat beside it to be wanted. One that is alone because others were given back is nobody's fault.
fn stranded(hall: Hall, taken: &HashSet<Seat>, wanted: &[Seat]) -> Option<Seat> {
    let beside = wanted.iter().flat_map(|seat| hall.beside(*seat)).filter(|seat| !taken.contains(seat));
    beside.into_iter().find(|seat| hall.beside(*seat).all(|beside| taken.contains(&beside)))
}

#[cfg(test)]
mod tests;
