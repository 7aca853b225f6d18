//! What a test with a database must look like, and what it is not.

use unit_of_work::{Database, Tx};

#[unit_of_work::test(sandbx)]
//~^ ERROR unknown argument `sandbx`; did you mean `sandbox`?
fn misspelt(db: &Database) {
    let _ = db;
}

#[unit_of_work::test(sandbox = true)]
//~^ ERROR `sandbox` takes no value: write its name alone
fn valued(db: &Database) {
    let _ = db;
}

#[unit_of_work::test(schema("CREATE TABLE account (id INT)"))]
//~^ ERROR `schema` is written `schema = include_str!("schema.sql")`
fn listed(db: &Database) {
    let _ = db;
}

#[unit_of_work::test]
fn a_unit(tx: &mut Tx<'_>) {
    //~^ ERROR a test is no unit: take `db: &Database` or nothing, and call units
    let _ = tx;
}

#[unit_of_work::test]
fn with_two(db: &Database, other: &Database) {
    //~^ ERROR a test takes the database and nothing else: `db: &Database`
    let _ = (db, other);
}

#[unit_of_work::test]
#[test]
//~^ ERROR `#[unit_of_work::test]` makes it a test already: leave this out
fn twice() {}

#[unit_of_work::test]
async fn in_the_future() {}
//~^ ERROR a unit of work is synchronous, and so is its test: leave `async` out

#[unit_of_work::test]
fn of_any<T>() {}
//~^ ERROR nobody calls a test with types: leave the parameters out

#[unit_of_work::test]
struct NoFunction;
//~^ ERROR `#[unit_of_work::test]` stands on a function

fn main() {}
