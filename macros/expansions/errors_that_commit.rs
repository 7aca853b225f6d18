#[unit_of_work(commit_on(LoginError::WrongPassword | LoginError::Locked { .. }), retry_on(LoginError::Stale(age) if *age > 3))]
fn log_in(tx: &mut Tx<'_>, user: u64) -> Result<(), LoginError> {
    tx.exec_drop("UPDATE user SET failures = failures + 1 WHERE id = ?", (user,))?;
    Err(LoginError::WrongPassword)
}
