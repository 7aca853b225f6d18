fn transfer(argument_0: (u64, u64), argument_1: Amount) -> Result<(), Error> {
    ::unit_of_work::__private::run::<
        _,
        Result<(), Error>,
        _,
        _,
        _,
    >(
        {
            static __UNIT_OF_WORK: ::unit_of_work::__private::Unit = ::unit_of_work::__private::Unit::new(
                "transfer",
                ::core::file!(),
                ::core::line!(),
            );
            &__UNIT_OF_WORK
        },
        (
            ::unit_of_work::__private::replayable::<(u64, u64)>(argument_0),
            (::unit_of_work::__private::replayable::<Amount>(argument_1), ()),
        ),
        |
            _: &mut ::unit_of_work::Tx<'_>,
            (
                ::unit_of_work::__private::Again((from, to), _),
                (::unit_of_work::__private::Again(Amount { cents, .. }, _), ()),
            ),
        | -> Result<(), Error> {
            with_current(|tx| {
                tx.exec_drop("INSERT INTO transfer VALUES (?, ?, ?)", (from, to, cents))
            })
        },
        ::unit_of_work::__private::roll_back,
    )
}
