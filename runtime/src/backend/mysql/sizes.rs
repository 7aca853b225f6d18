//! How large a request is on the wire, so that one that the server cannot take is found before it is sent: MariaDB answers it
//! by closing the connection, which would look like a lost one and be sent again.

use mysql::{Params, Value};

use super::wire::{Part, Request};

/// The bytes of a request's largest packet; for prepared statements an upper bound of a few bytes per value too many.
pub(crate) fn largest_packet(request: &Request<'_>) -> u64 {
    match request {
        Request::Query(sql) | Request::Secret(Part { text: sql, .. }) => 1 + bytes(sql),
        Request::Execute(sql, params) => (1 + bytes(sql)).max(execution(params)),
        // The bulk protocol splits a batch into packets that fit; one row must fit alone.
        Request::Batch(sql, batch) => batch.iter().map(execution).max().unwrap_or_default().max(1 + bytes(sql)),
        Request::Ping | Request::Reset => 1,
    }
}

fn bytes(text: &str) -> u64 {
    text.len() as u64
}

/// Command, statement id, flags, iterations and types, then the values.
pub(crate) fn execution(params: &Params) -> u64 {
    const HEADER: u64 = 11;
    const TYPE: u64 = 2;
    let values: u64 = match params {
        Params::Empty => 0,
        Params::Named(named) => named.values().map(|value| TYPE + one(value)).sum(),
        Params::Positional(values) => values.iter().map(|value| TYPE + one(value)).sum(),
    };
    HEADER + values
}

fn one(value: &Value) -> u64 {
    const LENGTH: u64 = 9;
    const WIDEST_FIXED: u64 = 13;
    match value {
        Value::Bytes(bytes) => LENGTH + bytes.len() as u64,
        Value::NULL
        | Value::Int(_)
        | Value::UInt(_)
        | Value::Float(_)
        | Value::Double(_)
        | Value::Date(..)
        | Value::Time(..) => WIDEST_FIXED,
    }
}
