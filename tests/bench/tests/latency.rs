//! Transfers over a slow network in their short form: what is printed, and that the network is slow at all.

use serde_json::Value;

use crate::{bench, median, number, succeeded};

const SHORT: [&str; 6] = ["latency", "--threads=2", "--rows=50", "--added-us=300,5000", "--rounds=3", "--slice-ms=300"];

#[test]
fn every_variant_is_measured_with_every_added_time() {
    let output = bench(&[&SHORT[..], &["--json"]].concat());
    let all: Vec<Value> = serde_json::from_str(succeeded(&output)).expect("one JSON array");
    let added: Vec<_> = all.iter().map(|figures| number(figures, "added_us").to_string()).collect();
    assert_eq!(added, ["300", "5000"]);
    for figures in &all {
        // Less than what was asked for is waited, because the proxy takes time as well; but never less than half.
        assert!(median(figures, "really_added_us") > 0.4 * number(figures, "added_us"), "{figures}");
        let variants = figures["variants"].as_array().expect("a list");
        assert!(variants.len() >= 4, "{figures}");
        for variant in variants {
            assert!(median(variant, "units_per_s") > 0.0, "{variant}");
            assert!(median(variant, "ratio_to_pool") > 0.0 && median(variant, "ratio_to_bare") > 0.0, "{variant}");
        }
    }
}

#[test]
fn the_text_tells_what_was_really_added() {
    let output = bench(&SHORT);
    let text = succeeded(&output);
    for word in ["300 µs a round trip (", "µs in fact), threads: 2, 50 rows, 3 rounds", "unit ", "own "] {
        assert!(text.contains(word), "`{word}` is not in\n{text}");
    }
}
