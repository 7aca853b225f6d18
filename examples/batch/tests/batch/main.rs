//! The program as a user runs it: what it posts and what it rejects, what it says when it cannot run. Interruptions are in `resume`,
//! reports in `reports`.

mod reports;
mod resume;
mod room;

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use room::{Room, batch, count, failed, refused, run, settled};

const HEADER: &str = "id,from,to,amount\n";

#[test]
fn good_lines_are_posted_with_fees_and_each_bad_one_is_rejected_alone_with_number_and_reason() {
    let room = Room::new();
    let file = room.file(
        "id,from,to,amount\n\
         1,1,2,50000\n\
         2,1,99,10\n\
         3, 2 ,3,60000\n\
         4,3,3,1\n\
         5,99,3,1\n\
         1,2,1,11\n\
         6,4,5,0\n\
         7,4,5,ten\n\
         8,4,5\n\
         9,4,5,-1\n\
         10,1,4,10001\n\
         11,1,4,10000\n\
         12,0,4,5\n\
         13,5,6,5000001\n",
    );
    let report = room.settle(&file, &[]);
    let books = room.books();
    // Fees: 60, 70 and 20. What 2 and 3 received is paid out at the end.
    assert_eq!(books.payments, [(2, 1, 1, 2, 50_000, 60), (4, 3, 2, 3, 60_000, 70), (13, 11, 1, 4, 10_000, 20)]);
    assert_eq!(
        books.accounts[..5],
        [(0, 150, 0, 0), (1, 20, 0, 60_000), (2, 50_030, 0, 60_000), (3, 120_100, 0, 60_000), (4, 70_100, 0, 60_000)]
    );
    let rejects: Vec<_> = books.rejects.iter().map(|reject| (reject.0, &*reject.1, &*reject.3)).collect();
    assert_eq!(
        rejects,
        [
            (3, "2,1,99,10", "there is no account 99"),
            (5, "4,3,3,1", "from and to are the same account"),
            (6, "5,99,3,1", "there is no account 99"),
            (7, "1,2,1,11", "payment 1 stands in line 2 already"),
            (8, "6,4,5,0", "the amount is 0"),
            (9, "7,4,5,ten", "amount: `ten` is not a whole number"),
            (10, "8,4,5", "3 fields instead of 4"),
            (11, "9,4,5,-1", "amount: `-1` is negative"),
            (12, "10,1,4,10001", "account 1 has 10000 cents left of its limit for this night"),
            (14, "12,0,4,5", "there is no account 0"),
            (15, "13,5,6,5000001", "5000001 cents are more than one payment may be, 5000000"),
        ]
    );
    assert_eq!(["lines", "posted", "rejected", "no such account"].map(|name| count(&report, name)), [14, 3, 11, 3]);
    assert!(report.contains("\n  line 3: 2,1,99,10: there is no account 99\n"), "{report}");
    assert!(report.contains("\n  and 1 more; "), "{report}");
}

#[test]
fn threads_chunks_and_killed_connections_change_nothing_of_the_outcome() {
    let room = Room::new();
    let file = room.generated(1500);
    room.settle(&file, &["--threads", "1", "--chunk", "10000"]);
    let alone = room.books();
    let kinds: std::collections::BTreeSet<_> = alone.rejects.iter().map(|reject| &reject.2).collect();
    assert!(kinds.len() == 7 && alone.payments.len() > 1000, "the file tries every rule: {kinds:?}");
    assert_eq!(alone.lines(), (2..=1501).collect::<Vec<_>>(), "every line is accounted for once");
    for arguments in [
        ["--threads", "8", "--chunk", "7"].as_slice(),
        &["--threads", "3", "--chunk", "1"],
        &["--threads", "8", "--chunk", "2", "--disturb"],
    ] {
        room.forget();
        room.settle(&file, arguments);
        assert!(alone == room.books(), "{arguments:?}");
    }
}

#[test]
fn a_second_run_posts_nothing_and_a_payment_of_another_night_is_rejected() {
    let room = Room::new();
    let file = room.file(&format!("{HEADER}1,1,2,100\n2,2,1,50\n"));
    room.settle(&file, &[]);
    let books = room.books();
    let again = room.settle(&file, &["--chunk", "1"]);
    assert!(again.starts_with("The night `payments.csv` was settled before; nothing was posted now.\n"), "{again}");
    assert_eq!((count(&again, "posted"), books == room.books()), (2, true));
    room.tell("UPDATE account SET balance = balance + 7 WHERE id = 5");
    assert_eq!(room.settle(&file, &[]), again, "a deposit of later is no part of the night");
    let books = room.books();
    let corrected = room.file(&format!("{HEADER}1,1,2,100\n2,2,1,50\n3,2,1,5\n"));
    let said = refused(&run(room.batch(&corrected, &[])));
    assert!(
        said.contains("`payments.csv` was begun with other contents") && said.contains("then 2 lines, now 3"),
        "{said}"
    );
    assert!(books == room.books());
    let other = room.settle(&corrected, &["--night", "corrected"]);
    assert_eq!((count(&other, "posted "), count(&other, "rejected"), count(&other, "posted on another")), (1, 2, 2));
}

#[test]
fn a_line_of_what_cannot_be_printed_is_rejected_like_any_other() {
    let room = Room::new();
    let file = room.file(&format!("{HEADER}1,1,2,100\n2,1,2,{}\n", "\u{10FFFF}".repeat(100)));
    assert_eq!(count(&room.settle(&file, &[]), "rejected"), 1);
    assert!(room.books().rejects[0].3.contains("\\u{10ffff}"));
}

#[test]
fn a_url_may_name_the_database_before_it_is_there() {
    let room = Room::new();
    let file = room.file(&format!("{HEADER}1,1,2,100\n"));
    for more in [["--dry-run"].as_slice(), &[]] {
        let mut command = room.batch(&file, more);
        command.args(["--url", &room.server.url("unit_of_work_batch")]);
        let output = run(command);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(room.books().payments.len(), 1);
}

#[test]
fn what_became_of_commits_of_long_ago_is_forgotten() {
    let room = Room::new();
    room.settle(&room.file_of("one.csv", HEADER), &[]);
    room.tell("UPDATE unit_of_work_outcome SET at = at - INTERVAL 8 DAY");
    let old = "SELECT COUNT(*) FROM unit_of_work_outcome WHERE at < UTC_TIMESTAMP() - INTERVAL 1 DAY";
    assert_ne!(room.ask::<u64>(old), [0]);
    room.settle(&room.file_of("other.csv", HEADER), &[]);
    assert_eq!(room.ask::<u64>(old), [0]);
}

#[test]
fn money_or_lines_that_disappear_are_noticed_and_the_night_stays_open() {
    let room = Room::new();
    room.settle(&room.file(HEADER), &["--night", "empty"]);
    let theft = "CREATE TRIGGER theft AFTER INSERT ON payment FOR EACH ROW UPDATE account SET balance = balance - 1 WHERE id = 9";
    room.tell(theft);
    let file = room.file(&format!("{HEADER}1,1,2,100\n2,2,1,50\n"));
    let said = failed(&run(room.batch(&file, &[])), 1);
    assert!(said.contains("held 3005000 cents when the night began and hold 3004998 now"), "{said}");
    room.tell("UPDATE account SET balance = balance + 2 WHERE id = 9");
    room.tell("DELETE FROM payment WHERE id = 2");
    let said = failed(&run(room.batch(&file, &[])), 1);
    assert!(said.contains("of 2 lines 1 are posted or rejected"), "{said}");
    room.tell("DROP TRIGGER theft");
    room.tell("INSERT INTO payment SELECT night, 3, 2, 2, 1, 50, 11 FROM payment");
    assert_eq!(count(&room.settle(&file, &[]), "posted"), 2, "once it is put right, the night can be closed");
}

#[test]
fn a_dry_run_says_what_a_run_does_and_changes_nothing() {
    let room = Room::new();
    let file = room.generated(800);
    let dry = |more: &[&str]| {
        let output = run(room.batch(&file, &[&["--dry-run"], more].concat()));
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let told = |report: &str| {
        let lines = report.lines().skip(1).filter(|line| !line.contains(" chunks ") && !line.contains(" retries "));
        lines.filter(|line| !line.contains(" runs ") && !line.starts_with("The money")).collect::<Vec<_>>().join("\n")
    };
    let before = dry(&[]);
    assert!(before.starts_with("Dry run of the night `payments.csv`: nothing was changed."), "{before}");
    let databases = databases(&room);
    assert!(!databases.iter().any(|name| name == "unit_of_work_batch"), "not even a ledger is opened: {databases:?}");
    room.settle(&room.file_of("empty.csv", HEADER), &[]);
    room.tell("UPDATE account SET nightly_limit = 9000, balance = 5000 WHERE id % 2 = 0");
    room.tell("UPDATE account SET balance = balance + 55100 WHERE id % 2 = 1");
    room.tell("INSERT INTO payment SELECT id, 999, 17, 1, 2, 3, 4 FROM night");
    let books = room.books();
    let second = dry(&[]);
    assert!(
        books == room.books() && told(&before) != told(&second) && second.contains("posted on another night"),
        "{second}"
    );
    assert_eq!(told(&room.settle(&file, &[])), told(&second), "it does what it said");
    let settled = dry(&[]);
    assert!(settled.contains("\n  800 lines are settled already") && count(&settled, "posted") == 0, "{settled}");
}

pub(crate) fn databases(room: &Room) -> Vec<String> {
    use unit_of_work::mysql::prelude::Queryable;
    room.conn().query("SHOW DATABASES").expect("root may")
}

#[test]
fn without_arguments_it_shows_itself_and_is_quiet_where_there_is_no_terminal() {
    // Where none is installed, one is fetched now, and said so: the program would say it instead.
    drop(Room::new());
    let text = settled(&run(batch()));
    let (first, again) = text.split_once("\nThe same file again:\n\n").expect("it settles its file twice");
    assert!(first.starts_with("The night `payments.csv` is settled.\n"), "{text}");
    assert!(again.starts_with("The night `payments.csv` was settled before;"), "{text}");
    for part in [first, again] {
        assert_eq!((count(part, "lines"), count(part, "posted") + count(part, "rejected")), (5000, 5000), "{text}");
    }
}

#[test]
fn a_file_that_is_none_of_ours_is_refused_with_its_name() {
    let room = Room::new();
    let missing = refused(&run(room.batch(Path::new("nowhere/payments.csv"), &[])));
    assert!(missing.contains("nowhere/payments.csv cannot be read") && missing.contains("No such file"), "{missing}");
    let directory = refused(&run(room.batch(room.place.path(), &[])));
    assert!(directory.contains("cannot be read"), "{directory}");
    let other = refused(&run(room.batch(&room.file("name,age\nAda,36\n"), &[])));
    assert!(other.contains("payments.csv: the header is `name,age`, where `id,from,to,amount` is expected"), "{other}");
    let there = refused(&run(room.batch(&room.file(HEADER), &["--generate", "10"])));
    assert!(there.contains("payments.csv cannot be written: it exists already; leave out --generate"), "{there}");
    assert_eq!(fs::read_to_string(room.place.path().join("payments.csv")).expect("it is there"), HEADER);
}

#[test]
fn a_server_that_is_not_there_is_the_reason_and_the_password_stays_secret() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port is free").port();
    let mut command = batch();
    command.env("UNIT_OF_WORK_URL", format!("mysql://app:correct-horse@127.0.0.1:{port}"));
    let said = refused(&run(command));
    assert!(said.contains("--url") && said.contains("refused") && !said.contains("correct-horse"), "{said}");
}

#[test]
fn help_explains_and_what_cannot_be_meant_is_refused() {
    let mut command = batch();
    command.arg("--help").env("UNIT_OF_WORK_URL", "mysql://app:correct-horse@127.0.0.1");
    let output = run(command);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0));
    let options = ["--generate", "--seed", "--dry-run", "--report", "--threads", "--chunk", "--night", "--accounts"];
    for word in
        options.iter().chain(&["[FILE]", "--balance", "--limit", "--disturb", "--compare", "--url", "Exit codes"])
    {
        assert!(text.contains(word), "{text}");
    }
    assert!(!text.contains("correct-horse"), "{text}");
    for arguments in [
        ["--threads", "0"],
        ["--chunk", "0"],
        ["--accounts", "1"],
        ["--balance", "much"],
        ["--generate", "0"],
        ["--compare", "--dry-run"],
        ["--night", ""],
    ] {
        let mut command = batch();
        command.args(arguments);
        let said = refused(&run(command));
        assert!(said.contains(arguments[0]), "{said}");
    }
}
