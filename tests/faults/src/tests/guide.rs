//! The pictures of the guide's chapter about isolation. Each is drawn here and compared with the file in `runtime/docs/guide/isolation`;
//! `UPDATE_EXPECT=1` writes the files anew.

use expect_test::{ExpectFile, expect_file};
use unit_of_work::Isolation::{self, ReadCommitted, RepeatableRead, Serializable};

use crate::hermitage::picture::levels;
use crate::hermitage::{Setting, Stage};

#[test]
fn the_picture_of_the_levels_shows_what_is_expected_of_them() {
    let picture = levels();
    assert!(picture.lines().all(|line| !line.is_empty()), "an empty line ends a picture in a page");
    expect_file!["../../../../runtime/docs/guide/isolation/levels.svg"].assert_eq(&picture);
}

/// Which schedule at which level.
struct Drawn {
    schedule: &'static str,
    level: Isolation,
    file: ExpectFile,
}

#[test]
fn the_timelines_are_what_happens() {
    let plain = [
        Drawn {
            schedule: "P4 lost update",
            level: RepeatableRead,
            file: expect_file!["../../../../runtime/docs/guide/isolation/lost_update.txt"],
        },
        Drawn {
            schedule: "P4 lost update",
            level: Serializable,
            file: expect_file!["../../../../runtime/docs/guide/isolation/lost_update_serializable.txt"],
        },
        Drawn {
            schedule: "G-single",
            level: ReadCommitted,
            file: expect_file!["../../../../runtime/docs/guide/isolation/read_skew.txt"],
        },
        Drawn {
            schedule: "G2-item write skew",
            level: RepeatableRead,
            file: expect_file!["../../../../runtime/docs/guide/isolation/write_skew.txt"],
        },
        Drawn {
            schedule: "G2-item write skew",
            level: Serializable,
            file: expect_file!["../../../../runtime/docs/guide/isolation/write_skew_serializable.txt"],
        },
    ];
    let snapshot = [Drawn {
        schedule: "P4 lost update",
        level: RepeatableRead,
        file: expect_file!["../../../../runtime/docs/guide/isolation/lost_update_snapshot.txt"],
    }];
    as_drawn(Setting::MariaDb, &plain);
    as_drawn(Setting::MariaDbSnapshot, &snapshot);
}

fn as_drawn(setting: Setting, all: &[Drawn]) {
    let mut stage = Stage::open(setting).unwrap_or_else(|failure| panic!("{failure}"));
    for Drawn { schedule, level, file } in all {
        let timeline = stage.timeline(schedule, *level).unwrap_or_else(|failure| panic!("{failure}"));
        file.assert_eq(&timeline);
    }
}
