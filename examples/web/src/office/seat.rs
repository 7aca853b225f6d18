//! A seat as people write it, `A-1`, and the hall that it is in.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// The first row is A, the first number 1. Whether a hall has it, the hall knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Seat {
    row: u8,
    number: u8,
}

impl Seat {
    /// `row` counts from 0, `number` from 1.
    pub(crate) const fn new(row: u8, number: u8) -> Self {
        Self { row, number }
    }

    pub(crate) const fn row(self) -> u8 {
        self.row
    }

    pub(crate) const fn number(self) -> u8 {
        self.number
    }
}

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", char::from(b'A'.saturating_add(self.row)), self.number)
    }
}

impl FromStr for Seat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seat = text.split_once('-').and_then(|(row, number)| {
            let [row @ b'A'..=b'Z'] = row.as_bytes() else { return None };
            let number = number.parse().ok().filter(|_| number.bytes().all(|byte| byte.is_ascii_digit()))?;
            (number > 0 && Self::new(row - b'A', number).to_string() == text).then(|| Self::new(row - b'A', number))
        });
        seat.ok_or_else(|| "a seat is a row and a number, such as A-1".to_owned())
    }
}

impl Serialize for Seat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Rows of equal length, with an aisle at both ends of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hall {
    pub(crate) rows: u8,
    pub(crate) seats_per_row: u8,
}

impl Hall {
    pub(crate) fn has(self, seat: Seat) -> bool {
        seat.row < self.rows && (1..=self.seats_per_row).contains(&seat.number)
    }

    /// All seats, row by row.
    pub(crate) fn seats(self) -> impl Iterator<Item = Seat> {
        (0..self.rows).flat_map(move |row| (1..=self.seats_per_row).map(move |number| Seat::new(row, number)))
    }

    /// The seats beside `seat`; beside the aisle it has one.
    pub(crate) fn beside(self, seat: Seat) -> impl Iterator<Item = Seat> {
        [seat.number.checked_sub(1), seat.number.checked_add(1)]
            .into_iter()
            .flatten()
            .map(move |number| Seat::new(seat.row, number))
            .filter(move |beside| self.has(*beside))
    }
}
