//! No name of the user's is mistaken for one of ours: without a prelude, with a `Result`, an `Ok` and a `core` of their own, and
//! with the library under another name.

use unit_of_work::Error;

use super::assert_ran;

/// The library as a crate that re-exports it offers it.
mod facade {
    pub(super) use unit_of_work as persistence;
}

#[no_implicit_prelude]
mod bare {
    use ::unit_of_work::{Error, Tx, unit_of_work};

    #[derive(Debug)]
    #[expect(dead_code, reason = "it is there to be mistaken for the real one")]
    pub(super) enum Mine {
        Ok,
        Err,
        Some,
        None,
    }

    #[expect(unused_imports, reason = "they are there to be mistaken for the real ones")]
    use self::Mine::{Err, None, Ok, Some};

    pub(super) type Result = ::std::result::Result<u64, Error>;

    #[expect(unused_macros, reason = "they are there to be mistaken for the real ones")]
    mod macros {
        macro_rules! file {
            () => {
                7
            };
        }
        macro_rules! line {
            () => {
                "7"
            };
        }
    }

    mod core {}
    mod std {}
    #[expect(dead_code, reason = "it is there to be mistaken for the real one")]
    struct Unit;

    #[unit_of_work(isolation = "serializable", retry(within = "1s"))]
    pub(super) fn bare(tx: &mut Tx<'_>, amount: u64, _unused: &str) -> Result {
        tx.exec_drop("DELETE FROM account", ())?;
        Result::Ok(amount)
    }
}

#[facade::persistence::unit_of_work(crate = facade::persistence, isolation = "serializable", retry(within = "1s"))]
fn renamed(tx: &mut facade::persistence::Tx<'_>, amount: u64) -> Result<u64, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(amount)
}

#[test]
fn names_of_the_user_are_left_alone() {
    assert_ran(bare::bare(1, ""), "compile_fail::accepted::shadowed::bare::bare");
}

#[test]
fn the_library_may_have_another_name() {
    assert_ran(renamed(1), "compile_fail::accepted::shadowed::renamed");
}
