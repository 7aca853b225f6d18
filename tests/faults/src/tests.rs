//! The short forms of the soaks: each checks the statement whose number its name begins with, on a private server of its own.

mod guide;
mod kinds;

use indicatif::ProgressBar;
use proxy::{Ending, Part};

use crate::args::Args;
use crate::bank::{self, Disturbance};
use crate::cut;
use crate::elle;
use crate::hermitage::{self, Setting};
use crate::hold::{self, First};
use crate::kill9;
use crate::mode::Mode;
use crate::report::Report;

/// What others read of the report of `kill9 --json`.
const KILL9: [&str; 9] = [
    "exactly_once",
    "acknowledged",
    "unknown",
    "resolved_committed",
    "resolved_rolled_back",
    "lost",
    "doubled",
    "balance_ok",
    "resume_ms",
];

#[test]
fn the_command_line_contradicts_itself_nowhere() {
    <Args as clap::CommandFactory>::command().debug_assert();
}

#[test]
fn s82_a_server_killed_under_writers_loses_nothing_and_doubles_nothing() {
    let plan = kill9::Plan { rounds: 3, writers: 16, units: 30 };
    for mode in Mode::ALL {
        let findings = kill9::run(&plan, mode, &ProgressBar::hidden()).unwrap_or_else(|failure| panic!("{failure}"));
        println!("{findings}");
        assert_eq!(findings.broken(), [""; 0]);
        assert!(findings.counts.acknowledged >= 3, "{findings}");
        let json = serde_json::to_value(&findings).expect("numbers and names");
        for name in KILL9 {
            assert!(json.get(name).is_some(), "{name} is not in {json}");
        }
    }
}

#[test]
fn s65_the_schedules_of_hermitage_show_at_each_level_what_the_server_shows() {
    for setting in [Setting::MariaDb, Setting::MariaDbSnapshot] {
        as_expected(setting);
    }
}

#[cfg(feature = "mysql")]
#[test]
fn s65_the_schedules_of_hermitage_show_on_mysql_what_it_shows() {
    as_expected(Setting::MySql);
}

fn as_expected(setting: Setting) {
    let findings = hermitage::run(setting, &ProgressBar::hidden()).unwrap_or_else(|failure| panic!("{failure}"));
    println!("{findings}");
    assert_eq!(findings.broken(), [""; 0]);
}

#[test]
fn s66_histories_have_no_anomaly_at_serializable_and_some_at_repeatable_read() {
    let run = |level| {
        let plan = elle::Plan { level, seconds: 4, threads: 8, history: None };
        let findings = elle::run(&plan).unwrap_or_else(|failure| panic!("{failure}"));
        println!("{findings}");
        findings
    };
    // Hundreds are found where the machine has time; once more where it had none.
    assert!((0..5).any(|_| run(elle::Level::RepeatableRead).anomalies > 0), "the checker finds nothing");
    let findings = run(elle::Level::Serializable);
    assert_eq!(findings.broken(), [""; 0]);
    assert!(findings.ok > 0, "{findings}");
}

#[test]
fn s79_cut_at_any_packet_the_answer_agrees_with_the_rows() {
    let plan = cut::Plan { parts: &[Part::Half], endings: &[Ending::Close, Ending::Reset] };
    for mode in Mode::ALL {
        let findings = cut::run(plan, mode, &ProgressBar::hidden()).unwrap_or_else(|failure| panic!("{failure}"));
        println!("{findings}");
        assert_eq!(findings.broken(), [""; 0]);
        assert_eq!(findings.agreed, findings.cases, "{findings}");
        assert!(findings.cases > 100, "{findings}");
    }
}

#[test]
fn s83_whatever_is_disturbed_the_answers_are_true_and_service_resumes() {
    let plan = bank::Plan { minutes: 0, writers: 16, calm: 50 };
    for mode in Mode::ALL {
        let findings = bank::run(&plan, mode, Disturbance::ALL.into_iter(), &ProgressBar::hidden());
        let findings = findings.unwrap_or_else(|failure| panic!("{failure}"));
        println!("{findings}");
        assert_eq!(findings.broken(), [""; 0]);
        assert_eq!(findings.faults.len(), Disturbance::ALL.len(), "{findings}");
    }
}

#[test]
fn s81_a_commit_that_is_late_or_lost_is_told_truly() {
    for mode in Mode::ALL {
        let findings =
            hold::run(&First::ALL, mode, &ProgressBar::hidden()).unwrap_or_else(|failure| panic!("{failure}"));
        println!("{findings}");
        assert_eq!(findings.broken(), [""; 0]);
        assert!(findings.cases.len() >= 7, "{findings}");
    }
}
