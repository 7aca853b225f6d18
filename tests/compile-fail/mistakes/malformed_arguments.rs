//! What is wrong with the form of an argument is said at the argument, with the right form.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(isolation)]
//~^ ERROR `isolation` is written `isolation = "serializable"`
fn no_value(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work(isolation = read_committed)]
//~^ ERROR a word stands in quotes: `isolation = "read_committed"`
fn no_quotes(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work(read_only = true)]
//~^ ERROR `read_only` takes no value: write its name alone
fn flag_with_value(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work(name = , retry(within = "2 weeks", base = 5))]
//~^ ERROR `name` is given no value after `=`
//~^^ ERROR `2 weeks` is no length of time: write a whole number and `ms`, `s`, `m` or `h`, such as `"750ms"`
//~^^^ ERROR `base` is written `base = "1ms"`
fn several(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work("serializable", read_only isolation = "serializable", access = "read only")]
//~^ ERROR expected an argument such as `isolation = "serializable"`
//~^^ ERROR expected `,` between arguments
//~^^^ ERROR `read_only` and `access` decide the same thing: keep one of them
fn not_a_list(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

fn main() {
    let _ = (no_value(), no_quotes(), flag_with_value(), several(), not_a_list());
}
