//! How a request goes out, and whether its answer is believed: measured, so that nothing is sent that the server does not take; as a
//! text where it has no room for another prepared statement; and whether an OK is believed is asked of `silence`.

use mysql::Row;
use unit_of_work_sql::{Touches, Wait};

use super::silence::Killed;
use super::{Left, MySqlConnection};
use crate::backend::mysql::faults;
use crate::backend::mysql::in_words::in_words;
use crate::backend::mysql::sizes::largest_packet;
use crate::backend::mysql::wire::{Answer, Request};
use crate::error::ErrorKind;
use crate::fault::{Again, Failed, Undone};

/// "Can't create more than `max_prepared_stmt_count` statements", of all clients together.
pub(super) const NO_ROOM: u16 = 1461;

impl MySqlConnection {
    /// Runs a text of ours or of an administrator's, unread.
    pub(crate) fn send(&mut self, sql: &str) -> Result<Answer, Failed> {
        self.exchange(Request::Query(sql), &mut drop)
    }

    pub(crate) fn exchange(&mut self, request: Request<'_>, rows: &mut dyn FnMut(Row)) -> Result<Answer, Failed> {
        let asked = self.server.asking();
        let answer = self.prepare(&request).and_then(|()| self.wire.exchange(request, rows));
        if answer.is_ok() {
            self.server.answered(asked);
        }
        answer.map_err(|error| self.failed(faults::failed(error), Wait::Server))
    }

    /// Refuses what is larger than the server takes; `size` in bytes.
    pub(crate) fn measure(&self, size: u64) -> Result<(), Failed> {
        let limit = self.server.max_allowed_packet;
        if size <= limit {
            return Ok(());
        }
        let detail = format!(
            "{size} bytes are more than the server takes in one packet ({limit}); nothing was sent; \
             raise `max_allowed_packet` there, or send less"
        );
        Err(Failed::of(ErrorKind::TooLarge, Undone::Statement, Again::Never, detail))
    }

    pub(super) fn noting(
        &mut self,
        touches: Touches,
        wait: Wait,
        request: Request<'_>,
        rows: &mut dyn FnMut(Row),
    ) -> Result<Answer, Failed> {
        if touches == Touches::Session {
            self.left = Left::Something;
        }
        let (sql, doubtful, asked) = (request.text(), self.doubtful(&request), self.server.asking());
        let answer = self.prepared(request, rows).inspect(|_| self.server.answered(asked));
        let answer = answer.map_err(|error| self.failed(faults::failed(error), wait))?;
        let Some(update) = doubtful.filter(|_| self.is_silent(sql, &answer)) else { return Ok(answer) };
        match self.was_killed(&update)? {
            Killed::No => Ok(answer),
            Killed::InSilence => Err(faults::failed(faults::killed_in_silence())),
        }
    }

    /// Sends a request; as a text where the server has no room for another prepared statement. Of bodies only: an administrator
    /// may have changed the `sql_mode`, and with it where values go in a text.
    fn prepared(&mut self, request: Request<'_>, rows: &mut dyn FnMut(Row)) -> mysql::Result<Answer> {
        match self.prepare(&request) {
            Ok(()) => self.wire.exchange(request, rows),
            Err(mysql::Error::MySqlError(full)) if full.code == NO_ROOM => match self.texts_of(&request) {
                Some(texts) => {
                    let mut one = |text: &String| self.wire.exchange(Request::Query(text), rows);
                    texts.iter().try_fold(Answer::default(), |_, text| one(text))
                }
                None => Err(mysql::Error::MySqlError(full)),
            },
            Err(error) => Err(error),
        }
    }

    fn prepare(&mut self, request: &Request<'_>) -> mysql::Result<()> {
        match request {
            Request::Execute(sql, _) | Request::Batch(sql, _) => self.wire.prepare(sql),
            Request::Query(_) | Request::Secret(_) | Request::Ping | Request::Reset => Ok(()),
        }
    }

    /// One text for each row of parameters, if all can be written and fit.
    fn texts_of(&self, request: &Request<'_>) -> Option<Vec<String>> {
        let (sql, rows) = match request {
            Request::Execute(sql, params) => (sql, std::slice::from_ref(params)),
            Request::Batch(sql, batch) => (sql, batch.as_slice()),
            Request::Query(_) | Request::Secret(_) | Request::Ping | Request::Reset => return None,
        };
        let text = |params| in_words(sql, params, self.server.mode);
        let fits = |text: &String| self.measure(largest_packet(&Request::Query(text))).is_ok();
        rows.iter().map(|params| text(params).filter(fits)).collect()
    }
}
