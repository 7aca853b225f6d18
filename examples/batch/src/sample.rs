//! A file of payments to try the program with: the same seed gives the same file, with bad lines of every kind among the good ones.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use fastrand::Rng;

/// One line in so many is bad.
const BAD: u64 = 50;
/// One payment in so many is large, so that limits and balances matter.
const LARGE: u64 = 100;

/// Writes `lines` lines about accounts 1 to `accounts` into a new file.
pub(crate) fn write(path: &Path, lines: u64, accounts: u64, seed: u64) -> io::Result<()> {
    let mut file = BufWriter::new(File::create_new(path)?);
    let mut random = Rng::with_seed(seed);
    writeln!(file, "id,from,to,amount")?;
    for id in 1..=lines {
        let line =
            if random.u64(..BAD) == 0 { bad(&mut random, id, accounts) } else { good(&mut random, id, accounts) };
        writeln!(file, "{line}")?;
    }
    // Not left to Drop, which could not say that the disk is full.
    file.flush()
}

fn good(random: &mut Rng, id: u64, accounts: u64) -> String {
    let from = random.u64(1..=accounts);
    let to = from % accounts + 1;
    let to = if random.bool() { to } else { (from + random.u64(1..accounts) - 1) % accounts + 1 };
    let amount = if random.u64(..LARGE) == 0 { random.u64(20_000..=90_000) } else { random.u64(1..=5000) };
    format!("{id},{from},{to},{amount}")
}

fn bad(random: &mut Rng, id: u64, accounts: u64) -> String {
    let account = random.u64(1..=accounts);
    let unknown = accounts + 1 + random.u64(..1000);
    let earlier = random.u64(1..=id);
    match random.u64(..9) {
        0 => format!("{id},{unknown},{account},5"),
        1 => format!("{id},{account},{unknown},5"),
        2 => format!("{id},{account},{account},5"),
        3 => format!("{id},{account},1,0"),
        4 => format!("{id},{account},1,-250"),
        5 => format!("{id},{account},1,twelve"),
        6 => format!("{id},{account},1"),
        7 => format!("{id},\"{account},1,5"),
        _ => format!("{earlier},{account},{},5", account % accounts + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Payments;

    #[test]
    fn the_same_seed_gives_the_same_file_and_bad_lines_are_among_them() {
        let place = tempfile::tempdir().expect("a directory can be made");
        let made = |name: &str, seed| {
            let path = place.path().join(name);
            write(&path, 5000, 100, seed).expect("it can be written");
            Payments::read(&path).expect("it can be read")
        };
        let (one, same, other) = (made("one", 1), made("same", 1), made("other", 2));
        assert!(one.fingerprint == same.fingerprint && one.fingerprint != other.fingerprint);
        assert_eq!(one.count(), 5000);
        let unreadable = one.lanes.iter().flatten().filter(|line| line.entry.is_err()).count();
        assert!((20..100).contains(&unreadable), "{unreadable}");
    }
}
