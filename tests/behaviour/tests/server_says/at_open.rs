//! What a server says about itself when a connection is opened, and what is made of it.

use ephemeral_mysql::{Profile, Server};
use unit_of_work::testing::{Reply, Script};
use unit_of_work::{Database, Error, ErrorKind};

use crate::faults::secrets::Heard;
use crate::server;
use crate::threads::which_database::is_alone;
use crate::world::World;

/// What is heard while a database is connected to and two of its connections are used.
fn heard(server: &Server) -> String {
    let heard = Heard::default();
    let world = World::on(server, |builder| builder);
    tracing::subscriber::with_default(heard.clone(), || {
        let db = world.connect(|builder| builder);
        let two = db.unit("outer").run::<_, Error>(|tx| {
            tx.query_drop("DO 1")?;
            let inner = db.unit("inner").propagation(unit_of_work::Propagation::RequiresNew);
            inner.run::<_, Error>(|tx| tx.query_drop("DO 1"))
        });
        two.expect("two connections");
        assert_eq!(db.stats().opened, 2);
    });
    heard.said()
}

/// Alone: see `faults::secrets`.
#[test]
fn s01_a_server_that_can_lose_confirmed_commits_is_warned_of_once_per_database() {
    if !is_alone("server_says::at_open::s01_a_server_that_can_lose_confirmed_commits_is_warned_of_once_per_database") {
        return;
    }
    let with = |profile| server::builder().profile(profile);
    let start = |builder: ephemeral_mysql::Builder| builder.start().unwrap_or_else(|error| panic!("{error}"));
    let careless =
        heard(&start(with(Profile::Durable).option("innodb-flush-log-at-trx-commit", "2").option("sync-binlog", "0")));
    for (setting, times) in
        [("`innodb_flush_log_at_trx_commit` is 2", 1), ("`sync_binlog` is 0", 1), ("can be lost", 3)]
    {
        assert_eq!(careless.matches(setting).count(), times, "{setting}: {careless}");
    }
    let durable = heard(&start(with(Profile::Durable)));
    assert!(durable.contains("connection opened") && !durable.contains("can be lost"), "{durable}");
}

#[test]
fn s61_a_level_that_the_server_does_not_have_is_refused_at_open() {
    let server = Script::new();
    server.refuse_connections(Some(Reply::error(8048, "HY000", "The isolation level 'SERIALIZABLE' is not supported")));
    let error = Database::builder().script(&server).connect().expect_err("TiDB has no such level");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Configuration, Some(8048)), "{error}");
    assert!(error.to_string().contains("TiDB has no `serializable`"), "{error}");
}

#[test]
fn s61_a_server_that_takes_a_level_and_keeps_another_is_refused_at_open() {
    let server = Script::new();
    server.weaken_isolation();
    let error = Database::builder().script(&server).connect().expect_err("it has less than was asked for");
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    assert!(error.to_string().contains("REPEATABLE-READ"), "{error}");
}

#[test]
fn an_address_that_is_no_url_is_told_how_one_begins() {
    for address in ["localhost:3306", "127.0.0.1:3306/bank", ""] {
        let error = Database::connect(address).expect_err("it is none");
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(error.to_string().contains("it does not begin with `mysql://`"), "{error}");
    }
}
