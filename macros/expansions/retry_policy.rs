#[unit_of_work(crate = persistence, retry(max_attempts = TRIES, within = "2s", base = "500 ms", cap = "1m"))]
fn tidy(tx: &mut persistence::Tx<'_>) -> Result<(), persistence::Error> {
    tx.query_drop("DELETE FROM session WHERE expired")
}
