#[unit_of_work]
fn place(tx: &mut Tx<'_>, order: u64) -> Result<(), Error> {
    const END: &str = "COMMIT";
    tx.exec_drop("INSERT INTO purchase VALUES (?)", (order,))?;
    tx.query_drop(END)
}
