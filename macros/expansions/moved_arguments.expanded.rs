fn import(rows: Rows, seen: &mut Vec<u64>) -> Result<(), Error> {
    ::unit_of_work::__private::run::<
        _,
        Result<(), Error>,
        _,
        _,
        _,
    >(
        {
            static __UNIT_OF_WORK: ::unit_of_work::__private::Unit = ::unit_of_work::__private::Unit::new(
                    "import",
                    ::core::file!(),
                    ::core::line!(),
                )
                .retry(::unit_of_work::Retry::NEVER);
            &__UNIT_OF_WORK
        },
        (
            ::unit_of_work::__private::once::<Rows>(rows),
            (::unit_of_work::__private::once::<&mut Vec<u64>>(seen), ()),
        ),
        |
            tx: &mut Tx<'_>,
            (
                ::unit_of_work::__private::Again(rows, _),
                (::unit_of_work::__private::Again(seen, _), ()),
            ),
        | -> Result<(), Error> {
            rows.into_iter().try_for_each(|row| insert(tx, row, seen))
        },
        ::unit_of_work::__private::roll_back,
    )
}
