//! One line of audit for each transaction that posted something, however many payments and functions that took: what is noted
//! is gathered with the transaction and written just before COMMIT, so that the line is true if and only if it is there.

use std::cell::Cell;
use std::rc::Rc;

use unit_of_work::Tx;

#[derive(Debug, Default)]
struct Gathered {
    payments: Cell<u64>,
    amount: Cell<u64>,
}

/// Adds a payment to the line of the transaction that is running.
pub(crate) fn note(tx: &mut Tx<'_>, amount: u64) {
    let gathered = tx.local::<Gathered>();
    if gathered.payments.get() == 0 {
        let line = Rc::clone(&gathered);
        tx.before_commit(move |tx| {
            let line = (line.payments.get(), line.amount.get());
            tx.exec_drop("INSERT INTO audit (payments, amount) VALUES (?, ?)", line)
        });
    }
    gathered.payments.update(|payments| payments + 1);
    gathered.amount.update(|sum| sum + amount);
}
