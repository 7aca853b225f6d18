#[unit_of_work]
pub(crate) fn store<'a, K: Key + Clone, const N: usize>(
    tx: &mut Tx<'_>,
    key: K,
    values: [u8; N],
    note: impl Into<String> + Clone,
    label: &'a str,
) -> Result<(&'a str, impl Debug + use<'a, K, N>), Error>
where
    K: Into<Value>,
{
    tx.exec_drop("INSERT INTO thing VALUES (?, ?, ?)", (key, &values[..], note.into()))?;
    Ok((label, N))
}
