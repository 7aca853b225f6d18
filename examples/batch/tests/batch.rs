//! The program as a user runs it: what it posts and what it rejects, an interruption and the run after it, and what it says
//! when it cannot run.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use ephemeral_mysql::Server;
use mysql::Conn;
use mysql::prelude::{FromRow, Queryable};
use proxy::{Cut, Packet, Proxy, Side};
use tempfile::TempDir;
use unit_of_work::mysql;

/// A ledger on a server of its own, and a directory for files.
struct Room {
    server: Server,
    place: TempDir,
}

impl Room {
    fn new() -> Self {
        let place = tempfile::tempdir().expect("a directory can be made");
        Self { server: Server::start().expect("a private server starts"), place }
    }

    fn file(&self, text: &str) -> PathBuf {
        let path = self.place.path().join("payments.csv");
        fs::write(&path, text).expect("a file can be written");
        path
    }

    fn rejects(&self) -> String {
        fs::read_to_string(self.place.path().join("payments.rejects.csv")).expect("a run writes its rejects")
    }

    /// Ten accounts with 100 each, unless there are some already.
    fn batch(&self, file: &Path, arguments: &[&str]) -> Command {
        let mut command = batch();
        command.arg(file).args(["--accounts", "10", "--balance", "100"]).args(arguments);
        command.env("UNIT_OF_WORK_URL", self.server.url(""));
        command
    }

    fn conn(&self) -> Conn {
        self.server.conn().expect("the server answers")
    }

    fn ask<T: FromRow>(&self, sql: &str) -> Vec<T> {
        let mut conn = self.conn();
        conn.query_drop("USE unit_of_work_batch").expect("the program made it");
        conn.query(sql).expect("the tables can be read")
    }

    fn lock_waits(&self) -> u64 {
        let row: Option<(String, u64)> = self
            .conn()
            .query_first("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")
            .expect("it can be shown");
        row.expect("InnoDB counts them").1
    }

    fn balances(&self) -> Vec<u64> {
        self.ask("SELECT balance FROM account ORDER BY id")
    }

    fn payments(&self) -> Vec<u64> {
        self.ask("SELECT id FROM payment ORDER BY id")
    }
}

fn batch() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_batch"));
    command.env_remove("UNIT_OF_WORK_URL");
    command
}

fn run(mut command: Command) -> Output {
    command.output().expect("the program can be started")
}

/// The summary's numbers of a run that must have gone well: posted, posted before, rejected, chunks.
fn summary(output: &Output) -> [u64; 4] {
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.ends_with("The accounts hold as much money as before.\n"), "{text}");
    ["payments posted", "posted before", "rejected", "chunks "].map(|name| {
        let line = text.lines().find(|line| line.starts_with(name)).expect("the summary has this line");
        line.split_whitespace().last().and_then(|number| number.parse().ok()).expect("and a number in it")
    })
}

fn refusal(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(output.stdout.is_empty() && said.starts_with("error: ") && !said.contains("panicked"), "{said}");
    said
}

/// Payments 1 to `n` of 1 each, around ten accounts.
fn round(n: u64) -> String {
    let rows = (1..=n).map(|id| format!("{id},{},{},1\n", id % 10 + 1, (id + 1) % 10 + 1));
    format!("id,from,to,amount\n{}", rows.collect::<String>())
}

#[test]
fn good_rows_are_posted_and_each_bad_one_is_rejected_alone_with_line_and_reason() {
    let room = Room::new();
    let file = room.file(
        "id,from,to,amount\n\
         1,1,2,10\n\
         2,1,99,10\n\
         3, 2 ,3,105\n\
         4,3,3,1\n\
         5,99,3,1\n\
         1,1,2,11\n\
         6,4,5,0\n\
         7,4,5,ten\n\
         8,4,5\n\
         9,4,5,-1\n\
         10,5,4,101\n\
         1,1,2,10\n\
         11,4,5,100\n",
    );
    let output = run(room.batch(&file, &["--threads", "1", "--chunk", "100"]));
    assert_eq!(summary(&output), [3, 1, 9, 1]);
    assert_eq!(room.payments(), [1, 3, 11]);
    assert_eq!(room.balances(), [90, 5, 205, 0, 200, 100, 100, 100, 100, 100]);
    assert_eq!(
        room.rejects(),
        "line,row,reason\n\
         3,\"2,1,99,10\",there is no account 99\n\
         5,\"4,3,3,1\",from and to are the same account\n\
         6,\"5,99,3,1\",there is no account 99\n\
         7,\"1,1,2,11\",\"payment 1 was posted already, with other accounts or another amount\"\n\
         8,\"6,4,5,0\",the amount is 0\n\
         9,\"7,4,5,ten\",amount: invalid digit found in string\n\
         10,\"8,4,5\",3 fields instead of 4\n\
         11,\"9,4,5,-1\",amount: invalid digit found in string\n\
         12,\"10,5,4,101\",account 5 does not have that much\n"
    );
    assert_eq!(room.ask::<(u64, u64)>("SELECT payments, amount FROM audit"), [(3, 215)]);
}

#[test]
fn many_threads_post_each_payment_once_and_a_second_run_posts_none() {
    let room = Room::new();
    let file = room.file(&round(1000));
    let first = run(room.batch(&file, &["--threads", "8", "--chunk", "10"]));
    assert_eq!(summary(&first), [1000, 0, 0, 100]);
    assert_eq!(room.payments(), (1..=1000).collect::<Vec<_>>());
    assert_eq!(room.balances(), [100; 10], "each account gave and got a hundred times");
    let audit =
        "SELECT CAST(COUNT(*) AS UNSIGNED), CAST(SUM(payments) AS UNSIGNED), CAST(SUM(amount) AS UNSIGNED) FROM audit";
    assert_eq!(room.ask::<(u64, u64, u64)>(audit), [(100, 1000, 1000)]);
    let second = run(room.batch(&file, &["--threads", "8", "--chunk", "7"]));
    assert_eq!(summary(&second), [0, 1000, 0, 143]);
    assert_eq!(room.balances(), [100; 10]);
    assert_eq!(room.ask::<(u64, u64, u64)>(audit), [(100, 1000, 1000)], "nothing was posted, so nothing is noted");
}

#[test]
fn what_the_server_refuses_in_one_payment_is_rejected_alone() {
    let room = Room::new();
    assert_eq!(summary(&run(room.batch(&room.file("id,from,to,amount\n"), &[]))), [0, 0, 0, 0]);
    let most = "ALTER TABLE unit_of_work_batch.account ADD CONSTRAINT most CHECK (balance <= 150)";
    room.conn().query_drop(most).expect("root may");
    let file = room.file("id,from,to,amount\n1,1,2,10\n2,1,3,60\n3,1,4,50\n");
    assert_eq!(summary(&run(room.batch(&file, &["--threads", "1", "--chunk", "2"]))), [2, 0, 1, 2]);
    assert_eq!(room.ask::<(u64, u64)>("SELECT payments, amount FROM audit ORDER BY id"), [(1, 10), (1, 50)]);
    assert_eq!(room.balances()[..4], [40, 110, 100, 150]);
    let rejects = room.rejects();
    assert!(rejects.contains("\n3,\"2,1,3,60\",") && rejects.contains("CONSTRAINT `most` failed"), "{rejects}");
}

#[test]
fn after_an_interruption_in_the_middle_of_a_chunk_the_next_run_posts_the_rest() {
    let room = Room::new();
    run(room.batch(&room.file("id,from,to,amount\n"), &[]));
    // Only payment 55 needs account 10, whose row is locked: the sixth chunk comes to a stand there.
    let rows = (1..=100).map(|id| format!("{id},{},{},1\n", id % 4 + 1, if id == 55 { 10 } else { id % 4 + 5 }));
    let file = room.file(&format!("id,from,to,amount\n{}", rows.collect::<String>()));
    let mut locker = room.conn();
    locker.query_drop("START TRANSACTION").expect("a transaction can be begun");
    locker
        .query_drop("SELECT * FROM unit_of_work_batch.account WHERE id = 10 FOR UPDATE")
        .expect("the row can be locked");
    let mut batch =
        room.batch(&file, &["--threads", "1", "--chunk", "10"]).spawn().expect("the program can be started");
    while room.lock_waits() == 0 {
        thread::yield_now();
    }
    batch.kill().expect("it runs");
    batch.wait().expect("it can be waited for");
    assert_eq!(room.payments(), (1..=50).collect::<Vec<_>>());
    locker.query_drop("ROLLBACK").expect("the lock can be given back");
    assert_eq!(summary(&run(room.batch(&file, &["--chunk", "10"]))), [50, 50, 0, 10]);
    assert_eq!(room.payments(), (1..=100).collect::<Vec<_>>());
    assert_eq!(room.balances()[..], [75, 75, 75, 75, 125, 125, 125, 124, 100, 101]);
}

#[test]
fn a_chunk_whose_commit_was_not_answered_is_posted_again_and_once() {
    let room = Room::new();
    let proxy = Proxy::start(("127.0.0.1", room.server.port())).expect("a proxy can be started");
    let posting = proxy.hold(Packet::Text("INSERT INTO payment"), Side::BeforeServer);
    let mut command = room.batch(&room.file(&round(30)), &["--threads", "1", "--chunk", "10"]);
    command.args(["--url", &proxy.url("")]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let batch = command.spawn().expect("the program can be started");
    assert!(posting.wait(), "the first chunk is being posted");
    proxy.cut(Cut { at: Packet::Text("COMMIT"), side: Side::AfterServer });
    posting.release();
    let output = batch.wait_with_output().expect("it can be waited for");
    assert!(!proxy.cut_planned());
    assert_eq!(summary(&output), [20, 10, 0, 3]);
    assert_eq!(room.payments(), (1..=30).collect::<Vec<_>>());
    assert_eq!(room.balances(), [100; 10]);
}

#[test]
fn money_that_disappears_is_noticed() {
    let room = Room::new();
    run(room.batch(&room.file("id,from,to,amount\n"), &[]));
    let mut conn = room.conn();
    conn.query_drop("USE unit_of_work_batch").expect("the program made it");
    let fee =
        "CREATE TRIGGER fee AFTER INSERT ON payment FOR EACH ROW UPDATE account SET balance = balance - 1 WHERE id = 9";
    conn.query_drop(fee).expect("root may");
    let output = run(room.batch(&room.file(&round(5)), &[]));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("held 1000 before and hold 995 now"), "{said}");
}

#[test]
fn without_arguments_it_shows_itself() {
    let output = run(batch());
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let columns = |name: &str| -> Vec<u64> {
        let line = text.lines().find(|line| line.starts_with(name)).expect("the summary has this line");
        line.split_whitespace().filter_map(|word| word.parse().ok()).collect()
    };
    assert_eq!(columns("payments posted"), [5000, 0]);
    assert_eq!(columns("posted before"), [0, 5000]);
    assert_eq!(columns("rejected"), [7, 7]);
    assert_eq!(text.lines().filter(|line| line.starts_with("line ")).count(), 7, "{text}");
    assert!(text.contains("The accounts hold as much money as before."), "{text}");
    assert!(output.stderr.is_empty(), "no progress bar where there is no terminal");
}

#[test]
fn a_file_that_is_none_of_ours_is_refused_with_its_name_and_line() {
    let room = Room::new();
    let missing = refusal(&run(room.batch(Path::new("nowhere/payments.csv"), &[])));
    assert!(missing.contains("nowhere/payments.csv cannot be read") && missing.contains("No such file"), "{missing}");
    let directory = refusal(&run(room.batch(room.place.path(), &[])));
    assert!(directory.contains("cannot be read"), "{directory}");
    let other = refusal(&run(room.batch(&room.file("name,age\nAda,36\n"), &[])));
    assert!(other.contains("payments.csv, line 1: the header is `name,age`"), "{other}");
    let file = room.file(&round(1));
    let rejects = refusal(&run(room.batch(&file, &["--rejects", "nowhere/rejects.csv"])));
    assert!(rejects.contains("nowhere/rejects.csv cannot be written"), "{rejects}");
    assert_eq!(room.payments(), Vec::<u64>::new(), "nothing is posted when the rejects could not be told");
}

#[test]
fn a_server_that_is_not_there_is_the_reason_and_the_password_stays_secret() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port is free").port();
    let mut command = batch();
    command.env("UNIT_OF_WORK_URL", format!("mysql://app:correct-horse@127.0.0.1:{port}"));
    let said = refusal(&run(command));
    assert!(said.contains("--url") && said.contains("refused") && !said.contains("correct-horse"), "{said}");
}

#[test]
fn help_explains_and_figures_out_of_range_are_refused() {
    let mut command = batch();
    command.arg("--help").env("UNIT_OF_WORK_URL", "mysql://app:correct-horse@127.0.0.1");
    let output = run(command);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0));
    for word in ["[FILE]", "--rejects", "--threads", "--chunk", "--accounts", "--balance", "--url", "Exit codes"] {
        assert!(text.contains(word), "{text}");
    }
    assert!(!text.contains("correct-horse"), "{text}");
    for arguments in [["--threads", "0"], ["--chunk", "0"], ["--accounts", "1"], ["--balance", "much"]] {
        let mut command = batch();
        command.args(arguments);
        let said = refusal(&run(command));
        assert!(said.contains(arguments[0]), "{said}");
    }
}
