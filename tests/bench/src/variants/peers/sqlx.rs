//! The transfer with `sqlx`: its pool at its default settings, the isolation set once a connection in `after_connect`, its
//! `begin`, its queries, which are prepared once a connection.

use sqlx::mysql::{MySqlDatabaseError, MySqlPoolOptions};
use sqlx::{Executor, MySqlPool};

use super::super::jitter::Retryable;
use super::tasks::Attempt;
use crate::Failure;
use crate::bank::{SELECT, Transfer, UPDATE};

#[derive(Debug, Clone)]
pub(super) struct Sqlx {
    pool: MySqlPool,
}

impl Sqlx {
    pub(super) async fn connect(url: &str, connections: u32) -> Result<Self, Failure> {
        let options = MySqlPoolOptions::new().max_connections(connections).after_connect(|conn, _| {
            Box::pin(async move {
                conn.execute("SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE").await?;
                Ok(())
            })
        });
        Ok(Self { pool: options.connect(url).await? })
    }
}

impl Attempt for Sqlx {
    type Error = sqlx::Error;

    async fn attempt(&self, Transfer { lower, higher, amount }: Transfer) -> Result<(), sqlx::Error> {
        let mut tx = self.pool.begin().await?;
        let first: i64 = sqlx::query_scalar(SELECT).bind(lower).fetch_one(&mut *tx).await?;
        let second: i64 = sqlx::query_scalar(SELECT).bind(higher).fetch_one(&mut *tx).await?;
        sqlx::query(UPDATE).bind(first - amount).bind(lower).execute(&mut *tx).await?;
        sqlx::query(UPDATE).bind(second + amount).bind(higher).execute(&mut *tx).await?;
        tx.commit().await
    }
}

impl Retryable for sqlx::Error {
    fn number(&self) -> Option<u16> {
        Some(self.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()?.number())
    }
}
