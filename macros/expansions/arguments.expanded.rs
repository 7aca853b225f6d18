fn rename(id: u64, name: String, _reason: &str) -> Result<(), Error> {
    ::unit_of_work::__private::run::<
        _,
        Result<(), Error>,
        _,
        _,
        _,
    >(
        {
            static __UNIT_OF_WORK: ::unit_of_work::__private::Unit = ::unit_of_work::__private::Unit::new(
                "rename",
                ::core::file!(),
                ::core::line!(),
            );
            &__UNIT_OF_WORK
        },
        (
            ::unit_of_work::__private::replayable::<u64>(id),
            (
                ::unit_of_work::__private::replayable::<String>(name),
                (::unit_of_work::__private::replayable::<&str>(_reason), ()),
            ),
        ),
        |
            tx: &mut Tx<'_>,
            (
                ::unit_of_work::__private::Again(id, _),
                (
                    ::unit_of_work::__private::Again(mut name, _),
                    (::unit_of_work::__private::Again(_reason, _), ()),
                ),
            ),
        | -> Result<(), Error> {
            name.truncate(40);
            tx.exec_drop("UPDATE account SET name = ? WHERE id = ?", (name, id))
        },
        ::unit_of_work::__private::roll_back,
    )
}
