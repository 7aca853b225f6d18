//! Another client of the database that is at odds with a unit's first attempt: made of the server's own locks, so that the
//! conflict is a real one, and in an order that is waited for, never hoped for.

use std::sync::mpsc;
use std::thread::{self, ScopedJoinHandle};

use unit_of_work::mysql::Conn;
use unit_of_work::mysql::prelude::Queryable;

use crate::world::World;

/// A client that makes one attempt of a unit the victim of a deadlock. It needs accounts 1 to 30 and adds 1000 to account 1.
///
/// It holds accounts 2 to 30. The unit must lock account 1, call [`strike`](Rival::strike), then want account 2: the server then
/// rolls the unit back, because it has changed fewer rows.
#[derive(Debug)]
pub(crate) struct Rival<'scope> {
    go: mpsc::Sender<()>,
    thread: ScopedJoinHandle<'scope, ()>,
}

impl<'scope> Rival<'scope> {
    /// Returns when it holds its locks.
    pub(crate) fn start<'env>(scope: &'scope thread::Scope<'scope, 'env>, world: &'env World) -> Self {
        let mut conn = world.conn();
        conn.query_drop("BEGIN").expect("the server answers");
        conn.query_drop("UPDATE account SET balance = balance + 0.5 + 0.5 WHERE id >= 2").expect("nobody has locks yet");
        let (go, gone) = mpsc::channel();
        let thread = scope.spawn(move || {
            if gone.recv().is_ok() {
                world.until_waiting(1);
                add_a_thousand(&mut conn);
            }
        });
        Self { go, thread }
    }

    /// Has it want account 1 as soon as the unit waits for account 2.
    pub(crate) fn strike(&self) {
        self.go.send(()).expect("the rival waits for it");
    }

    /// Waits until it has committed.
    pub(crate) fn join(self) {
        drop(self.go);
        self.thread.join().expect("the rival wins each deadlock");
    }
}

fn add_a_thousand(conn: &mut Conn) {
    conn.query_drop("UPDATE account SET balance = balance + 1000 WHERE id = 1").expect("the unit is the victim");
    conn.query_drop("COMMIT").expect("the server answers");
}
