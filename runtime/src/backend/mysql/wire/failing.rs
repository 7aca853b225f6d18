//! A wire around another one that fails it at a chosen round trip in a chosen way. The opening of connections is not counted,
//! so that the n-th round trip is the n-th thing that units asked for.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mysql::{Conn, MySqlError, Row, Statement};

use super::{Answer, Part, Request, Tracked, Wire, joined};

/// How a round trip fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Way {
    /// The server refuses it with this error number; the transaction stands.
    Refused(u16),
    /// The server finds a deadlock: it rolls the transaction back (so does the server behind this wire) and answers 1213.
    Deadlock,
    /// The connection is lost before the request arrives.
    LostBefore,
    /// The request is carried out, and the connection is lost before the answer arrives; on a lent connection
    /// ([`Tx::connection`](crate::Tx::connection)) as [`LostBefore`](Way::LostBefore).
    ReplyLost,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(code) => write!(f, "refused ({code})"),
            Self::Deadlock => f.write_str("deadlock (1213)"),
            Self::LostBefore => f.write_str("lost before"),
            Self::ReplyLost => f.write_str("reply lost"),
        }
    }
}

/// Planned failures, to be given to [`DatabaseBuilder::failures`](crate::DatabaseBuilder::failures). Clones are the same plan.
///
/// They stand in front of any server, a scripted one or a real one. What is failed there is failed as a server would: after a
/// deadlock the transaction is rolled back, and a reply is lost only when the request was carried out.
///
/// ```
/// use unit_of_work::testing::{Failures, Script, Way};
/// use unit_of_work::{Database, Error};
///
/// # fn main() -> Result<(), Error> {
/// let failures = Failures::new();
/// let db = Database::builder().script(&Script::new()).failures(&failures).connect()?;
/// failures.plan(2, Way::LostBefore);
/// let attempts = db.unit("two").run::<_, Error>(|tx| {
///     tx.query_drop("UPDATE account SET balance = 1")?;
///     tx.query_drop("UPDATE account SET balance = 2")?;
///     Ok(tx.attempt())
/// })?;
/// assert_eq!(attempts, 2);
/// assert!(!failures.is_pending());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Failures(Arc<Mutex<Plan>>);

#[derive(Debug, Default)]
struct Plan {
    next: Option<Planned>,
    record: Record,
}

#[derive(Debug)]
struct Planned {
    at: At,
    way: Way,
    /// Including this one.
    times: u32,
}

#[derive(Debug)]
enum At {
    /// Counted from 1.
    RoundTrip(usize),
    /// One whose text has this shape.
    Shape(String),
}

/// What went over the wire since the last plan was made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    pub(crate) sent: Vec<String>,
    /// How many of them went before the last one that was failed, that one included.
    pub(crate) until_failed: Option<usize>,
}

impl Failures {
    /// No failure is planned.
    pub fn new() -> Self {
        Self::default()
    }

    /// Fails the `round_trip`-th round trip from now on (counted from 1, over all connections), once.
    pub fn plan(&self, round_trip: u64, way: Way) {
        self.plan_in_a_row(round_trip, way, 1);
    }

    /// Fails the `round_trip`-th round trip from now on (counted from 1, over all connections), and then the same statement when
    /// it comes again, `times` in all. Literals may differ.
    pub fn plan_in_a_row(&self, round_trip: u64, way: Way, times: u32) {
        let at = At::RoundTrip(usize::try_from(round_trip).unwrap_or(usize::MAX));
        let next = (times > 0).then_some(Planned { at, way, times });
        *self.lock() = Plan { next, record: Record::default() };
    }

    /// Round trips since the last plan was made, the failed ones included.
    pub fn round_trips(&self) -> u64 {
        self.lock().record.sent.len() as u64
    }

    /// The texts of these round trips, and `PING` and `RESET CONNECTION`, in their order.
    pub fn sent(&self) -> Vec<String> {
        self.lock().record.sent.clone()
    }

    /// Whether a planned failure is still to come.
    pub fn is_pending(&self) -> bool {
        self.lock().next.is_some()
    }

    pub(crate) fn record(&self) -> Record {
        self.lock().record.clone()
    }

    fn pass(&self, text: &str) -> Option<Way> {
        self.lock().pass(text)
    }

    fn lock(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plan {
    fn pass(&mut self, text: &str) -> Option<Way> {
        self.record.sent.push(text.to_owned());
        let passed = self.record.sent.len();
        let Planned { way, times, .. } = *self.next.as_ref().filter(|planned| planned.at.is(passed, text))?;
        self.record.until_failed = Some(passed);
        let left = times - 1;
        self.next = (left > 0).then(|| Planned { at: At::Shape(shape(text)), way, times: left });
        Some(way)
    }
}

impl At {
    fn is(&self, passed: usize, text: &str) -> bool {
        match self {
            Self::RoundTrip(n) => *n == passed,
            Self::Shape(wanted) => *wanted == shape(text),
        }
    }
}

/// A text without its numbers and what stands in quotes: names of savepoints, keys of outcomes and literals differ from one
/// attempt to the next.
pub(crate) fn shape(text: &str) -> String {
    let outside_quotes = text.split('\'').step_by(2);
    outside_quotes.flat_map(str::chars).filter(|c| !c.is_ascii_digit()).collect()
}

#[derive(Debug)]
pub(crate) struct FailingWire {
    inner: Box<dyn Wire>,
    failures: Failures,
    counted: Counted,
    /// Round trips that failed and did not get through.
    lost: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    /// The connection is being opened or reset.
    NotYet,
    Yes,
}

impl FailingWire {
    pub(crate) fn new(inner: Box<dyn Wire>, failures: Failures) -> Self {
        Self { inner, failures, counted: Counted::NotYet, lost: 0 }
    }

    fn way(&mut self, request: &Request<'_>) -> Option<Way> {
        let opening = request.text().contains("session_track_state_change");
        match (self.counted, opening) {
            (Counted::NotYet, false) => None,
            (Counted::NotYet, true) => {
                self.counted = Counted::Yes;
                None
            }
            (Counted::Yes, _) => {
                let way = self.failures.pass(request.text());
                self.lost += u64::from(matches!(way, Some(Way::Refused(_) | Way::LostBefore)));
                way
            }
        }
    }

    fn lost(&mut self) -> mysql::Error {
        self.inner.shut();
        mysql::Error::IoError(std::io::Error::new(std::io::ErrorKind::BrokenPipe, "planned loss of the connection"))
    }

    /// Fails as planned; `ask` is what was to be asked. `Err` = another failure came first.
    fn fail(&mut self, way: Way, ask: impl FnOnce(&mut dyn Wire) -> mysql::Result<()>) -> mysql::Result<mysql::Error> {
        Ok(match way {
            Way::Refused(code) => server(code, "planned refusal"),
            Way::Deadlock => {
                self.inner.exchange(Request::Query("ROLLBACK"), &mut drop)?;
                server(1213, "planned deadlock")
            }
            Way::LostBefore => self.lost(),
            Way::ReplyLost => {
                // Whatever the answer was, an error included.
                let _lost = ask(&mut *self.inner);
                self.lost()
            }
        })
    }
}

impl Wire for FailingWire {
    fn exchange(&mut self, request: Request<'_>, rows: &mut dyn FnMut(Row)) -> mysql::Result<Answer> {
        match self.way(&request) {
            None => self.inner.exchange(request, rows),
            Some(way) => Err(self.fail(way, |wire| wire.exchange(request, &mut drop).map(drop))?),
        }
    }

    fn packet(&mut self, statements: &[Part<'_>], results: &mut dyn FnMut(Answer)) -> mysql::Result<()> {
        match self.way(&Request::Query(&joined(statements))) {
            None => self.inner.packet(statements, results),
            Some(way) => Err(self.fail(way, |wire| wire.packet(statements, &mut drop))?),
        }
    }

    /// Part of the round trip that follows.
    fn prepare(&mut self, sql: &str) -> mysql::Result<()> {
        self.inner.prepare(sql)
    }

    fn statement(&mut self, sql: &str) -> mysql::Result<Statement> {
        self.conn(sql)?;
        self.inner.statement(sql)
    }

    fn close(&mut self, statement: Statement) -> mysql::Result<()> {
        self.conn("the end of a prepared statement")?;
        self.inner.close(statement)
    }

    fn conn(&mut self, sql: &str) -> mysql::Result<&mut Conn> {
        match self.way(&Request::Query(sql)) {
            None => self.inner.conn(sql),
            Some(Way::Refused(code)) => Err(server(code, "planned refusal")),
            Some(Way::Deadlock) => {
                self.inner.exchange(Request::Query("ROLLBACK"), &mut drop)?;
                Err(server(1213, "planned deadlock"))
            }
            Some(Way::LostBefore | Way::ReplyLost) => Err(self.lost()),
        }
    }

    fn tracked(&self) -> Tracked {
        self.inner.tracked()
    }

    fn round_trips(&self) -> u64 {
        self.inner.round_trips() + self.lost
    }

    fn connection_id(&self) -> u32 {
        self.inner.connection_id()
    }

    fn stopper(&self) -> Box<dyn FnOnce() + Send> {
        self.inner.stopper()
    }

    fn shut(&mut self) {
        self.inner.shut();
    }
}

fn server(code: u16, message: &str) -> mysql::Error {
    mysql::Error::MySqlError(MySqlError { code, state: sqlstate(code).into(), message: message.into() })
}

/// As the servers have it, for the numbers that tests plan most; HY000 is what they have for most others.
fn sqlstate(code: u16) -> &'static str {
    match code {
        1213 => "40001",
        1048 | 1062 | 1451 | 1452 => "23000",
        1317 => "70100",
        1040 => "08004",
        1047 | 1053 => "08S01",
        _ => "HY000",
    }
}
