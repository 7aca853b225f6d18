//! The lists: what a statement is by its first word, and by what follows where the first word alone does not decide.
//!
//! From the servers' grammars and their manuals' lists of statements that commit implicitly
//! (<https://dev.mysql.com/doc/refman/8.4/en/implicit-commit.html>,
//! <https://mariadb.com/kb/en/sql-statements-that-cause-an-implicit-commit/>). Where the words end is the lexer's matter;
//! what may stand anywhere in a statement is `statement`'s.

use super::{Effect, Kind, Reading, Refusal, Touches, is};

/// Statements that are plain whatever follows, and only read as far as their text tells. `GET DIAGNOSTICS` must go out
/// without a bracket, which would overwrite what it asks for; `SIGNAL` does nothing but fail.
const READS: &[&str] = &["SHOW", "DO", "GET", "SIGNAL", "RESIGNAL"];

/// Statements that are plain whatever follows, and write.
const WRITES: &[&str] = &["INSERT", "UPDATE", "DELETE", "REPLACE"];

/// Statements that are plain whatever follows; what they do tells their main verb.
const QUERIES: &[&str] = &["SELECT", "WITH", "VALUES", "TABLE"];

const EXPLAINS: &[&str] = &["EXPLAIN", "DESCRIBE", "DESC"];

/// What a common table expression may lead to, or `EXPLAIN ANALYZE` run.
const VERBS: &[&str] = &["SELECT", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "REPLACE"];

/// What MariaDB's `ANALYZE` runs rather than maintains.
const EXPLAINABLE: &[&str] = &["FORMAT", "SELECT", "WITH", "VALUES", "INSERT", "UPDATE", "DELETE", "REPLACE"];

/// Statements that are refused whatever follows.
const REFUSED: &[(Because, &[&str])] = &[
    (Refusal::TransactionControl, &["COMMIT"]),
    (Refusal::Savepoint, &["SAVEPOINT", "RELEASE"]),
    (|_| Refusal::Xa, &["XA"]),
    (Refusal::ImplicitCommit, &["ALTER", "TRUNCATE", "RENAME", "GRANT", "REVOKE", "INSTALL", "UNINSTALL", "IMPORT"]),
    (Refusal::ImplicitCommit, &["CHECK", "OPTIMIZE", "REPAIR", "CACHE"]),
    (Refusal::LocksTables, &["LOCK", "UNLOCK"]),
    (|_| Refusal::Handler, &["HANDLER"]),
    (|_| Refusal::UsesDatabase, &["USE"]),
    (Refusal::Prepares, &["PREPARE", "EXECUTE", "DEALLOCATE"]),
    (|_| Refusal::Kills, &["KILL"]),
    (Refusal::Administration, &["FLUSH", "RESET", "STOP", "CHANGE", "PURGE", "BINLOG", "SLAVE"]),
    (Refusal::Administration, &["BACKUP", "CLONE", "SHUTDOWN", "RESTART"]),
    (|_| Refusal::Compound, &["IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR", "DECLARE"]),
];

/// Makes the refusal of a statement from its first word.
type Because = fn(&'static str) -> Refusal;

/// Judges a statement by its first words. Parentheses may stand before them.
pub(super) fn judge<'t>(statement: impl Iterator<Item = Kind<'t>> + Clone) -> Reading {
    let statement = statement.skip_while(|kind| *kind == Kind::Symbol('('));
    let mut rest = statement.clone();
    match rest.next() {
        Some(Kind::Word(word)) => judge_word(word, statement, rest),
        Some(_) | None => judge_unlisted(rest),
    }
}

fn judge_word<'t, I: Iterator<Item = Kind<'t>> + Clone>(word: &str, statement: I, rest: I) -> Reading {
    if contains(READS, word) {
        return Reading::plain(Effect::Reads);
    }
    if contains(WRITES, word) {
        return Reading::data_change();
    }
    if contains(QUERIES, word) {
        return judge_query(word, statement);
    }
    if contains(EXPLAINS, word) {
        return Reading::plain(if begins(rest.clone(), &["ANALYZE"]) { effect(rest) } else { Effect::Reads });
    }
    match refusal(word) {
        Some(refusal) => Reading::refused(refusal),
        None => judge_by_what_follows(word, rest),
    }
}

/// Common table expressions may lead to a statement that changes rows.
fn judge_query<'t>(word: &str, statement: impl Iterator<Item = Kind<'t>> + Clone) -> Reading {
    let changes =
        word.eq_ignore_ascii_case("WITH") && main_verb(statement.clone()).is_some_and(|verb| contains(WRITES, verb));
    if changes { Reading::data_change() } else { Reading::plain(effect(statement)) }
}

fn refusal(word: &str) -> Option<Refusal> {
    let because = |(because, words): &(Because, &[&'static str])| {
        words.iter().find(|known| known.eq_ignore_ascii_case(word)).map(|known| because(known))
    };
    REFUSED.iter().find_map(because)
}

/// The first words that are one thing with these words behind them and another with those.
fn judge_by_what_follows<'t>(word: &str, rest: impl Iterator<Item = Kind<'t>> + Clone) -> Reading {
    match word.to_ascii_uppercase().as_str() {
        "SET" if sets_only_user_variables(rest.clone()) => Reading::plain(Effect::Reads),
        "SET" => Reading::refused(Refusal::SetsSession),
        "CREATE" if creates_temporary_table(rest.clone()) => temporary_table(),
        "CREATE" => Reading::refused(Refusal::ImplicitCommit("CREATE")),
        "DROP" if drops_temporary_table(rest.clone()) => temporary_table(),
        "DROP" => Reading::refused(Refusal::ImplicitCommit("DROP")),
        "LOAD" => judge_load(rest),
        "ANALYZE" => judge_analyze(rest),
        "BEGIN" if begins(rest.clone(), &["NOT"]) => Reading::refused(Refusal::Compound),
        "BEGIN" => Reading::refused(Refusal::TransactionControl("BEGIN")),
        "START" if begins(rest.clone(), &["TRANSACTION"]) => {
            Reading::refused(Refusal::TransactionControl("START TRANSACTION"))
        }
        "START" => Reading::refused(Refusal::Administration("START")),
        "ROLLBACK" if begins(rest.clone(), &["TO"]) || begins(rest.clone(), &["WORK", "TO"]) => {
            Reading::refused(Refusal::Savepoint("ROLLBACK TO"))
        }
        "ROLLBACK" => Reading::refused(Refusal::TransactionControl("ROLLBACK")),
        // `CALL` is in the list of those that may commit; the others are in none and treated alike.
        "CALL" => Reading::bracketed(Effect::Reads),
        _ => judge_unlisted(rest),
    }
}

/// What no list has may do anything. Two things are known of it: MariaDB's compound statements may begin with a label,
/// and its Oracle mode sets variables of the session without `SET` (`autocommit := 1`).
fn judge_unlisted<'t>(mut rest: impl Iterator<Item = Kind<'t>> + Clone) -> Reading {
    if rest.clone().next() == Some(Kind::Symbol(':')) {
        Reading::refused(Refusal::Compound)
    } else if rest.any(|kind| kind == Kind::Assign) {
        Reading::refused(Refusal::SetsSession)
    } else {
        Reading::bracketed(Effect::Reads)
    }
}

/// `LOAD INDEX` commits, and so does MySQL's bulk load, which is no part of the transaction.
fn judge_load<'t>(rest: impl Iterator<Item = Kind<'t>> + Clone) -> Reading {
    if begins(rest.clone(), &["INDEX"]) {
        Reading::refused(Refusal::ImplicitCommit("LOAD INDEX"))
    } else if loads_in_bulk(rest.clone()) {
        Reading::refused(Refusal::ImplicitCommit("LOAD DATA … ALGORITHM = BULK"))
    } else if loads_local_file(rest.clone()) {
        Reading::refused(Refusal::LocalFile)
    } else if begins(rest.clone(), &["DATA"]) || begins(rest, &["XML"]) {
        Reading::plain(Effect::Writes)
    } else {
        Reading::bracketed(Effect::Writes)
    }
}

/// `LOCAL` stands before the name of the file, with or without a priority in front of it.
fn loads_local_file<'t>(rest: impl Iterator<Item = Kind<'t>>) -> bool {
    rest.take_while(|kind| !is(*kind, "INFILE") && *kind != Kind::Literal).any(|kind| is(kind, "LOCAL"))
}

fn loads_in_bulk<'t>(rest: impl Iterator<Item = Kind<'t>> + Clone) -> bool {
    let words = rest.filter(|kind| *kind != Kind::Symbol('='));
    words.clone().zip(words.skip(1)).any(|(first, second)| is(first, "ALGORITHM") && is(second, "BULK"))
}

/// `ANALYZE TABLE` commits; MariaDB's `ANALYZE SELECT …` runs the statement. It is bracketed: nobody measures in a hot
/// path, and then it matters not what a later server takes behind the word.
fn judge_analyze<'t>(rest: impl Iterator<Item = Kind<'t>> + Clone) -> Reading {
    match rest.clone().next() {
        Some(Kind::Symbol('(')) => Reading::bracketed(effect(rest)),
        Some(Kind::Word(word)) if contains(EXPLAINABLE, word) => Reading::bracketed(effect(rest)),
        Some(_) | None => Reading::refused(Refusal::ImplicitCommit("ANALYZE")),
    }
}

/// The first verb outside of the parentheses that common table expressions stand in.
fn main_verb<'t>(statement: impl Iterator<Item = Kind<'t>>) -> Option<&'t str> {
    let body = statement.skip_while(|kind| *kind == Kind::Symbol('('));
    outside_parentheses(body).find_map(|kind| match kind {
        Kind::Word(word) if contains(VERBS, word) => Some(word),
        _ => None,
    })
}

/// What a statement does by its main verb. A query that writes a file counts as writing: the file outlives a rollback, and is in
/// the way of the next attempt.
fn effect<'t>(statement: impl Iterator<Item = Kind<'t>> + Clone) -> Effect {
    let verb = main_verb(statement.clone());
    if verb.is_some_and(|verb| contains(WRITES, verb)) || writes_file(statement) {
        Effect::Writes
    } else {
        Effect::Reads
    }
}

fn writes_file<'t>(statement: impl Iterator<Item = Kind<'t>> + Clone) -> bool {
    let writes = |(first, second)| is(first, "INTO") && (is(second, "OUTFILE") || is(second, "DUMPFILE"));
    statement.clone().zip(statement.skip(1)).any(writes)
}

/// Every item of the list must begin with the variable: `SET @a = 1, autocommit = 1` has one that does not.
fn sets_only_user_variables<'t>(rest: impl Iterator<Item = Kind<'t>> + Clone) -> bool {
    let mut previous = Kind::Symbol(',');
    for kind in outside_parentheses(rest) {
        if previous == Kind::Symbol(',') && kind != Kind::UserVariable {
            return false;
        }
        previous = kind;
    }
    previous != Kind::Symbol(',')
}

/// What stands in no parentheses. A closing one too many, which is no statement to any server, hides nothing.
fn outside_parentheses<'t>(tokens: impl Iterator<Item = Kind<'t>>) -> impl Iterator<Item = Kind<'t>> {
    let mut depth = 0_usize;
    tokens.filter(move |kind| {
        match kind {
            Kind::Symbol('(') => depth += 1,
            Kind::Symbol(')') => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    })
}

fn creates_temporary_table<'t>(rest: impl Iterator<Item = Kind<'t>> + Clone) -> bool {
    begins(rest.clone(), &["TEMPORARY", "TABLE"]) || begins(rest, &["OR", "REPLACE", "TEMPORARY", "TABLE"])
}

fn drops_temporary_table<'t>(rest: impl Iterator<Item = Kind<'t>> + Clone) -> bool {
    begins(rest.clone(), &["TEMPORARY", "TABLE"]) || begins(rest, &["TEMPORARY", "TABLES"])
}

fn temporary_table() -> Reading {
    Reading { touches: Touches::Session, ..Reading::plain(Effect::Writes) }
}

fn begins<'t>(mut tokens: impl Iterator<Item = Kind<'t>>, words: &[&str]) -> bool {
    words.iter().all(|word| tokens.next().is_some_and(|kind| is(kind, word)))
}

fn contains(list: &[&str], word: &str) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(word))
}
