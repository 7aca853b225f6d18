//! The laboratory as people and programs see it: an experiment is begun, watched and stopped, its figures are those of the rows, and
//! what cannot be done is said. One experiment at a time: so these tests take turns.

#[path = "service/mod.rs"]
mod service;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use ephemeral_mysql::{Server, shared};
use mysql::prelude::Queryable;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use service::{Reply, Web, rows, until};
use unit_of_work::mysql;

/// The right to run an experiment, and the program in which it is run: that ends before the right is given back.
fn laboratory() -> (MutexGuard<'static, ()>, Web) {
    static TURN: Mutex<()> = Mutex::new(());
    (TURN.lock().unwrap_or_else(PoisonError::into_inner), Web::shared())
}

fn hot(isolation: &str) -> Value {
    json!({ "isolation": isolation, "threads": 8, "shows": 1, "seats": 10, "gate": "adaptive" })
}

fn start(web: &Web, settings: &Value) -> Reply {
    web.post("/laboratory/start", settings)
}

fn state(web: &Web) -> Value {
    let reply = web.get("/laboratory/state");
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

/// The newest experiment of a state.
fn newest(state: &Value) -> &Value {
    state["runs"].as_array().and_then(|runs| runs.last()).unwrap_or_else(|| panic!("one was run: {state}"))
}

/// Looks until the newest experiment is as wanted; it ends by itself if it never is.
fn watch(web: &Web, wanted: impl Fn(&Value) -> bool) {
    loop {
        let state = state(web);
        let run = newest(&state);
        if wanted(run) {
            return;
        }
        assert_eq!(run["state"], "running", "it is over, and was never as wanted: {run}");
        thread::yield_now();
    }
}

fn stop(web: &Web) -> Value {
    let reply = web.post("/laboratory/stop", &json!({}));
    assert_eq!((reply.status, &reply.body["running"]), (200, &json!(false)), "{reply:?}");
    newest(&reply.body).clone()
}

/// Counted by the test itself: tickets, performances that sold more than ten, tickets without a seat.
fn counted() -> (u64, u64, u64) {
    let sql = "SELECT COALESCE(SUM(n), 0), COALESCE(SUM(n > 10), 0), COALESCE(SUM(GREATEST(n, 10) - 10), 0) \
               FROM (SELECT COUNT(*) AS n FROM lab_ticket GROUP BY show_id, performance) AS sold";
    rows(shared()).query_first(sql).expect("the tables are there").expect("sums are one row")
}

fn told(run: &Value) -> (u64, u64, u64) {
    let number = |field: &str| run["totals"][field].as_u64().unwrap_or_else(|| panic!("{field} is a number: {run}"));
    (number("tickets"), number("oversold"), number("without_seat"))
}

#[test]
fn repeatable_read_oversells_and_serializable_does_not_and_the_figures_are_those_of_the_rows() {
    let (_turn, web) = laboratory();
    let begun = start(&web, &hot("repeatable read"));
    assert_eq!(begun.status, 202, "{begun:?}");
    let first = begun.body["run"].as_u64().expect("it has a number");
    assert_eq!(begun.header("location"), format!("/laboratory/state?run={first}"));
    assert_eq!(start(&web, &hot("serializable")).said(), (409, "experiment-running"));
    watch(&web, |run| run["totals"]["oversold"].as_u64() > Some(0));
    let oversold = stop(&web);
    assert_eq!((&oversold["number"], &oversold["state"]), (&json!(first), &json!("stopped")));
    assert_eq!(oversold["settings"], hot("repeatable read"), "what is told can be sent again");
    assert!(counted().1 > 0, "{:?}", counted());
    assert_eq!(told(&oversold), counted());

    assert_eq!(start(&web, &hot("serializable")).status, 202);
    watch(&web, |run| run["totals"]["performances"].as_u64() > Some(5));
    let kept = stop(&web);
    assert_eq!(told(&kept), counted());
    assert_eq!((counted().1, counted().2), (0, 0));
    let samples = kept["samples"].as_array().expect("it was sampled");
    let sold: u64 = samples.iter().map(|sample| sample["sold"].as_u64().expect("a number")).sum();
    assert_eq!(sold, counted().0, "what threads were told is what is in the rows");
    // Only what is new is asked for.
    let last = web.get(&format!("/laboratory/state?run={}&since={}", first + 1, samples.len() - 1)).body;
    assert_eq!(last["runs"].as_array().map(Vec::len), Some(1), "{last}");
    assert_eq!(newest(&last)["samples"], json!([samples.last()]), "{last}");
}

#[test]
fn what_cannot_be_run_is_refused_with_all_fields_that_are_wrong() {
    let (_turn, web) = laboratory();
    let wrong = json!({ "isolation": "chaos", "threads": 65, "shows": 0, "seats": "many", "gate": "ajar", "speed": 1 });
    let reply = start(&web, &wrong);
    assert_eq!(reply.said(), (400, "invalid-fields"));
    let errors = reply.body["errors"].as_array().expect("it is about fields");
    let fields: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap_or_default()).collect();
    assert_eq!(fields, ["isolation", "threads", "shows", "seats", "gate", "speed"]);
    assert_eq!(start(&web, &json!({ "gate": "fixed", "width": 0 })).said(), (400, "invalid-fields"));
    assert_eq!(start(&web, &json!({ "threads": [1] })).said(), (400, "invalid-fields"));
    for body in ["", "[]", "{", "1"] {
        let reply = web.send("POST", "/laboratory/start", "content-type: application/json\r\n", body);
        assert_eq!(reply.said(), (400, "unreadable"), "{body}");
    }
    assert_eq!(web.order("/laboratory/start").said(), (415, "unreadable"));
    for query in ["run=x", "since=-1", "since=99999999999999999999"] {
        assert_eq!(web.get(&format!("/laboratory/state?{query}")).said(), (400, "invalid-fields"), "{query}");
    }
    assert_eq!(web.get("/laboratory/start").said(), (405, "no-such-method"));
}

/// Without a script: forms, redirects, and a page that reloads itself while something runs.
#[test]
fn people_without_scripts_run_one_too() {
    let (_turn, web) = laboratory();
    let page = web.get("/laboratory");
    assert_eq!(page.status, 200, "{page:?}");
    let cookie = page.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    let token = page.text.split("name=\"token\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let token = token.expect("its forms have a token").to_owned();
    let send = |path: &str, body: &str| {
        let headers = format!("content-type: application/x-www-form-urlencoded\r\ncookie: {cookie}\r\n");
        web.send("POST", path, &headers, body)
    };
    let settings = "isolation=serializable&threads=2&shows=1&seats=5&gate=fixed&width=1";
    assert_eq!(send("/laboratory/start", settings).status, 403, "without the token it is forged");
    let wrong = send("/laboratory/start", &format!("token={token}&threads=65"));
    assert_eq!(wrong.status, 400, "{wrong:?}");
    let begun = send("/laboratory/start", &format!("token={token}&{settings}"));
    assert_eq!((begun.status, begun.header("location")), (303, "/laboratory".to_owned()), "{begun:?}");
    watch(&web, |run| run["samples"].as_array().is_some_and(|samples| !samples.is_empty()));
    let shown = web.get("/laboratory").text;
    assert!(shown.contains("data-running=\"true\"") && shown.contains("http-equiv=\"refresh\""), "{shown}");
    assert!(shown.contains("<td>fixed 1</td>"), "{shown}");
    let stopped = send("/laboratory/stop", &format!("token={token}"));
    assert_eq!((stopped.status, stopped.header("location")), (303, "/laboratory".to_owned()), "{stopped:?}");
    let shown = web.get("/laboratory").text;
    assert!(shown.contains("data-running=\"false\"") && !shown.contains("http-equiv=\"refresh\""), "{shown}");
    assert!(shown.contains("is over: stopped."), "{shown}");
}

/// On a server of its own, which knows that every connection was closed as it should be: none was cut in the middle of a unit.
#[test]
fn the_programs_end_is_the_experiments_end() {
    let server = Server::start().expect("a server starts");
    let web = Web::on(&server, &[]);
    assert_eq!(start(&web, &hot("serializable")).status, 202);
    watch(&web, |run| run["totals"]["units"].as_u64() > Some(0));
    web.signal(Signal::SIGINT);
    let (status, said) = web.ended();
    assert!(status.success() && !said.contains("failed"), "{status} {said}");
    let mut conn = server.conn().expect("the server answers");
    let others = "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'root' AND id <> CONNECTION_ID()";
    until("all connections are closed", || conn.query_first::<u64, _>(others).expect("it is answered") == Some(0));
    let cut: Option<(String, u64)> = conn.query_first("SHOW GLOBAL STATUS LIKE 'Aborted_clients'").expect("it is told");
    assert_eq!(cut.map(|(_, connections)| connections), Some(0));
}
