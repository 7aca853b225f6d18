//! How a statement is shown in messages: enough of it to be recognised, and nothing that looks like a password.

use std::sync::Arc;

/// Enough of a statement to recognise it (characters), so that a message stays a message.
const SHOWN: usize = 160;

/// Behind the first the servers' grammars have a password or what stands for one. The second is also part of other words there
/// (`MASTER_PASSWORD`), and of the names of columns; what then stands in quotes may be one.
const IDENTIFIED: &str = "IDENTIFIED";
const PASSWORD: &str = "PASSWORD";

/// The text on one line, shortened, its secrets left out.
pub(crate) fn statement(sql: &str) -> Arc<str> {
    let text = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let secret = secret(&text).unwrap_or(text.len());
    let long = text.char_indices().nth(SHOWN).map_or(text.len(), |(end, _)| end);
    match text.get(..secret.min(long)) {
        Some(shown) if shown.len() < text.len() => format!("{shown}…").into(),
        _ => text.into(),
    }
}

/// What the server says of a text with a secret: not the text again, which it repeats from where it does not understand it.
pub(crate) fn words(sql: &str, said: &Arc<str>) -> Option<Arc<str>> {
    secret(sql)?;
    let (before, _) = said.split_once(" near ")?;
    Some(format!("{before} near …").into())
}

/// Where in a text a secret may begin. Read without regard to quotes and comments: too much may be left out, too little not.
fn secret(text: &str) -> Option<usize> {
    let behind = |word: &str| find(text, word).map(|at| at + word.len());
    let identified = behind(IDENTIFIED);
    let quoted = behind(PASSWORD).and_then(|from| text[from..].find(['\'', '"']).map(|at| from + at));
    identified.into_iter().chain(quoted).min()
}

fn find(text: &str, word: &str) -> Option<usize> {
    text.as_bytes().windows(word.len()).position(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_statement_is_shortened_at_a_character() {
        let shown = statement(&"ä".repeat(500));
        assert_eq!(shown.chars().count(), SHOWN + 1);
        assert_eq!(&*statement("SELECT\n  1"), "SELECT 1");
    }

    #[test]
    fn s86_a_password_in_a_statement_is_not_shown() {
        for (sql, shown) in [
            ("CREATE USER 'a'@'%' IDENTIFIED BY 'x'", "CREATE USER 'a'@'%' IDENTIFIED…"),
            ("alter user a identified with p as 0x12", "alter user a identified…"),
            ("SET PASSWORD FOR a = PASSWORD('x')", "SET PASSWORD FOR a = PASSWORD(…"),
            ("CHANGE MASTER TO MASTER_PASSWORD=\"x\"", "CHANGE MASTER TO MASTER_PASSWORD=…"),
            ("INSERT INTO user (name, password) VALUES ('a', 'x')", "INSERT INTO user (name, password) VALUES (…"),
            ("SELECT password FROM user WHERE id = ?", "SELECT password FROM user WHERE id = ?"),
            ("SELECT 'ü', password, 'x'", "SELECT 'ü', password, …"),
        ] {
            assert_eq!(&*statement(sql), shown);
        }
    }

    #[test]
    fn s86_the_server_does_not_repeat_it_either() {
        let said: Arc<str> = "1064 (42000): You have an error near 'IDENTFIED BY 'x'' at line 1".into();
        let sql = "CREATE USER a IDENTFIED BY PASSWORD 'x'";
        assert_eq!(words(sql, &said).as_deref(), Some("1064 (42000): You have an error near …"));
        assert_eq!(words("SELEC 'x'", &said), None);
        assert_eq!(words(sql, &"1396: Operation CREATE USER failed".into()), None);
    }
}
