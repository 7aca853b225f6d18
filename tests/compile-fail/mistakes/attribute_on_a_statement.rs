//! A part of a function is a unit by the builder, or by `savepoint`.

use unit_of_work::{Error, Tx, unit_of_work};

fn main() {
    #[unit_of_work]
    //~^ ERROR `#[unit_of_work]` belongs on a function, a method or an `impl` block
    //~^^ ALLOWED E0658
    let _: Result<(), Error> = Ok(());
    let _: fn(&mut Tx<'_>) = |_| ();
}
