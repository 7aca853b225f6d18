//! A closure does not say which error `?` shall make.

use unit_of_work::{Database, Error};

fn count(db: &Database) -> Result<(), Error> {
    let counted = db.unit("count").run(|tx| {
        //~^ RUSTC type annotations needed
        tx.exec_drop("DELETE FROM account", ())?;
        Ok(7)
    });
    println!("{}", counted?);
    Ok(())
}

fn main() {
    let _: fn(&Database) -> Result<(), Error> = count;
}
