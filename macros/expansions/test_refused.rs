#[unit_of_work::test(sandbx, schema = A, schema = B)]
async fn transfers(tx: &mut Tx<'_>) {}
