::core::compile_error! {
    "unknown argument `isolaton`; did you mean `isolation`?"
}
fn place(order: Order, all: &mut Orders) -> Result<(), Error> {
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
                )
                .access(::unit_of_work::Access::ReadOnly);
            &__UNIT_OF_WORK
        },
        (
            ::unit_of_work::__private::once::<Order>(order),
            (::unit_of_work::__private::once::<&mut Orders>(all), ()),
        ),
        |
            tx: &mut Tx<'_>,
            (
                ::unit_of_work::__private::Again(order, _),
                (::unit_of_work::__private::Again(all, _), ()),
            ),
        | -> Result<(), Error> {
            all.push(order.clone());
            tx.exec_drop("INSERT INTO purchase VALUES (?)", (order.id,))
        },
        ::unit_of_work::__private::roll_back,
    )
}
