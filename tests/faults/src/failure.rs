//! Why a soak could not be run to its end. What it finds out about the library is no failure: that stands in its report.

/// What ends the program with exit code 2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Server(#[from] ephemeral_mysql::Error),
    #[error("the auditor's own connection failed: {0}")]
    Audit(#[from] unit_of_work::mysql::Error),
    #[error(transparent)]
    Work(#[from] unit_of_work::Error),
    #[error("the system refused: {0}")]
    System(#[from] std::io::Error),
    #[error("the result could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("no unit was acknowledged for {seconds} s {when}: service does not resume by itself\n{last}")]
    Stuck { seconds: u64, when: &'static str, last: String },
}
