#[unit_of_work::test]
fn transfers() {
    transfer(1, 2, 30).unwrap();
}
