//! The tokens of an SQL text, cut the way the servers' own lexers cut them (`sql_lex.cc` of MySQL and of MariaDB).
//!
//! Decides where strings, quoted identifiers and comments begin and end, and which tokens stand in an executable comment
//! (`/*!50000 … */`, `/*M! … */`). What the tokens mean is left to `statement`. Nothing is allocated, nothing recurses,
//! and every text is cut in time linear in its length.

/// How the server reads quotes: the two settings of `@@sql_mode` on which the end of a literal depends.
///
/// A text that ends a literal in one mode goes on in another (`'\'; COMMIT; -- '`), so that no reading is right without
/// knowing the mode. The default is the servers' own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Mode {
    /// What a backslash in a string means.
    pub backslash: Backslash,
    /// What stands between double quotes.
    pub double_quotes: DoubleQuotes,
}

/// What a backslash in a string means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Backslash {
    /// It takes the next character with it.
    #[default]
    Escapes,
    /// A character like any other (`NO_BACKSLASH_ESCAPES`).
    Ordinary,
}

/// What stands between double quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DoubleQuotes {
    /// Strings, in which backslashes may escape.
    #[default]
    Strings,
    /// Identifiers (`ANSI_QUOTES`), in which they never do.
    Identifiers,
}

impl Mode {
    /// The mode that a value of `@@sql_mode` stands for; the server lists the members of `ANSI` and its like one by one.
    pub fn of(sql_mode: &str) -> Self {
        let has = |name: &str| sql_mode.split(',').any(|member| member.trim().eq_ignore_ascii_case(name));
        Self {
            backslash: if has("NO_BACKSLASH_ESCAPES") { Backslash::Ordinary } else { Backslash::Escapes },
            double_quotes: if has("ANSI_QUOTES") { DoubleQuotes::Identifiers } else { DoubleQuotes::Strings },
        }
    }
}

/// One token and the condition under which a server sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'t> {
    pub(crate) kind: Kind<'t>,
    /// The marker of the executable comment around the token (`!`, `!50000`, `M!100100`). A server that does not heed
    /// the marker takes the token for a comment; all comments with one marker are heeded or skipped together.
    pub(crate) condition: Option<&'t str>,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind<'t> {
    /// A keyword or an identifier without quotes.
    Word(&'t str),
    /// What begins with a digit: a number, or an identifier such as `2nd`.
    Number(&'t str),
    /// An identifier in quotes: the text between them, doubled quotes left double.
    Quoted(&'t str),
    /// A string.
    Literal,
    /// `@name`, or the `@` before a quoted name.
    UserVariable,
    /// `@@name`.
    SystemVariable,
    /// `:=`.
    Assign,
    /// Any other ASCII character.
    Symbol(char),
    /// Servers differ on where a comment ends here, so what follows is one thing to some and another to others.
    /// Nothing comes after it.
    Undecidable,
}

/// The tokens of a text, in order, without white space and comments.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    mode: Mode,
    executable: Option<Executable<'t>>,
    ending: Ending,
}

/// Whether the text ended before what began in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Closed,
    /// A string, a quoted name or a comment: what is written behind the text would belong to it.
    Open,
}

/// The executable comment in which the lexer stands.
#[derive(Debug, Clone, Copy)]
struct Executable<'t> {
    marker: &'t str,
    /// Where its `*/` is; the length of the text when there is none.
    end: usize,
}

/// See [`Kind::Undecidable`].
struct Undecidable;

impl<'t> Lexer<'t> {
    pub(crate) fn new(text: &'t str, mode: Mode) -> Self {
        Self { text, at: 0, mode, executable: None, ending: Ending::Closed }
    }

    /// Where the last token ended, in bytes.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Whether all that was begun so far has ended.
    pub(crate) fn ending(&self) -> Ending {
        self.ending
    }

    fn try_next(&mut self) -> Result<Option<Token<'t>>, Undecidable> {
        self.skip_blanks()?;
        let Some(&byte) = self.rest().first() else { return Ok(None) };
        let condition = self.executable.map(|comment| comment.marker);
        Ok(Some(Token { kind: self.token(byte)?, condition }))
    }

    fn rest(&self) -> &'t [u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// Goes on to the first byte of the next token, or to the end of the text.
    fn skip_blanks(&mut self) -> Result<(), Undecidable> {
        loop {
            match self.rest() {
                [byte, ..] if is_space(*byte) => self.at += 1,
                [b'#', ..] | [b'-', b'-'] => self.skip_line()?,
                // https://dev.mysql.com/doc/refman/8.4/en/ansi-diff-comments.html: `a--1` is no comment.
                [b'-', b'-', byte, ..] if is_space(*byte) || byte.is_ascii_control() => self.skip_line()?,
                [b'*', b'/', ..] if self.executable.is_some_and(|comment| comment.end == self.at) => {
                    self.executable = None;
                    self.at += 2;
                }
                [b'/', b'*', ..] => self.enter_comment()?,
                _ => return Ok(()),
            }
        }
    }

    /// Skips a comment that ends with its line, or with a NUL byte, as the servers have it.
    fn skip_line(&mut self) -> Result<(), Undecidable> {
        let rest = self.rest();
        self.at += rest.iter().position(|byte| matches!(byte, b'\n' | 0)).unwrap_or(rest.len());
        self.inside_executable()
    }

    /// Skips `/* … */`, or steps into it when some server executes it.
    fn enter_comment(&mut self) -> Result<(), Undecidable> {
        // What an executable comment inside another does depends on whether the outer one is heeded; and where a comment
        // inside a skipped one ends depends on the server.
        if self.executable.is_some() {
            return Err(Undecidable);
        }
        let marker = executable_marker(&self.text[self.at + 2..]);
        let content = self.at + 2 + marker.len();
        let end = self.text[content..].find("*/").map_or_else(|| self.never_ends(), |length| content + length);
        if marker.is_empty() {
            return self.skip_comment(content, end);
        }
        // One more byte, for the `*` of `/*/`.
        if self.text.as_bytes()[content..self.text.len().min(end + 1)].windows(2).any(|pair| pair == b"/*") {
            return Err(Undecidable);
        }
        self.executable = Some(Executable { marker, end });
        self.at = content;
        Ok(())
    }

    /// Skips a comment that no server executes. MySQL reads quotes inside of optimizer hints, MariaDB does not: a hint
    /// in which a quote stays open ends in different places.
    fn skip_comment(&mut self, content: usize, end: usize) -> Result<(), Undecidable> {
        let content = &self.text.as_bytes()[content..end];
        if content.starts_with(b"+") && leaves_quote_open(content) {
            return Err(Undecidable);
        }
        self.at = self.text.len().min(end + 2);
        Ok(())
    }

    /// Checks that what was just read does not reach over the end of the executable comment in which it began: to a
    /// server that skips the comment it ends earlier.
    fn inside_executable(&self) -> Result<(), Undecidable> {
        match self.executable {
            Some(comment) if self.at > comment.end => Err(Undecidable),
            Some(_) | None => Ok(()),
        }
    }

    /// Reads the token that begins with `byte`.
    fn token(&mut self, byte: u8) -> Result<Kind<'t>, Undecidable> {
        let kind = match byte {
            b'\'' => self.string(byte),
            b'"' if self.mode.double_quotes == DoubleQuotes::Strings => self.string(byte),
            b'"' | b'`' => Kind::Quoted(self.quoted(byte, Backslash::Ordinary)),
            b'@' => self.variable(),
            b':' if self.rest().starts_with(b":=") => self.symbol(2, Kind::Assign),
            _ if byte.is_ascii_digit() => Kind::Number(self.run(is_word)),
            _ if is_word(byte) => Kind::Word(self.run(is_word)),
            _ => self.symbol(1, Kind::Symbol(char::from(byte))),
        };
        self.inside_executable()?;
        Ok(kind)
    }

    fn symbol(&mut self, length: usize, kind: Kind<'t>) -> Kind<'t> {
        self.at += length;
        kind
    }

    fn string(&mut self, quote: u8) -> Kind<'t> {
        self.quoted(quote, self.mode.backslash);
        Kind::Literal
    }

    /// `@@name` and `@name`; a quoted name is left to the next token.
    fn variable(&mut self) -> Kind<'t> {
        let system = self.rest().starts_with(b"@@");
        self.at += if system { 2 } else { 1 };
        self.run(|byte| is_word(byte) || byte == b'.');
        if system { Kind::SystemVariable } else { Kind::UserVariable }
    }

    /// Reads what stands between two quotes; a text that ends before the second one is all quoted.
    fn quoted(&mut self, quote: u8, backslash: Backslash) -> &'t str {
        let start = self.at + 1;
        self.at = start;
        while let Some(length) = self.rest().iter().position(|byte| *byte == quote || *byte == b'\\') {
            self.at += length;
            match self.rest() {
                [b'\\', _, ..] if backslash == Backslash::Escapes => self.at += 2,
                [b'\\', ..] => self.at += 1,
                [_, second, ..] if *second == quote => self.at += 2,
                _ => return self.unquote(start),
            }
        }
        self.at = self.never_ends();
        self.unquote(start)
    }

    /// The end of the text, which comes before the end of what began in it.
    fn never_ends(&mut self) -> usize {
        self.ending = Ending::Open;
        self.text.len()
    }

    /// What stands between the quote before `start` and where the lexer is, which then goes on behind the second quote.
    /// An escaped byte may be the first of several, but quotes are ASCII: both ends lie between characters.
    fn unquote(&mut self, start: usize) -> &'t str {
        let content = &self.text[start..self.at];
        self.at = self.text.len().min(self.at + 1);
        content
    }

    /// Reads as far as `belongs` says. The bytes of a character outside of ASCII belong together or not at all.
    fn run(&mut self, belongs: impl Fn(u8) -> bool) -> &'t str {
        let start = self.at;
        let rest = self.rest();
        self.at += rest.iter().position(|byte| !belongs(*byte)).unwrap_or(rest.len());
        &self.text[start..self.at]
    }
}

impl<'t> Iterator for Lexer<'t> {
    type Item = Token<'t>;

    fn next(&mut self) -> Option<Token<'t>> {
        self.try_next().unwrap_or_else(|Undecidable| {
            self.at = self.text.len();
            Some(Token { kind: Kind::Undecidable, condition: None })
        })
    }
}

/// The `!`, `!50000` or `M!100100` at the start of an executable comment's content; empty for any other comment.
///
/// Servers count five or six digits; recent MySQL counts the sixth only before white space. Where that makes a difference
/// the sixth digit turns the word behind it into no keyword at all, so counting it is the careful reading.
fn executable_marker(content: &str) -> &str {
    let bang = match content.as_bytes() {
        [b'!', ..] => 1,
        [b'M', b'!', ..] => 2,
        _ => return "",
    };
    let digits = content[bang..].bytes().take(6).take_while(u8::is_ascii_digit).count();
    &content[..bang + if digits < 5 { 0 } else { digits }]
}

fn leaves_quote_open(hint: &[u8]) -> bool {
    let open = hint.iter().fold(None, |open, byte| match open {
        Some(quote) if quote == byte => None,
        None if matches!(byte, b'\'' | b'"' | b'`') => Some(byte),
        Some(_) | None => open,
    });
    open.is_some()
}

/// White space to the servers, for a connection in UTF-8: `str::trim` would know more of it.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// What identifiers and keywords are made of; every character outside of ASCII is a letter to the servers.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || !byte.is_ascii()
}

#[cfg(test)]
mod tests;
