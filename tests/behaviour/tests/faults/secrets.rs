//! What is said about a database and its failures, in every way in which it can be said, and that no password is in it.

use std::error::Error as _;
use std::fmt::{Debug, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use proxy::{Cut, Packet, Proxy, Side};
use unit_of_work::{Database, Error, Retry};

use super::transfer;
use crate::server;
use crate::threads::which_database::is_alone;
use crate::world::World;

const PASSWORD: &str = "Geheim42";

/// Keeps what the traces of one thread say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<String>>);

impl Heard {
    pub(crate) fn said(&self) -> String {
        self.0.lock().expect("nobody panics while writing").clone()
    }
}

impl tracing::field::Visit for Heard {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn Debug) {
        let mut text = self.0.lock().expect("nobody panics while writing");
        writeln!(text, "{field} = {value:?}").expect("a string takes everything");
    }
}

impl tracing::Subscriber for Heard {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        span.record(&mut self.clone());
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

/// All that an error says, its causes included.
fn everything(error: &Error) -> String {
    let mut text = format!("{error}\n{error:?}\n{error:#?}\n");
    let mut cause = error.source();
    while let Some(inner) = cause {
        writeln!(text, "{inner}\n{inner:?}\n{inner:#?}").expect("a string takes everything");
        cause = inner.source();
    }
    text
}

/// What a unit says on the way through a lost connection, an unknown commit and a panic.
fn said_by_units(db: &Database, proxy: &Proxy) -> String {
    let run = |cut: Cut<'_>| {
        proxy.cut(cut);
        let error = db.unit("transfer").retry(Retry::DEFAULT.max_attempts(1)).run(transfer);
        error.expect_err("it was cut")
    };
    let before = Side::BeforeServer;
    let lost = run(Cut { at: Packet::Text("UPDATE"), side: before });
    let unknown = run(Cut { at: Packet::Text("COMMIT"), side: before });
    proxy.cut(Cut { at: Packet::Text("UPDATE"), side: before });
    db.unit("transfer").run(transfer).expect("the second attempt");
    proxy.refuse();
    proxy.close_all();
    let gone = db.unit("gone").retry(Retry::DEFAULT.max_attempts(2)).run(transfer).expect_err("nobody is there");
    proxy.open();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        db.unit("panic").run::<(), Error>(|tx| {
            let unit = format!("{tx:?}");
            panic!("{db:?} {unit} {:?}", tx.connection())
        })
    }));
    let payload = panicked.expect_err("it panicked");
    let panic = payload.downcast_ref::<String>().expect("a formatted panic").clone();
    [everything(&lost), everything(&unknown), everything(&gone), panic, format!("{db:#?}")].concat()
}

/// What everything says that a program may hold in its hand, and what an administrator's statements say that hold a password
/// themselves.
fn said_by_the_rest(db: &Database, user: &str) -> String {
    let units = unit_of_work::units();
    let mut text = format!("{:#?}\n{:?}\n{:?}\n{:?}\n", db.stats(), db.unit("unit"), db.enter(), db.scope());
    let data = serde_json::to_string(&units).expect("plain data");
    writeln!(text, "{units:#?}\n{units}\n{data}").expect("a string takes everything");
    for sql in [
        format!("CREATE USER {user}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'"),
        format!("SET PASSWORD FOR nobody@nowhere = PASSWORD('{PASSWORD}')"),
        format!("ALTER USER {user} IDENTIFIED BY PASSWORD '{PASSWORD}' NONSENSE '{PASSWORD}'"),
        format!("CHANGE MASTER TO MASTER_HOST = {user} MASTER_PASSWORD = '{PASSWORD}'"),
        format!("INSERT INTO no_such_table (password) VALUES ('{PASSWORD}')"),
    ] {
        let error = db.session(|session| {
            writeln!(text, "{session:?}").expect("a string takes everything");
            session.query_drop(&sql)
        });
        text += &everything(&error.expect_err("nothing of it can be done"));
        let error =
            db.unit("refused").run::<_, Error>(|tx| tx.query_drop(&sql)).expect_err("nothing of it can be done");
        text += &everything(&error);
    }
    let late = db.unit("late").timeout(Duration::from_millis(100)).run::<_, Error>(|tx| tx.query_drop("DO SLEEP(10)"));
    text += &everything(&late.expect_err("its deadline passes"));
    let hook = db.unit("hook").run::<_, Error>(|tx| {
        tx.before_commit(|_| Err("refused"));
        Ok(())
    });
    text += &everything(&hook.expect_err("a hook refused"));
    let full = thread::scope(|scope| {
        let _held = db.scope().expect("the only session");
        scope.spawn(|| db.unit("full").run(transfer)).join().expect("no panic")
    });
    text += &everything(&full.expect_err("the only session is held"));
    db.close(Duration::from_secs(5)).expect("nothing runs");
    text + &everything(&db.unit("closed").run(transfer).expect_err("it is closed"))
}

/// What a database says that cannot be connected to.
fn said_by_failures(urls: &[String]) -> String {
    let mut text = String::new();
    for url in urls {
        let builder = Database::builder().url(url).connect_timeout(Duration::from_secs(1));
        writeln!(text, "{builder:?}\n{builder:#?}").expect("a string takes everything");
        let error = builder.connect().expect_err("no such user, database, server or address");
        text += &everything(&error);
        let panicked = catch_unwind(|| Database::connect(url).expect("a database"));
        let payload = panicked.expect_err("it panicked");
        text += payload.downcast_ref::<String>().expect("a formatted panic");
    }
    text
}

/// Alone, because with one subscriber `tracing` asks whichever thread comes to an event first whether anybody listens to it, and
/// on the threads of other tests nobody does.
#[test]
fn s86_a_password_is_told_nowhere() {
    if !is_alone("faults::secrets::s86_a_password_is_told_nowhere") {
        return;
    }
    let world = World::with_accounts(1..=2);
    let user = format!("teller_{}", world.name());
    world.execute(&format!("CREATE USER {user}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'"));
    world.execute(&format!("GRANT ALL ON `{}`.* TO {user}@'127.0.0.1'", world.name()));
    let with = |password: &str, url: &str| url.replace("root@", &format!("{user}:{password}@"));
    let heard = Heard::default();
    // For all threads: connections are ended on others too.
    tracing::subscriber::set_global_default(heard.clone()).expect("this process has no other");
    let mut text = {
        let proxy = Proxy::start(("127.0.0.1", server::shared().port())).expect("a loopback port is free");
        let builder = Database::builder().url(with(PASSWORD, &proxy.url(world.name())));
        // So that everything is slow and idle.
        let builder = builder.slow_unit(Duration::ZERO).idle_in_transaction(Duration::ZERO);
        let db = builder.connect().expect("the right password");
        let by_units = said_by_units(&db, &proxy);
        let right = with(PASSWORD, &world.url());
        let small = Database::builder().url(&right).max_connections(1).acquire_timeout(Duration::from_millis(100));
        let small = small.connect().expect("the right password");
        by_units
            + &said_by_the_rest(&small, &user)
            + &said_by_failures(&[
                with(&format!("{PASSWORD}-wrong"), &world.url()),
                right.replace(&format!("/{}", world.name()), "/no_such_database"),
                with(PASSWORD, &format!("mysql://root@127.0.0.1:1/{}", world.name())),
                right.replace("mysql://", "postgres://"),
                format!("{right}?no_such_setting=1"),
                format!("{right}?tcp_connect_timeout_ms=soon"),
                right.replace("127.0.0.1", "127.0.0.1:not-a-port"),
                format!("{PASSWORD} is no URL"),
                format!("{right}?ssl-mode=REQUIRED"),
                format!("{right}?ssl-mode=PREFERRED"),
                format!("{right}?root_cert_path=/no/ca.pem"),
                format!("{right}?danger_accept_invalid_certs=true"),
                format!("{right}?enable_cleartext_plugin=true"),
                format!("{right}?pkcs12_path=/no/file&pkcs12_pass={PASSWORD}"),
                // Not encoded, it ends where a URL has its database, its parameters or its fragment.
                format!("mysql://{user}:12/{PASSWORD}@127.0.0.1/bank"),
                format!("mysql://{user}:12?{PASSWORD}=@127.0.0.1/bank"),
                format!("mysql://{user}:12#{PASSWORD}@127.0.0.1/bank"),
            ])
    };
    world.execute(&format!("DROP USER {user}@'127.0.0.1'"));
    let traced = heard.said();
    assert!(
        text.contains(&user) && text.contains("AccessDenied"),
        "the control: these texts are about this user: {text}"
    );
    for words in [
        "commit outcome unknown",
        "the unit runs again",
        "the attempt is doomed",
        "connection opened",
        "connection closed",
        "server.address = \"127.0.0.1\"",
        "db.namespace",
        "error.type",
        "round_trips",
        "the unit was slow",
        "the transaction was idle",
    ] {
        assert!(traced.contains(words), "the control: {words} was traced: {traced}");
    }
    text += &traced;
    let told: Vec<_> = text.lines().filter(|line| line.contains(PASSWORD)).collect();
    assert_eq!(told, Vec::<&str>::new());
}
