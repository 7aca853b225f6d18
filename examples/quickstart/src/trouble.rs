//! Why a run was not possible, in the words of whoever knows it best: the library, the private server, the system.

/// What ends the program with exit code 2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("the server named by --url or UNIT_OF_WORK_URL cannot be used: {0}")]
    UsersServer(#[source] unit_of_work::Error),
    #[error(transparent)]
    PrivateServer(#[from] ephemeral_mysql::Error),
    #[error(transparent)]
    Work(#[from] unit_of_work::Error),
    #[error("the result could not be written: {0}")]
    Output(#[from] std::io::Error),
    #[error("the result could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}
