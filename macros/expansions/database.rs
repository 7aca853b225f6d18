#[unit_of_work(db = self.ledger, propagation = "requires_new", repeatable)]
fn log(&self, tx: &mut Tx<'_>, line: &str) -> Result<(), Error> {
    tx.exec_drop("INSERT INTO log VALUES (?)", (line,))
}
