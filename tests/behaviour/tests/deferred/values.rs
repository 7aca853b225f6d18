//! Deferred values against prepared ones: random statements with random values, on one table deferred and on another prepared. What is
//! then in the two tables is the same to the byte, an error of the one is an error of the other, and rows that no statement was aimed
//! at are as they were. On MySQL values are stored only, each in a column of its kind or as a text.
//!
//! `UNIT_OF_WORK_CASES=300000 cargo test -p behaviour s93_random` tries more, with `UNIT_OF_WORK_SEED` other ones.

use std::fmt::Write as _;

use ephemeral_mysql::Flavour;
use fastrand::Rng;
use proxy::Kind;
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::mysql::{Params, Value, params};
use unit_of_work::{Database, Error, Tx};

use crate::server::{self, FLAVOUR, either};
use crate::world::World;

/// Cases in one run of the suite.
const CASES: u32 = 6_000;
/// The suite's: what it says does not change from one run to the next.
const SEED: u64 = 5_338_488_578_970_672_487;
/// Cases in one unit.
const BATCH: u32 = 250;

/// Columns of every kind that bytes, numbers and moments are stored in.
const COLUMNS: &[(&str, &str)] = &[
    ("u8", "VARCHAR(80) CHARACTER SET utf8mb4"),
    ("bin", "VARCHAR(80) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"),
    ("l1", "VARCHAR(80) CHARACTER SET latin1"),
    ("gb", "VARCHAR(80) CHARACTER SET gbk"),
    ("fixed", "CHAR(12) CHARACTER SET utf8mb4"),
    ("bytes", "VARBINARY(200)"),
    ("padded", "BINARY(8)"),
    ("blobs", "BLOB"),
    ("big", "BIGINT"),
    ("ubig", "BIGINT UNSIGNED"),
    ("tiny", "TINYINT"),
    ("num", "DECIMAL(20, 5)"),
    ("dbl", "DOUBLE"),
    ("day", "DATE"),
    ("moment", "DATETIME(6)"),
    ("second", "DATETIME"),
    ("span", "TIME(6)"),
    ("stamp", "TIMESTAMP(6) NULL"),
    ("years", "YEAR"),
    ("bits", "BIT(16)"),
    ("one", "ENUM('a', 'b', '1', 'ü')"),
    ("some", "SET('a', 'b', '1', 'ü')"),
    ("doc", "JSON"),
];

/// What is compared with a column.
const CONDITIONS: &[&str] = &[
    "{c} = ?",
    "{c} <> ?",
    "{c} < ?",
    "{c} >= ?",
    "{c} <=> ?",
    "{c} LIKE ?",
    "{c} IN (?, 'a', 1)",
    "{c} BETWEEN ? AND 'zz'",
    "CONCAT({c}, '') = ?",
    "? IS NULL",
    "COALESCE({c}, ?) IS NOT NULL",
    "{c} = CONCAT(?, '')",
    "{c} = ? + 0",
    "NOT {c} = ?",
    "FIND_IN_SET(?, {c})",
    "LOCATE(?, {c})",
    "{c} REGEXP 'a' OR {c} = ?",
];

/// What is made of a value.
const EXPRESSIONS: &[&str] = &[
    "?",
    "CONCAT(?, 'x')",
    "LENGTH(?)",
    "CHAR_LENGTH(?)",
    "? + 0",
    "5-?",
    "UPPER(?)",
    "CHARSET(?)",
    "COLLATION(?)",
    "HEX(?)",
    "? = 'a'",
    "COALESCE(?, 1)",
    "IF(?, 1, 2)",
    "CAST(? AS CHAR)",
    "CAST(? AS SIGNED)",
    "DATE(?)",
    "JSON_QUOTE(?)",
    "? LIKE 'a%'",
    "ROUND(?, 1)",
    "SHA1(?)",
    "REVERSE(?)",
    "NULLIF(?, 'a')",
    "GREATEST(?, 'a')",
    "CASE ? WHEN 1 THEN 'one' ELSE 'no' END",
    "COERCIBILITY(?)",
    "CONCAT(?, 1)",
    "TRIM(?)",
    "CAST(? AS DECIMAL(20, 5))",
    "MD5(CONCAT('', ?))",
];

// Of an empty text what begins with C (CHARSET, COLLATION) is not asked: where it is NULL it has none as a literal.

/// What would do something if a value were a part of the statement.
const NASTY: &[&str] = &[
    "'",
    "\"",
    "\\",
    "`",
    "\0",
    "\n",
    "\r",
    "\x1a",
    ";",
    "-- ",
    "#",
    "/*",
    "*/",
    "%",
    "_",
    "?",
    ":a",
    "X'41'",
    "\\'",
    "''",
    "') OR 1=1 -- ",
    "x' WHERE id IN (1,2,3) -- ",
    "; DELETE FROM deferred; -- ",
    "\n;\nROLLBACK",
    "é",
    "ü",
    "ß",
    "中",
    "😀",
    "\u{feff}",
    "\u{200b}",
    "e\u{301}",
    " ",
    "a",
    "A",
    "b",
    "1",
    "0",
    "-1",
    "1e3",
    "0x41",
    "2026-02-03",
    "2026-02-03 04:05:06.7",
    "12:30:00",
    "null",
    "{\"a\": [1, null]}",
    "[]",
    "\"s\"",
    "a,b",
    ".5",
];

#[derive(Debug, Clone)]
struct Case {
    id: u32,
    /// `{t}` stands for the table.
    statements: Vec<(String, Vec<Value>)>,
}

fn one_of<'t>(rng: &mut Rng, all: &[&'t str]) -> &'t str {
    all[rng.usize(..all.len())]
}

fn text(rng: &mut Rng) -> Vec<u8> {
    let mut text = String::new();
    for _ in 0..rng.usize(..5) {
        match rng.u8(..4) {
            0 => text.push(rng.char(..)),
            1 => text.push(rng.char(' '..'~')),
            _ => text.push_str(one_of(rng, NASTY)),
        }
    }
    text.into_bytes()
}

fn moment(rng: &mut Rng) -> Value {
    let micros = if rng.bool() { 0 } else { rng.u32(..1_000_000) };
    let (hour, minute, second) = if rng.bool() { (0, 0, 0) } else { (rng.u8(..24), rng.u8(..60), rng.u8(..60)) };
    // Also what is none: days that a month does not have, month 0, year 0.
    Value::Date(
        rng.u16(1960..2050) * u16::from(rng.u8(..20) > 0),
        rng.u8(..14),
        rng.u8(..33),
        hour,
        minute,
        second,
        micros,
    )
}

fn value(rng: &mut Rng) -> Value {
    match rng.u8(..16) {
        0 => Value::NULL,
        1 => Value::Int(rng.i64(..)),
        2 => Value::Int(rng.i64(-3..130)),
        3 => Value::UInt(rng.u64(..)),
        4 => Value::UInt(rng.u64(..3)),
        5 | 6 => moment(rng),
        7 => {
            let micros = if rng.bool() { 0 } else { rng.u32(..1_000_000) };
            Value::Time(rng.bool(), rng.u32(..40), rng.u8(..24), rng.u8(..61), rng.u8(..60), micros)
        }
        8 => Value::Double(f64::from(rng.i32(-1000..1000)) / 8.0),
        9 => Value::Float(rng.f32()),
        10 => Value::Bytes((0..rng.usize(..12)).map(|_| rng.u8(..)).collect()),
        _ => Value::Bytes(text(rng)),
    }
}

/// What MySQL makes of a parameter that is not of its column's kind depends on what the statement was executed with before: its types
/// are found out anew when others come, and stay. And a text that the column's character set does not have is an error of the
/// parameter's there (3988), before the statement could ignore it.
fn value_for(rng: &mut Rng, column: &str) -> Value {
    let any = value(rng);
    #[allow(clippy::match_same_arms, reason = "a row for each kind")]
    let is_of_its_kind = match (column, &any) {
        (_, Value::NULL) => true,
        ("u8" | "bin" | "fixed" | "bytes" | "padded" | "blobs", Value::Bytes(_)) => true,
        ("big" | "ubig" | "tiny" | "num" | "years", Value::Int(_) | Value::UInt(_)) => true,
        ("moment" | "second" | "stamp" | "day", Value::Date(..)) => true,
        // MySQL reads the text '0' as the year 2000 and makes 0 of the parameter, which is the year 0.
        ("years", Value::Bytes(_)) => false,
        (_, Value::Bytes(bytes)) => bytes.is_ascii(),
        _ => false,
    };
    if FLAVOUR == Flavour::MariaDb || is_of_its_kind { any } else { Value::from("a") }
}

impl Case {
    fn random(rng: &mut Rng, id: u32) -> Self {
        let (column, _) = COLUMNS[rng.usize(..COLUMNS.len())];
        let stored = value_for(rng, column);
        let key = Value::UInt(id.into());
        let insert = format!("INSERT IGNORE INTO {{t}} (id, {column}) VALUES (?, ?)");
        let mut statements = vec![(insert, vec![key.clone(), stored.clone()])];
        let again = |rng: &mut Rng| if rng.bool() { stored.clone() } else { value_for(rng, column) };
        // In an expression a parameter has no column whose kind it could be of.
        statements.push(match rng.u8(..either(4, 1)) {
            0 => {
                let set = format!("UPDATE IGNORE {{t}} SET {column} = ?, hits = hits + 1 WHERE id = ?");
                (set, vec![again(rng), key])
            }
            1 => {
                let (expression, value) = (one_of(rng, EXPRESSIONS), again(rng));
                let expression = if value == Value::from("") && expression.starts_with('C') { "?" } else { expression };
                let set = format!("UPDATE IGNORE {{t}} SET seen = {expression} WHERE id = ?");
                (set, vec![value, key])
            }
            _ => {
                let condition = one_of(rng, CONDITIONS).replace("{c}", column);
                let update = format!("UPDATE IGNORE {{t}} SET hits = hits + 1 WHERE id = ? AND ({condition})");
                (update, vec![key, again(rng)])
            }
        });
        Self { id, statements }
    }

    fn on(&self, table: &'static str) -> impl Iterator<Item = (String, Params)> + '_ {
        self.statements.iter().map(move |(sql, values)| (sql.replace("{t}", table), Params::Positional(values.clone())))
    }

    fn defer(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        self.on("deferred").try_for_each(|(sql, params)| tx.defer(sql, params))
    }

    /// The number of the first error of the server's; what comes behind it is not tried.
    fn prepared(&self, tx: &mut Tx<'_>) -> Result<(), u16> {
        self.on("prepared").try_for_each(|(sql, params)| tx.exec_drop(sql, params).map_err(|error| code(&error)))
    }
}

fn code(error: &Error) -> u16 {
    error.code().unwrap_or_else(|| panic!("{error}"))
}

fn make_tables(world: &World) {
    let columns = COLUMNS.iter().fold(String::new(), |mut text, (name, kind)| {
        write!(text, ", {name} {kind}").expect("a string takes text");
        text
    });
    for table in ["deferred", "prepared"] {
        world.execute(&format!(
            "CREATE TABLE {table} (id INT PRIMARY KEY, hits INT NOT NULL DEFAULT 0, seen LONGBLOB{columns}) ENGINE=InnoDB"
        ));
        // Nobody aims at these.
        world
            .execute(&format!("INSERT INTO {table} (id, u8, big) VALUES (-1, 'a', 1), (-2, 'b', 0), (-3, NULL, NULL)"));
    }
}

/// Runs the cases and says which of them differ.
fn differing(db: &Database, cases: &[Case]) -> Vec<String> {
    let prepared =
        db.unit("prepared").run::<_, Error>(|tx| Ok(cases.iter().map(|case| case.prepared(tx)).collect::<Vec<_>>()));
    let prepared = prepared.expect("no error ends the unit");
    let (fine, failing): (Vec<_>, Vec<_>) = cases.iter().zip(&prepared).partition(|(_, told)| told.is_ok());
    let deferred = db.unit("deferred").run::<_, Error>(|tx| {
        // After an error the driver does not know the session's mode any more.
        drop(tx.query_drop("SELECT nonsense").expect_err("there is no such column"));
        fine.iter().try_for_each(|(case, _)| case.defer(tx))
    });
    let mut wrong = Vec::new();
    if let Err(error) = deferred {
        wrong.push(error.to_string());
        // Which of them?
        for (case, _) in &fine {
            if let Err(error) = db.unit("alone").run::<_, Error>(|tx| case.defer(tx)) {
                wrong.push(format!("{case:?}: {error}"));
            }
        }
    }
    for (case, told) in failing {
        let alone = db.unit("alone").run::<_, Error>(|tx| case.defer(tx)).map_err(|error| code(&error));
        if alone != *told {
            wrong.push(format!("{case:?}: deferred {alone:?}, prepared {told:?}"));
        }
    }
    // A unit that failed left nothing, while the prepared statements before the one that failed stand.
    let failed: Vec<String> =
        cases.iter().zip(&prepared).filter(|(_, told)| told.is_err()).map(|(case, _)| case.id.to_string()).collect();
    let same: Vec<String> = COLUMNS.iter().map(|(name, _)| format!("HEX(d.{name}) <=> HEX(p.{name})")).collect();
    let rows = format!(
        "SELECT p.id FROM prepared p LEFT JOIN deferred d USING (id) WHERE p.id NOT IN (0{}) \
         AND NOT (p.hits <=> d.hits AND p.seen <=> d.seen AND {})",
        failed.iter().fold(String::new(), |list, id| list + "," + id),
        same.join(" AND ")
    );
    let different: Vec<i64> = db.unit("compare").run::<_, Error>(|tx| tx.query(&rows)).expect("the tables are there");
    wrong.extend(different.iter().map(|id| match cases.iter().find(|case| i64::from(case.id) == *id) {
        Some(case) => format!("{case:?}"),
        None => format!("row {id} was not aimed at"),
    }));
    let clear = |tx: &mut Tx<'_>| -> Result<u64, Error> {
        let canaries = "SELECT COUNT(*) FROM deferred WHERE id < 0 AND hits = 0 AND seen IS NULL \
                        AND (id, COALESCE(u8, 'none'), COALESCE(big, 9)) IN ((-1, 'a', 1), (-2, 'b', 0), (-3, 'none', 9))";
        let canaries: Option<u64> = tx.query_first(canaries)?;
        tx.query_drop("DELETE FROM deferred WHERE id > 0")?;
        tx.query_drop("DELETE FROM prepared WHERE id > 0")?;
        Ok(canaries.unwrap_or(0))
    };
    if db.unit("clear").run(clear).expect("the tables are there") != 3 {
        wrong.push("a row was changed that nobody aimed at".to_owned());
    }
    wrong
}

fn number(variable: &str, otherwise: impl FnOnce() -> u64) -> u64 {
    match std::env::var(variable) {
        Ok(given) => given.parse().unwrap_or_else(|_| panic!("{variable} is a number")),
        Err(_) => otherwise(),
    }
}

#[test]
fn s93_random_values_arrive_as_prepared_ones_do() {
    let seed = number("UNIT_OF_WORK_SEED", || SEED);
    println!("UNIT_OF_WORK_SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let all = u32::try_from(number("UNIT_OF_WORK_CASES", || CASES.into())).expect("so many fit");
    let more = either("EMPTY_STRING_IS_NULL,STRICT_TRANS_TABLES", "STRICT_TRANS_TABLES");
    let modes = ["", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE", more];
    let each = all.div_ceil(u32::try_from(modes.len()).expect("a few"));
    let server = server::builder().start().unwrap_or_else(|error| panic!("{error}"));
    for mode in modes {
        server.conn().expect("a server").query_drop(format!("SET GLOBAL sql_mode = '{mode}'")).expect("root may");
        let world = World::on(&server, |builder| builder.statement_cache(4096));
        make_tables(&world);
        let (mut id, mut wrong) = (0, Vec::new());
        while id < each {
            let cases: Vec<Case> = (0..BATCH).map(|n| Case::random(&mut rng, id + n + 1)).collect();
            wrong.extend(differing(&world.db, &cases));
            id += BATCH;
        }
        assert!(wrong.is_empty(), "sql_mode '{mode}': {} of {id}\n{}", wrong.len(), wrong.join("\n"));
    }
}

/// What goes where, seen at the socket.
#[test]
fn s93_what_a_literal_cannot_say_goes_prepared_in_its_place() {
    let world = World::new();
    world.execute("CREATE TABLE kinds (id INT AUTO_INCREMENT PRIMARY KEY, value VARBINARY(100)) ENGINE=InnoDB");
    let (db, proxy) = world.proxied();
    let insert = "INSERT INTO kinds (value) VALUES (?)";
    let odd: [(&str, Params); 6] = [
        (insert, (0.5,).into()),
        (insert, (vec![0xff_u8],).into()),
        ("INSERT INTO kinds (value) VALUES (?) /* ü */", ("b",).into()),
        ("INSERT /*!50000 INTO */ kinds (value) VALUES (?)", ("c",).into()),
        ("INSERT INTO kinds (value) VALUES (?);", ("d",).into()),
        (insert, (i64::MIN,).into()),
    ];
    for (sql, params) in odd {
        proxy.record();
        db.unit("odd")
            .run::<_, Error>(|tx| {
                tx.defer(insert, ("before",))?;
                tx.defer(sql, params.clone())?;
                tx.defer("INSERT INTO kinds (value) VALUES (:v)", params! { "v" => "behind" })
            })
            .expect(sql);
        let kinds: Vec<_> = proxy.take().into_iter().filter(|command| matches!(command.kind, Kind::Execute)).collect();
        assert_eq!(kinds.len(), 1, "{sql} is sent prepared");
    }
    let values = db.unit("looks").run::<Vec<Vec<u8>>, Error>(|tx| tx.query("SELECT value FROM kinds ORDER BY id"));
    let values = values.expect("a unit");
    assert_eq!(values.len(), 18);
    assert!(values.chunks(3).all(|unit| unit[0] == b"before" && unit[2] == b"behind"), "{values:?}");
}

/// The character set in which a text is read cannot be changed by a body; and what a packet says is the same in each of them.
#[test]
fn s93_no_character_breaks_out_in_any_character_set() {
    let world = World::with_accounts(1..=3);
    world.execute("CREATE TABLE note (id INT PRIMARY KEY, text VARCHAR(100) CHARACTER SET utf8mb4) ENGINE=InnoDB");
    world.execute("INSERT INTO note VALUES (1, ''), (2, 'two'), (3, 'three')");
    world.execute("CREATE PROCEDURE speak() SET NAMES gbk");
    let breaks_out = "中\\' WHERE id IN (1,2,3) -- ";
    let unit = world.db.unit("gbk").run::<_, Error>(|tx| {
        drop(tx.query_drop("SET NAMES gbk").expect_err("refused"));
        tx.query_drop("CALL speak()")?;
        tx.defer("UPDATE note SET text = ? WHERE id = ?", (breaks_out, 1))?;
        tx.defer("UPDATE account SET balance = 0 WHERE id = ?", (1,))
    });
    unit.expect("a unit");
    let notes = world.db.unit("looks").run::<Vec<String>, Error>(|tx| tx.query("SELECT text FROM note ORDER BY id"));
    assert_eq!(notes.expect("a unit"), [breaks_out, "two", "three"]);
    assert_eq!(world.balances(), [0, 100, 100]);
}
