//! The attribute at compile time in its short form: that all three spellings compile, what is printed, and which packages a build
//! compiles for the attribute's sake. How long anything takes is no matter of a test.

use serde_json::{Value, json};

use crate::{bench, number, succeeded};

#[test]
fn the_attribute_adds_one_package_to_a_build() {
    let output = bench(&["compile", "--functions", "10", "--rounds", "1", "--json"]);
    let cost: Value = serde_json::from_str(succeeded(&output)).expect("`--json` prints JSON");
    assert_eq!(cost["functions"], 10, "{cost}");
    // Syntax trees are compiled for the driver already, and the reader of statements for the library.
    assert_eq!(cost["added_packages"], json!(["unit-of-work-macros"]), "{cost}");
    for field in ["ratio_to_expanded", "ratio_to_builder"] {
        let [low, median, high] = ["low", "median", "high"].map(|part| number(&cost[field], part));
        assert!(0.0 < low && low <= median && median <= high, "`{field}` in {cost}");
    }
}
