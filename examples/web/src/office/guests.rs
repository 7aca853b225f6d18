//! The guest list: names that come in without a seat, and count against the same quota.

use std::str::FromStr;

use serde::Serialize;
use unit_of_work::{Error, Tx, unit_of_work};

use super::error::DUPLICATE_KEY;
use super::{OfficeError, events, rules};

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Guest {
    pub(crate) id: u64,
    pub(crate) event: u64,
    pub(crate) name: String,
}

/// As it is on the list: 1 to 100 characters, none of them a control character, no space around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name(String);

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.trim();
        let fits = (1..=100).contains(&name.chars().count()) && !name.chars().any(ends_a_line);
        if fits { Ok(Self(name.to_owned())) } else { Err("a name has 1 to 100 characters in one line".to_owned()) }
    }
}

/// Or is no character to be seen. U+2028 and U+2029 are no control characters, but end lines.
fn ends_a_line(char: char) -> bool {
    char.is_control() || matches!(char, '\u{2028}' | '\u{2029}')
}

/// Puts `name` on the list of `event`, once.
///
/// `NoEvent`; `Invited` if the name is on it; `Broken(Full)`.
#[unit_of_work(timeout = "5s", contention(key = event))]
pub(crate) fn invite(tx: &mut Tx<'_>, event: u64, name: &Name) -> Result<Guest, OfficeError> {
    let name = name.0.as_str();
    let seen = events::look(tx, event)?;
    // Before the rules, so that who asks again is told that the name is on the list, also when it was the last one.
    match tx.exec_drop("INSERT INTO guest (event, name) VALUES (?, ?)", (event, name)) {
        Err(error) if error.code() == Some(DUPLICATE_KEY) => return Err(OfficeError::Invited(name.to_owned())),
        inserted => inserted?,
    }
    rules::may_invite(&seen.situation)?;
    let id = tx.last_insert_id().expect("the column is AUTO_INCREMENT and was not given");
    Ok(Guest { id, event, name: name.to_owned() })
}

/// The names on the list of an event, in the order in which they came; a snapshot.
#[unit_of_work(read_only, isolation = "repeatable read", timeout = "5s")]
pub(crate) fn list(tx: &mut Tx<'_>, event: u64) -> Result<Vec<String>, OfficeError> {
    Ok(tx.exec("SELECT name FROM guest WHERE event = ? ORDER BY id", (event,))?)
}

pub(super) fn count(tx: &mut Tx<'_>, event: u64) -> Result<u32, Error> {
    Ok(tx.exec_first("SELECT COUNT(*) FROM guest WHERE event = ?", (event,))?.expect("a count is one row"))
}
