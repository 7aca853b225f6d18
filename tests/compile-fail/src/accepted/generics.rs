//! Type parameters, constants, bounds, `impl Trait` in and out.

use std::fmt::Debug;

use unit_of_work::{Error, Tx, unit_of_work};

use super::assert_ran;

#[unit_of_work]
fn parameters<K, const N: usize>(tx: &mut Tx<'_>, key: K, rest: [K; N]) -> Result<[K; N], Error>
where
    K: Clone + Debug,
{
    tx.exec_drop("DELETE FROM account", ())?;
    drop(key);
    Ok(rest)
}

#[unit_of_work]
fn argument(tx: &mut Tx<'_>, name: impl Into<String> + Clone, many: Vec<impl Debug + Clone>) -> Result<String, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(format!("{} {many:?}", name.into()))
}

#[unit_of_work]
fn result(tx: &mut Tx<'_>, upto: u64) -> Result<impl Iterator<Item = u64> + Debug, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(0..upto)
}

#[unit_of_work]
fn error<E: From<Error> + Debug>(tx: &mut Tx<'_>) -> Result<(), E> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(())
}

#[unit_of_work]
fn closure<F>(tx: &mut Tx<'_>, work: &F) -> Result<u64, Error>
where
    F: Fn(u64) -> u64,
{
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(work(1))
}

#[test]
fn types_and_constants_are_parameters() {
    assert_ran(parameters("key", ["a", "b"]), "compile_fail::accepted::generics::parameters");
}

#[test]
fn an_argument_may_have_a_type_without_a_name() {
    assert_ran(argument("name", vec![1]), "compile_fail::accepted::generics::argument");
}

#[test]
fn a_result_may_have_a_type_without_a_name() {
    assert_ran(result(3), "compile_fail::accepted::generics::result");
}

#[test]
fn the_caller_may_choose_the_error() {
    assert_ran(error::<Error>(), "compile_fail::accepted::generics::error");
}

#[test]
fn a_function_may_be_an_argument() {
    assert_ran(closure(&|n| n + 1), "compile_fail::accepted::generics::closure");
}
