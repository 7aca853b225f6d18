//! Blocks of units: what their functions inherit, override and leave alone.

use unit_of_work::{Error, Tx, unit_of_work};

use super::assert_ran;

struct Accounts<T> {
    id: T,
}

#[unit_of_work(isolation = "serializable", retry(max_attempts = 3), read_only)]
impl<T: Copy + Into<u64>> Accounts<T> {
    fn inherits(&self, tx: &mut Tx<'_>) -> Result<Option<u64>, Error> {
        tx.exec_first("SELECT id FROM account WHERE id = ?", (self.id.into(),))
    }

    #[unit_of_work(access = "read write", retry = "never", name = "its own")]
    fn overrides(&mut self, tx: &mut Tx<'_>, id: T) -> Result<(), Error> {
        self.id = id;
        tx.exec_drop("DELETE FROM account WHERE id = ?", (id.into(),))
    }

    #[unit_of_work(propagation = "supports")]
    fn inherits_what_fits(&self, tx: &mut Tx<'_>, once: Box<dyn Fn() -> u64>) -> Result<Option<u64>, Error> {
        tx.exec_first("SELECT id FROM account WHERE id = ?", (once(),))
    }

    #[unit_of_work(skip)]
    fn skipped(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account WHERE id = ?", (self.id.into(),))
    }

    #[unit_of_work]
    fn without_a_transaction(id: T) -> Result<u64, Error> {
        Ok(id.into())
    }

    fn plain(&self) -> T {
        self.id
    }

    #[cfg(not(test))]
    fn under_a_condition(&self, tx: &mut Tx<'_>) -> Nowhere {
        tx.nothing(self)
    }

    #[cfg(test)]
    fn under_a_condition(&self, tx: &mut Tx<'_>) -> Result<Option<u64>, Error> {
        tx.exec_first("SELECT id FROM account WHERE id = ?", (self.id.into(),))
    }
}

#[test]
fn a_function_inherits_what_its_block_says() {
    assert_ran(Accounts { id: 1_u32 }.inherits(), "compile_fail::accepted::blocks::Accounts::inherits");
}

#[test]
fn a_functions_own_arguments_come_first() {
    assert_ran(Accounts { id: 1_u32 }.overrides(2), "its own");
}

#[test]
fn a_function_inherits_only_what_fits_its_mode() {
    let result = Accounts { id: 1_u32 }.inherits_what_fits(Box::new(|| 7));
    assert_ran(result, "compile_fail::accepted::blocks::Accounts::inherits_what_fits");
}

#[test]
fn a_function_that_is_skipped_keeps_its_transaction() {
    let _: fn(&Accounts<u32>, &mut Tx<'_>) -> Result<(), Error> = Accounts::skipped;
}

#[test]
fn a_function_without_a_transaction_is_a_unit_if_it_says_so() {
    let result = Accounts::without_a_transaction(1_u32);
    assert_ran(result, "compile_fail::accepted::blocks::Accounts::without_a_transaction");
    assert_eq!(Accounts { id: 1_u32 }.plain(), 1);
}

#[test]
fn conditions_on_functions_of_a_block_hold() {
    let result = Accounts { id: 1_u32 }.under_a_condition();
    assert_ran(result, "compile_fail::accepted::blocks::Accounts::under_a_condition");
}
