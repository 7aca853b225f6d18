//! What is told of a night whose rows are given.

use std::time::Duration;

use super::chart::{Course, course, draw, length};
use super::{Done, Listed, Report, Sums};
use crate::rules::Reject;

fn done(run: u64, millis: u64, lines: u64, retries: u64) -> Done {
    Done { run, at: Duration::from_millis(millis), lines, retries }
}

fn report() -> Report {
    let reject =
        |line, rule: &str| Reject { line, text: format!("{line},1"), rule: rule.to_owned(), reason: "bad".to_owned() };
    Report {
        night: "a <night> & more".to_owned(),
        lines: 12,
        sums: Sums { posted: 9, amount: 12_305, fees: 7 },
        rejects: vec![reject(3, "one"), reject(5, "other"), reject(8, "one")],
        chunks: vec![done(1, 300, 5, 1), done(1, 600, 5, 0), done(3, 600, 2, 2)],
        money: 1,
    }
}

#[test]
fn the_text_counts_by_rule_and_lists_what_was_rejected() {
    let text = report().text("heading", Listed::First(2));
    let expected = "heading
  lines                          12
  posted                          9  123.05 in all, and 0.07 in fees
  rejected                        3
    one                           2
    other                         1
  chunks                          3  in 1.20 s, 10 lines a second
  retries                         3
  runs                            3
Rejected lines:
  line 3: 3,1: bad
  line 5: 5,1: bad
  and 1 more; --report DIR writes down all of them
";
    assert_eq!(text, expected);
    assert!(report().text("", Listed::All).ends_with("  line 8: 8,1: bad\n"));
}

#[test]
fn the_course_leaves_out_the_time_between_runs() {
    let chunks = [done(1, 300, 5, 1), done(1, 600, 5, 0), done(3, 600, 2, 2)];
    assert_eq!(length(&chunks), Duration::from_millis(1200));
    let Course { step, lines_a_second, retries, began } = course(&chunks);
    assert!((step - 0.02).abs() < 1e-9 && began == [0.6], "{step} {began:?}");
    assert_eq!(lines_a_second.len(), 60, "what came at the end is in the last step");
    let nearly = |place: usize, lines: f64| (lines_a_second[place] - lines).abs() < 1e-6;
    assert!(nearly(15, 250.0) && nearly(30, 250.0) && nearly(59, 100.0), "{lines_a_second:?}");
    let again: Vec<_> = (0..).zip(&retries).filter(|(_, sum)| **sum > 0.0).collect();
    assert_eq!(again, [(15, &1.0), (59, &2.0)]);
}

#[test]
fn the_chart_is_well_formed_also_of_nothing() {
    let svg = draw(&report()).expect("it can be drawn");
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{svg}");
    assert!(svg.contains("a &lt;night&gt; &amp; more: lines a second") && svg.contains("retries"), "{svg}");
    assert!(draw(&Report::default()).expect("an empty one too").contains("lines a second"));
}
