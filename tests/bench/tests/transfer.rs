//! The benchmark in its short form: what it prints, that money is neither lost nor made, and what a transfer costs at the
//! socket. How fast anything is, is no matter of a test.

mod compile;
mod hot;
mod latency;
mod overhead;
mod report;
mod scale;

use std::process::{Command, Output};

use serde_json::Value;

const SHORT: [&str; 9] = ["transfer", "--threads", "2", "--rows", "50", "--rounds", "2", "--slice-ms", "100"];

fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bench")).args(arguments).output().expect("the benchmark can be started")
}

/// The benchmark's balance check is part of its success: a wrong sum ends it with 1.
fn succeeded(output: &Output) -> &str {
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    std::str::from_utf8(&output.stdout).expect("the benchmark prints text")
}

fn number(figures: &Value, field: &str) -> f64 {
    figures[field].as_f64().unwrap_or_else(|| panic!("no number `{field}` in {figures}"))
}

/// The median of a figure with its interval.
fn median(figures: &Value, field: &str) -> f64 {
    let [low, median, high] = ["low", "median", "high"].map(|part| number(&figures[field], part));
    assert!(low <= median && median <= high, "`{field}` in {figures}");
    median
}

fn check_schema(figures: &Value) {
    for (field, expected) in [("threads", 2), ("rows", 50), ("rounds", 2)] {
        assert_eq!(figures[field], expected, "{figures}");
    }
    for field in ["units_per_s", "p50_us", "p99_us", "round_trips_per_unit"] {
        assert!(number(figures, field) > 0.0, "`{field}` in {figures}");
    }
    assert!(number(figures, "p50_us") <= number(figures, "p99_us"), "{figures}");
    assert!(number(figures, "retries_per_unit") >= 0.0, "{figures}");
    for field in ["ratio_to_pool", "ratio_to_bare"] {
        let [low, median, high] = ["low", "median", "high"].map(|part| number(&figures[field], part));
        assert!(0.0 < low && low <= median && median <= high, "`{field}` in {figures}");
    }
}

#[test]
fn the_short_form_adds_up_and_counts_five_round_trips() {
    let output = bench(&[&SHORT[..], &["--json"]].concat());
    let all: Vec<Value> = serde_json::from_str(succeeded(&output)).expect("one JSON array");
    all.iter().for_each(check_schema);
    let names: Vec<_> = all.iter().map(|figures| figures["variant"].as_str().expect("a name")).collect();
    assert_eq!(names, VARIANTS);
    let trips: Vec<_> = all.iter().map(|figures| format!("{:.0}", number(figures, "round_trips_per_unit"))).collect();
    assert_eq!(trips, TRIPS);
    assert_eq!(number(&all[1]["ratio_to_pool"], "median").to_string(), "1");
    assert_eq!(number(&all[3]["ratio_to_bare"], "median").to_string(), "1");
}

#[cfg(not(feature = "peers"))]
const VARIANTS: [&str; 5] = ["unit", "pool", "own", "bare", "unit_deferred"];
#[cfg(not(feature = "peers"))]
const TRIPS: [&str; 5] = ["5", "10", "7", "5", "3"];
#[cfg(feature = "peers")]
const VARIANTS: [&str; 8] = ["unit", "pool", "own", "bare", "unit_deferred", "r2d2", "sqlx", "diesel"];
/// The pools of `r2d2` and `sqlx` ping on the way out and on the way back; that of `diesel` selects 1, and updates are prepared anew
/// each time. `sqlx` and `diesel` set the isolation level once a connection.
#[cfg(feature = "peers")]
const TRIPS: [&str; 8] = ["5", "10", "7", "5", "3", "9", "8", "9"];

#[test]
fn what_a_transfer_sends_is_told_packet_by_packet() {
    const FOUR: [&str; 4] = ["execute SELECT", "execute SELECT", "execute UPDATE", "execute UPDATE"];
    const BEGIN: [&str; 2] = ["SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "START TRANSACTION"];
    const PREPARED: [&str; 6] =
        ["prepare SELECT", "execute SELECT", "execute SELECT", "prepare UPDATE", "execute UPDATE", "execute UPDATE"];
    let output = bench(&[&SHORT[..], &["--json"]].concat());
    let all: Vec<Value> = serde_json::from_str(succeeded(&output)).expect("one JSON array");
    let expected = [
        [&FOUR[..], &["COMMIT AND NO CHAIN NO RELEASE"]].concat(),
        // It pings only on `get_conn`, not on `start_transaction`.
        [&BEGIN[..], &PREPARED, &["COMMIT", "reset"]].concat(),
        [&BEGIN[..], &FOUR, &["COMMIT"]].concat(),
        [&FOUR[..], &["COMMIT"]].concat(),
        [&FOUR[..2], &["UPDATE account"]].concat(),
    ];
    for (figures, expected) in all.iter().zip(expected) {
        let sends: Vec<_> = figures["sends"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        assert_eq!(sends.len(), expected.len(), "{sends:?}");
        assert!(
            sends.iter().zip(&expected).all(|(sent, start)| sent.starts_with(start)),
            "{sends:?}, not {expected:?}"
        );
    }
}

#[test]
fn durable_figures_say_which_disk_they_were_taken_on() {
    let output = bench(&[&SHORT[..], &["--durable", "--json"]].concat());
    let all: Vec<Value> = serde_json::from_str(succeeded(&output)).expect("one JSON array");
    for figures in &all {
        assert_eq!(figures["durable"], true, "{figures}");
        assert!(!["tmpfs", "ramfs", ""].contains(&figures["file_system"].as_str().expect("a name")), "{figures}");
    }
}

#[test]
fn without_json_a_table_names_every_variant() {
    let output = bench(&SHORT);
    let table = succeeded(&output);
    for word in [
        "unit ",
        "pool ",
        "own ",
        "bare ",
        "unit_deferred ",
        "units/s",
        "bare sends: execute SELECT",
        "2 threads, 50 rows, 2 rounds",
    ] {
        assert!(table.contains(word), "`{word}` is not in\n{table}");
    }
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    for wrong in [["transfer", "--rows", "1"], ["transfer", "--threads", "0"], ["transfer", "--rounds", "0"]] {
        assert_eq!(bench(&wrong).status.code(), Some(2), "{wrong:?}");
    }
}
