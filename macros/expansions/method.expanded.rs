#[must_use = "who got it?"]
#[track_caller]
#[allow(clippy::let_and_return)]
unsafe fn r#move(self: Arc<Self>, to: u64) -> Result<u64, Error> {
    ::unit_of_work::__private::run::<
        _,
        Result<u64, Error>,
        _,
        _,
        _,
    >(
        {
            static __UNIT_OF_WORK: ::unit_of_work::__private::Unit = ::unit_of_work::__private::Unit::new(
                "move",
                ::core::file!(),
                ::core::line!(),
            );
            &__UNIT_OF_WORK
        },
        (::unit_of_work::__private::replayable::<u64>(to), ()),
        |
            tx: &mut Tx<'_>,
            #[allow(unused)]
            (::unit_of_work::__private::Again(to, _), ()),
        | -> Result<u64, Error> {
            let moved = self.count(tx)?;
            Ok(moved)
        },
        ::unit_of_work::__private::roll_back,
    )
}
