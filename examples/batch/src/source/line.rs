//! One line of the file: a payment, or what is wrong with it in the words of who must mend it. Lines are read one by one, so that a
//! quote that is not closed spoils its own line and not the rest of the file.

use csv::{ReaderBuilder, StringRecord, Terminator};

use super::{HEADER, LONGEST};
use crate::rules::{Payment, Refusal};

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Counted from 1, the header and blank lines included.
    pub(crate) number: u64,
    // Boxed, because nearly all lines are payments.
    pub(crate) entry: Result<Payment, Box<Unreadable>>,
}

/// A line that is rejected whatever the accounts hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// Its beginning, fit to be printed.
    pub(crate) text: String,
    pub(crate) why: Refusal,
}

impl Line {
    pub(crate) fn read(number: u64, text: &[u8]) -> Self {
        let why = |why| Box::new(Unreadable { text: shown(text), why: Refusal::Unreadable(why) });
        Self { number, entry: payment(text).map_err(why) }
    }

    /// As it is shown to people: without its spaces and quotes if it can be read.
    pub(crate) fn text(&self) -> String {
        match &self.entry {
            Ok(Payment { id, from, to, amount }) => format!("{id},{from},{to},{amount}"),
            Err(unreadable) => unreadable.text.clone(),
        }
    }
}

fn payment(text: &[u8]) -> Result<Payment, String> {
    if text.len() as u64 > LONGEST {
        return Err(format!("the line is longer than {LONGEST} bytes"));
    }
    let fields = fields(text)?;
    let [id, from, to, amount] = &fields[..] else {
        return Err(format!("{} fields instead of {}", fields.len(), HEADER.len()));
    };
    let payment = Payment {
        id: number("id", id)?,
        from: number("from", from)?,
        to: number("to", to)?,
        amount: number("amount", amount)?,
    };
    let quoted_whole = text.split(|byte| *byte == b',').all(quoted_whole);
    if quoted_whole { Ok(payment) } else { Err("quotes are not around a whole field".to_owned()) }
}

/// Whether a number has its quotes around it, if it has any: `"4"00` would be read as 400.
fn quoted_whole(field: &[u8]) -> bool {
    let field = field.trim_ascii();
    let inside = field.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(field);
    !inside.contains(&b'"')
}

/// The fields without the spaces around them.
pub(super) fn fields(text: &[u8]) -> Result<Vec<String>, String> {
    let text = std::str::from_utf8(text).map_err(|_| "it is not UTF-8".to_owned())?;
    match text.matches('"').count() {
        // Nearly every line, and a reader for each would take longer than all the rest.
        0 => Ok(text.split(',').map(|field| field.trim().to_owned()).collect()),
        quotes if quotes % 2 == 1 => Err("a quote is not closed".to_owned()),
        _ => {
            let mut record = StringRecord::new();
            // A carriage return in the middle is no end of a line: what is behind it would be lost.
            let whole = Terminator::Any(b'\n');
            let mut reader =
                ReaderBuilder::new().has_headers(false).terminator(whole).from_reader(text.trim().as_bytes());
            reader.read_record(&mut record).map_err(|error| error.to_string())?;
            Ok(record.iter().map(|field| field.trim().to_owned()).collect())
        }
    }
}

fn number(name: &str, field: &str) -> Result<u64, String> {
    let of_digits = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if of_digits(field) {
        return field.parse().map_err(|_| format!("{name}: {} is too large a number", shown(field.as_bytes())));
    }
    let what = match field.strip_prefix('-') {
        _ if field.is_empty() => return Err(format!("{name} is missing")),
        Some(digits) if of_digits(digits) => "is negative",
        _ => "is not a whole number",
    };
    Err(format!("{name}: `{}` {what}", shown(field.as_bytes())))
}

/// Its beginning, without what a terminal would obey; with that escaped it is no longer either, so that it fits its column.
pub(super) fn shown(text: &[u8]) -> String {
    const LONG: usize = 60;
    let mut start = String::new();
    for char in String::from_utf8_lossy(text).trim().chars() {
        let next = printable(char);
        if start.chars().count() + next.chars().count() > LONG {
            return start + "…";
        }
        start += &next;
    }
    start
}

fn printable(char: char) -> String {
    match char {
        '"' | '\'' => char.to_string(),
        _ => char.escape_debug().to_string(),
    }
}
