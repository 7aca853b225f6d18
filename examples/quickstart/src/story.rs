//! What was seen, in words. Every sentence is made from the figures, and is left out where they do not bear it out.

use unit_of_work::Isolation;

use crate::race::Load;
use crate::report::{Row, ratio};

/// Columns of the paragraph.
const WIDTH: usize = 120;

/// One paragraph about `rows`, which came of `load` each.
pub(crate) fn tell(rows: &[Row], load: Load) -> String {
    let losers: Vec<&Row> = rows.iter().filter(|row| row.lost > 0).collect();
    let keepers: Vec<&Row> = rows.iter().filter(|row| row.lost == 0).collect();
    let sentences = [
        Some(asked(load)),
        Some(lost(&losers, load)),
        kept(&keepers),
        serializable(rows),
        snapshot(rows),
        gave_up(rows),
        speed(&keepers),
    ];
    wrapped(&sentences.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

fn asked(load: Load) -> String {
    let Load { threads, rounds } = load;
    let threads = if threads == 1 { "one thread".to_owned() } else { format!("{threads} threads") };
    format!(
        "In every row {threads} added 1 to one counter {rounds} times each, {} units of work together.",
        load.units()
    )
}

fn lost(losers: &[&Row], load: Load) -> String {
    if losers.is_empty() {
        let alone = if load.threads == 1 { ": one thread alone has nobody to collide with" } else { "" };
        return format!("No row lost an addition{alone}.");
    }
    let each = |row: &&Row| {
        let share = 100.0 * ratio(row.lost.unsigned_abs(), row.acknowledged);
        format!("{} ({} of {} acknowledged, {share:.1} %)", name(row), row.lost, row.acknowledged)
    };
    format!(
        "Additions were lost by {}: those units returned `Ok`, they were committed whole, and somebody who had read the same \
         number wrote over them. Atomicity is not isolation.",
        list(&losers.iter().map(each).collect::<Vec<_>>())
    )
}

fn kept(keepers: &[&Row]) -> Option<String> {
    let names: Vec<_> = keepers.iter().map(|row| name(row)).collect();
    (!names.is_empty()).then(|| format!("None were lost by {}.", list(&names)))
}

fn serializable(rows: &[Row]) -> Option<String> {
    let row = rows.iter().find(|row| row.level == Isolation::Serializable && row.lost == 0 && row.gave_up == 0)?;
    Some(if row.retries == 0 {
        "At serializable no unit had to run again.".to_owned()
    } else {
        format!(
            "At serializable the code is the same as in the rows above it: where units collided, the server refused one and \
             the library ran it again, {} times for {} units, and none gave up.",
            row.retries, row.acknowledged
        )
    })
}

/// The two rows that differ in nothing but the server's setting.
fn snapshot(rows: &[Row]) -> Option<String> {
    let on = rows.iter().find(|row| row.snapshot_isolation && row.level == Isolation::RepeatableRead)?;
    let off = rows.iter().find(|row| !row.snapshot_isolation && row.level == on.level && row.way == on.way)?;
    (off.lost > 0 && on.lost == 0 && on.retries > 0).then(|| {
        format!(
            "Where repeatable read lost {}, it lost none with innodb_snapshot_isolation=ON: the server refused instead, and \
             units ran again {} times.",
            off.lost, on.retries
        )
    })
}

fn gave_up(rows: &[Row]) -> Option<String> {
    let who: Vec<_> =
        rows.iter().filter(|row| row.gave_up > 0).map(|row| format!("{} ({} units)", name(row), row.gave_up)).collect();
    (!who.is_empty()).then(|| {
        format!("The limit of retries was met by {}: their callers got an error, and nothing was added.", list(&who))
    })
}

fn speed(keepers: &[&Row]) -> Option<String> {
    let by_speed = |a: &&&Row, b: &&&Row| a.units_per_s.total_cmp(&b.units_per_s);
    let fastest = keepers.iter().max_by(by_speed)?;
    let slowest = keepers.iter().min_by(by_speed)?;
    (fastest.units_per_s > slowest.units_per_s).then(|| {
        format!(
            "Among those that lost nothing, {} was the fastest with {:.0} units/s and {} the slowest with {:.0}.",
            name(fastest),
            fastest.units_per_s,
            name(slowest),
            slowest.units_per_s
        )
    })
}

fn name(row: &Row) -> String {
    format!("{} at {}", row.way.name(), row.conditions().replace(" *", " with snapshot isolation"))
}

/// "a", "a and b", "a, b and c".
fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is a first line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= WIDTH {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counting::Way;

    const LOAD: Load = Load { threads: 4, rounds: 25 };

    fn row(level: Isolation, got: u64, retries: u64) -> Row {
        Row {
            way: Way::ReadAddWrite,
            level,
            snapshot_isolation: false,
            acknowledged: 100,
            got,
            lost: 100 - got.cast_signed(),
            gave_up: 0,
            retries,
            units_per_s: 1000.0,
        }
    }

    fn told(rows: &[Row], load: Load) -> String {
        tell(rows, load).replace('\n', " ")
    }

    #[test]
    fn it_says_who_lost_how_much_and_who_did_not() {
        let told = told(&[row(Isolation::RepeatableRead, 40, 0), row(Isolation::Serializable, 100, 7)], LOAD);
        assert!(
            told.contains("lost by read-add-write at repeatable read (60 of 100 acknowledged, 60.0 %): those"),
            "{told}"
        );
        assert!(told.contains("None were lost by read-add-write at serializable."), "{told}");
        assert!(told.contains("7 times for 100 units, and none gave up"), "{told}");
    }

    #[test]
    fn it_praises_nobody_who_does_not_deserve_it() {
        let losing = row(Isolation::Serializable, 99, 7);
        let giving_up = Row { gave_up: 3, ..row(Isolation::Serializable, 100, 7) };
        for row in [losing, giving_up] {
            assert!(!told(&[row], LOAD).contains("none gave up"));
        }
        let gaining = told(&[row(Isolation::Serializable, 101, 0)], LOAD);
        assert!(!gaining.contains("None were lost by") && !gaining.contains("none gave up"), "{gaining}");
    }

    #[test]
    fn when_nobody_lost_it_does_not_lecture() {
        let kept = [row(Isolation::RepeatableRead, 100, 0), row(Isolation::Serializable, 100, 0)];
        let alone = told(&kept, Load { threads: 1, rounds: 100 });
        assert!(alone.contains("No row lost an addition: one thread alone has nobody to collide with."), "{alone}");
        assert!(alone.contains("no unit had to run again"), "{alone}");
        assert!(!alone.contains("Atomicity"), "{alone}");
        assert!(told(&kept, LOAD).contains("No row lost an addition."));
    }

    #[test]
    fn the_setting_is_credited_only_with_what_it_changed() {
        let off = row(Isolation::RepeatableRead, 40, 0);
        let on = Row { snapshot_isolation: true, ..row(Isolation::RepeatableRead, 100, 9) };
        let credited = told(&[off.clone(), on.clone()], LOAD);
        assert!(credited.contains("Where repeatable read lost 60, it lost none"), "{credited}");
        assert!(credited.contains("units ran again 9 times"), "{credited}");
        let nothing_to_save = told(&[row(Isolation::RepeatableRead, 100, 0), on], LOAD);
        assert!(!nothing_to_save.contains("innodb_snapshot_isolation"), "{nothing_to_save}");
        let no_help = Row { snapshot_isolation: true, ..row(Isolation::RepeatableRead, 90, 9) };
        assert!(!told(&[off, no_help], LOAD).contains("innodb_snapshot_isolation"));
    }

    #[test]
    fn speeds_are_compared_among_those_that_lost_nothing() {
        let quick_but_wrong = Row { units_per_s: 9000.0, ..row(Isolation::RepeatableRead, 40, 0) };
        let slow = Row { units_per_s: 10.0, ..row(Isolation::Serializable, 100, 0) };
        let quick = Row { units_per_s: 20.0, way: Way::InPlace, ..row(Isolation::RepeatableRead, 100, 0) };
        let told = told(&[quick_but_wrong, slow, quick], LOAD);
        assert!(told.contains("in-place at repeatable read was the fastest with 20 units/s"), "{told}");
        assert!(told.contains("read-add-write at serializable the slowest with 10."), "{told}");
    }

    #[test]
    fn lines_fit_and_lists_read_as_english() {
        let rows = vec![row(Isolation::RepeatableRead, 40, 0); 9];
        assert!(tell(&rows, LOAD).lines().all(|line| line.chars().count() <= WIDTH));
        let items = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(
            (list(&items[..1]), list(&items[..2]), list(&items)),
            ("a".into(), "a and b".into(), "a, b and c".into())
        );
    }
}
