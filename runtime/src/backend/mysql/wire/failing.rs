//! A wire around another one that fails it at a chosen round trip in a chosen way. The opening of connections is not counted,
//! so that the n-th round trip is the n-th thing that units asked for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mysql::{Conn, MySqlError, Row};

use super::{Answer, Request, Tracked, Wire};

/// How a round trip fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Way {
    /// The server refuses it with this error number; the transaction stands.
    Refused(u16),
    /// The server finds a deadlock: it rolls the transaction back and answers 1213.
    Deadlock,
    /// The connection is lost before the request arrives.
    LostBefore,
    /// The request is carried out, and the connection is lost before the answer arrives.
    ReplyLost,
}

/// Planned failures, to be given to [`DatabaseBuilder::failures`](crate::DatabaseBuilder::failures). Clones are the same plan.
#[derive(Debug, Clone, Default)]
pub struct Failures(Arc<Mutex<Plan>>);

#[derive(Debug, Default)]
struct Plan {
    planned: Option<(u64, Way)>,
    passed: u64,
}

impl Failures {
    /// No failure is planned.
    pub fn new() -> Self {
        Self::default()
    }

    /// Fails the `round_trip`-th round trip from now on (counted from 1, over all connections), once.
    pub fn plan(&self, round_trip: u64, way: Way) {
        *self.lock() = Plan { planned: Some((round_trip, way)), passed: 0 };
    }

    /// Round trips since the last [`plan`](Failures::plan), the failed one included.
    pub fn round_trips(&self) -> u64 {
        self.lock().passed
    }

    /// Whether the planned failure is still to come.
    pub fn is_pending(&self) -> bool {
        self.lock().planned.is_some()
    }

    fn next(&self) -> Option<Way> {
        let mut plan = self.lock();
        plan.passed += 1;
        let (at, way) = plan.planned?;
        if plan.passed < at {
            return None;
        }
        plan.planned = None;
        Some(way)
    }

    fn lock(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
pub(crate) struct FailingWire {
    inner: Box<dyn Wire>,
    failures: Failures,
    counted: Counted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    /// The connection is being opened or reset.
    NotYet,
    Yes,
}

impl FailingWire {
    pub(crate) fn new(inner: Box<dyn Wire>, failures: Failures) -> Self {
        Self { inner, failures, counted: Counted::NotYet }
    }

    fn way(&mut self, request: &Request<'_>) -> Option<Way> {
        let opening = request.text().contains("session_track_state_change");
        match (self.counted, opening) {
            (Counted::NotYet, false) => None,
            (Counted::NotYet, true) => {
                self.counted = Counted::Yes;
                None
            }
            (Counted::Yes, _) => self.failures.next(),
        }
    }

    fn lost(&mut self) -> mysql::Error {
        self.inner.shut();
        mysql::Error::IoError(std::io::Error::new(std::io::ErrorKind::BrokenPipe, "planned loss of the connection"))
    }
}

impl Wire for FailingWire {
    fn exchange(&mut self, request: Request<'_>, rows: &mut dyn FnMut(Row)) -> mysql::Result<Answer> {
        match self.way(&request) {
            None => self.inner.exchange(request, rows),
            Some(Way::Refused(code)) => Err(server(code, "HY000", "planned refusal")),
            Some(Way::Deadlock) => {
                self.inner.exchange(Request::Query("ROLLBACK"), &mut drop)?;
                Err(server(1213, "40001", "planned deadlock"))
            }
            Some(Way::LostBefore) => Err(self.lost()),
            Some(Way::ReplyLost) => {
                self.inner.exchange(request, &mut drop)?;
                Err(self.lost())
            }
        }
    }

    /// Part of the round trip that follows.
    fn prepare(&mut self, sql: &str) -> mysql::Result<()> {
        self.inner.prepare(sql)
    }

    fn conn(&mut self, sql: &str) -> mysql::Result<&mut Conn> {
        match self.way(&Request::Query(sql)) {
            None => self.inner.conn(sql),
            Some(Way::Refused(code)) => Err(server(code, "HY000", "planned refusal")),
            Some(Way::Deadlock) => {
                self.inner.exchange(Request::Query("ROLLBACK"), &mut drop)?;
                Err(server(1213, "40001", "planned deadlock"))
            }
            Some(Way::LostBefore | Way::ReplyLost) => Err(self.lost()),
        }
    }

    fn tracked(&self) -> Tracked {
        self.inner.tracked()
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

fn server(code: u16, state: &str, message: &str) -> mysql::Error {
    mysql::Error::MySqlError(MySqlError { code, state: state.into(), message: message.into() })
}
