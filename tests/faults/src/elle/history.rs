//! What was recorded of a run: transactions with what they read and appended, and what their callers were told. One JSON line each,
//! so that another checker can read the same history.

use std::fmt;
use std::io::Write;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failure::Failure;

/// The name of a list.
pub(crate) type Key = u64;
/// What is appended to a list, once per list.
pub(crate) type Element = u64;

/// One transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Transaction {
    #[serde(rename = "type")]
    pub(crate) fate: Fate,
    pub(crate) ops: Vec<Op>,
}

/// What the caller was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Fate {
    /// It happened.
    Ok,
    /// It did not happen.
    Fail,
    /// Nobody knows.
    Info,
}

/// A step: `["r", key, [elements]]`, `["append", key, element]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "(String, Key, Value)", into = "(String, Key, Value)")]
pub(crate) enum Op {
    /// `None` where it is not known what was read: the transaction did not come that far, or its reads count for nothing.
    Read(Key, Option<Vec<Element>>),
    Append(Key, Element),
}

impl From<Op> for (String, Key, Value) {
    fn from(op: Op) -> Self {
        match op {
            Op::Read(key, elements) => ("r".to_owned(), key, elements.into()),
            Op::Append(key, element) => ("append".to_owned(), key, element.into()),
        }
    }
}

impl TryFrom<(String, Key, Value)> for Op {
    type Error = serde_json::Error;

    fn try_from((what, key, value): (String, Key, Value)) -> Result<Self, Self::Error> {
        match what.as_str() {
            "r" => serde_json::from_value(value).map(|elements| Self::Read(key, elements)),
            "append" => serde_json::from_value(value).map(|element| Self::Append(key, element)),
            other => Err(serde::de::Error::unknown_variant(other, &["r", "append"])),
        }
    }
}

/// For people: of a list only its length and its end.
impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Append(key, element) => write!(f, "append {key} {element}"),
            Self::Read(key, None) => write!(f, "r {key}"),
            Self::Read(key, Some(list)) => {
                let end = &list[list.len().saturating_sub(3)..];
                write!(f, "r {key} {}{end:?}", if end.len() < list.len() { "…" } else { "" })
            }
        }
    }
}

/// A transaction's steps, for people.
pub(crate) fn shown(ops: &[Op]) -> String {
    format!("({})", ops.iter().map(Op::to_string).collect::<Vec<_>>().join(", "))
}

/// Writes one line per transaction.
pub(crate) fn write(history: &[Transaction], mut out: impl Write) -> Result<(), Failure> {
    for transaction in history {
        writeln!(out, "{}", serde_json::to_string(transaction)?)?;
    }
    Ok(out.flush()?)
}

/// Reads what [`write()`] wrote.
#[cfg(test)]
pub(crate) fn read(lines: &str) -> Vec<Transaction> {
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_one_line_per_transaction() {
        let history = [
            Transaction { fate: Fate::Ok, ops: vec![Op::Read(3, Some(vec![1, 2])), Op::Append(3, 4)] },
            Transaction { fate: Fate::Info, ops: vec![Op::Read(3, None)] },
        ];
        let mut text = Vec::new();
        write(&history, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(
            text,
            "{\"type\":\"ok\",\"ops\":[[\"r\",3,[1,2]],[\"append\",3,4]]}\n{\"type\":\"info\",\"ops\":[[\"r\",3,null]]}\n"
        );
        assert_eq!(read(&text), history);
    }
}
