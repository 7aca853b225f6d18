//! Who a unit is: its name and the place where it was written. Every message, event and figure names a unit by these.

use std::borrow::Cow;
use std::fmt;

/// A unit's name and place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Label {
    name: Cow<'static, str>,
    file: &'static str,
    line: u32,
}

impl Label {
    pub(crate) fn new(name: impl Into<Cow<'static, str>>, file: &'static str, line: u32) -> Self {
        Self { name: name.into(), file, line }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({}:{})", self.name, self.file, self.line)
    }
}
