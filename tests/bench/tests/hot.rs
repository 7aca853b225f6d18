//! Hot rows in their short form: which variants there are, what is printed of each, and that money is neither lost nor made whoever
//! admits and runs again, also with a second process. Who is faster is no matter of a test.

use serde_json::Value;

use crate::{bench, number, succeeded};

const SHORT: [&str; 5] = ["hot", "--rounds", "2", "--slice-ms", "100"];

fn figures(arguments: &[&str]) -> Vec<Value> {
    let output = bench(&[&SHORT[..], arguments, &["--json"]].concat());
    serde_json::from_str(succeeded(&output)).expect("one JSON array")
}

fn names(figures: &[Value]) -> Vec<&str> {
    figures.iter().map(|figures| figures["variant"].as_str().expect("a name")).collect()
}

/// A ratio between two medians with the interval around it.
fn check_spread(figures: &Value, field: &str) {
    let [low, median, high] = ["low", "median", "high"].map(|part| number(&figures[field], part));
    assert!(0.0 < low && low <= median && median <= high, "`{field}` in {figures}");
}

fn check_schema(figures: &Value, threads: u32) {
    assert_eq!(figures["threads"], threads, "{figures}");
    assert_eq!(figures["rounds"], 2, "{figures}");
    for field in ["units_per_s", "p50_us", "p99_us", "p99_overall_us"] {
        assert!(number(figures, field) > 0.0, "`{field}` in {figures}");
    }
    for field in ["retries_per_unit", "slowest_over_mean", "abandoned"] {
        assert!(number(figures, field) >= 0.0, "`{field}` in {figures}");
    }
    assert!(number(figures, "slowest_over_mean") <= 1.0, "{figures}");
    for field in ["rates", "p99s_us"] {
        assert_eq!(figures[field].as_array().map(Vec::len), Some(2), "`{field}` in {figures}");
    }
}

#[test]
fn each_variant_is_one_object_and_is_held_against_the_best_of_the_others() {
    let all = figures(&["--threads", "4", "--rows", "32"]);
    assert_eq!(names(&all), ["unit", "at_once", "backoff", "fixed_1", "fixed_2"]);
    for each in &all {
        check_schema(each, 4);
        assert_eq!((each["workload"].as_str(), each["rows"].as_u64()), (Some("uniform"), Some(32)), "{each}");
        for field in ["rate", "of_best", "of_backoff", "p99_to_fixed_2", "p99_to_backoff"] {
            check_spread(each, field);
        }
        assert!(each["p99_to_fixed_4"].is_null() && each["storm"].is_null(), "{each}");
        assert!(names(&all[1..]).contains(&each["best"].as_str().expect("a rival")), "{each}");
    }
    assert_eq!(number(&all[4]["p99_to_fixed_2"], "median").to_string(), "1");
}

#[test]
fn one_at_a_time_nothing_runs_twice() {
    let all = figures(&["--threads", "8", "--rows", "3", "--variants", "fixed_1,gate_1,at_once,open"]);
    assert_eq!(names(&all), ["fixed_1", "gate_1", "at_once", "open"]);
    for alone in &all[..2] {
        assert_eq!(number(alone, "retries_per_unit").to_string(), "0", "{alone}");
    }
    for crowded in &all[2..] {
        assert!(number(crowded, "retries_per_unit") > 0.0, "eight threads on three rows never met: {crowded}");
    }
}

#[test]
fn a_second_process_runs_half_of_the_threads() {
    let all = figures(&["--workload", "two_processes", "--threads", "4", "--rows", "50", "--variants", "fixed_1"]);
    check_schema(&all[0], 4);
    // With one permit in each process there are two at a time, and none of the four threads is left without a unit.
    assert!(number(&all[0], "slowest_over_mean") > 0.0, "{}", all[0]);
}

#[test]
fn a_hot_row_among_cold_ones_is_also_run_with_a_gate_of_its_own() {
    let all = figures(&["--workload", "one_hot", "--threads", "4", "--rows", "50"]);
    assert_eq!(names(&all), ["unit", "at_once", "backoff", "fixed_1", "fixed_2", "unit_keyed"]);
    check_schema(&all[5], 4);
    assert_ne!(all[5]["best"], "unit_keyed", "a variant of the library is no rival of it");
}

#[test]
fn every_kind_of_work_adds_up() {
    for workload in ["zipf", "one_hot", "mixed", "mixed_think", "think", "read_mostly", "storm"] {
        let all = figures(&["--workload", workload, "--threads", "4", "--variants", "unit,fixed_2"]);
        assert_eq!(names(&all), ["unit", "fixed_2"]);
        for each in &all {
            check_schema(each, 4);
            assert_eq!(each["workload"], workload, "{each}");
            assert_eq!(each["storm"].is_null(), workload != "storm", "{each}");
        }
    }
}

#[test]
fn without_json_a_table_names_every_variant() {
    let output = bench(&[&SHORT[..], &["--threads", "4", "--variants", "unit,backoff"]].concat());
    let table = succeeded(&output);
    for word in ["uniform: 4 threads, 4 rows, 2 rounds, best rival backoff", "unit ", "backoff ", "units/s", "of best"]
    {
        assert!(table.contains(word), "`{word}` is not in\n{table}");
    }
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    for wrong in [
        &["hot", "--threads", "1"][..],
        &["hot", "--rows", "2"],
        &["hot", "--variants", "fixed_0"],
        &["hot", "--workload", "cold"],
        &["hot", "--all", "--rows", "4"],
    ] {
        assert_eq!(bench(wrong).status.code(), Some(2), "{wrong:?}");
    }
}
