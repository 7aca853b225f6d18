//! What the attribute adds, in its short form: what is printed. How much it is, is no matter of a test.

use serde_json::Value;

use crate::{bench, median, succeeded};

#[test]
fn each_form_of_an_empty_unit_is_compared_with_the_plain_one() {
    let output = bench(&["overhead", "--quick", "--json"]);
    let figures: Value = serde_json::from_str(succeeded(&output)).expect("one JSON object");
    assert!(median(&figures["transfer"], "ratio_to_bare") > 0.0, "{figures}");
    median(&figures["transfer"], "added_ns");
    let empty = figures["empty"].as_array().expect("a list");
    assert!(empty.len() > 1 && empty[0]["unit"] == "plain", "{figures}");
    assert_eq!(median(&empty[0], "ratio_to_plain").to_string(), "1");
    for form in empty {
        assert!(median(form, "ns") > 0.0 && median(form, "ratio_to_plain") > 0.0, "{form}");
    }
}
