pub(crate) fn store<'a, K: Key + Clone, const N: usize>(
    key: K,
    values: [u8; N],
    note: impl Into<String> + Clone,
    label: &'a str,
) -> Result<(&'a str, impl Debug + use<'a, K, N>), Error>
where
    K: Into<Value>,
{
    ::unit_of_work::__private::run::<
        _,
        Result<(&'a str, _), Error>,
        _,
        _,
        _,
    >(
        {
            static __UNIT_OF_WORK: ::unit_of_work::__private::Unit = ::unit_of_work::__private::Unit::new(
                "store",
                ::core::file!(),
                ::core::line!(),
            );
            &__UNIT_OF_WORK
        },
        (
            ::unit_of_work::__private::cloned_for_each_attempt::<K>(key),
            (
                ::unit_of_work::__private::cloned_for_each_attempt::<[u8; N]>(values),
                (
                    ::unit_of_work::__private::cloned_for_each_attempt::<_>(note),
                    (::unit_of_work::__private::replayable::<&'a str>(label), ()),
                ),
            ),
        ),
        |
            tx: &mut Tx<'_>,
            (
                ::unit_of_work::__private::Again(key, _),
                (
                    ::unit_of_work::__private::Again(values, _),
                    (
                        ::unit_of_work::__private::Again(note, _),
                        (::unit_of_work::__private::Again(label, _), ()),
                    ),
                ),
            ),
        | -> Result<(&'a str, _), Error> {
            tx.exec_drop(
                "INSERT INTO thing VALUES (?, ?, ?)",
                (key, &values[..], note.into()),
            )?;
            Ok((label, N))
        },
        ::unit_of_work::__private::roll_back,
    )
}
