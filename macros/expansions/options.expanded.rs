/// What all accounts hold.
pub fn total() -> Result<Option<i64>, Error> {
    ::unit_of_work::__private::run::<
        _,
        Result<Option<i64>, Error>,
        _,
        _,
        _,
    >(
        {
            static __UNIT_OF_WORK: ::unit_of_work::__private::Unit = ::unit_of_work::__private::Unit::new(
                    "total",
                    ::core::file!(),
                    ::core::line!(),
                )
                .isolation(::unit_of_work::Isolation::RepeatableRead)
                .access(::unit_of_work::Access::ReadOnly)
                .timeout(::core::time::Duration::new(2u64, 0u32))
                .name("monthly report");
            &__UNIT_OF_WORK
        },
        (),
        |tx: &mut Tx<'_>, ()| -> Result<Option<i64>, Error> {
            tx.query_first("SELECT SUM(balance) FROM account")
        },
        ::unit_of_work::__private::roll_back,
    )
}
