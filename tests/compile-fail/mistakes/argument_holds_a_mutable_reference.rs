//! A mutable reference inside of something is no better than one in the open.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn collect(tx: &mut Tx<'_>, (into, upto): (&mut Vec<u64>, u64)) -> Result<(), Error> {
    //~^ ERROR a second attempt would see what the first one left: take the value by `&`
    let _ = tx;
    into.push(upto);
    Ok(())
}

#[unit_of_work]
fn collect_if_asked(tx: &mut Tx<'_>, into: Option<&mut Vec<u64>>) -> Result<(), Error> {
    //~^ ERROR a second attempt would see what the first one left: take the value by `&`
    tx.exec_drop("DELETE FROM account", ())?;
    into.map_or(Ok(()), |into| Ok(into.push(7)))
}

fn main() {
    let _ = (collect((&mut Vec::new(), 7)), collect_if_asked(None));
}
