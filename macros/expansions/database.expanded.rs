fn log(&self, line: &str) -> Result<(), Error> {
    ::unit_of_work::__private::run_on::<
        _,
        Result<(), Error>,
        _,
        _,
        _,
    >(
        {
            static __UNIT_OF_WORK: ::unit_of_work::__private::Unit = ::unit_of_work::__private::Unit::new(
                    "log",
                    ::core::file!(),
                    ::core::line!(),
                )
                .propagation(::unit_of_work::Propagation::RequiresNew)
                .repeatable();
            &__UNIT_OF_WORK
        },
        &(self.ledger),
        (::unit_of_work::__private::replayable::<&str>(line), ()),
        |
            tx: &mut Tx<'_>,
            (::unit_of_work::__private::Again(line, _), ()),
        | -> Result<(), Error> { tx.exec_drop("INSERT INTO log VALUES (?)", (line,)) },
        ::unit_of_work::__private::roll_back,
    )
}
