//! Patterns as parameters, parameters that change or are not used, the transaction by type or by name, and none at all.

use unit_of_work::{Error, Tx, unit_of_work};

use super::assert_ran;

#[derive(Debug, Clone)]
struct Point {
    x: i64,
    y: i64,
}

type Transaction<'u> = Tx<'u>;

#[unit_of_work]
fn patterns(
    tx: &mut Tx<'_>,
    (a, mut b): (i64, i64),
    Point { x, .. }: Point,
    [first, ..]: [i64; 2],
    whole @ Point { y, .. }: &Point,
    &n: &i64,
    _: String,
) -> Result<i64, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    b += a;
    Ok(b + x + first + whole.x + y + n)
}

#[unit_of_work]
fn changing(tx: &mut Tx<'_>, mut amount: i64, _unused: String) -> Result<i64, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    amount += 1;
    Ok(amount)
}

#[unit_of_work]
fn by_type(db: &mut unit_of_work::Tx<'_>) -> Result<(), Error> {
    db.exec_drop("DELETE FROM account", ())
}

#[unit_of_work]
fn by_name(tx: &mut Transaction<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work]
fn unused(_tx: &mut Tx<'_>) -> Result<(), Error> {
    Ok(())
}

#[unit_of_work]
fn without(amount: i64) -> Result<i64, Error> {
    Ok(amount)
}

#[unit_of_work]
fn two_arguments_are_separate(tx: &mut Tx<'_>, account: &Point, of: &str) -> Result<String, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(format!("{account:?} {of}"))
}

#[rustfmt::skip]
#[unit_of_work]
unsafe fn trailing_comma(tx: &mut Tx<'_>, amount: i64,) -> Result<i64, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(amount)
}

#[test]
fn parameters_may_be_patterns() {
    let point = Point { x: 1, y: 2 };
    let result = patterns((1, 2), point.clone(), [3, 4], &point, &5, String::new());
    assert_ran(result, "compile_fail::accepted::parameters::patterns");
}

#[test]
fn a_parameter_may_change_and_another_not_be_used() {
    assert_ran(changing(1, String::new()), "compile_fail::accepted::parameters::changing");
}

#[test]
fn the_transaction_is_known_by_its_type() {
    assert_ran(by_type(), "compile_fail::accepted::parameters::by_type");
}

#[test]
fn the_transaction_is_known_by_its_name() {
    assert_ran(by_name(), "compile_fail::accepted::parameters::by_name");
}

#[test]
fn the_transaction_need_not_be_used() {
    assert_ran(unused(), "compile_fail::accepted::parameters::unused");
}

#[test]
fn there_need_not_be_a_transaction() {
    assert_ran(without(1), "compile_fail::accepted::parameters::without");
}

#[test]
fn two_references_have_two_lifetimes() {
    let separate = two_arguments_are_separate(&Point { x: 1, y: 2 }, "Ada");
    assert_ran(separate, "compile_fail::accepted::parameters::two_arguments_are_separate");
}

#[test]
fn an_unsafe_function_stays_unsafe() {
    let _: unsafe fn(i64) -> Result<i64, Error> = trailing_comma;
}
