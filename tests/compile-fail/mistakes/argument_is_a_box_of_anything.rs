//! Of a box that hides its type there is only one.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn notify(tx: &mut Tx<'_>, tell: Box<dyn Fn(&str)>) -> Result<(), Error> {
    //~^ ERROR is not `Clone`: a second attempt of the unit could not be given this argument
    tx.exec_drop("DELETE FROM account", ())?;
    tell("gone");
    Ok(())
}

fn main() {
    let _ = notify(Box::new(|_| ()));
}
