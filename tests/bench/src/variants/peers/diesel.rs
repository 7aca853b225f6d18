//! The transfer with `diesel`: its query builder over `diesel-async`, whose MySQL needs no C, with a pool as its README builds
//! it. Diesel has no isolation levels on MySQL, so each connection has it set when it is opened.

use diesel::prelude::*;
use diesel::result::Error;
use diesel_async::pooled_connection::deadpool::{Pool, PoolError};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig};
use diesel_async::{AsyncConnection, AsyncMysqlConnection, RunQueryDsl, SimpleAsyncConnection};

use super::super::jitter::Retryable;
use super::tasks::Attempt;
use crate::Failure;
use crate::bank::Transfer;

diesel::table! {
    account (id) {
        id -> Unsigned<Integer>,
        balance -> BigInt,
    }
}

#[derive(Clone)]
pub(super) struct Diesel {
    pool: Pool<AsyncMysqlConnection>,
}

impl Diesel {
    pub(super) fn connect(url: &str, connections: usize) -> Result<Self, Failure> {
        let mut config = ManagerConfig::default();
        config.custom_setup = Box::new(|url| Box::pin(establish(url.to_owned())));
        // Left to itself its driver would move from TCP to the server's socket.
        let manager = AsyncDieselConnectionManager::new_with_config(format!("{url}?prefer_socket=false"), config);
        Ok(Self { pool: Pool::builder(manager).max_size(connections).build()? })
    }
}

async fn establish(url: String) -> ConnectionResult<AsyncMysqlConnection> {
    let mut conn = AsyncMysqlConnection::establish(&url).await?;
    let level = "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE";
    conn.batch_execute(level).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

impl Attempt for Diesel {
    type Error = Fault;

    async fn attempt(&self, transfer: Transfer) -> Result<(), Fault> {
        let mut conn = self.pool.get().await?;
        Ok(conn.transaction(async |conn| move_money(conn, transfer).await).await?)
    }
}

async fn move_money(
    conn: &mut AsyncMysqlConnection,
    Transfer { lower, higher, amount }: Transfer,
) -> Result<(), Error> {
    let first: i64 = account::table.find(lower).select(account::balance).first(conn).await?;
    let second: i64 = account::table.find(higher).select(account::balance).first(conn).await?;
    diesel::update(account::table.find(lower)).set(account::balance.eq(first - amount)).execute(conn).await?;
    diesel::update(account::table.find(higher)).set(account::balance.eq(second + amount)).execute(conn).await?;
    Ok(())
}

#[derive(Debug)]
pub(super) enum Fault {
    Pool(PoolError),
    Diesel(Error),
}

impl From<PoolError> for Fault {
    fn from(error: PoolError) -> Self {
        Self::Pool(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Diesel(error)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Pool(error) => error.into(),
            Fault::Diesel(error) => error.into(),
        }
    }
}

impl Retryable for Fault {
    /// Diesel keeps the number from its users, and over this driver a deadlock is of no kind of its own: there is only the text.
    fn number(&self) -> Option<u16> {
        match self {
            Self::Diesel(Error::DatabaseError(_, said)) if said.message().starts_with("Deadlock found") => Some(1213),
            Self::Diesel(Error::DatabaseError(_, said)) if said.message().starts_with("Lock wait timeout") => {
                Some(1205)
            }
            Self::Diesel(_) | Self::Pool(_) => None,
        }
    }
}
