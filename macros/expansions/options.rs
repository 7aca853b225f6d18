#[unit_of_work(isolation = "repeatable read", read_only, timeout = "2s", name = "monthly report")]
/// What all accounts hold.
pub fn total(tx: &mut Tx<'_>) -> Result<Option<i64>, Error> {
    tx.query_first("SELECT SUM(balance) FROM account")
}
