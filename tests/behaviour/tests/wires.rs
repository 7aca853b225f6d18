//! One database of ours on a scripted server and one on the real server behind a proxy, for scenarios whose statements must be
//! the same on both: what was sent is read from the script's log and from the proxy's record, and written in one short form.

use std::cell::RefCell;

use proxy::Proxy;
use unit_of_work::Database;
use unit_of_work::testing::Script;

use crate::world::{GIVE_TEN, TAKE_TEN, World};

/// A database of ours with two sessions open and the table `account` with accounts 1 and 2, and what it sends.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) db: Database,
    server: Server,
    /// Connections in the order in which they were first used.
    met: RefCell<Vec<u64>>,
}

#[derive(Debug)]
enum Server {
    Scripted(Script),
    Real(Proxy, World),
}

impl Wire {
    /// One of each kind.
    pub(crate) fn both() -> [Self; 2] {
        [Self::scripted().0, Self::real()]
    }

    /// A scripted one, and its script.
    pub(crate) fn scripted() -> (Self, Script) {
        let script = Script::new();
        let db = Database::builder().script(&script).min_idle(2).connect().expect("a scripted server");
        drop(script.take_sent());
        (Self { db, server: Server::Scripted(script.clone()), met: RefCell::default() }, script)
    }

    fn real() -> Self {
        let world = World::with_accounts(1..=2);
        // What opening a session sends is not looked at, so both are open before.
        let (db, proxy) = world.proxied_with(|builder| builder.min_idle(2));
        proxy.record();
        Self { db, server: Server::Real(proxy, world), met: RefCell::default() }
    }

    /// What was sent since the last call: `1 take; 2 give; 2 COMMIT; 1 ROLLBACK`. The number is the connection's; `take` is
    /// [`TAKE_TEN`], `give` is [`GIVE_TEN`].
    pub(crate) fn sent(&self) -> String {
        let sent: Vec<(u64, String)> = match &self.server {
            Server::Scripted(script) => {
                script.take_sent().into_iter().map(|sent| (sent.connection.into(), sent.text)).collect()
            }
            Server::Real(proxy, _) => {
                let commands = proxy.take().into_iter().filter(|command| command.kind.is_round_trip());
                commands.map(|command| (command.connection, command.text)).collect()
            }
        };
        let lines = sent.into_iter().map(|(connection, text)| format!("{} {}", self.number(connection), short(&text)));
        lines.collect::<Vec<_>>().join("; ")
    }

    fn number(&self, connection: u64) -> usize {
        let mut met = self.met.borrow_mut();
        if let Some(at) = met.iter().position(|known| *known == connection) {
            return at + 1;
        }
        met.push(connection);
        met.len()
    }

    /// Statement 9, where there is a server to ask.
    pub(crate) fn assert_clean(&self) {
        match &self.server {
            Server::Scripted(_) => assert!(!unit_of_work::in_unit(), "something is bound to the thread"),
            Server::Real(_, world) => world.assert_clean(&self.db),
        }
    }
}

fn short(text: &str) -> &str {
    match text {
        TAKE_TEN => "take",
        GIVE_TEN => "give",
        _ => text.strip_suffix(" AND NO CHAIN NO RELEASE").unwrap_or(text),
    }
}
