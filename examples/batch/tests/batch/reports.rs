//! Files and output of a report, and places where they cannot be written.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

use crate::room::{Room, failed, refused, run, settled};

fn written(report: &Path, name: &str) -> String {
    fs::read_to_string(report.join(name)).expect("the report has this file")
}

#[test]
fn a_report_has_a_text_the_rejects_and_a_chart_and_a_later_run_writes_it_again() {
    let room = Room::new();
    let report = room.place.path().join("new").join("report");
    let file = room.file("id,from,to,amount\n1,1,2,100\n2,\"1\",2\n3,2,1,\"x, \"\"y\"\"\"\n4,2,2,5\n");
    let arguments = ["--report", report.to_str().expect("its name is ASCII")];
    let printed = room.settle(&file, &arguments);
    let text = written(&report, "report.txt");
    assert!(
        printed.starts_with(&text) && text.contains("\n  line 5: 4,2,2,5: from and to are the same account\n"),
        "{text}"
    );
    let rejects = written(&report, "rejects.csv");
    let expected = "line,text,rule,reason\n\
                    3,\"2,\"\"1\"\",2\",not readable,3 fields instead of 4\n\
                    4,\"3,2,1,\"\"x, \"\"\"\"y\"\"\"\"\"\"\",not readable,\"amount: `x, \"\"y\"\"` is not a whole number\"\n\
                    5,\"4,2,2,5\",same account,from and to are the same account\n";
    assert_eq!(rejects, expected);
    let chart = written(&report, "chart.svg");
    assert!(chart.contains("payments.csv: lines a second") && chart.contains("retries"), "{chart}");
    let names: Vec<_> = fs::read_dir(&report).expect("it is there").collect();
    assert_eq!(names.len(), 3, "and nothing else: {names:?}");
    fs::remove_file(report.join("rejects.csv")).expect("it was there");
    room.settle(&file, &arguments);
    assert_eq!((written(&report, "rejects.csv"), written(&report, "chart.svg")), (rejects, chart));
}

#[test]
fn a_report_that_cannot_be_written_is_told_before_anything_is_posted() {
    let room = Room::new();
    let file = room.file("id,from,to,amount\n1,1,2,100\n");
    let place = room.place.path().join("payments.csv");
    let said = refused(&run(room.batch(&file, &["--report", place.to_str().expect("its name is ASCII")])));
    assert!(said.contains("the report in ") && said.contains("payments.csv cannot be written"), "{said}");
    let databases = crate::databases(&room);
    assert!(!databases.iter().any(|name| name == "unit_of_work_batch"), "{databases:?}");
}

#[test]
fn a_full_disk_and_a_reader_that_went_away_are_errors_and_the_night_is_settled() {
    let room = Room::new();
    let file = room.file("id,from,to,amount\n1,1,2,100\n");
    let mut command = room.batch(&file, &[]);
    command.stdout(File::options().write(true).open("/dev/full").expect("it is always full"));
    let said = failed(&run(command), 3);
    assert!(
        said.contains("the night is settled, but its report cannot be written") && said.contains("No space left"),
        "{said}"
    );
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    let mut command = room.batch(&file, &["--dry-run"]);
    command.stdout(writer);
    assert!(refused(&run(command)).contains("standard output cannot be written: Broken pipe"));
    assert_eq!(room.books().payments.len(), 1);
    // Nobody to tell at all.
    let mut command = room.batch(&file, &["--generate", "5"]);
    command.stderr(File::options().write(true).open("/dev/full").expect("it is always full")).stdout(Stdio::null());
    assert_eq!(command.status().expect("the program can be started").code(), Some(2));
    settled(&run(room.batch(&file, &[])));
}
