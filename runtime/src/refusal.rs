//! What is said to a unit that may not run where it is called: which rule, both places, what to write instead.

use crate::backend::Backend;
use crate::error::{Error, ErrorKind};
use crate::label::Label;
use crate::options::Options;
use crate::propagation::Refusal;
use crate::transaction::Transaction;

/// The refusal in words, with both places.
pub(crate) fn refused<B: Backend>(
    refusal: Refusal,
    unit: &Label,
    options: &Options,
    active: Option<&Transaction<B>>,
) -> Error {
    let outer = active.map_or_else(|| "no unit".to_owned(), |transaction| format!("unit {}", transaction.unit));
    let (kind, detail) = match refusal {
        Refusal::StrongerIsolation => (
            ErrorKind::IsolationConflict,
            format!(
                "it asks for `{}`, but it would join {outer}, which runs at `{}`; raise the outer one, or give this one \
                 `propagation = \"requires_new\"`",
                options.isolation.unwrap_or_default(),
                active.map(|transaction| transaction.characteristics.isolation).unwrap_or_default(),
            ),
        ),
        Refusal::WritesInReadOnly => (
            ErrorKind::AccessConflict,
            format!(
                "it may write, but it would join {outer}, which is `read only`; declare this one `read_only`, or the outer one not"
            ),
        ),
        Refusal::NoSnapshot => (
            ErrorKind::IsolationConflict,
            format!(
                "it asks for a `snapshot` of its begin, but it would join {outer}, which was begun without; declare that one `snapshot`"
            ),
        ),
        Refusal::NotOutermost => {
            (ErrorKind::Propagation, format!("it is declared `{}` but {outer} is active", options.propagation))
        }
        Refusal::NoTransaction => {
            (ErrorKind::Propagation, format!("it is declared `{}` but no transaction is active", options.propagation))
        }
        Refusal::TransactionActive => (
            ErrorKind::Propagation,
            format!("it is declared `{}` but the transaction of {outer} is active", options.propagation),
        ),
    };
    Error::new(kind, detail).of_unit(unit)
}
