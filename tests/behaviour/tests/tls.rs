//! Encrypted connections, against servers with certificates of an authority of the tests' own: who is let in, who is not and
//! what is said then, and that all connections of a database are alike. What a broken one still sends is `broken`.

mod broken;
mod certificates;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use ephemeral_mysql::Server;
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Database, DatabaseBuilder, Error, ErrorKind, Retry, Tls};

use self::certificates::{Authority, Issued, Valid, directory, right, write};
use crate::relay::Relay;
use crate::server;
use crate::world::{grow_up, until};

const PASSWORD: &str = "Geheim86";

/// The cipher of the unit's session; empty if there is none.
fn cipher(db: &Database) -> String {
    let (_, cipher): (String, String) = db
        .unit("cipher")
        .run::<_, Error>(|tx| {
            Ok(tx.query_first("SHOW SESSION STATUS LIKE 'Ssl_cipher'")?.expect("every server has it"))
        })
        .unwrap_or_else(|error| panic!("{error}"));
    cipher
}

/// As root, to a server or whatever stands at `port`, trusting `ca`.
fn builder(host: &str, port: u16, ca: &Path) -> DatabaseBuilder {
    Database::builder().url(format!("mysql://root@{host}:{port}/mysql")).tls(Tls::required().ca_file(ca))
}

fn refused(builder: DatabaseBuilder) -> Error {
    let error =
        builder.connect().map(|db| format!("{db:?} has cipher {}", cipher(&db))).expect_err("not to be trusted");
    assert!(error.to_string().starts_with("no encrypted connection to 127.0.0.1:"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    error
}

#[test]
fn s105_a_right_certificate_connects_and_the_session_is_encrypted() {
    let (server, directory) = (right(), directory());
    let ca = Authority::trusted().file(&directory);
    let url = server.url("mysql");
    let by_builder = builder("127.0.0.1", server.port(), &ca);
    let by_url = Database::builder().url(format!("{url}?root_cert_path={}", ca.display()));
    let by_both = Database::builder().url(format!("{url}?ssl-mode=REQUIRED")).tls(Tls::required().ca_file(&ca));
    for builder in [by_builder, by_url, by_both] {
        let shown = format!("{builder:?}");
        assert_ne!(cipher(&builder.connect().expect("a right certificate")), "", "{shown}");
    }
    let plain = Database::connect(&url).expect("the server takes both");
    assert_eq!(cipher(&plain), "", "the control: the server does not say so of all sessions");
}

#[test]
fn s105_a_right_name_connects_as_well_as_a_right_address() {
    let directory = directory();
    let relay = Relay::start("localhost", right().port());
    let db = builder("localhost", relay.port(), &Authority::trusted().file(&directory)).connect();
    let db = db.expect("the certificate is for `localhost` too");
    assert_ne!(cipher(&db), "");
    db.close(Duration::from_secs(5)).expect("nothing runs");
    relay.until_ended(0);
    assert!(!relay.was_told("Ssl_cipher") && !relay.was_told("root"), "what is encrypted cannot be read on the way");
}

#[test]
fn s105_a_wrong_host_name_does_not_connect() {
    let (server, directory) =
        (Authority::trusted().issue(&["db.example", "10.0.0.1"], Valid::Today).server(), directory());
    let error = refused(builder("127.0.0.1", server.port(), &Authority::trusted().file(&directory)));
    for said in ["not for `127.0.0.1`", "db.example", "10.0.0.1", "have one made"] {
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn s105_an_expired_certificate_does_not_connect() {
    let (server, directory) = (Authority::trusted().issue(&["127.0.0.1"], Valid::NotAnyMore).server(), directory());
    let error = refused(builder("127.0.0.1", server.port(), &Authority::trusted().file(&directory)));
    assert!(error.to_string().contains("expired") && error.to_string().contains("renew"), "{error}");
}

#[test]
fn s105_a_foreign_certificate_does_not_connect() {
    let directory = directory();
    let others = builder("127.0.0.1", right().port(), &Authority::new("tests").file(&directory));
    let nobodys = Database::builder().url(format!("{}?ssl-mode=VERIFY_CA", right().url("mysql")));
    for builder in [others, nobodys] {
        let error = refused(builder);
        assert!(
            error.to_string().contains("nobody who is trusted") && error.to_string().contains("`Tls::ca_file`"),
            "{error}"
        );
    }
}

#[test]
fn s105_a_server_without_tls_does_not_connect_and_is_told_nothing() {
    let directory = directory();
    let relay = Relay::start("127.0.0.1", server::shared().port());
    let error = refused(builder("127.0.0.1", relay.port(), &Authority::trusted().file(&directory)));
    assert!(error.to_string().contains("offers none") && error.to_string().contains("`ssl_cert`"), "{error}");
    relay.until_ended(0);
    let good_bye = [1, 0, 0, 0, 1].to_vec();
    assert_eq!((relay.connections(), relay.sent(0)), (1, good_bye), "a COM_QUIT and nothing else");
}

#[test]
fn s105_each_refusal_has_its_own_message_and_tells_no_secret() {
    let directory = directory();
    let (trusted, ca) = (Authority::trusted(), Authority::trusted().file(&directory));
    let foreign = Authority::new("foreign").issue(&["127.0.0.1"], Valid::Today).server();
    let expired = trusted.issue(&["127.0.0.1"], Valid::NotAnyMore).server();
    let elsewhere = trusted.issue(&["db.example"], Valid::Today).server();
    let mut messages = BTreeSet::new();
    for server in [&foreign, &expired, &elsewhere, server::shared()] {
        let relay = Relay::start("127.0.0.1", server.port());
        let url = format!("mysql://teller:{PASSWORD}@127.0.0.1:{}/mysql", relay.port());
        let error = refused(Database::builder().url(url).tls(Tls::required().ca_file(&ca)));
        relay.until_ended(0);
        assert!(!relay.was_told("teller") && !relay.was_told(PASSWORD));
        let text = format!("{error}\n{error:?}\n{:?}", std::error::Error::source(&error));
        assert!(!text.contains(PASSWORD), "{text}");
        messages.insert(error.to_string().replace(&relay.port().to_string(), ""));
    }
    assert_eq!(messages.len(), 4, "{messages:#?}");
}

#[test]
fn s105_a_certificate_that_is_not_to_be_trusted_any_more_is_not_tried_again() {
    let directory = directory();
    let ca = Authority::trusted().file(&directory);
    let db = builder("127.0.0.1", right().port(), &ca).connect().expect("a right certificate");
    let _kept = db.scope().expect("the one session is this thread's");
    Authority::new("another").file(&directory);
    let error = std::thread::scope(|scope| {
        let unit = scope.spawn(|| db.unit("second session").run::<_, Error>(|tx| tx.query_drop("DO 1")));
        unit.join().expect("no panic").expect_err("the CA file is read for each connection")
    });
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Tls, 0), "{error}");
}

#[test]
fn s105_what_ends_a_statement_at_its_deadline_is_encrypted_too() {
    let (server, directory) = (right(), directory());
    grow_up(server);
    let home = server.database();
    let user = format!("teller_{}", home.name());
    let mut root = home.conn();
    root.query_drop(format!("CREATE USER {user}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL")).expect("a user");
    root.query_drop(format!("GRANT ALL ON `{}`.* TO {user}@'127.0.0.1'", home.name())).expect("its rights");
    let url = home.url().replace("root@", &format!("{user}:{PASSWORD}@"));
    let plain = Database::connect(&url).expect_err("this user is let in encrypted only");
    assert_eq!(plain.kind(), ErrorKind::AccessDenied);
    assert!(plain.to_string().contains("TLS"), "{plain}");
    let tls = Tls::required().ca_file(Authority::trusted().file(&directory));
    let db = Database::builder().url(&url).tls(tls).connect().expect("it is encrypted");
    let late = db
        .unit("late")
        .timeout(Duration::from_millis(300))
        .run::<_, Error>(|tx| tx.query_drop("SELECT BENCHMARK(1000000000000, SHA2('x', 256))"));
    assert_eq!(late.expect_err("its deadline passes").kind(), ErrorKind::Timeout);
    // It goes on for minutes, whether anybody listens or not, unless it is killed; and this user can kill encrypted only.
    until("another session has killed it", || {
        let running =
            "SELECT COUNT(*) FROM information_schema.processlist WHERE user = ? AND info LIKE 'SELECT BENCHMARK%'";
        root.exec_first::<u64, _, _>(running, (&user,)).expect("it answers") == Some(0)
    });
    drop(db);
    root.query_drop(format!("DROP USER {user}@'127.0.0.1'")).expect("no user any more");
}

/// MySQL says it with a number of its own (3159); MariaDB 10.11 lets the user not in and does not say why.
#[test]
fn s105_who_did_not_ask_for_tls_is_told_that_it_may_be_wanted() {
    let server = Authority::trusted().issue(&["127.0.0.1"], Valid::Today).server();
    server.conn().expect("it answers").query_drop("SET GLOBAL require_secure_transport = ON").expect("it can be set");
    let error = Database::connect(&server.url("mysql")).expect_err("it is not encrypted");
    assert!(matches!(error.kind(), ErrorKind::Tls | ErrorKind::AccessDenied), "{error}");
    assert!(error.to_string().contains("`DatabaseBuilder::tls`"), "{error}");
}

#[test]
fn s105_a_client_may_show_a_certificate_of_its_own() {
    let (server, directory) = (right(), directory());
    let ca = Authority::trusted().file(&directory);
    let (certificate, key) = Authority::trusted().issue(&[], Valid::Today).files(&directory);
    let user = format!("robot_{}", std::process::id());
    let mut root = server.conn().expect("it answers");
    root.query_drop(format!("CREATE USER {user}@'127.0.0.1' REQUIRE X509")).expect("a user");
    root.query_drop(format!("GRANT SELECT ON mysql.* TO {user}@'127.0.0.1'")).expect("its rights");
    let url = server.url("mysql").replace("root@", &format!("{user}@"));
    let tls = Tls::required().ca_file(&ca);
    let nameless = Database::builder().url(&url).tls(tls.clone()).connect().expect_err("it shows no certificate");
    assert_eq!(nameless.kind(), ErrorKind::AccessDenied);
    let known = format!("{url}?cert_chain_path={}&priv_key_path={}", certificate.display(), key.display());
    let db = Database::builder().url(known).tls(tls.clone()).connect().expect("it shows its certificate");
    assert_ne!(cipher(&db), "");
    drop(db);
    let missing = format!("{url}?cert_chain_path={}&priv_key_path=/no/key.pem", certificate.display());
    let error = Database::builder().url(missing).tls(tls).connect().expect_err("there is no key");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("private key /no/key.pem"), "{error}");
    root.query_drop(format!("DROP USER {user}@'127.0.0.1'")).expect("no user any more");
}

#[test]
fn s105_a_ca_file_that_holds_none_is_named_and_not_taken_for_none() {
    let directory = directory();
    let empty = write(directory.path(), "empty.pem", "");
    let key = Issued::files(&Authority::trusted().issue(&[], Valid::Today), &directory).1;
    for path in [empty.as_path(), &key, Path::new("/no/ca.pem")] {
        let error = builder("127.0.0.1", right().port(), path).connect().expect_err("no CA");
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
}

#[test]
fn s105_verification_cannot_be_switched_off() {
    let foreign = Authority::new("foreign").issue(&["127.0.0.1"], Valid::Today).server();
    for parameter in ["danger_accept_invalid_certs=true", "danger_skip_domain_validation=true", "ssl-mode=PREFERRED"] {
        let url = format!("{}?{parameter}", foreign.url("mysql"));
        let error = Database::builder().url(url).retry(Retry::NEVER).connect().expect_err("nobody would be verified");
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    }
    let cleartext = format!("{}?enable_cleartext_plugin=true", foreign.url("mysql"));
    assert_eq!(Database::connect(&cleartext).expect_err("in plain text").kind(), ErrorKind::Configuration);
}

#[test]
fn s105_a_unix_socket_needs_no_certificate() {
    let server: &Server = right();
    let url = format!("{}?socket={}&ssl-mode=REQUIRED", server.url("mysql"), server.socket().display());
    assert_eq!(cipher(&Database::connect(&url).expect("nothing leaves this machine")), "");
}
