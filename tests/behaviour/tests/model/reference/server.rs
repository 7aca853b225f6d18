//! The model's server and pool: which connection a unit gets, what is sent on it, which of it fails as planned. One thread: so
//! there is one parked session at most, and nobody to wait for.

use unit_of_work::{Access, Isolation};

use crate::model::program::{Planned, Sql, Way};
use crate::model::seen::Figures;

/// When what is written is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Commits {
    AtEnd,
    Each,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) commits: Commits,
    pub(super) isolation: Isolation,
    pub(super) access: Access,
}

pub(super) struct Server {
    connections: Vec<Connection>,
    pub(super) log: Vec<(u32, String)>,
    planned: Vec<Planned>,
    /// Those that came true.
    pub(super) failed: Vec<Planned>,
    /// How many of each kind were sent.
    sent: Vec<Sql>,
    parked: Option<usize>,
    free: Vec<usize>,
    /// Lost connections that may live on at the server.
    ghosts: Vec<usize>,
    limit: usize,
}

struct Connection {
    setting: Setting,
    savepoints: u32,
    life: Life,
    transaction: Open,
    /// Another one was lost while this one was idle: so this one may be dead too.
    doubted: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    Alive,
    /// Nothing more may be sent on it.
    Lost,
    Closed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    No,
    Yes,
    /// COMMIT was sent, and no answer came.
    Unknown,
}

impl Server {
    /// One connection is open from the start.
    pub(super) fn new(limit: usize, planned: Vec<Planned>) -> Self {
        let mut server = Self {
            connections: Vec::new(),
            log: Vec::new(),
            planned,
            failed: Vec::new(),
            sent: Vec::new(),
            parked: None,
            free: Vec::new(),
            ghosts: Vec::new(),
            limit,
        };
        let first = server.connect();
        server.free.push(first);
        server
    }

    pub(super) fn figures(&self) -> Figures {
        let open = self.open();
        let (free, parked) = (self.free.len(), usize::from(self.parked.is_some()));
        Figures { open, free, parked, in_use: open - free - parked }
    }

    fn open(&self) -> usize {
        self.connections.iter().filter(|connection| connection.life != Life::Closed).count()
    }

    fn note(&mut self, at: usize, text: &str) {
        let number = u32::try_from(at + 1).expect("few connections");
        self.log.push((number, text.to_owned()));
    }

    fn connect(&mut self) -> usize {
        self.connections.push(Connection {
            setting: Setting { commits: Commits::AtEnd, isolation: Isolation::Serializable, access: Access::ReadWrite },
            savepoints: 0,
            life: Life::Alive,
            transaction: Open::No,
            doubted: false,
        });
        let at = self.connections.len() - 1;
        self.note(at, "CONNECT");
        at
    }

    /// The thread's own session, else another.
    pub(super) fn take(&mut self) -> Option<usize> {
        match self.parked.take() {
            Some(own) => Some(self.lay_ghosts(own)),
            None => self.take_other(),
        }
    }

    /// A free session, else a new one, else none: they are all held by this thread.
    fn take_other(&mut self) -> Option<usize> {
        let room = self.open() < self.limit;
        let other = self.free.pop().or_else(|| room.then(|| self.connect()))?;
        Some(self.lay_ghosts(other))
    }

    fn lay_ghosts(&mut self, at: usize) -> usize {
        for ghost in std::mem::take(&mut self.ghosts) {
            let killed = self.ask(at, &format!("KILL CONNECTION {}", ghost + 1));
            if killed.is_err() {
                // It was lost on the way: another one must do it.
                self.ghosts.push(ghost);
            }
        }
        at
    }

    /// Before the first statement: a connection that turns out to be dead is replaced, since nothing was sent on it.
    pub(super) fn wake(&mut self, mut at: usize) -> usize {
        loop {
            if self.connections[at].life == Life::Alive && std::mem::take(&mut self.connections[at].doubted) {
                // A failure shows in `life`.
                let _pinged = self.ask(at, "PING");
            }
            if self.connections[at].life == Life::Alive {
                return at;
            }
            self.close(at);
            at = self.take_other().expect("the place of the dead one is free");
        }
    }

    /// Idle, or thrown away if it may not be used again.
    pub(super) fn give_back(&mut self, at: usize) {
        let Connection { life, transaction, .. } = self.connections[at];
        if life == Life::Alive && transaction == Open::No {
            self.free.extend(self.parked.replace(at));
        } else {
            self.close(at);
        }
    }

    fn close(&mut self, at: usize) {
        self.note(at, "SHUT");
        self.connections[at].life = Life::Closed;
        // To kill what may be committing could undo it.
        if self.connections[at].transaction != Open::Unknown {
            self.ghosts.push(at);
        }
        for idle in self.parked.iter().chain(&self.free) {
            self.connections[*idle].doubted = true;
        }
    }

    /// The characteristics if they differ: with the first statement of a transaction, with each outside of one.
    pub(super) fn begin(&mut self, at: usize, wanted: Setting) -> Result<(), Way> {
        let Connection { setting: has, transaction, .. } = self.connections[at];
        if transaction != Open::No {
            return Ok(());
        }
        let (autocommit, open) = match wanted.commits {
            Commits::AtEnd => ("SET SESSION autocommit=0".to_owned(), Open::Yes),
            Commits::Each => ("SET SESSION autocommit=1".to_owned(), Open::No),
        };
        let level = format!(
            "SET SESSION TRANSACTION ISOLATION LEVEL {}, {}",
            wanted.isolation.to_string().to_uppercase(),
            wanted.access.to_string().to_uppercase()
        );
        let other = [
            (has.commits != wanted.commits).then_some(autocommit),
            ((has.isolation, has.access) != (wanted.isolation, wanted.access)).then_some(level),
        ];
        let packet: Vec<String> = other.into_iter().flatten().collect();
        if !packet.is_empty() {
            self.ask(at, &packet.join(";"))?;
        }
        self.connections[at].setting = wanted;
        self.connections[at].transaction = open;
        Ok(())
    }

    pub(super) fn next_savepoint(&mut self, at: usize) -> String {
        self.connections[at].savepoints += 1;
        format!("unit_of_work_{}", self.connections[at].savepoints)
    }

    /// Sends nothing where nothing was begun.
    pub(super) fn commit(&mut self, at: usize) -> Result<(), Way> {
        if self.connections[at].transaction == Open::No {
            return Ok(());
        }
        let answer = self.ask(at, "COMMIT AND NO CHAIN NO RELEASE");
        match answer {
            Ok(()) => self.connections[at].transaction = Open::No,
            Err(Way::LostBefore | Way::LostAfter) => self.connections[at].transaction = Open::Unknown,
            Err(Way::Deadlock | Way::LockTimeout | Way::Refused) => {}
        }
        answer
    }

    /// A session that will not roll back must never be used again.
    pub(super) fn roll_back(&mut self, at: usize) {
        if self.connections[at].life != Life::Alive || self.connections[at].transaction == Open::No {
            return;
        }
        match self.ask(at, "ROLLBACK AND NO CHAIN NO RELEASE") {
            Ok(()) => self.connections[at].transaction = Open::No,
            Err(_) => self.connections[at].life = Life::Lost,
        }
    }

    pub(super) fn ask(&mut self, at: usize, text: &str) -> Result<(), Way> {
        if self.connections[at].life != Life::Alive {
            return Err(Way::LostBefore);
        }
        self.note(at, text);
        let sql = *Sql::ALL.iter().find(|sql| text.starts_with(sql.start())).expect("every text is of a kind");
        self.sent.push(sql);
        let nth = self.sent.iter().filter(|sent| **sent == sql).count();
        let planned = self.planned.iter().find(|planned| (planned.sql, planned.nth) == (sql, nth));
        let Some(&planned) = planned else { return Ok(()) };
        self.failed.push(planned);
        let way = planned.way;
        if matches!(way, Way::LostBefore | Way::LostAfter) {
            self.connections[at].life = Life::Lost;
        }
        Err(way)
    }
}
