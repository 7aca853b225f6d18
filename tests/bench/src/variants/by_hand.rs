//! The transfer in a transaction of the driver's own, as its documentation writes it. Who brings the connection, and what that
//! one sends besides, is decided in `own`, `pool` and `peers/r2d2`.

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::mysql::{self, IsolationLevel, Transaction, TxOpts};

use crate::bank::{SELECT, Transfer, UPDATE};

/// What such a transaction is started with.
pub(super) fn serializable() -> TxOpts {
    TxOpts::default().set_isolation_level(Some(IsolationLevel::Serializable))
}

/// A transaction that is dropped is rolled back, so a failed attempt needs no more than `?`.
pub(super) fn transfer(mut tx: Transaction<'_>, transfer: Transfer) -> mysql::Result<()> {
    let Transfer { lower, higher, amount } = transfer;
    let first: i64 = tx.exec_first(SELECT, (lower,))?.expect("accounts are never deleted");
    let second: i64 = tx.exec_first(SELECT, (higher,))?.expect("accounts are never deleted");
    tx.exec_drop(UPDATE, (first - amount, lower))?;
    tx.exec_drop(UPDATE, (second + amount, higher))?;
    tx.commit()
}
