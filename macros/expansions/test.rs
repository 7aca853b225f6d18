#[unit_of_work::test(sandbox, schema = include_str!("schema.sql"), setup = fill, url = server())]
/// Nothing is left of it.
#[should_panic]
fn transfers(db: &Database) -> Result<(), BankError> {
    transfer(1, 2, 30)?;
    Ok(())
}
