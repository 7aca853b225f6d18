//! A prepared statement as a text, for a server that has no room for another one (1461), and for writes that are deferred and go out
//! several in a packet. Nothing is escaped, because what escapes depends on settings: strings are written as hexadecimal literals,
//! which hold in all modes.

use std::fmt::Write as _;

use mysql::{Params, Value};
use unit_of_work_sql::{Mode, Placeholder, placeholders, placeholders_among_others};

/// The text; `None` where values cannot be written as literals, or only the server can tell where they go.
pub(crate) fn in_words(sql: &str, params: &Params, mode: Mode) -> Option<String> {
    written(sql, params, &placeholders(sql, mode)?, |value, _| literal(value))
}

/// The same as a part of a packet, where it must mean to the byte what the prepared statement means: `None` also where a literal is not
/// all that a parameter is, and where the text does not stand for itself.
pub(crate) fn in_a_packet(sql: &str, params: &Params, mode: Mode) -> Option<String> {
    written(sql, params, &placeholders_among_others(sql, mode)?, equivalent)
}

/// `literal` is given the value and what stands before it.
fn written(
    sql: &str,
    params: &Params,
    places: &[Placeholder<'_>],
    literal: fn(&Value, &str) -> Option<String>,
) -> Option<String> {
    let (mut text, mut end) = (String::with_capacity(2 * sql.len()), 0);
    for (index, place) in places.iter().enumerate() {
        let value = match (params, place.name) {
            (Params::Positional(values), None) => values.get(index)?,
            (Params::Named(values), Some(name)) => values.get(name.as_bytes())?,
            _ => return None,
        };
        let before = &sql[end..place.at.start];
        write!(text, "{before} {} ", literal(value, before)?).ok()?;
        end = place.at.end;
    }
    let all = match params {
        Params::Empty => places.is_empty(),
        Params::Positional(values) => values.len() == places.len(),
        Params::Named(_) => true,
    };
    text.push_str(&sql[end..]);
    all.then_some(text)
}

/// The literal that is in all respects what the parameter would be.
fn equivalent(value: &Value, before: &str) -> Option<String> {
    let same = match value {
        // A number that fits is a signed one as a literal, and then 5-7 is no error. Behind LIMIT may stand no expression.
        Value::UInt(number) if !ends_with_word(before, "LIMIT") => return Some(format!("CAST({number} AS UNSIGNED)")),
        Value::NULL | Value::UInt(_) => true,
        // The sign is an operator, and the number behind it one too large.
        Value::Int(number) => *number != i64::MIN,
        // A decimal and a double are compared and rounded differently; and MariaDB casts a TIME of more than a day in other ways as a
        // parameter than as a literal.
        Value::Float(_) | Value::Double(_) | Value::Time(..) => false,
        // Only a number may be written behind LIMIT. Bytes that are no text are one all the same as a parameter, and none as a literal:
        // a column of another character set would take them, and compare them, in another way.
        Value::Bytes(bytes) => std::str::from_utf8(bytes).is_ok() && !ends_with_word(before, "LIMIT"),
        Value::Date(year, month, day, hour, minute, second, micros) => {
            is_day(*year, *month, *day) && *hour < 24 && *minute < 60 && *second < 60 && *micros < 1_000_000
        }
    };
    match value {
        // MariaDB has a mode in which this is NULL, as a parameter too (`EMPTY_STRING_IS_NULL`); the other literal stays a text there.
        Value::Bytes(bytes) if bytes.is_empty() && same => Some("''".to_owned()),
        value if same => literal(value),
        _ => None,
    }
}

/// A day of every month, because what servers make of others depends on their `sql_mode`; in a year of four digits that is not 0.
fn is_day(year: u16, month: u8, day: u8) -> bool {
    let length = match month {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (1..=9999).contains(&year) && (1..=12).contains(&month) && (1..=length).contains(&day)
}

fn ends_with_word(text: &str, word: &str) -> bool {
    let text = text.trim_end().as_bytes();
    text.len().checked_sub(word.len()).is_some_and(|at| text[at..].eq_ignore_ascii_case(word.as_bytes()))
}

fn literal(value: &Value) -> Option<String> {
    match value {
        Value::NULL => Some("NULL".to_owned()),
        Value::Int(number) => Some(number.to_string()),
        Value::UInt(number) => Some(number.to_string()),
        Value::Float(number) => double(f64::from(*number)),
        Value::Double(number) => double(*number),
        Value::Bytes(bytes) => Some(string(bytes)),
        Value::Date(_, 0, ..) | Value::Date(_, _, 0, ..) => None,
        Value::Date(year, month, day, hour, minute, second, micros) => {
            let fraction = fraction(*micros);
            Some(format!("TIMESTAMP'{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{fraction}'"))
        }
        Value::Time(negative, days, hours, minutes, seconds, micros) => {
            let sign = if *negative { "-" } else { "" };
            let hours = u64::from(*days) * 24 + u64::from(*hours);
            Some(format!("TIME'{sign}{hours:02}:{minutes:02}:{seconds:02}{}'", fraction(*micros)))
        }
    }
}

/// None where there is none, as for a prepared statement's parameter: it would be seen where a moment becomes a text.
fn fraction(micros: u32) -> String {
    if micros == 0 { String::new() } else { format!(".{micros:06}") }
}

/// With an exponent, because without one it would be a decimal.
fn double(number: f64) -> Option<String> {
    number.is_finite().then(|| format!("{number:e}"))
}

/// Always with a character set: a hexadecimal literal without one is a number where a number is expected.
fn string(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let introducer = if std::str::from_utf8(bytes).is_ok() { "_utf8mb4 X'" } else { "_binary X'" };
    let mut text = String::with_capacity(introducer.len() + 2 * bytes.len() + 1);
    text.push_str(introducer);
    for byte in bytes {
        text.extend([byte >> 4, byte & 15].map(|half| char::from(DIGITS[usize::from(half)])));
    }
    text.push('\'');
    text
}

#[cfg(test)]
mod tests {
    use mysql::params;

    use super::*;

    fn written(sql: &str, params: impl Into<Params>) -> Option<String> {
        in_words(sql, &params.into(), Mode::default())
    }

    #[test]
    fn values_go_where_the_placeholders_are_and_nowhere_else() {
        let text = written("SELECT '?', `?`, ? -- ?\n, ?/* ? */", (1, "it's"));
        assert_eq!(text.as_deref(), Some("SELECT '?', `?`,  1  -- ?\n,  _utf8mb4 X'69742773' /* ? */"));
        let named = written("SELECT :a, ':b', @x:=:b, :a", params! { "a" => 1, "b" => None::<u8> });
        assert_eq!(named.as_deref(), Some("SELECT  1 , ':b', @x:= NULL ,  1 "));
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        for (sql, params) in [
            ("SELECT ?", Params::from((1, 2))),
            ("SELECT ?, ?", Params::from((1,))),
            ("SELECT ?", Params::Empty),
            ("SELECT :a", Params::from((1,))),
            ("SELECT :a", params! { "b" => 1 }),
            ("SELECT ?", Params::from((f64::NAN,))),
            ("SELECT /*!50000 ? */ 1", Params::from((1,))),
        ] {
            assert_eq!(in_words(sql, &params, Mode::default()), None, "{sql} {params:?}");
        }
    }

    #[test]
    fn s93_what_is_not_to_the_byte_what_a_parameter_is_does_not_go_into_a_packet() {
        let may =
            |sql: &str, value: Value| in_a_packet(sql, &Params::Positional(vec![value]), Mode::default()).is_some();
        let update = "UPDATE t SET a = ?";
        for value in [
            Value::NULL,
            Value::Int(-1),
            Value::UInt(u64::MAX),
            Value::from("it's"),
            Value::Date(2026, 12, 31, 23, 59, 59, 999_999),
        ] {
            assert!(may(update, value.clone()), "{value:?}");
        }
        for value in [
            Value::Int(i64::MIN),
            Value::Float(1.0),
            Value::Double(0.1),
            Value::Bytes(vec![255]),
            Value::Date(2024, 2, 29, 0, 0, 0, 0),
            Value::Date(0, 1, 1, 0, 0, 0, 0),
            Value::Date(2026, 1, 1, 24, 0, 0, 0),
            Value::Date(2026, 1, 1, 0, 60, 0, 0),
            Value::Time(false, 0, 12, 0, 0, 0),
        ] {
            assert!(!may(update, value.clone()), "{value:?}");
        }
        assert!(may("DELETE FROM t LIMIT ?", Value::UInt(1)));
        assert!(!may("DELETE FROM t Limit ?", Value::from("1")));
        assert!(!may("UPDATE t SET a = ? -- \u{fc}", Value::Int(1)));
    }

    #[test]
    fn each_kind_of_value_has_a_literal() {
        assert_eq!(literal(&Value::Bytes(vec![0, 255])).as_deref(), Some("_binary X'00FF'"));
        assert_eq!(literal(&Value::Double(0.1)).as_deref(), Some("1e-1"));
        assert_eq!(literal(&Value::Int(i64::MIN)).as_deref(), Some("-9223372036854775808"));
        let date = Value::Date(2026, 2, 3, 4, 5, 6, 7);
        assert_eq!(literal(&date).as_deref(), Some("TIMESTAMP'2026-02-03 04:05:06.000007'"));
        assert_eq!(literal(&Value::Date(2026, 2, 3, 0, 0, 0, 0)).as_deref(), Some("TIMESTAMP'2026-02-03 00:00:00'"));
        assert_eq!(literal(&Value::Time(true, 1, 2, 3, 4, 5)).as_deref(), Some("TIME'-26:03:04.000005'"));
        assert_eq!(literal(&Value::Date(2026, 0, 1, 0, 0, 0, 0)), None);
    }
}
