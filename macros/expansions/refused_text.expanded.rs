::core::compile_error! {
    "a unit of work cannot send this: `COMMIT` would end the transaction; the unit commits by itself when its body returns `Ok` and rolls back when it returns `Err`"
}
fn place(order: u64) -> Result<(), Error> {
    ::unit_of_work::__private::run::<
        _,
        Result<(), Error>,
        _,
        _,
        _,
    >(
        {
            static __UNIT_OF_WORK: ::unit_of_work::__private::Unit = ::unit_of_work::__private::Unit::new(
                "place",
                ::core::file!(),
                ::core::line!(),
            );
            &__UNIT_OF_WORK
        },
        (::unit_of_work::__private::replayable::<u64>(order), ()),
        |
            tx: &mut Tx<'_>,
            (::unit_of_work::__private::Again(order, _), ()),
        | -> Result<(), Error> {
            const END: &str = "COMMIT";
            tx.exec_drop("INSERT INTO purchase VALUES (?)", (order,))?;
            tx.query_drop(END)
        },
        ::unit_of_work::__private::roll_back,
    )
}
