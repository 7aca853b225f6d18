//! The program as a user starts it, and what a client says to it and gets back. For the tests of this folder; what they say is
//! theirs.

#![allow(dead_code, reason = "each test program that includes this uses a part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ephemeral_mysql::{Server, shared};
use mysql::Conn;
use mysql::prelude::Queryable;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use unit_of_work::mysql;

/// The program, ended with this value.
#[derive(Debug)]
pub(crate) struct Web {
    child: Child,
    /// Reads what it writes to standard error, so that it never waits for somebody to read it.
    reader: Option<JoinHandle<String>>,
    pub(crate) address: String,
}

impl Web {
    pub(crate) fn start(arguments: &[&str]) -> Self {
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
        let mut stderr = child.stderr.take().expect("it is piped");
        let reader = thread::spawn(move || {
            let mut said = String::new();
            stderr.read_to_string(&mut said).expect("it writes UTF-8");
            said
        });
        Self { child, reader: Some(reader), address }
    }

    /// On the server that the tests share, with a payment provider that answers at once.
    pub(crate) fn shared() -> Self {
        Self::on(shared(), &[])
    }

    /// On a server, with a payment provider that answers at once and with patience for a busy machine, unless `arguments` say
    /// otherwise.
    pub(crate) fn on(server: &Server, arguments: &[&str]) -> Self {
        let url = server.url("");
        Self::start(&[&["--url", &url, "--payment-delay", "0", "--patience", "20"], arguments].concat())
    }

    /// What a client gets who asks again when he is told that nothing was done and that he may.
    pub(crate) fn patiently(&self, mut ask: impl FnMut(&Self) -> Reply) -> Reply {
        loop {
            match ask(self) {
                reply if reply.status == 503 => thread::sleep(Duration::from_millis(100)),
                reply => return reply,
            }
        }
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, "", "")
    }

    pub(crate) fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, "", "")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, "content-type: application/json\r\n", &body.to_string())
    }

    /// Without a body.
    pub(crate) fn order(&self, path: &str) -> Reply {
        self.send("POST", path, "", "")
    }

    pub(crate) fn hold(&self, event: u64, customer: &str, seats: &[&str]) -> Reply {
        self.post(&format!("/api/events/{event}/holds"), &json!({ "customer": customer, "seats": seats }))
    }

    pub(crate) fn invite(&self, event: u64, name: &str) -> Reply {
        self.post(&format!("/api/events/{event}/guests"), &json!({ "name": name }))
    }

    pub(crate) fn buy(&self, hold: u64, key: &str) -> Reply {
        self.send("POST", &format!("/api/holds/{hold}/purchase"), &format!("idempotency-key: {key}\r\n"), "")
    }

    /// A hold that comes about; its number.
    pub(crate) fn held(&self, event: u64, customer: &str, seats: &[&str]) -> u64 {
        let reply = self.patiently(|web| web.hold(event, customer, seats));
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.number()
    }

    /// A purchase that comes about; its number.
    pub(crate) fn bought(&self, hold: u64, key: &str) -> u64 {
        let reply = self.patiently(|web| web.buy(hold, key));
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.number()
    }

    /// Until the payment provider has answered; what came of it. Much sooner than the outbox looks for itself.
    pub(crate) fn settled(&self, purchase: u64) -> String {
        let mut state = String::new();
        until("a purchase is settled", || {
            let reply = self.patiently(|web| web.get(&format!("/api/purchases/{purchase}")));
            assert_eq!(reply.status, 200, "{reply:?}");
            reply.body["state"].as_str().expect("a purchase has a state").clone_into(&mut state);
            state != "pending"
        });
        state
    }

    /// The seats of an event that are in this state.
    pub(crate) fn seats(&self, event: u64, state: &str) -> Vec<String> {
        let reply = self.patiently(|web| web.get(&format!("/api/events/{event}")));
        let seats = reply.body["seats"].as_array().unwrap_or_else(|| panic!("an event has seats: {reply:?}"));
        let of_state = seats.iter().filter(|seat| seat["state"] == state);
        of_state.map(|seat| seat["seat"].as_str().expect("a seat has a name").to_owned()).collect()
    }

    /// What the audit of an event found: all of it must be 0.
    pub(crate) fn broken(&self, event: u64) -> Value {
        let reply = self.patiently(|web| web.get(&format!("/api/events/{event}/audit")));
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body
    }

    pub(crate) fn assert_sound(&self, event: u64) {
        let audit = self.broken(event);
        assert_eq!(audit["broken"], 0, "{audit}");
    }

    pub(crate) fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Reply {
        Reply::read(&self.answer(method, path, headers, body.as_bytes()))
    }

    /// What is sent and what comes back, as they are; nothing comes back when nothing was said.
    pub(crate) fn answer(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("the service listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a minute is a time");
        let (address, length) = (&self.address, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
        )
        .and_then(|()| stream.write_all(body))
        .expect("the service reads");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("the service answers");
        String::from_utf8(bytes).expect("the service answers in UTF-8")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("a process number");
        kill(Pid::from_raw(pid), signal).expect("the program runs");
    }

    pub(crate) fn wait_until_nobody_gets_in(&self) {
        until("nobody gets in", || TcpStream::connect(&self.address).is_err());
    }

    /// Waits for its end; with what it wrote to standard error.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let mut status = None;
        until("the program ends", || {
            status = self.child.try_wait().expect("it can be waited for");
            status.is_some()
        });
        let reader = self.reader.take().expect("it ends once");
        (status.expect("it has ended"), reader.join().expect("it writes UTF-8"))
    }

    /// As `kill -9` ends it; with what it wrote to standard error.
    pub(crate) fn killed(mut self) -> String {
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
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Reply {
    /// A body that is no JSON is `Null`.
    pub(crate) fn read(answer: &str) -> Self {
        let (head, text) = answer.split_once("\r\n\r\n").expect("an answer has a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("an answer has a status");
        let body = serde_json::from_str(text).unwrap_or_default();
        Self { status, head: head.to_lowercase(), body, text: text.to_owned() }
    }

    /// The status and the word for programs. A problem without its media type is none.
    pub(crate) fn said(&self) -> (u16, &str) {
        assert!(self.head.contains("\r\ncontent-type: application/problem+json"), "{self:?}");
        assert_eq!(self.body["status"], self.status, "{self:?}");
        let kind = self.body["type"].as_str().unwrap_or_default();
        (self.status, kind.strip_prefix("/api/problems#").unwrap_or(kind))
    }

    pub(crate) fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_default()
    }

    /// The value of a header, in lower case.
    pub(crate) fn header(&self, name: &str) -> String {
        let value = self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.unwrap_or_else(|| panic!("it has {name}: {self:?}")).to_owned()
    }

    fn number(&self) -> u64 {
        self.body["id"].as_u64().unwrap_or_else(|| panic!("it has a number: {self:?}"))
    }
}

/// Waits for it, so long that something must be wrong, but not for ever.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(50), "it does not come about that {what}");
        thread::yield_now();
    }
}

/// The rows behind the service.
pub(crate) fn rows(server: &Server) -> Conn {
    let mut conn = server.conn().expect("the server answers");
    conn.query_drop("USE unit_of_work_web").expect("the service has made it");
    conn.query_drop("SET time_zone = '+00:00'").expect("it can be set");
    conn
}

/// A new event, of a promoter who has access to the rows; `quota` people may come in.
pub(crate) fn event(server: &Server, rows: u8, seats_per_row: u8, quota: u32) -> u64 {
    let mut conn = self::rows(server);
    let sql = "INSERT INTO event (name, seat_rows, seats_per_row, quota, price) VALUES ('Test', ?, ?, ?, 1000)";
    conn.exec_drop(sql, (rows, seats_per_row, quota)).expect("it can be inserted");
    conn.last_insert_id()
}
