//! A second attempt would see what the first one left.

use unit_of_work::{Database, Error};

fn count(db: &Database) -> Result<u64, Error> {
    let mut attempts = 0;
    db.unit("count").run::<_, Error>(|tx| {
        attempts += 1;
        //~^ RUSTC E0594
        tx.exec_drop("DELETE FROM account", ())
    })?;
    Ok(attempts)
}

fn main() {
    let _: fn(&Database) -> Result<u64, Error> = count;
}
