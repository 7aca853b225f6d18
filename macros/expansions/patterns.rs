#[unit_of_work]
fn transfer((from, to): (u64, u64), Amount { cents, .. }: Amount) -> Result<(), Error> {
    with_current(|tx| tx.exec_drop("INSERT INTO transfer VALUES (?, ?, ?)", (from, to, cents)))
}
