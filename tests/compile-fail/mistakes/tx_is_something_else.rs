//! `tx` is the name of a unit's transaction, not of a channel's sender.

use std::sync::mpsc::Sender;

use unit_of_work::{Error, unit_of_work};

#[unit_of_work]
fn report(tx: Sender<u64>) -> Result<(), Error> {
    //~^ ERROR the first parameter is called `tx`, the name of a unit's transaction: write `tx: &mut Tx`, or give
    let _ = tx.send(1);
    Ok(())
}

#[unit_of_work]
fn report_by(tx: &Sender<u64>) -> Result<(), Error> {
    //~^ ERROR the first parameter is called `tx`, the name of a unit's transaction: write `tx: &mut Tx`, or give
    let _ = tx.send(1);
    Ok(())
}

fn main() {
    let _ = report_by(&std::sync::mpsc::channel().0);
    let _ = report(std::sync::mpsc::channel().0);
}
