//! What an SQL text is to a transaction on MySQL or MariaDB: may it go out inside one, does it write, what does it leave on the
//! session, does it ask not to wait. A part of the crate `unit-of-work`, which reads every text before it sends it; its attribute
//! reads the literals in a function's body, by the same lists, when the function is compiled.
//!
//! ```
//! use unit_of_work_sql::{Mode, Refusal, Verdict, read};
//!
//! let reading = read("/* good night */ ROLLBACK", Mode::default());
//! assert_eq!(reading.verdict, Verdict::Refused(Refusal::TransactionControl("ROLLBACK")));
//! ```
//!
//! Decides how the parts are put together: several readings of executable comments, several statements in a text, what
//! may stand anywhere in one. Which first words are what is `grammar`'s, what is said about a refused text is `refusal`'s,
//! where tokens begin and end is the lexer's. Remembering readings is left to the caller.

mod grammar;
mod lexer;
mod refusal;

use std::ops::Range;

pub use self::lexer::{Backslash, DoubleQuotes, Mode};
use self::lexer::{Ending, Kind, Lexer, Token, is_word};
pub use self::refusal::Refusal;

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Whether it may be sent inside a unit.
    pub verdict: Verdict,
    /// Whether it writes.
    pub effect: Effect,
    /// Whether it is one of the statements that change rows and nothing else.
    pub class: Class,
    /// Whether it leaves something on the session.
    pub touches: Touches,
    /// How it wants to wait for row locks.
    pub wait: Wait,
}

/// Whether a text may be sent inside a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It can neither end the transaction nor change what the session is.
    Plain,
    /// It may commit unseen (`CALL`, whatever no list has): only a savepoint around it tells.
    Bracketed,
    /// It must not be sent.
    Refused(Refusal),
}

/// Whether a text writes by its own words. What a function or procedure does is known to the server alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Nothing in the text says that it writes.
    Reads,
    /// Changes rows or temporary tables, or writes a file (`INTO OUTFILE`), which no rollback removes.
    Writes,
}

/// Whether a text is what the standard calls a data change statement: its answer may be looked at later, together with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// `INSERT`, `UPDATE`, `DELETE`, `REPLACE`, with common table expressions before it or not.
    DataChange,
    /// Anything else.
    Other,
}

/// Whether a text leaves state on the session that session tracking does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touches {
    /// It does not. `LAST_INSERT_ID(n)` is here: any INSERT changes that value too.
    Nothing,
    /// It names a user variable, takes a lock that outlives the transaction, makes or drops a temporary table, or may
    /// have done any of it.
    Session,
}

/// How a text wants to wait for row locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wait {
    /// Not at all: `NOWAIT`, or `WAIT 0`, which MariaDB defines as the same and answers with the same 1205.
    NoWait,
    /// As long as the session's settings say, or a number of seconds.
    Server,
}

/// With more different executable comments than this (each doubles the number of readings) a text is refused.
const MOST_MARKERS: usize = 4;

const SEMICOLON: Kind<'static> = Kind::Symbol(';');

/// Functions whose locks outlive the transaction: the servers' own, and those of MySQL's locking service and version
/// tokens. What releases locks leaves nothing behind.
const LOCKING_FUNCTIONS: &[&str] = &[
    "GET_LOCK",
    "SERVICE_GET_READ_LOCKS",
    "SERVICE_GET_WRITE_LOCKS",
    "VERSION_TOKENS_LOCK_SHARED",
    "VERSION_TOKENS_LOCK_EXCLUSIVE",
];

/// Reads `sql` as a server whose `@@sql_mode` is `mode` would.
///
/// Whether an executable comment is executed depends on the server's kind and version, and a proxy may hide both; so the
/// text is read once for every combination of heeded and skipped markers, and the most careful reading counts. A text
/// without executable comments is read once. Never panics, whatever the text; takes time linear in its length.
pub fn read(sql: &str, mode: Mode) -> Reading {
    let tokens = Lexer::new(sql, mode);
    let Some(markers) = markers(tokens.clone()) else {
        return Reading::refused(Refusal::Undecidable);
    };
    (0..1_u32 << markers.len())
        .filter_map(|heeded| read_statements(as_seen(tokens.clone(), &markers, heeded)))
        .reduce(Reading::or)
        .unwrap_or_else(|| Reading::refused(Refusal::Empty))
}

/// Where a value goes in the text of a prepared statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder<'t> {
    /// Its bytes in the text.
    pub at: Range<usize>,
    /// The name of a `:name`; `?` has none.
    pub name: Option<&'t str>,
}

/// The places for values in `sql`, in order. `None` = it holds executable comments, or servers do not read it alike: only the
/// server can tell.
pub fn placeholders(sql: &str, mode: Mode) -> Option<Vec<Placeholder<'_>>> {
    let mut lexer = Lexer::new(sql, mode);
    let mut found: Vec<Placeholder<'_>> = Vec::new();
    let mut colon = None;
    while let Some(token) = lexer.next() {
        let end = lexer.position();
        match token {
            Token { condition: Some(_), .. } | Token { kind: Kind::Undecidable, .. } => return None,
            Token { kind: Kind::Symbol('?'), .. } => found.push(Placeholder { at: end - 1..end, name: None }),
            Token { kind: Kind::Word(name), .. } if colon == Some(end - name.len()) => {
                found.push(Placeholder { at: end - name.len() - 1..end, name: Some(name) });
            }
            _ => {}
        }
        colon = (token.kind == Kind::Symbol(':')).then_some(end);
    }
    Some(found)
}

/// Whether the first word of a text is `keyword`, whatever comments stand before it; in executable ones it may be the first to some
/// servers only, which is enough.
pub fn begins_with(sql: &str, mode: Mode, keyword: &str) -> bool {
    // Of nearly all texts the first word is plain to see, and this is asked of every statement.
    if sql.starts_with(|first: char| first.is_ascii_alphabetic()) {
        let (word, rest) = sql.as_bytes().split_at(keyword.len().min(sql.len()));
        return word.eq_ignore_ascii_case(keyword.as_bytes()) && !rest.first().is_some_and(|&next| is_word(next));
    }
    let mut lexer = Lexer::new(sql, mode);
    let first = lexer.find(|token| is(token.kind, keyword) || token.condition.is_none());
    first.is_some_and(|token| is(token.kind, keyword))
}

/// The statements of a text that may hold several, in order and without the semicolons between them; what is nothing but comments
/// is none. A semicolon in the body of a procedure ends a statement here too.
pub fn statements(sql: &str, mode: Mode) -> Vec<&str> {
    let mut lexer = Lexer::new(sql, mode);
    let (mut found, mut from, mut is_empty) = (Vec::new(), 0, true);
    while let Some(token) = lexer.next() {
        if token.kind != SEMICOLON {
            is_empty = false;
            continue;
        }
        let end = lexer.position();
        if !std::mem::replace(&mut is_empty, true) {
            found.push(sql[from..end - 1].trim());
        }
        from = end;
    }
    if !is_empty {
        found.push(sql[from..].trim());
    }
    found
}

/// The same for a text that is to stand between others in one packet, each followed by a line break and a semicolon. `None` also where
/// a server might find another end of it than that semicolon, or something else in it than these statements: a string or comment that
/// is not closed, a semicolon, a NUL, what begins with `$` (some servers quote with it), and all that is not ASCII, which means one
/// thing in one character set and another in another. Nor has it places where a literal is not what a parameter is: behind ORDER BY,
/// say, it is the number of a column.
pub fn placeholders_among_others(sql: &str, mode: Mode) -> Option<Vec<Placeholder<'_>>> {
    let mut lexer = Lexer::new(sql, mode);
    let unclear = |token: Token<'_>| match token.kind {
        SEMICOLON => true,
        Kind::Word(word) => word.starts_with('$'),
        _ => false,
    };
    let clear =
        sql.is_ascii() && !sql.contains('\0') && !lexer.by_ref().any(unclear) && lexer.ending() == Ending::Closed;
    let (from, limit) = where_literals_differ(sql, mode);
    let same =
        |place: &Placeholder<'_>| place.at.start < from && (place.at.start < limit || follows(sql, limit, place));
    if clear { placeholders(sql, mode).filter(|places| places.iter().all(same)) } else { None }
}

/// Words behind which a literal is not what a parameter is: a number is a column's place (`ORDER BY 1`), or a literal is wanted and a
/// parameter refused.
const LITERAL: &[&str] = &["ORDER", "GROUP", "OFFSET", "FETCH", "ROWS", "RANGE", "SEPARATOR", "PROCEDURE"];

/// A window function takes some of its arguments as literals only, and they stand before this.
const WINDOWS: &[&str] = &["OVER", "WINDOW"];

/// Where the first such word ends, and where the first `LIMIT` does.
fn where_literals_differ(sql: &str, mode: Mode) -> (usize, usize) {
    let mut lexer = Lexer::new(sql, mode);
    let (mut from, mut limit) = (sql.len(), sql.len());
    while let Some(token) = lexer.next() {
        let one_of = |words: &[&str]| words.iter().any(|word| is(token.kind, word));
        if one_of(WINDOWS) {
            from = 0;
        } else if one_of(LITERAL) {
            from = from.min(lexer.position());
        } else if is(token.kind, "LIMIT") {
            limit = limit.min(lexer.position());
        }
    }
    (from, limit)
}

/// Whether nothing but blanks stands between LIMIT and this one.
fn follows(sql: &str, limit: usize, place: &Placeholder<'_>) -> bool {
    sql[limit..place.at.start].trim().is_empty()
}

/// The different markers of executable comments; `None` when they are too many or servers differ on where one ends.
fn markers(tokens: Lexer<'_>) -> Option<Vec<&str>> {
    let mut markers = Vec::new();
    for token in tokens {
        match (token.kind, token.condition) {
            (Kind::Undecidable, _) => return None,
            (_, Some(marker)) if !markers.contains(&marker) && markers.len() == MOST_MARKERS => return None,
            (_, Some(marker)) if !markers.contains(&marker) => markers.push(marker),
            (_, Some(_) | None) => {}
        }
    }
    Some(markers)
}

/// The tokens that a server sees which heeds the markers whose bits are set in `heeded`.
fn as_seen<'t>(tokens: Lexer<'t>, markers: &[&'t str], heeded: u32) -> impl Iterator<Item = Kind<'t>> + Clone {
    let is_seen = move |marker| markers.iter().zip(0..).any(|(known, bit)| *known == marker && heeded >> bit & 1 == 1);
    tokens.filter(move |token| token.condition.is_none_or(is_seen)).map(|token| token.kind)
}

/// Reads the one statement that a text should hold; `None` when it holds none.
fn read_statements<'t>(tokens: impl Iterator<Item = Kind<'t>> + Clone) -> Option<Reading> {
    let statement = tokens.clone().take_while(|kind| *kind != SEMICOLON);
    let follows = tokens.skip_while(|kind| *kind != SEMICOLON).any(|kind| kind != SEMICOLON);
    let reading = statement.clone().next().map(|_| read_statement(statement));
    match reading {
        Some(Reading { verdict: Verdict::Refused(_), .. }) => reading,
        Some(_) | None if follows => Some(Reading::refused(Refusal::SecondStatement)),
        Some(_) | None => reading,
    }
}

fn read_statement<'t>(statement: impl Iterator<Item = Kind<'t>> + Clone) -> Reading {
    let reading = grammar::judge(statement.clone());
    Reading { touches: reading.touches.max(touches(statement.clone())), wait: wait(statement), ..reading }
}

/// What a statement of any kind leaves on the session by what stands in it. A function may be called by a quoted name.
fn touches<'t>(mut statement: impl Iterator<Item = Kind<'t>>) -> Touches {
    let touches = statement.any(|kind| match kind {
        Kind::UserVariable | Kind::Assign => true,
        Kind::Word(name) | Kind::Quoted(name) => LOCKING_FUNCTIONS.iter().any(|known| known.eq_ignore_ascii_case(name)),
        Kind::Number(_) | Kind::Literal | Kind::SystemVariable | Kind::Symbol(_) | Kind::Undecidable => false,
    });
    if touches { Touches::Session } else { Touches::Nothing }
}

/// Looks for `NOWAIT` and `WAIT 0` in a locking clause (`FOR UPDATE OF a, b NOWAIT`); neither word is reserved, so that
/// anywhere else it is a name.
fn wait<'t>(statement: impl Iterator<Item = Kind<'t>>) -> Wait {
    let mut previous = SEMICOLON;
    let mut locking = false;
    for kind in statement {
        let waits_zero =
            is(previous, "WAIT") && matches!(kind, Kind::Number(n) if n.bytes().all(|digit| digit == b'0'));
        if locking && (is(kind, "NOWAIT") || waits_zero) {
            return Wait::NoWait;
        }
        locking = opens_locking_clause(previous, kind) || locking && may_stand_in_locking_clause(kind);
        previous = kind;
    }
    Wait::Server
}

fn opens_locking_clause(previous: Kind<'_>, kind: Kind<'_>) -> bool {
    is(previous, "FOR") && (is(kind, "UPDATE") || is(kind, "SHARE")) || is(previous, "SHARE") && is(kind, "MODE")
}

fn may_stand_in_locking_clause(kind: Kind<'_>) -> bool {
    matches!(kind, Kind::Word(_) | Kind::Quoted(_) | Kind::Number(_) | Kind::Symbol(',' | '.'))
}

/// Whether a token is this keyword; a quoted one never is.
fn is(kind: Kind<'_>, keyword: &str) -> bool {
    matches!(kind, Kind::Word(word) if word.eq_ignore_ascii_case(keyword))
}

impl Reading {
    fn plain(effect: Effect) -> Self {
        Self { verdict: Verdict::Plain, effect, class: Class::Other, touches: Touches::Nothing, wait: Wait::Server }
    }

    fn data_change() -> Self {
        Self { class: Class::DataChange, ..Self::plain(Effect::Writes) }
    }

    fn bracketed(effect: Effect) -> Self {
        Self { verdict: Verdict::Bracketed, touches: Touches::Session, ..Self::plain(effect) }
    }

    fn refused(refusal: Refusal) -> Self {
        Self { verdict: Verdict::Refused(refusal), touches: Touches::Session, ..Self::plain(Effect::Writes) }
    }

    /// The more careful of two readings of one text, member by member. To wait is the careful one: a lock wait that timed
    /// out must not pass for a lock that was not available.
    fn or(self, other: Self) -> Self {
        Self {
            verdict: self.verdict.or(other.verdict),
            effect: self.effect.max(other.effect),
            class: self.class.max(other.class),
            touches: self.touches.max(other.touches),
            wait: self.wait.max(other.wait),
        }
    }
}

impl Verdict {
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (refused @ Self::Refused(_), _) | (_, refused @ Self::Refused(_)) => refused,
            (Self::Bracketed, _) | (_, Self::Bracketed) => Self::Bracketed,
            (Self::Plain, Self::Plain) => Self::Plain,
        }
    }
}

#[cfg(test)]
mod tests;
