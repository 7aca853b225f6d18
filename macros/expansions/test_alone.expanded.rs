#[::core::prelude::v1::test]
fn transfers() {
    ::unit_of_work::__private::Test::new()
        .run(|_: &::unit_of_work::Database| {
            transfer(1, 2, 30).unwrap();
        })
}
