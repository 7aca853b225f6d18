//! Without a `Result` nothing says whether to commit.

use unit_of_work::{Database, Error};

fn count(db: &Database) -> Result<u64, Error> {
    db.unit("count").run::<_, Error>(|_| 7)
    //~^ RUSTC E0308
}

fn main() {
    let _: fn(&Database) -> Result<u64, Error> = count;
}
