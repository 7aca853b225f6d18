//! Many threads, sessions and databases in their short form: what is printed, that everybody in a crowd gets through, and that the
//! server never has more connections than it was promised.

use serde_json::Value;

use crate::{bench, median, number, succeeded};

#[test]
fn a_crowd_gets_through_over_its_few_sessions() {
    let output = bench(&["scale", "--threads", "16", "--rounds", "2", "--slice-ms", "200", "--crowd", "300", "--json"]);
    let figures: Value = serde_json::from_str(succeeded(&output)).expect("one JSON object");
    let crowd = &figures["crowd"];
    for (field, expected) in [("threads", 300), ("finished", 300), ("sessions", 8), ("connections_at_once", 8)] {
        assert_eq!(crowd[field], expected, "{crowd}");
    }
    assert!(number(crowd, "median_wait_ms") <= 1.001 * number(crowd, "longest_wait_ms"), "{crowd}");
    let cells = figures["cells"].as_array().expect("a list");
    assert_eq!(cells.iter().filter(|cell| cell["databases"] == 1).count(), 6, "{figures}");
    assert_eq!(cells.iter().filter(|cell| cell["threads"] == 16 && cell["sessions"] == 16).count(), 4, "{figures}");
    for cell in cells {
        assert!(median(cell, "units_per_s") >= 0.0 && cell["ratio_to_one"].is_object(), "{cell}");
    }
    if cfg!(target_os = "linux") {
        for holder in ["connection", "session", "thread"] {
            number(&figures["memory"][holder], "resident_kb");
        }
        // The driver has buffers of megabytes for each connection, ours included.
        assert!(number(&figures["memory"]["session"], "reserved_kb") > 1000.0, "{figures}");
    }
}
