//! Who a unit is: its name and the place where it was written. Every message, event and figure names a unit by these.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A unit's name and place. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Label {
    name: Name,
    file: &'static str,
    line: u32,
}

impl Label {
    pub(crate) fn new(name: impl Into<Cow<'static, str>>, file: &'static str, line: u32) -> Self {
        Self { name: name.into().into(), file, line }
    }

    pub(crate) fn name(&self) -> &str {
        self.name.text()
    }

    /// The same, cheap to clone whatever its name was made of: for what lives as long as the process.
    pub(crate) fn kept(self) -> Self {
        let name = match self.name {
            Name::Written(name) => name,
            Name::Made(name) => name.to_string().leak(),
        };
        Self { name: Name::Written(name), ..self }
    }

    /// File and line.
    pub(crate) fn place(&self) -> (&'static str, u32) {
        (self.file, self.line)
    }

    /// The same, to be shown.
    pub(crate) fn at(&self) -> At {
        At(self.file, self.line)
    }

    /// A number that is the same for the same name and line, and most likely another for another: FNV-1a, folded, because its lower
    /// bits alone know nothing of what the upper ones have taken up.
    pub(crate) fn digest(&self) -> u64 {
        const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0100_0000_01b3;
        let step = |digest: u64, byte: &u8| (digest ^ u64::from(*byte)).wrapping_mul(PRIME);
        let line = self.line.to_le_bytes();
        let digest = self.name().as_bytes().iter().chain(&line).fold(BASIS, step);
        digest ^ (digest >> 32)
    }
}

/// A name, from the program's text or made at run time.
#[derive(Debug, Clone)]
enum Name {
    Written(&'static str),
    Made(Arc<str>),
}

impl Name {
    fn text(&self) -> &str {
        match self {
            Self::Written(name) => name,
            Self::Made(name) => name,
        }
    }
}

/// Wherever it is kept.
impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.text().hash(hasher);
    }
}

impl From<Cow<'static, str>> for Name {
    fn from(name: Cow<'static, str>) -> Self {
        match name {
            Cow::Borrowed(name) => Self::Written(name),
            Cow::Owned(name) => Self::Made(name.into()),
        }
    }
}

/// A place, as messages name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At(&'static str, u32);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0, self.1)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({})", self.name(), self.at())
    }
}
