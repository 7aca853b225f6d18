//! A prepared statement as a text, for a server that has no room for another one (1461). Nothing is escaped, because what escapes
//! depends on settings: strings are written as hexadecimal literals, which hold in all modes.

use std::fmt::Write as _;

use mysql::{Params, Value};
use unit_of_work_sql::{Mode, placeholders};

/// The text; `None` where values cannot be written as literals, or only the server can tell where they go.
pub(crate) fn in_words(sql: &str, params: &Params, mode: Mode) -> Option<String> {
    let (mut text, mut end) = (String::with_capacity(2 * sql.len()), 0);
    let places = placeholders(sql, mode)?;
    for (index, place) in places.iter().enumerate() {
        let value = match (params, place.name) {
            (Params::Positional(values), None) => values.get(index)?,
            (Params::Named(values), Some(name)) => values.get(name.as_bytes())?,
            _ => return None,
        };
        write!(text, "{} {} ", &sql[end..place.at.start], literal(value)?).ok()?;
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
    let introducer = if std::str::from_utf8(bytes).is_ok() { "_utf8mb4" } else { "_binary" };
    let mut text = format!("{introducer} X'");
    for byte in bytes {
        write!(text, "{byte:02X}").expect("a string takes text");
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
