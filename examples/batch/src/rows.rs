//! Many rows in few statements: each costs the server a parse and the wire a packet's share, however many rows it has.

use std::iter::{from_fn, repeat_n};

use unit_of_work::mysql::Value;
use unit_of_work::{Error, Tx};

/// Rows of one INSERT. Texts with fewer rows are all that are left over, so that no more than this many are remembered.
const ROWS: usize = 100;

/// Queues rows behind what was deferred before; `into` is a table and its columns.
pub(crate) fn insert<const N: usize>(
    tx: &mut Tx<'_>,
    into: &str,
    rows: impl IntoIterator<Item = [Value; N]>,
) -> Result<(), Error> {
    let mut rows = rows.into_iter().fuse();
    let row = format!("({})", ["?"; N].join(", "));
    // Not all at once: accounts may be a million.
    let statements = from_fn(|| Some(rows.by_ref().take(ROWS).collect::<Vec<_>>()).filter(|some| !some.is_empty()));
    for some in statements {
        let places = repeat_n(row.as_str(), some.len()).collect::<Vec<_>>().join(", ");
        tx.defer(format!("INSERT INTO {into} VALUES {places}"), some.concat())?;
    }
    Ok(())
}

/// The numbers as the values of an IN list, and its places. The last one is repeated up to a power of two, so that some 14 statements
/// are prepared on a connection and not one for each length.
pub(crate) fn list(numbers: &[u64]) -> Option<(String, Vec<Value>)> {
    let last = *numbers.last()?;
    let length = numbers.len().next_power_of_two();
    let padded = numbers.iter().copied().chain(repeat_n(last, length - numbers.len()));
    Some((["?"].repeat(length).join(", "), padded.map(Value::from).collect()))
}
