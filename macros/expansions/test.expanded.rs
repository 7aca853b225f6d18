/// Nothing is left of it.
#[should_panic]
#[::core::prelude::v1::test]
fn transfers() -> Result<(), BankError> {
    ::unit_of_work::__private::Test::new()
        .sandbox()
        .schema(include_str!("schema.sql"))
        .setup(fill)
        .url(server())
        .run(|db: &Database| -> Result<(), BankError> {
            transfer(1, 2, 30)?;
            Ok(())
        })
}
