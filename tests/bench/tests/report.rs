//! The page that is made of recorded figures: what it says of bars that hold, that fail, that were measured too briefly or not at
//! all; and that single measurements can be asked for. The figures are made up here.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{bench, succeeded};

fn ratio(low: f64, median: f64, high: f64) -> Value {
    json!({ "low": low, "median": median, "high": high })
}

fn keep(directory: &Path, key: &str, slice_ms: u64, figures: &Value) {
    let machine = json!({
        "processor": "Abacus", "cores": 2, "memory_gib": 4, "kernel": "Linux 6", "compiler": "rustc 1", "server": "12-MariaDB",
        "settings": [["sync_binlog", "0"]],
    });
    let circumstances = json!({
        "measurement": key, "date": "2026-01-02 03:04", "commit": "abc", "load_before": "0.1 0.2 0.3", "rounds": 20, "slice_ms": slice_ms,
        "machine": machine,
    });
    let file = directory.join(format!("figures/{key}.json"));
    fs::create_dir_all(file.parent().expect("a directory")).expect("a directory");
    fs::write(file, json!({ "circumstances": circumstances, "figures": figures }).to_string()).expect("a file");
}

fn hot(variant: &str, of_best: &Value, slowest_over_mean: f64) -> Value {
    let of_backoff = ratio(4.0, 4.6, 5.0);
    json!({
        "variant": variant, "workload": "uniform", "threads": 64, "rows": 4, "rounds": 20, "slice_ms": 1000,
        "units_per_s": 3000.0, "rate": ratio(2900.0, 3000.0, 3100.0), "p50_us": 1000.0, "p99_us": 2000.0,
        "p99_overall_us": 2100.0, "slowest_over_mean": slowest_over_mean, "retries_per_unit": 0.5, "abandoned": 0,
        "best": "fixed_2", "of_best": of_best, "of_backoff": of_backoff, "p99_to_fixed_2": ratio(0.7, 0.76, 0.8),
        "p99_to_fixed_4": null, "p99_to_backoff": ratio(0.01, 0.02, 0.03), "storm": null,
        "rates": [3000.0], "p99s_us": [2000.0],
    })
}

fn transfer(variant: &str, ratio_to_pool: &Value) -> Value {
    json!({
        "variant": variant, "threads": 4, "rows": 1000, "rounds": 20, "units_per_s": 9000.0,
        "rate": ratio(8000.0, 9000.0, 9100.0), "p50_us": 1.0, "p99_us": 2.0, "retries_per_unit": 0.0,
        "durable": false, "file_system": "tmpfs", "sends": ["COMMIT"], "round_trips_per_unit": 5.0, "ratio_to_pool": ratio_to_pool, "ratio_to_bare": ratio(0.97, 0.98, 0.99),
    })
}

fn latency(added_us: u64, ratios: &[(&str, Value)]) -> Value {
    let one = ratio(1.0, 1.0, 1.0);
    let variants = ratios.iter().map(|(variant, of_pool)| {
        json!({
            "variant": variant, "units_per_s": one, "p50_us": 1.0, "p99_us": 2.0, "ratio_to_pool": of_pool, "ratio_to_bare": one,
        })
    });
    json!({
        "added_us": added_us, "really_added_us": ratio(501.0, 502.0, 503.0), "threads": 4, "rows": 1000, "rounds": 20,
        "variants": variants.collect::<Vec<_>>(),
    })
}

/// The page, and every plot that it shows.
fn rendered(directory: &TempDir) -> String {
    let out = directory.path().to_str().expect("a path");
    succeeded(&bench(&["report", "--render", "--out", out]));
    let page = fs::read_to_string(directory.path().join("REPORT.md")).expect("the page");
    for plot in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        let svg = fs::read_to_string(directory.path().join(plot)).unwrap_or_else(|error| panic!("{plot}: {error}"));
        assert!(svg.starts_with("<svg") && svg.contains("</svg>"), "{plot}");
    }
    page
}

/// The one line of a table that begins so.
fn line<'p>(page: &'p str, begin: &str) -> &'p str {
    let mut lines = page.lines().filter(|line| line.starts_with(&format!("| {begin} |")));
    let line = lines.next().unwrap_or_else(|| panic!("no line `{begin}` in\n{page}"));
    assert!(lines.next().is_none(), "two lines `{begin}` in\n{page}");
    line
}

#[test]
fn each_bar_is_judged_by_its_interval() {
    let directory = tempfile::tempdir().expect("a directory");
    let one = ratio(1.0, 1.0, 1.0);
    let cell = json!([hot("unit", &ratio(0.7, 0.75, 0.79), 0.6), hot("fixed_2", &one, 0.9)]);
    keep(directory.path(), "hot/uniform_64x4", 1000, &cell);
    keep(
        directory.path(),
        "transfer/4x1000",
        1000,
        &json!([transfer("unit", &ratio(1.9, 2.0, 2.1)), transfer("pool", &one)]),
    );
    let slow = [("unit", ratio(2.0, 2.1, 2.2)), ("pool", one)];
    keep(directory.path(), "latency/4x500us", 1000, &latency(500, &slow));
    keep(directory.path(), "latency/4x2000us", 1000, &latency(2000, &[("unit", ratio(1.0, 1.1, 1.2))]));
    keep(directory.path(), "durable/4x1000", 1000, &json!([transfer("unit", &ratio(1.0, 1.1, 1.2))]));
    let page = rendered(&directory);
    for (bar, verdict) in [
        ("500 µs a round trip, threads: 4: units/s of `unit` to `pool`", "| ≥ 2 | 2.10 (2.00 – 2.20) | PASS |"),
        ("transfer 4 × 1000: units/s of `pool`", "| ≥ 1.8 | 2.00 (1.90 – 2.10) | PASS |"),
        ("hot uniform_64x4: units/s of the best other", "| ≥ 0.8 | 0.75 (0.70 – 0.79) | FAIL |"),
        ("hot uniform_64x4: units/s of `backoff`", "| ≥ 4.5 | 4.60 (4.00 – 5.00) | PASS, within the noise |"),
        ("hot uniform_64x4: p99 of `fixed_2`", "| ≤ 0.75 | 0.76 (0.70 – 0.80) | DOUBTFUL"),
        ("hot uniform_64x4: slowest thread of the mean", "| ≥ 0.5 | 0.60 (0.60 – 0.60) | PASS |"),
        ("500 µs a round trip, threads: 1: units/s of `unit` to `pool`", "| ≥ 2 | – | not measured |"),
        ("hot uniform_64x32: units/s of `backoff`", "| ≥ 5 | – | not measured |"),
        ("transfer 16 × 1000: units/s of `pool`", "| ≥ 1.7 | – | not measured |"),
    ] {
        let line = line(&page, bar);
        assert!(line.contains(verdict), "{line}");
    }
    for word in [
        "- A bar is missed: hot uniform_64x4: units/s of the best other is 0.75 (0.70 – 0.79), asked is ≥ 0.8.",
        "- In uniform_64x4 `fixed_2`, had one known it, makes more: the library reaches 0.75 of it.",
        "Abacus, 2 cores, 4 GiB of memory, Linux 6, rustc 1, server 12-MariaDB with `sync_binlog=0`.",
        "| hot/uniform_64x4 | 2026-01-02 03:04 | abc | 0.1 0.2 0.3 | 20 | 1000 |",
        "500 µs a round trip (502 (501 – 503) µs in fact), threads: 4",
        "| durable/4x1000 | 2026-01-02 03:04 |",
        "## Compile time\n\nNot measured.",
        "## Threads, sessions, databases\n\nNot measured.",
        "## What the attribute adds\n\nNot measured.",
    ] {
        assert!(page.contains(word), "`{word}` is not in\n{page}");
    }
    assert_eq!(page, rendered(&directory), "the same figures give the same page");
}

#[test]
fn short_slices_are_not_judged() {
    let directory = tempfile::tempdir().expect("a directory");
    keep(directory.path(), "hot/uniform_64x4", 100, &json!([hot("unit", &ratio(0.1, 0.1, 0.1), 0.1)]));
    let page = rendered(&directory);
    assert!(line(&page, "hot uniform_64x4: units/s of the best other").contains("not judged"), "{page}");
    assert!(!page.contains("FAIL") && !page.contains("PASS"), "{page}");
}

#[test]
fn a_single_measurement_is_kept_and_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path().to_str().expect("a path");
    succeeded(&bench(&["report", "--quick", "--only", "hot/uniform_4x4", "--out", out]));
    let kept = fs::read_to_string(directory.path().join("figures/hot/uniform_4x4.json")).expect("the figures");
    let kept: Value = serde_json::from_str(&kept).expect("JSON");
    assert_eq!(kept["figures"][0]["variant"], "unit", "{kept}");
    for field in ["date", "commit", "load_before"] {
        assert!(!kept["circumstances"][field].as_str().expect("text").is_empty(), "`{field}` in {kept}");
    }
    let page = fs::read_to_string(directory.path().join("REPORT.md")).expect("the page");
    assert!(page.contains("### uniform, 4 × 4: best is"), "{page}");
}

#[test]
fn figures_of_one_run_can_be_told_by_the_next() {
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path().to_str().expect("a path");
    succeeded(&bench(&["report", "--quick", "--only", "latency/1x500us", "overhead", "--out", out]));
    let page = rendered(&directory);
    for word in ["500 µs a round trip (", "| unit |", "| pool |", "unit that sends nothing"] {
        assert!(page.contains(word), "`{word}` is not in\n{page}");
    }
}

#[test]
fn what_is_not_there_is_not_measured() {
    let output = bench(&["report", "--only", "warm"]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("there is no `warm`; there are transfer/1x1000, "), "{message}");
}
