//! How values look to people.

use std::fmt;

/// In cents.
#[derive(Debug, Clone, Copy)]
pub(super) struct Money(pub(super) u64);

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "€ {}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl Money {
    pub(super) fn of(cents: u32, times: usize) -> Self {
        Self(u64::from(cents) * times as u64)
    }
}

/// In seconds; shown as minutes and seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left(pub(super) u32);

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:02}", self.0 / 60, self.0 % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_and_time_have_two_digits_behind() {
        assert_eq!(Money::of(2505, 4).to_string(), "€ 100.20");
        assert_eq!(Money(7).to_string(), "€ 0.07");
        assert_eq!(Left(120).to_string(), "2:00");
        assert_eq!(Left(61).to_string(), "1:01");
    }
}
