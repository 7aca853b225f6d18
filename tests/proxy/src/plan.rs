//! Decides which command or frame a plan (a cut, a hold, a delay, a loss) applies to, each once. Carrying it out is the
//! connection's business.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use crate::ending::Ending;
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

/// A cut to plan with [`Proxy::cut_frame`](crate::Proxy::cut_frame): at any packet, also in the middle of an answer, of the
/// handshake, or of the packet itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameCut {
    /// Which packets are counted.
    pub direction: Direction,
    /// The n-th of them from now on, counted from 1, on whichever connection, those of a handshake included.
    pub number: u64,
    /// How much of it still arrives.
    pub part: Part,
    /// How the connection ends.
    pub ending: Ending,
}

/// Where a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From a client to the server.
    ToServer,
    /// From the server to a client.
    ToClient,
}

/// How much of the packet arrives at which a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// None of it.
    Nothing,
    /// The first half of its bytes, header included.
    Half,
    /// All of it: what is cut is whatever comes after.
    All,
}

impl Part {
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        match self {
            Self::Nothing => &[],
            Self::Half => &bytes[..bytes.len() / 2],
            Self::All => bytes,
        }
    }
}

/// A frame's cut that is due.
#[derive(Debug)]
pub(crate) struct DueCut {
    pub(crate) part: Part,
    pub(crate) ending: Ending,
    pub(crate) pending: Arc<PendingCut>,
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
    Delay(Duration),
    Lose,
    Cut(Arc<PendingCut>, Ending),
}

impl Action {
    /// Whatever is held, delayed and cut on the same side is so in this order: nothing comes after a cut.
    fn is_last(&self) -> bool {
        match self {
            Self::Hold(_) | Self::Delay(_) => false,
            Self::Lose | Self::Cut(..) => true,
        }
    }

    fn is_cut(&self) -> bool {
        matches!(self, Self::Cut(..))
    }
}

/// Whether one cut is still to come.
#[derive(Debug)]
pub(crate) struct PendingCut(AtomicBool);

impl PendingCut {
    fn new() -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(true)))
    }

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

impl State {
    fn add(&mut self, plan: Plan) {
        let at = if plan.action.is_last() { self.plans.len() } else { 0 };
        self.plans.insert(at, plan);
    }

    fn forget_cuts(&mut self) {
        self.plans.retain(|plan| !plan.action.is_cut());
        self.frame_cut = None;
    }
}

/// All plans that nothing has matched yet.
#[derive(Debug, Default)]
pub(crate) struct Plans(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    plans: Vec<Plan>,
    frame_cut: Option<(FrameCut, Arc<PendingCut>)>,
    last_cut: Option<Arc<PendingCut>>,
    /// Every gate that somebody may be waiting at.
    gates: Vec<Weak<Gate>>,
}

impl Plans {
    pub(crate) fn cut(&self, cut: Cut<'_>, ending: Ending) {
        let target = Target::new(cut.at);
        let pending = PendingCut::new();
        let mut state = self.state();
        state.forget_cuts();
        state.last_cut = Some(Arc::clone(&pending));
        state.add(Plan { target, side: cut.side, action: Action::Cut(pending, ending) });
    }

    pub(crate) fn cut_frame(&self, cut: FrameCut) {
        assert!(cut.number > 0, "frame 0 is none: frames are counted from 1");
        let pending = PendingCut::new();
        let mut state = self.state();
        state.forget_cuts();
        state.last_cut = Some(Arc::clone(&pending));
        state.frame_cut = Some((cut, pending));
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
        state.add(Plan { target, side, action: Action::Hold(Arc::clone(&gate)) });
        gate
    }

    pub(crate) fn delay(&self, at: Packet<'_>, side: Side, time: Duration) {
        self.state().add(Plan { target: Target::new(at), side, action: Action::Delay(time) });
    }

    pub(crate) fn lose(&self, at: Packet<'_>, side: Side) {
        self.state().add(Plan { target: Target::new(at), side, action: Action::Lose });
    }

    /// Takes notice of one more frame in this direction, and takes the cut that is planned for it.
    pub(crate) fn take_frame_cut(&self, direction: Direction) -> Option<DueCut> {
        let mut state = self.state();
        let (cut, _) = state.frame_cut.as_mut().filter(|(cut, _)| cut.direction == direction)?;
        cut.number -= 1;
        let (FrameCut { part, ending, .. }, pending) = state.frame_cut.take_if(|(cut, _)| cut.number == 0)?;
        Some(DueCut { part, ending, pending })
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
