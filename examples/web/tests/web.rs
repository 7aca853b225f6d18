//! The service as a client sees it: every status and what it means, many at once, a server that dies, a COMMIT whose answer is
//! lost, and an end that finishes what has begun. The program is started as a user starts it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use ephemeral_mysql::{Profile, Server, shared};
use mysql::Conn;
use mysql::prelude::Queryable;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use proxy::{Cut, Packet, Proxy, Side};
use serde_json::{Value, json};
use unit_of_work::mysql;

/// The program, ended with this value.
struct Web {
    child: Child,
    address: String,
}

impl Web {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_web"))
            .args(["--port", "0"])
            .args(arguments)
            .env_remove("UNIT_OF_WORK_URL")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("it writes UTF-8");
        let address = line.trim().strip_prefix("listening on http://").expect("it says where it listens").to_owned();
        Self { child, address }
    }

    /// On the server that the tests share.
    fn shared() -> Self {
        Self::start(&["--url", &shared().url("")])
    }

    fn get(&self, path: &str) -> Reply {
        self.send("GET", path, "", "")
    }

    fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, "content-type: application/json\r\n", &body.to_string())
    }

    fn post_with_key(&self, key: &str, body: &Value) -> Reply {
        let headers = format!("content-type: application/json\r\nidempotency-key: {key}\r\n");
        self.send("POST", "/transfers", &headers, &body.to_string())
    }

    /// What is no JSON, without its head.
    fn text(&self, path: &str) -> String {
        let text = self.answer("GET", path, "", "");
        text.split_once("\r\n\r\n").expect("an answer has a head").1.to_owned()
    }

    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Reply {
        Reply::read(&self.answer(method, path, headers, body))
    }

    fn answer(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("the service listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a minute is a time");
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: web\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        )
        .expect("the service reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("the service answers in UTF-8");
        text
    }

    fn account(&self, balance: u64) -> u64 {
        let reply = self.post("/accounts", &json!({ "owner": "Ada", "balance": balance }));
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.body["id"].as_u64().expect("an account has a number")
    }

    fn balance(&self, account: u64) -> u64 {
        let reply = self.get(&format!("/accounts/{account}"));
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body["balance"].as_u64().expect("a balance is a number")
    }

    fn interrupt(&self) {
        let pid = i32::try_from(self.child.id()).expect("a process number");
        kill(Pid::from_raw(pid), Signal::SIGINT).expect("the program runs");
    }

    fn wait_until_nobody_gets_in(&self) {
        while TcpStream::connect(&self.address).is_ok() {
            thread::yield_now();
        }
    }

    /// Waits for its end; with what it wrote to standard error.
    fn ended(mut self) -> (ExitStatus, String) {
        let mut said = String::new();
        let mut stderr = self.child.stderr.take().expect("it is piped");
        stderr.read_to_string(&mut said).expect("it writes UTF-8");
        (self.child.wait().expect("it can be waited for"), said)
    }

    fn killed(mut self) -> String {
        self.child.kill().expect("it can be killed");
        self.ended().1
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}

#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: Value,
}

impl Reply {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer has a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("an answer has a status");
        let body = serde_json::from_str(body).unwrap_or_else(|_| panic!("every answer is JSON: {text}"));
        Self { status, head: head.to_lowercase(), body }
    }

    /// The status and the word for programs.
    fn said(&self) -> (u16, &str) {
        (self.status, self.body["error"].as_str().unwrap_or_default())
    }
}

fn order(from: u64, to: u64, amount: u64) -> Value {
    json!({ "from": from, "to": to, "amount": amount })
}

#[test]
fn accounts_are_opened_found_and_listed() {
    let web = Web::shared();
    let opened = web.post("/accounts", &json!({ "owner": "Ada Löwe", "balance": 100 }));
    assert_eq!(opened.status, 201, "{opened:?}");
    let id = &opened.body["id"];
    assert_eq!(web.get(&format!("/accounts/{id}")).body, json!({ "id": id, "owner": "Ada Löwe", "balance": 100 }));
    let listed = web.get("/accounts").body;
    assert!(listed.as_array().is_some_and(|all| all.contains(&opened.body)), "{listed}");
}

#[test]
fn a_transfer_moves_money_and_what_is_refused_moves_none() {
    let web = Web::shared();
    let (from, to) = (web.account(100), web.account(0));
    assert_eq!(web.post("/transfers", &order(from, to, 40)).status, 201);
    let poor = web.post("/transfers", &order(from, to, 61));
    assert_eq!(poor.said(), (409, "insufficient_funds"));
    assert_eq!(poor.body["message"], format!("account {from} has 60, which is less than 61"));
    assert_eq!(web.post("/transfers", &order(from, u64::MAX, 1)).said(), (404, "no_account"));
    assert_eq!(web.post("/transfers", &order(u64::MAX, to, 1)).said(), (404, "no_account"));
    assert_eq!((web.balance(from), web.balance(to)), (60, 40));
}

#[test]
fn what_the_units_do_can_be_read_by_prometheus_and_by_people() {
    let web = Web::shared();
    let (from, to) = (web.account(100), web.account(0));
    assert_eq!(web.post("/transfers", &order(from, to, 40)).status, 201);
    assert_eq!(web.post("/transfers", &order(from, to, 61)).status, 409);
    let text = web.text("/metrics");
    for (figure, value) in [
        ("unit_of_work_units_total{unit=\"web::accounts::transfer\",outcome=\"committed\"}", "1"),
        ("unit_of_work_units_total{unit=\"web::accounts::transfer\",outcome=\"rolled_back\"}", "1"),
        ("unit_of_work_unit_duration_seconds_count{unit=\"web::accounts::transfer\"}", "2"),
        ("unit_of_work_connections_in_use", "0"),
    ] {
        let line =
            text.lines().find_map(|line| line.strip_prefix(figure)).unwrap_or_else(|| panic!("{figure}: {text}"));
        assert_eq!(line.trim(), value, "{figure}");
    }
    assert!(text.contains("# HELP unit_of_work_units_total Units that ended, by outcome"), "{text}");
    let units = web.get("/units").body;
    let transfer = units.as_array().expect("a list").iter().find(|unit| unit["name"] == "web::accounts::transfer");
    let transfer = transfer.unwrap_or_else(|| panic!("it has run: {units}"));
    assert_eq!(
        (&transfer["runs"], &transfer["committed"], &transfer["rolled_back"]),
        (&json!(2), &json!(1), &json!(1))
    );
}

#[test]
fn what_cannot_be_used_is_a_400_that_says_why() {
    let web = Web::shared();
    let account = web.account(1);
    let says = |reply: Reply, words: &str| {
        assert_eq!(reply.said(), (400, "bad_input"), "{reply:?}");
        assert!(reply.body["message"].as_str().is_some_and(|text| text.contains(words)), "{reply:?}");
    };
    says(web.post("/accounts", &json!({ "owner": " ", "balance": 1 })), "`owner`");
    says(web.post("/accounts", &json!({ "owner": "Ada", "balance": -1 })), "-1");
    says(web.post("/accounts", &json!({ "owner": "Ada", "balance": u64::MAX })), "`balance`");
    says(web.post("/accounts", &json!({ "owner": "Ada" })), "balance");
    says(web.post("/transfers", &order(account, account, 1)), "two accounts");
    says(web.post("/transfers", &order(account, 1, 0)), "`amount`");
    says(web.send("POST", "/transfers", "content-type: application/json\r\n", "{"), "EOF");
    says(web.post_with_key(&"k".repeat(65), &order(account, 1, 1)), "`Idempotency-Key`");
    says(web.get("/accounts/first"), "first");
    assert_eq!(web.send("POST", "/transfers", "", "{}").status, 415);
    assert_eq!(web.get("/nowhere").said(), (404, "no_such_path"));
    assert_eq!(web.get("/transfers").status, 405);
    assert_eq!(web.get("/accounts/18446744073709551615").said(), (404, "no_account"));
}

#[test]
fn a_transfer_with_a_key_is_made_once() {
    let web = Web::shared();
    let (from, to) = (web.account(100), web.account(0));
    let key = format!("once-{from}");
    let first = web.post_with_key(&key, &order(from, to, 30));
    let again = web.post_with_key(&key, &order(from, to, 30));
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.body, again.body);
    assert_eq!(web.post_with_key(&key, &order(from, to, 31)).said(), (409, "key_in_use"));
    assert_eq!((web.balance(from), web.balance(to)), (70, 30));
}

#[test]
fn many_at_once_move_every_cent_and_lose_none() {
    let web = Web::shared();
    let accounts: Vec<u64> = (0..4).map(|_| web.account(1000)).collect();
    thread::scope(|scope| {
        for client in 0..32 {
            let (web, accounts) = (&web, &accounts);
            scope.spawn(move || {
                let (from, to) = (accounts[client % 4], accounts[(client + 1 + client / 4 % 3) % 4]);
                let reply = web.post("/transfers", &order(from, to, 10));
                assert_eq!(reply.status, 201, "{reply:?}");
            });
        }
    });
    let balances: Vec<u64> = accounts.iter().map(|account| web.balance(*account)).collect();
    assert_eq!(balances.iter().sum::<u64>(), 4000, "{balances:?}");
    let moved: Option<u64> = shared()
        .conn()
        .expect("the server answers")
        .exec_first("SELECT COUNT(*) FROM unit_of_work_web.transfer WHERE from_account IN (?, ?, ?, ?)", accounts)
        .expect("transfers can be counted");
    assert_eq!(moved, Some(32));
}

#[test]
fn a_server_that_dies_is_a_503_and_comes_back_by_itself() {
    // What is committed must survive the kill: the accounts are asked for afterwards.
    let server = Server::builder().profile(Profile::Durable).start().expect("a private server starts");
    let web = Web::start(&["--url", &server.url("")]);
    let (from, to) = (web.account(100), web.account(0));
    server.kill();
    for reply in [web.post("/transfers", &order(from, to, 1)), web.get("/accounts")] {
        assert_eq!(reply.said(), (503, "unavailable"));
        assert!(reply.head.contains("\r\nretry-after: 1"), "{reply:?}");
        assert!(reply.body["message"].as_str().is_some_and(|text| text.contains("nothing was changed")), "{reply:?}");
    }
    server.restart().expect("the server comes back");
    assert_eq!(web.post("/transfers", &order(from, to, 40)).status, 201);
    assert_eq!((web.balance(from), web.balance(to)), (60, 40));
}

#[test]
fn a_pool_that_is_used_up_is_a_503() {
    let server = Server::start().expect("a private server starts");
    let web = Web::start(&["--url", &server.url(""), "--connections", "1"]);
    let (from, to) = (web.account(100), web.account(0));
    let mut locker = lock(&server, from);
    thread::scope(|scope| {
        // It has the only connection and waits for the row.
        let waits = scope.spawn(|| web.post("/transfers", &order(from, to, 10)));
        wait_for_lock_wait(&server);
        let turned_away = web.get("/accounts");
        assert_eq!(turned_away.said(), (503, "unavailable"), "{turned_away:?}");
        locker.query_drop("ROLLBACK").expect("the lock can be given back");
        assert_eq!(waits.join().expect("the client got an answer").status, 201);
    });
    let said = web.killed();
    assert!(
        said.contains("503 Service Unavailable unavailable") && said.contains("held by `web::accounts::transfer`"),
        "{said}"
    );
}

#[test]
fn a_row_that_stays_locked_is_a_503_after_the_units_deadline() {
    let server = Server::start().expect("a private server starts");
    let web = Web::start(&["--url", &server.url("")]);
    let (from, to) = (web.account(100), web.account(0));
    let mut locker = lock(&server, from);
    assert_eq!(web.post("/transfers", &order(from, to, 10)).said(), (503, "unavailable"));
    locker.query_drop("ROLLBACK").expect("the lock can be given back");
    assert_eq!((web.balance(from), web.balance(to)), (100, 0));
}

#[test]
fn a_commit_without_an_answer_is_said_to_be_unknown_and_can_be_repeated_with_its_key() {
    let server = Server::start().expect("a private server starts");
    let proxy = Proxy::start(("127.0.0.1", server.port())).expect("a proxy can be started");
    let web = Web::start(&["--url", &proxy.url("")]);
    let (from, to) = (web.account(100), web.account(0));
    proxy.cut(Cut { at: Packet::Text("COMMIT"), side: Side::AfterServer });
    let lost = web.post_with_key("lost", &order(from, to, 40));
    assert!(!proxy.cut_planned());
    assert_eq!(lost.said(), (504, "outcome_unknown"), "{lost:?}");
    assert!(lost.body["message"].as_str().is_some_and(|text| text.contains("Idempotency-Key")), "{lost:?}");
    assert_eq!(web.post_with_key("lost", &order(from, to, 40)).status, 200, "it had been committed");
    assert_eq!((web.balance(from), web.balance(to)), (60, 40));
}

#[test]
fn what_the_service_does_not_know_is_a_500_whose_id_is_in_the_log() {
    let server = Server::start().expect("a private server starts");
    let web = Web::start(&["--url", &server.url("")]);
    server.conn().expect("it answers").query_drop("DROP TABLE unit_of_work_web.account").expect("root may");
    let reply = web.get("/accounts");
    assert_eq!(reply.said(), (500, "internal"));
    let id = reply.body["id"].as_str().expect("it has an id").to_owned();
    assert!(!reply.body.to_string().contains("unit_of_work_web"), "no detail goes to the client: {reply:?}");
    let log = web.killed();
    let line = log.lines().find(|line| line.contains(&id)).expect("the log has the id");
    assert!(line.contains("accounts::list") && line.contains("1146"), "{line}");
}

#[test]
fn ctrl_c_finishes_what_has_begun() {
    let server = Server::start().expect("a private server starts");
    let web = Web::start(&["--url", &server.url("")]);
    let (from, to) = (web.account(100), web.account(0));
    let mut locker = lock(&server, from);
    thread::scope(|scope| {
        let begun = scope.spawn(|| web.post("/transfers", &order(from, to, 10)));
        wait_for_lock_wait(&server);
        web.interrupt();
        web.wait_until_nobody_gets_in();
        locker.query_drop("ROLLBACK").expect("the lock can be given back");
        assert_eq!(begun.join().expect("the client got an answer").status, 201);
    });
    let (status, said) = web.ended();
    assert!(status.success(), "{said}");
}

#[test]
fn a_second_ctrl_c_ends_at_once_and_what_was_running_is_rolled_back() {
    let server = Server::start().expect("a private server starts");
    let web = Web::start(&["--url", &server.url("")]);
    let (from, to) = (web.account(100), web.account(0));
    let mut locker = lock(&server, from);
    let mut client = TcpStream::connect(&web.address).expect("the service listens");
    let body = order(from, to, 10).to_string();
    let head = "POST /transfers HTTP/1.1\r\nhost: web\r\ncontent-type: application/json";
    write!(client, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).expect("the service reads");
    wait_for_lock_wait(&server);
    web.interrupt();
    web.wait_until_nobody_gets_in();
    web.interrupt();
    let (status, said) = web.ended();
    assert!(!status.success() && said.contains("a second Ctrl-C"), "{said}");
    locker.query_drop("ROLLBACK").expect("the lock can be given back");
    // With a lock, so that it is read after what was cut off has ended.
    let balance: Option<u64> = locker
        .exec_first("SELECT balance FROM unit_of_work_web.account WHERE id = ? FOR UPDATE", (from,))
        .expect("the row can be read");
    assert_eq!(balance, Some(100));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = taken.local_addr().expect("it has one").port().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_web")).args(["--url", &shared().url(""), "--port", &port]).output();
    let output = output.expect("the program can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{said}");
}

#[test]
fn it_starts_at_once_on_a_server_of_its_own_and_says_what_is_wrong_otherwise() {
    let web = Web::start(&[]);
    assert_eq!(web.get("/accounts").body, json!([]));
    web.interrupt();
    assert!(web.ended().0.success());
    let wrong = Command::new(env!("CARGO_BIN_EXE_web")).args(["--url", "mysql://a:secret@127.0.0.1:1"]).output();
    let wrong = wrong.expect("the program can be started");
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert!(!wrong.status.success() && said.starts_with("error: ") && !said.contains("secret"), "{said}");
}

/// Somebody else's transaction, which holds the row of an account.
fn lock(server: &Server, account: u64) -> Conn {
    let mut conn = server.conn().expect("the server answers");
    conn.query_drop("START TRANSACTION").expect("a transaction can be begun");
    conn.exec_drop("SELECT * FROM unit_of_work_web.account WHERE id = ? FOR UPDATE", (account,))
        .expect("the row can be locked");
    conn
}

/// Until some transaction waits for a row.
fn wait_for_lock_wait(server: &Server) {
    let mut conn = server.conn().expect("the server answers");
    let mut waiting = || {
        let row: Option<(String, u64)> =
            conn.query_first("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'").expect("it can be shown");
        row.is_some_and(|(_, waiting)| waiting > 0)
    };
    while !waiting() {
        thread::yield_now();
    }
}
