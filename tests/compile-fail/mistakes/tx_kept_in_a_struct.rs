//! What the caller lends to be changed cannot keep the transaction, even where nothing runs again.

use unit_of_work::{Error, Tx, unit_of_work};

struct Session<'a, 'u> {
    tx: Option<&'a mut Tx<'u>>,
}

#[unit_of_work(retry = "never")]
fn keep(tx: &mut Tx<'_>, session: &mut Session<'_, '_>) -> Result<(), Error> {
    //~^ ALLOWED E0521
    session.tx = Some(tx);
    //~^ RUSTC lifetime may not live long enough
    Ok(())
}

fn main() {
    let mut session = Session { tx: None };
    let _ = keep(&mut session);
    drop(session.tx);
}
