#[unit_of_work]
#[must_use = "who got it?"]
#[track_caller]
unsafe fn r#move(self: Arc<Self>, tx: &mut Tx<'_>, #[allow(unused)] to: u64) -> Result<u64, Error> {
    #![allow(clippy::let_and_return)]
    let moved = self.count(tx)?;
    Ok(moved)
}
