//! The benchmark in its short form: what it prints, that money is neither lost nor made, and what a transfer costs at the
//! socket. How fast anything is, is no matter of a test.

mod compile;
mod hot;

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
    assert_eq!(names, ["unit", "pool", "bare"]);
    let trips: Vec<_> = all.iter().map(|figures| number(figures, "round_trips_per_unit").to_string()).collect();
    // The pool: SET TRANSACTION, START TRANSACTION, two preparations, four executions, COMMIT, reset. It pings only on
    // `get_conn`, not on `start_transaction`.
    assert_eq!(trips, ["5", "10", "5"]);
    assert_eq!(number(&all[1]["ratio_to_pool"], "median").to_string(), "1");
    assert_eq!(number(&all[2]["ratio_to_bare"], "median").to_string(), "1");
}

#[test]
fn without_json_a_table_names_every_variant() {
    let output = bench(&SHORT);
    let table = succeeded(&output);
    for word in ["unit ", "pool ", "bare ", "units/s", "2 threads, 50 rows, 2 rounds"] {
        assert!(table.contains(word), "`{word}` is not in\n{table}");
    }
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    for wrong in [["transfer", "--rows", "1"], ["transfer", "--threads", "0"], ["transfer", "--rounds", "0"]] {
        assert_eq!(bench(&wrong).status.code(), Some(2), "{wrong:?}");
    }
}
