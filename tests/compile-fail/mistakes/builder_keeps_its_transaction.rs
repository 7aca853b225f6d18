//! The transaction ends with the closure.

use unit_of_work::{Database, Error};

fn keep(db: &Database) -> Result<(), Error> {
    let kept = std::cell::RefCell::new(None);
    db.unit("keep").run::<_, Error>(|tx| {
        *kept.borrow_mut() = Some(tx);
        //~^ RUSTC borrowed data escapes
        Ok(())
    })
}

fn main() {
    let _: fn(&Database) -> Result<(), Error> = keep;
}
