impl<'a, S: Store> Accounts<'a, S> {
    const LIMIT: usize = { 10 };
    /// Takes a transaction: a unit.
    pub fn open(&self, id: u64) -> Result<(), Error> {
        ::unit_of_work::__private::run::<
            _,
            Result<(), Error>,
            _,
            _,
            _,
        >(
            {
                static __UNIT_OF_WORK: ::unit_of_work::__private::Unit = ::unit_of_work::__private::Unit::new(
                        "open",
                        ::core::file!(),
                        ::core::line!(),
                    )
                    .retry(::unit_of_work::Retry::DEFAULT.max_attempts(3))
                    .snapshot();
                &__UNIT_OF_WORK
            },
            (::unit_of_work::__private::replayable::<u64>(id), ()),
            |
                tx: &mut Tx<'_>,
                (::unit_of_work::__private::Again(id, _), ()),
            | -> Result<(), Error> { self.insert(tx, id) },
            ::unit_of_work::__private::roll_back,
        )
    }
    /// What it says itself counts; the level does not fit its mode.
    fn peek(&self) -> Result<Option<u64>, Error> {
        ::unit_of_work::__private::run::<
            _,
            Result<Option<u64>, Error>,
            _,
            _,
            _,
        >(
            {
                static __UNIT_OF_WORK: ::unit_of_work::__private::Unit = ::unit_of_work::__private::Unit::new(
                        "peek",
                        ::core::file!(),
                        ::core::line!(),
                    )
                    .propagation(::unit_of_work::Propagation::Supports);
                &__UNIT_OF_WORK
            },
            (),
            |tx: &mut Tx<'_>, ()| -> Result<Option<u64>, Error> {
                tx.query_first("SELECT MAX(id) FROM account")
            },
            ::unit_of_work::__private::roll_back,
        )
    }
    /// Takes none, and carries the attribute.
    fn both(&self) -> Result<(), Error> {
        ::unit_of_work::__private::run::<
            _,
            Result<(), Error>,
            _,
            _,
            _,
        >(
            {
                static __UNIT_OF_WORK: ::unit_of_work::__private::Unit = ::unit_of_work::__private::Unit::new(
                        "both",
                        ::core::file!(),
                        ::core::line!(),
                    )
                    .isolation(::unit_of_work::Isolation::Serializable)
                    .retry(::unit_of_work::Retry::DEFAULT.max_attempts(3));
                &__UNIT_OF_WORK
            },
            (),
            |_: &mut ::unit_of_work::Tx<'_>, ()| -> Result<(), Error> {
                self.open(1)?;
                self.open(2)
            },
            ::unit_of_work::__private::roll_back,
        )
    }
    fn insert(&self, tx: &mut Tx<'_>, id: u64) -> Result<(), Error> {
        tx.exec_drop("INSERT INTO account VALUES (?, 0)", (id,))
    }
    fn plain(&self) -> usize {
        Self::LIMIT
    }
}
