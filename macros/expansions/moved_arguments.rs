#[unit_of_work(retry = "never")]
fn import(tx: &mut Tx<'_>, rows: Rows, seen: &mut Vec<u64>) -> Result<(), Error> {
    rows.into_iter().try_for_each(|row| insert(tx, row, seen))
}
