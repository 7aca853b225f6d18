//! Texts that nobody would write: random ones, long ones, deep ones.

use super::{
    Backslash, DoubleQuotes, Effect, INNOCENT, Mode, Reading, Refusal, Touches, Verdict, WRITING, read, refused,
};

/// Pieces of text that begin or end something, are half of something, or decide something.
#[rustfmt::skip]
const NASTY: &[&str] = &[
    " ", "\n", "\t", "\0", "\x01", "\\", "'", "\"", "`", "''", "\\'", ";", ",", "(", ")", "=", ":", ":=", "@", "@@", "@a",
    "-", "--", "-- ", "#", "/", "*", "/*", "*/", "/*!", "/*!50000", "/*!99999 ", "/*M!", "/*M!100100 ", "/*+", "!", "M",
    "1", "0", "?", ":a", ":é", "é", "🦀", "\u{a0}", "SELECT", "COMMIT", "SET", "CREATE", "OR", "REPLACE", "TEMPORARY", "TABLE", "WITH",
    "UPDATE", "FOR", "NOWAIT", "WAIT", "INTO", "OUTFILE", "GET_LOCK(", "LOAD", "DATA", "BEGIN", "NOT", "ANALYZE", "CALL",
];

const MODES: [Mode; 4] = [
    Mode { backslash: Backslash::Escapes, double_quotes: DoubleQuotes::Strings },
    Mode { backslash: Backslash::Escapes, double_quotes: DoubleQuotes::Identifiers },
    Mode { backslash: Backslash::Ordinary, double_quotes: DoubleQuotes::Strings },
    Mode { backslash: Backslash::Ordinary, double_quotes: DoubleQuotes::Identifiers },
];

/// A place for a value is what it says, and nothing in a string, a name or a comment is one.
#[test]
fn s100_the_places_for_values_are_found_in_any_text() {
    let mut random = fastrand::Rng::with_seed(0x5eed_0100);
    let mut found = 0;
    for _ in 0..100_000 {
        let text = nasty(&mut random);
        for place in super::super::placeholders(&text, Mode::default()).unwrap_or_default() {
            found += 1;
            let expected = place.name.map_or_else(|| "?".to_owned(), |name| format!(":{name}"));
            assert_eq!(text[place.at], expected, "{text:?}");
        }
    }
    assert!(found > 10_000, "{found}");
    let names = |text| super::super::placeholders(text, Mode::default()).map(|places| places.len());
    assert_eq!(names("SELECT '?', \"?\", `?`, ':a' -- ?\n /* ? */ # :a"), Some(0));
    assert_eq!(names("SELECT ?, :a, @b:=?, x.y ? 1"), Some(4));
    assert_eq!(names("SELECT /*!50000 ? */ 1"), None);
}

/// What stands behind such a text in a packet is read as if it stood alone.
#[test]
fn s92_a_text_that_may_stand_among_others_swallows_nothing_behind_it() {
    let mut random = fastrand::Rng::with_seed(0x5eed_0092);
    let mut found = 0;
    for round in 0..200_000 {
        let (text, mode) = (nasty(&mut random), MODES[round % MODES.len()]);
        if super::super::placeholders_among_others(&text, mode).is_none() {
            continue;
        }
        found += 1;
        let tokens =
            |text: &str| super::super::Lexer::new(text, mode).map(|token| format!("{token:?}")).collect::<Vec<_>>();
        let together = tokens(&format!("{text}\n;\nSELECT 'a', \"b\" /* c */"));
        let apart = [tokens(&text), tokens(";"), tokens("SELECT 'a', \"b\" /* c */")].concat();
        assert_eq!(together, apart, "{text:?} in {mode:?}");
    }
    assert!(found > 10_000, "{found}");
}

fn nasty(random: &mut fastrand::Rng) -> String {
    let pieces = random.usize(..24);
    (0..pieces).map(|_| NASTY[random.usize(..NASTY.len())]).collect()
}

#[test]
fn s85_no_text_makes_the_reader_panic_and_no_decoration_changes_its_mind() {
    let mut random = fastrand::Rng::with_seed(0x5eed_0064);
    let modes = MODES;
    let mut seen = [0_u32; 3];
    for round in 0..200_000 {
        let (text, mode) = (nasty(&mut random), modes[round % modes.len()]);
        let reading = super::super::read(&text, mode);
        seen[match reading.verdict {
            Verdict::Plain => 0,
            Verdict::Bracketed => 1,
            Verdict::Refused(_) => 2,
        }] += 1;
        let decorations =
            [format!("\n{text}"), format!("/* ' */{text}"), format!("{text}\n-- ; COMMIT"), format!("{text}\n# bye")];
        let decorated = &decorations[random.usize(..decorations.len())];
        assert_eq!(super::super::read(decorated, mode), reading, "{text:?} as {decorated:?} in {mode:?}");
        assert_eq!(super::super::read(&text.to_ascii_uppercase(), mode), reading, "{text:?} in {mode:?}");
    }
    assert!(seen.iter().all(|count| *count > 1_000), "the texts are of every kind: {seen:?}");
}

/// Statements that mean something, with a slip or two: these get further into the reader than random ones.
#[test]
fn s85_no_slip_in_a_statement_makes_the_reader_panic_or_take_less_care_in_some_mode() {
    let real: Vec<&str> =
        refused().map(|(text, _)| text).chain(INNOCENT.iter().copied()).chain(WRITING.iter().copied()).collect();
    let mut random = fastrand::Rng::with_seed(0x5eed_0066);
    let modes = MODES;
    for round in 0..200_000 {
        let mut text: Vec<char> = real[round % real.len()].chars().collect();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..=text.len());
            match random.u8(..3) {
                0 if at < text.len() => drop(text.remove(at)),
                1 => text.truncate(at),
                _ => text.splice(at..at, NASTY[random.usize(..NASTY.len())].chars()).for_each(drop),
            }
        }
        let text: String = text.into_iter().collect();
        let readings = modes.map(|mode| super::super::read(&text, mode));
        // Without a quote and without a backslash the modes have nothing to differ about.
        if !text.contains(['\'', '"', '\\']) {
            assert!(readings.windows(2).all(|pair| pair[0] == pair[1]), "{text:?}: {readings:?}");
        }
    }
}

/// Whatever a server may make of the executable comments of a text, the reading covers it: the text is rewritten here as
/// a server of each kind and version sees it, without the lexer.
#[test]
fn s64_a_text_is_never_safer_than_what_a_server_makes_of_it() {
    let mut random = fastrand::Rng::with_seed(0x5eed_0065);
    let markers = ["!", "!50000 ", "!99999 ", "M!", "M!100100 "];
    let words = ["SELECT", "COMMIT", "CALL", "SET", "@a=1", ",", "x=1", ";", "CREATE", "TEMPORARY", "TABLE", "1"];
    for _ in 0..10_000 {
        let pieces: Vec<(usize, &str)> = (0..random.usize(1..6))
            .map(|_| (random.usize(..=markers.len()), words[random.usize(..words.len())]))
            .collect();
        let write = |show: &dyn Fn(usize, &str) -> String| -> String {
            pieces.iter().map(|(place, word)| show(*place, word) + " ").collect()
        };
        let text = write(&|place, word| markers.get(place).map_or(word.to_owned(), |m| format!("/*{m}{word} */")));
        let reading = read(&text);
        for heeded in 0..1 << markers.len() {
            let seen = write(&|place, word| {
                if place == markers.len() || heeded >> place & 1 == 1 { word } else { "" }.to_owned()
            });
            let bare = read(&seen);
            if bare.verdict != Verdict::Refused(Refusal::Empty)
                && reading.verdict != Verdict::Refused(Refusal::Undecidable)
            {
                assert!(severity(&reading) >= severity(&bare), "{text} is {reading:?}, but {seen} is {bare:?}");
            }
        }
    }
}

fn severity(reading: &Reading) -> (u8, bool) {
    let verdict = match reading.verdict {
        Verdict::Plain => 0,
        Verdict::Bracketed => 1,
        Verdict::Refused(_) => 2,
    };
    (verdict, reading.touches == Touches::Session)
}

/// A reader that took time quadratic in the length of a text, or recursed, would not come back from these.
#[test]
fn s85_long_and_deep_texts_are_read() {
    for piece in
        ["(", "'", "a", "a ", "/*", "/*! */", "-- \n", "--", "@", "`", "\\", ";", "*/", "é", "SET @a=1,", "/*!'"]
    {
        for opening in ["", "SELECT ", "SELECT '", "/*! ", "SET @a = "] {
            let long = read(&(opening.to_owned() + &piece.repeat(100_000)));
            let short = read(&(opening.to_owned() + &piece.repeat(6)));
            assert_eq!(long, short, "{opening}{piece}{piece}…");
        }
    }
    let blob = read(&format!("INSERT INTO t VALUES ('{}')", "\\0;🦀".repeat(2 << 20)));
    assert_eq!((blob.verdict, blob.effect), (Verdict::Plain, Effect::Writes));
}
