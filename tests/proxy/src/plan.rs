//! Decides which command a planned cut or hold applies to, each once. Carrying it out is the connection's business.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use crate::hold::Gate;

/// A cut to plan with [`Proxy::cut`](crate::Proxy::cut).
#[derive(Clone, Copy, Debug)]
pub struct Cut<'a> {
    /// The command at which the connection is closed.
    pub at: Packet<'a>,
    /// Whether the server still gets it.
    pub side: Side,
}

/// Which round trip a cut or hold is meant for.
#[derive(Clone, Copy, Debug)]
pub enum Packet<'a> {
    /// The n-th round trip from now on, counted from 1, on whichever connection.
    Command(u64),
    /// The next round trip whose [text](crate::Command::text) starts with this, in upper or lower case. A prepared
    /// statement has its text at the preparation and again at every execution.
    Text(&'a str),
}

/// On which side of the server's work a cut or hold happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The command stops in the proxy: the server has not seen it.
    BeforeServer,
    /// The server has executed the command, and the first packet of its answer has arrived in the proxy completely: the
    /// client has not seen any of it.
    AfterServer,
}

/// What is to happen to one matched command. All of it is planned by the test, none of it has happened yet.
#[derive(Debug)]
pub(crate) struct Plan {
    target: Target,
    pub(crate) side: Side,
    pub(crate) action: Action,
}

#[derive(Debug)]
pub(crate) enum Action {
    Hold(Arc<Gate>),
    Cut(Arc<PendingCut>),
}

/// Whether one cut is still to come.
#[derive(Debug)]
pub(crate) struct PendingCut(AtomicBool);

impl PendingCut {
    pub(crate) fn happened(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

#[derive(Debug)]
enum Target {
    Countdown(u64),
    Prefix(String),
}

impl Target {
    fn new(packet: Packet<'_>) -> Self {
        match packet {
            Packet::Command(n) => {
                assert!(n > 0, "Packet::Command(0) matches nothing: round trips are counted from 1");
                Self::Countdown(n)
            }
            Packet::Text(prefix) => Self::Prefix(prefix.to_owned()),
        }
    }

    /// Takes notice of one more round trip and tells whether it is the one.
    fn is_met_by(&mut self, text: &str) -> bool {
        match self {
            Self::Countdown(left) => {
                *left -= 1;
                *left == 0
            }
            Self::Prefix(prefix) => {
                text.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
            }
        }
    }
}

/// All cuts and holds that no command has matched yet.
#[derive(Debug, Default)]
pub(crate) struct Plans(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    plans: Vec<Plan>,
    last_cut: Option<Arc<PendingCut>>,
    /// Every gate that somebody may be waiting at.
    gates: Vec<Weak<Gate>>,
}

impl Plans {
    pub(crate) fn cut(&self, cut: Cut<'_>) {
        let target = Target::new(cut.at);
        let pending = Arc::new(PendingCut(AtomicBool::new(true)));
        let mut state = self.state();
        state.last_cut = Some(Arc::clone(&pending));
        state.plans.retain(|plan| matches!(plan.action, Action::Hold(_)));
        state.plans.push(Plan { target, side: cut.side, action: Action::Cut(pending) });
    }

    pub(crate) fn cut_planned(&self) -> bool {
        self.state().last_cut.as_ref().is_some_and(|cut| cut.0.load(Ordering::SeqCst))
    }

    pub(crate) fn hold(&self, at: Packet<'_>, side: Side) -> Arc<Gate> {
        let target = Target::new(at);
        let gate = Arc::new(Gate::default());
        let mut state = self.state();
        state.gates.retain(|gate| gate.strong_count() > 0);
        state.gates.push(Arc::downgrade(&gate));
        // In front of a planned cut: whatever is both held and cut must be held first, for nothing comes after a cut.
        state.plans.insert(0, Plan { target, side, action: Action::Hold(Arc::clone(&gate)) });
        gate
    }

    /// Takes what is planned for a round trip with this text: what happens before the server, then what happens after it.
    pub(crate) fn take_for(&self, text: &str) -> (Vec<Plan>, Vec<Plan>) {
        let mut state = self.state();
        let matched = state.plans.extract_if(.., |plan| plan.target.is_met_by(text));
        matched.partition(|plan| plan.side == Side::BeforeServer)
    }

    /// Lets everything go on that waits or will ever wait.
    pub(crate) fn open_all_gates(&self) {
        for gate in self.state().gates.iter().filter_map(Weak::upgrade) {
            gate.open();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nothing panics while it holds this lock")
    }
}
