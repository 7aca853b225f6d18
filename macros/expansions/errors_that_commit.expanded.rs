fn log_in(user: u64) -> Result<(), LoginError> {
    ::unit_of_work::__private::run::<
        _,
        Result<(), LoginError>,
        _,
        _,
        _,
    >(
        {
            static __UNIT_OF_WORK: ::unit_of_work::__private::Unit = ::unit_of_work::__private::Unit::new(
                "log_in",
                ::core::file!(),
                ::core::line!(),
            );
            &__UNIT_OF_WORK
        },
        (::unit_of_work::__private::replayable::<u64>(user), ()),
        |
            tx: &mut Tx<'_>,
            (::unit_of_work::__private::Again(user, _), ()),
        | -> Result<(), LoginError> {
            tx.exec_drop(
                "UPDATE user SET failures = failures + 1 WHERE id = ?",
                (user,),
            )?;
            Err(LoginError::WrongPassword)
        },
        |__unit_of_work_error| match __unit_of_work_error {
            LoginError::WrongPassword | LoginError::Locked { .. } => {
                ::unit_of_work::__private::OnError::Commit
            }
            LoginError::Stale(age) if *age > 3 => {
                ::unit_of_work::__private::OnError::RunAgain
            }
            _ => ::unit_of_work::__private::OnError::RollBack,
        },
    )
}
