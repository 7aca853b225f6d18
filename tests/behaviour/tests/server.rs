//! Which server the suite runs on: MariaDB, or MySQL with the feature `mysql`. What the two call differently has one name
//! here; where they answer differently a test states both answers, with [`either`].

use std::sync::OnceLock;

use ephemeral_mysql::{Builder, Flavour, Server};
use unit_of_work::mysql::prelude::Queryable;

/// The suite's server.
pub(crate) const FLAVOUR: Flavour = if cfg!(feature = "mysql") { Flavour::MySql } else { Flavour::MariaDb };

/// One server for all tests that need no settings of their own.
pub(crate) fn shared() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| builder().start().unwrap_or_else(|error| panic!("{error}")))
}

/// A server with settings of its own.
pub(crate) fn builder() -> Builder {
    let builder = Server::builder().flavour(FLAVOUR);
    match FLAVOUR {
        Flavour::MariaDb => builder,
        // So that it can tell whether a transaction is open: [`IN_TRANSACTION`].
        Flavour::MySql => builder
            .option("performance-schema", "ON")
            .option("performance-schema-instrument", "%=OFF")
            .option("performance-schema-instrument", "transaction=ON")
            .option("performance-schema-consumer-events-transactions-current", "ON")
            // Without what else takes 250 MB.
            .option("performance-schema-digests-size", "0")
            .option("performance-schema-error-size", "0")
            .option("performance-schema-max-sql-text-length", "0")
            .option("performance-schema-events-statements-history-size", "0"),
    }
}

/// Whether the session is in a transaction, as an expression; who asks must be allowed to read [`TABLE_OF_TRANSACTIONS`].
pub(crate) const IN_TRANSACTION: &str = match FLAVOUR {
    Flavour::MariaDb => "@@in_transaction",
    Flavour::MySql => {
        "(SELECT COUNT(*) FROM performance_schema.events_transactions_current \
          WHERE thread_id = PS_CURRENT_THREAD_ID() AND state = 'ACTIVE')"
    }
};

/// The table behind [`IN_TRANSACTION`], if there is one.
pub(crate) const TABLE_OF_TRANSACTIONS: Option<&str> = match FLAVOUR {
    Flavour::MariaDb => None,
    Flavour::MySql => Some("performance_schema.events_transactions_current"),
};

/// The session's isolation.
pub(crate) const ISOLATION: &str = match FLAVOUR {
    Flavour::MariaDb => "@@tx_isolation",
    Flavour::MySql => "@@transaction_isolation",
};

/// Whether the session is read-only.
pub(crate) const READ_ONLY: &str = match FLAVOUR {
    Flavour::MariaDb => "@@tx_read_only",
    Flavour::MySql => "@@transaction_read_only",
};

/// What is expected of the one, or of the other.
pub(crate) fn either<T>(mariadb: T, mysql: T) -> T {
    match FLAVOUR {
        Flavour::MariaDb => mariadb,
        Flavour::MySql => mysql,
    }
}

#[test]
fn an_open_transaction_is_told() {
    let database = shared().database();
    let mut conn = database.conn();
    let mut after = |sql: &str| {
        conn.query_drop(sql).expect("the server takes it");
        conn.query_first::<u8, _>(format!("SELECT {IN_TRANSACTION}")).expect("the server tells")
    };
    assert_eq!(after("DO 1"), Some(0));
    assert_eq!(after("BEGIN"), Some(1));
    assert_eq!(after("COMMIT"), Some(0));
    assert_eq!(after("COMMIT AND CHAIN"), Some(1));
    assert_eq!(after("ROLLBACK"), Some(0));
}
