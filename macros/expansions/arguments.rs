#[unit_of_work]
fn rename(tx: &mut Tx<'_>, id: u64, mut name: String, _reason: &str) -> Result<(), Error> {
    name.truncate(40);
    tx.exec_drop("UPDATE account SET name = ? WHERE id = ?", (name, id))
}
