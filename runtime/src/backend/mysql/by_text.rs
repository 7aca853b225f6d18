//! What is remembered of texts, so that a statement that is sent a thousand times is read and prepared once. Bounded: where there is
//! no room for another text, the one used longest ago goes.

use std::collections::HashMap;
use std::fmt;

use rustc_hash::FxBuildHasher;

/// Values by text, so many at most.
pub(super) struct ByText<V> {
    // No hash that resists an attacker: whoever can choose texts can send them.
    known: HashMap<Box<str>, Known<V>, FxBuildHasher>,
    room: usize,
    /// Look-ups and insertions so far.
    uses: u64,
}

struct Known<V> {
    value: V,
    last_used: u64,
}

impl<V> ByText<V> {
    /// `room`: for how many, at least one.
    pub(super) fn new(room: usize) -> Self {
        Self { known: HashMap::default(), room: room.max(1), uses: 0 }
    }

    pub(super) fn get(&mut self, text: &str) -> Option<&V> {
        let known = self.known.get_mut(text)?;
        self.uses += 1;
        known.last_used = self.uses;
        Some(&known.value)
    }

    /// Remembers another text. Gives back the value that has to go for it.
    pub(super) fn insert(&mut self, text: &str, value: V) -> Option<V> {
        let displaced = if self.known.len() < self.room { None } else { self.remove_oldest() };
        self.uses += 1;
        self.known.insert(text.into(), Known { value, last_used: self.uses });
        displaced
    }

    /// Looks at each of them, which is little beside the reading or the round trip that is the reason for it.
    fn remove_oldest(&mut self) -> Option<V> {
        let (oldest, _) = self.known.iter().min_by_key(|(_, known)| known.last_used)?;
        let oldest = oldest.clone();
        self.known.remove(&oldest).map(|known| known.value)
    }

    pub(super) fn forget(&mut self, which: impl Fn(&V) -> bool) {
        self.known.retain(|_, known| !which(&known.value));
    }

    pub(super) fn clear(&mut self) {
        self.known.clear();
    }
}

/// A text may hold anybody's password.
impl<V> fmt::Debug for ByText<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ByText({} of {})", self.known.len(), self.room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_used_longest_ago_goes() {
        let mut numbers = ByText::new(2);
        assert_eq!((numbers.insert("a", 1), numbers.insert("b", 2)), (None, None));
        assert_eq!(numbers.get("a"), Some(&1));
        assert_eq!(numbers.insert("c", 3), Some(2));
        assert_eq!(["a", "b", "c"].map(|text| numbers.get(text).copied()), [Some(1), None, Some(3)]);
        numbers.forget(|number| *number == 1);
        assert_eq!(["a", "c"].map(|text| numbers.get(text).copied()), [None, Some(3)]);
        numbers.clear();
        assert_eq!(numbers.get("c"), None);
    }

    #[test]
    fn there_is_room_for_one_at_least() {
        let mut numbers = ByText::new(0);
        assert_eq!((numbers.insert("a", 1), numbers.get("a").copied()), (None, Some(1)));
        assert_eq!(numbers.insert("b", 2), Some(1));
    }
}
