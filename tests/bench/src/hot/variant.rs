//! Who is compared on hot rows: the library, and what one could put around it instead. Decides their names, which of them a cell has
//! unless it is told, and with which database and policy each runs.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use unit_of_work::{Admission, Database, Retry};

use crate::Failure;
use crate::hot::policy::Policy;
use crate::hot::semaphore::Semaphore;

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    /// The library as a user gets it.
    Unit,
    /// … with a gate of its own for the hot row.
    UnitKeyed,
    /// … with its gate at one width.
    Gate(NonZeroU32),
    /// … without a gate.
    Open,
    /// The library's own loop around attempts that fail, run again at once.
    AtOnce,
    /// … after a sleep.
    Backoff,
    /// … in a fair queue, so many at a time.
    Fixed(NonZeroU32),
}

/// The widths that the best of which is what the library is held against.
const WIDTHS: [u32; 5] = [1, 2, 4, 8, 16];

impl Variant {
    /// Those that are measured unless others are asked for. A width that admits all threads is the same as `at_once`.
    pub(crate) fn usual(threads: u32) -> Vec<Self> {
        let fixed = WIDTHS.into_iter().filter(|width| *width < threads).filter_map(NonZeroU32::new).map(Self::Fixed);
        [Self::Unit, Self::AtOnce, Self::Backoff].into_iter().chain(fixed).collect()
    }

    /// Whether the library is held against it.
    pub(crate) fn is_rival(self) -> bool {
        matches!(self, Self::AtOnce | Self::Backoff | Self::Fixed(_))
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit => f.write_str("unit"),
            Self::UnitKeyed => f.write_str("unit_keyed"),
            Self::Gate(width) => write!(f, "gate_{width}"),
            Self::Open => f.write_str("open"),
            Self::AtOnce => f.write_str("at_once"),
            Self::Backoff => f.write_str("backoff"),
            Self::Fixed(width) => write!(f, "fixed_{width}"),
        }
    }
}

impl FromStr for Variant {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let numbered = |prefix| name.strip_prefix(prefix)?.parse().ok();
        let known = match name {
            "unit" => Some(Self::Unit),
            "unit_keyed" => Some(Self::UnitKeyed),
            "open" => Some(Self::Open),
            "at_once" => Some(Self::AtOnce),
            "backoff" => Some(Self::Backoff),
            _ => numbered("fixed_").map(Self::Fixed).or_else(|| numbered("gate_").map(Self::Gate)),
        };
        known.ok_or_else(|| {
            "there are unit, unit_keyed, open, gate_1, gate_2, …, at_once, backoff, and fixed_1, fixed_2, …".to_owned()
        })
    }
}

/// A variant with what it runs on, shared by the threads of a process.
#[derive(Debug)]
pub(crate) struct Entrant {
    pub(crate) policy: Policy,
    pub(crate) database: Database,
}

/// Connects so many variants to `url`, each with a database of its own and in it a connection for each thread: gates belong to a
/// database, and connections that several variants shared would be warmer than those of the others.
pub(crate) fn connect(variants: &[Variant], url: &str, threads: u32) -> Result<Vec<Entrant>, Failure> {
    let threads = usize::try_from(threads)?;
    let builder = || Database::builder().url(url).max_connections(threads);
    let ours = |policy, admission| Ok(Entrant { policy, database: builder().admission(admission).connect()? });
    let entrant = |variant: &Variant| {
        let others = |policy| {
            let database = builder().retry(Retry::NEVER).admission(Admission::Open).connect()?;
            Ok(Entrant { policy, database })
        };
        match variant {
            Variant::Unit => ours(Policy::Library, Admission::Adaptive),
            Variant::UnitKeyed => ours(Policy::Keyed, Admission::Adaptive),
            Variant::Gate(width) => ours(Policy::Library, Admission::Fixed(*width)),
            Variant::Open => ours(Policy::Library, Admission::Open),
            Variant::AtOnce => others(Policy::AtOnce),
            Variant::Backoff => others(Policy::Backoff),
            Variant::Fixed(width) => others(Policy::Fixed(Semaphore::new(width.get()))),
        }
    };
    variants.iter().map(entrant).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_what_is_read() {
        let names: Vec<_> = Variant::usual(64).iter().map(Variant::to_string).collect();
        assert_eq!(names, ["unit", "at_once", "backoff", "fixed_1", "fixed_2", "fixed_4", "fixed_8", "fixed_16"]);
        let read: Vec<Variant> = names.iter().map(|name| name.parse().expect("a name")).collect();
        assert_eq!(read, Variant::usual(64));
        for name in ["unit_keyed", "gate_2", "open"] {
            assert_eq!(name.parse::<Variant>().map(|variant| variant.to_string()).as_deref(), Ok(name));
        }
        for wrong in ["fixed_0", "gate_0", "fixed_", "fixed", "units", ""] {
            assert!(wrong.parse::<Variant>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn no_width_admits_all_threads() {
        let names: Vec<_> = Variant::usual(4).iter().map(Variant::to_string).collect();
        assert_eq!(names, ["unit", "at_once", "backoff", "fixed_1", "fixed_2"]);
    }
}
