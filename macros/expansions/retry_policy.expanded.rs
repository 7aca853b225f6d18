fn tidy() -> Result<(), persistence::Error> {
    persistence::__private::run::<
        _,
        Result<(), persistence::Error>,
        _,
        _,
        _,
    >(
        {
            static __UNIT_OF_WORK: persistence::__private::Unit = persistence::__private::Unit::new(
                    "tidy",
                    ::core::file!(),
                    ::core::line!(),
                )
                .retry(
                    persistence::Retry::DEFAULT
                        .max_attempts(TRIES)
                        .within(::core::time::Duration::new(2u64, 0u32))
                        .base(::core::time::Duration::new(0u64, 500000000u32))
                        .cap(::core::time::Duration::new(60u64, 0u32)),
                );
            &__UNIT_OF_WORK
        },
        (),
        |tx: &mut persistence::Tx<'_>, ()| -> Result<(), persistence::Error> {
            tx.query_drop("DELETE FROM session WHERE expired")
        },
        persistence::__private::roll_back,
    )
}
