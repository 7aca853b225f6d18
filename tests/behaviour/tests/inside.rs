//! What belongs to a unit besides its statements: hooks before COMMIT and those of a savepoint, values that live as long as the
//! unit, how code finds the unit that it runs in; here, the hooks of an unknown end. What others do after a unit's end is `hooks`.

mod ambient;
mod before_commit;
mod local;
mod savepoint_hooks;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use proxy::{Cut, Packet, Side};
use unit_of_work::testing::{Reply, Script};
use unit_of_work::{Database, Error, ErrorKind, HookKind, Outcome, Tx, in_unit};

use crate::world::{TAKE_TEN, World};

/// What hooks write down, in the order in which they run.
type Diary = Rc<RefCell<Vec<&'static str>>>;

fn scripted() -> (Database, Script) {
    let server = Script::new();
    (Database::builder().script(&server).connect().expect("a scripted server"), server)
}

/// Hooks of every kind that write `name` and what happened into the diary.
fn register(tx: &mut Tx<'_>, diary: &Diary, [before, committed, rolled_back, unknown]: [&'static str; 4]) {
    let [first, second, third, fourth] = [diary, diary, diary, diary].map(Rc::clone);
    tx.before_commit(move |_| first.borrow_mut().push(before));
    tx.after_commit(move || second.borrow_mut().push(committed));
    tx.after_rollback(move |_| third.borrow_mut().push(rolled_back));
    tx.on_unknown(move |_| fourth.borrow_mut().push(unknown));
}

const OUTER: [&str; 4] = ["outer before", "outer committed", "outer rolled back", "outer unknown"];
const INNER: [&str; 4] = ["inner before", "inner committed", "inner rolled back", "inner unknown"];
const LATER: [&str; 4] = ["later before", "later committed", "later rolled back", "later unknown"];

#[test]
fn s58_after_an_unknown_commit_on_unknown_alone_runs_when_the_thread_is_as_before() {
    for side in [Side::BeforeServer, Side::AfterServer] {
        let world = World::with_accounts(1..=1);
        let (db, proxy) = world.proxied();
        let (diary, seen) = (Diary::default(), Rc::new(Cell::new(None)));
        proxy.cut(Cut { at: Packet::Text("COMMIT"), side });
        let unit = db.unit("outer").run::<(), Error>(|tx| {
            register(tx, &diary, OUTER);
            let (seen, inside) = (Rc::clone(&seen), db.clone());
            tx.on_unknown(move |error| {
                assert!(!in_unit());
                inside.unit("fresh").run::<_, Error>(|tx| tx.query_drop("SELECT 1")).expect("a fresh unit");
                seen.set(Some((error.kind(), error.outcome())));
            });
            db.unit("joined").run::<_, Error>(|tx| {
                register(tx, &diary, INNER);
                Ok(())
            })?;
            tx.savepoint::<_, Error>(|tx| {
                register(tx, &diary, LATER);
                tx.query_drop(TAKE_TEN)
            })
        });
        let error = unit.expect_err("nobody knows");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::CommitUnknown, Some(Outcome::Unknown)));
        let expected =
            ["outer before", "inner before", "later before", "outer unknown", "inner unknown", "later unknown"];
        assert_eq!(diary.take(), expected, "{side:?}");
        assert_eq!(seen.get(), Some((ErrorKind::CommitUnknown, Some(Outcome::Unknown))));
        let taken = if side == Side::AfterServer { 90 } else { 100 };
        assert_eq!(world.balances(), [taken]);
        world.assert_clean(&db);
    }
}

#[test]
fn s58_a_hook_of_an_unknown_end_that_fails_is_reported() {
    let server = Script::new();
    let reports: Arc<Mutex<Vec<(HookKind, String)>>> = Arc::default();
    let told = Arc::clone(&reports);
    let builder = Database::builder().script(&server).on_hook_error(move |failure| {
        told.lock().expect("no listener panics").push((failure.hook, failure.message.clone()));
    });
    let db = builder.connect().expect("a scripted server");
    server.answer("COMMIT", Reply::LostAfter);
    let unit = db.unit("take").run::<(), Error>(|tx| {
        tx.on_unknown(|_| Err::<(), _>("no paper"));
        tx.query_drop(TAKE_TEN)
    });
    assert_eq!(unit.expect_err("nobody knows").kind(), ErrorKind::CommitUnknown);
    let reports = std::mem::take(&mut *reports.lock().expect("the listener is done"));
    assert_eq!(reports, [(HookKind::OnUnknown, "no paper".to_owned())]);
}
