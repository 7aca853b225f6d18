//! Runs that come to no end: killed at any moment, or without an answer to their COMMIT. The next one goes on, and what is there at
//! last is what an undisturbed run leaves.

use std::path::Path;
use std::process::Child;
use std::thread;

use proxy::{Cut, Packet, Proxy, Side};
use unit_of_work::mysql::prelude::Queryable;

use crate::room::{BALANCE, Room, begun, count, failed, refused, run, settled};

const SMALL: [&str; 4] = ["--threads", "4", "--chunk", "5"];

fn kill(mut batch: Child) {
    batch.kill().expect("it is ours");
    batch.wait().expect("it can be waited for");
}

/// Until it has come so far; it must not end before.
fn wait_until(batch: &mut Child, mut so_far: impl FnMut() -> bool) {
    while !so_far() {
        assert!(batch.try_wait().expect("it can be asked").is_none(), "it ended by itself");
        thread::yield_now();
    }
}

/// How many lines are settled; none where there is no ledger yet.
fn done(conn: &mut unit_of_work::mysql::Conn) -> u64 {
    let sum = "SELECT CAST(COALESCE(SUM(done), 0) AS UNSIGNED) FROM unit_of_work_batch.lane";
    conn.query_first(sum).ok().flatten().unwrap_or(0)
}

#[test]
fn twenty_kills_at_random_moments_lose_nothing_and_double_nothing() {
    const LINES: u64 = 3000;
    const KILLS: u64 = 20;
    let room = Room::new();
    let file = room.generated(LINES);
    let undisturbed = room.settle(&file, &SMALL);
    let expected = room.books();
    room.forget();
    let mut conn = room.conn();
    let mut random = fastrand::Rng::new();
    for kill_number in 0..KILLS {
        // Each one in its own part of the file; the first may come before there is a ledger, and after the last one so much is left
        // that no run ends by itself while this thread waits for a processor.
        let moment = (kill_number * 10 + random.u64(..10)) * LINES / (KILLS * 10 + 140);
        let mut batch = begun(room.batch(&file, &SMALL));
        wait_until(&mut batch, || done(&mut conn) >= moment);
        kill(batch);
        if kill_number > 0 {
            assert_eq!(room.money(), 50 * BALANCE, "after kill {kill_number}");
        }
    }
    let open: Vec<u64> = room.ask("SELECT closed FROM night");
    assert_eq!(open, [0]);
    let report = room.settle(&file, &SMALL);
    assert!(room.books() == expected, "what is there is not what an undisturbed run leaves");
    assert_eq!(expected.lines(), (2..=LINES + 1).collect::<Vec<_>>());
    let told = |report: &str| ["lines", "posted", "rejected"].map(|name| count(report, name));
    assert_eq!(told(&report), told(&undisturbed), "the last run reports the whole night");
    assert!(report.contains(" of its lines were so before this run."), "{report}");
    assert_eq!(room.ask::<u64>("SELECT CAST(SUM(posted + rejected) AS UNSIGNED) FROM chunk"), [LINES]);
}

/// A run that waits for the row of an account; what is done then, and it is killed.
fn killed_while_it_waits_for(room: &Room, file: &Path, account: u64, meanwhile: impl FnOnce()) {
    let mut locker = room.conn();
    locker.query_drop("START TRANSACTION").expect("a transaction can be begun");
    let lock = format!("SELECT * FROM unit_of_work_batch.account WHERE id = {account} FOR UPDATE");
    locker.query_drop(lock).expect("the row can be locked");
    let mut batch = begun(room.batch(file, &["--threads", "2", "--chunk", "5"]));
    wait_until(&mut batch, || room.lock_waits() > 0);
    meanwhile();
    kill(batch);
    locker.query_drop("ROLLBACK").expect("the lock can be given back");
}

#[test]
fn killed_in_the_middle_of_a_chunk_or_of_closing_it_goes_on_from_there() {
    let room = Room::new();
    room.settle(&room.file_of("empty.csv", "id,from,to,amount\n"), &[]);
    // Nobody pays from account 50, so that only the first run, which counts the money, and closing need it.
    let lines = (1..=600).map(|id| format!("{id},{},{},1\n", id % 40 + 1, id % 50 + 1));
    let file = room.file(&format!("id,from,to,amount\n{}", lines.collect::<String>()));
    killed_while_it_waits_for(&room, &file, 50, || ());
    assert_eq!(room.ask::<u64>("SELECT COUNT(*) FROM lane WHERE night > 1"), [0], "it had not begun");
    let mut first = begun(room.batch(&file, &["--threads", "2", "--chunk", "1"]));
    let mut conn = room.conn();
    wait_until(&mut first, || done(&mut conn) > 0);
    kill(first);
    killed_while_it_waits_for(&room, &file, 1, || {
        let other = refused(&run(room.batch(&file, &[])));
        assert!(other.contains("another run works on this ledger"), "{other}");
    });
    let by_then = done(&mut room.conn());
    assert!((1..600).contains(&by_then), "{by_then}");
    killed_while_it_waits_for(&room, &file, 50, || ());
    assert_eq!(done(&mut room.conn()), 600);
    let report = room.settle(&file, &["--chunk", "100"]);
    assert!(report.contains("600 of its lines were so before this run") && count(&report, "runs") == 3, "{report}");
    let books = room.books();
    room.forget();
    room.settle(&file, &[]);
    assert!(books == room.books());
}

#[test]
fn what_stops_one_thread_stops_all_and_what_was_posted_stays() {
    let room = Room::new();
    room.settle(&room.file_of("empty.csv", "id,from,to,amount\n"), &[]);
    let when = "CREATE TRIGGER full BEFORE INSERT ON chunk FOR EACH ROW IF NEW.lane = 17 THEN \
                SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no more tonight'; END IF";
    room.tell(when);
    let file = room.generated(400);
    let said = failed(&run(room.batch(&file, &["--threads", "2", "--chunk", "3"])), 3);
    assert!(
        said.contains("the run stopped, and what it had posted stays") && said.contains("no more tonight"),
        "{said}"
    );
    assert_eq!(
        (room.money(), room.ask("SELECT done FROM lane WHERE number = 17 AND night = 2")),
        (50 * BALANCE, vec![0_u64])
    );
    room.tell("DROP TRIGGER full");
    room.settle(&file, &[]);
    assert_eq!(room.books().lines(), (2..=401).collect::<Vec<_>>());
}

#[test]
fn a_chunk_whose_commit_was_not_answered_is_posted_once() {
    let room = Room::new();
    let proxy = Proxy::start(("127.0.0.1", room.server.port())).expect("a proxy can be started");
    let lines = (1..=30).map(|id| format!("{id},1,2,10\n"));
    let file = room.file(&format!("id,from,to,amount\n{}", lines.collect::<String>()));
    for side in [Side::BeforeServer, Side::AfterServer] {
        // All that a chunk writes, COMMIT included, is one packet.
        proxy.cut(Cut { at: Packet::Text("INSERT INTO payment"), side });
        let mut command = room.batch(&file, &["--threads", "1", "--chunk", "10"]);
        command.args(["--url", &proxy.url("")]);
        let report = settled(&run(command));
        assert!(!proxy.cut_planned());
        assert_eq!((count(&report, "posted"), count(&report, "chunks")), (30, 3), "{side:?}");
        let books = room.books();
        assert_eq!((books.accounts[1].1, books.accounts[2].1), (BALANCE - 30 * 21, BALANCE + 300));
        room.forget();
    }
}
