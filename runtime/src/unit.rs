//! The descriptor of a unit: what it is called, where it stands, what it asks for. Built in a constant expression by the
//! attribute, or by [`UnitBuilder`](crate::UnitBuilder) at run time.

use std::sync::OnceLock;
use std::time::Duration;

use crate::label::Label;
use crate::options::{Access, Isolation, LostCommit, Options, Propagation, Replay, Retry, Snapshot};
use crate::units::{Figures, register};

/// What the attribute knows of a function.
#[derive(Debug)]
pub struct Unit {
    function: &'static str,
    name: Option<&'static str>,
    file: &'static str,
    line: u32,
    pub(crate) options: Options,
    full_name: OnceLock<String>,
    figures: OnceLock<&'static Figures>,
}

impl Unit {
    /// A unit of the function's name, at the place of that name.
    pub const fn new(function: &'static str, file: &'static str, line: u32) -> Self {
        Self {
            function,
            name: None,
            file,
            line,
            options: Options::NONE,
            full_name: OnceLock::new(),
            figures: OnceLock::new(),
        }
    }

    /// Replaces the name that is derived from module, type and function.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// The isolation level.
    pub const fn isolation(mut self, isolation: Isolation) -> Self {
        self.options.isolation = Some(isolation);
        self
    }

    /// Whether it writes.
    pub const fn access(mut self, access: Access) -> Self {
        self.options.access = access;
        self
    }

    /// What it does when the thread is in a unit already, and when it is not.
    pub const fn propagation(mut self, propagation: Propagation) -> Self {
        self.options.propagation = propagation;
        self
    }

    /// It may end on its own again when the unit around it runs again.
    pub const fn repeatable(mut self) -> Self {
        self.options.replay = Replay::Repeatable;
        self
    }

    /// One deadline over admission, waiting, all attempts and backoff.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// How long the server waits for a lock.
    pub const fn lock_wait(mut self, wait: Duration) -> Self {
        self.options.lock_wait = Some(wait);
        self
    }

    /// The read view is taken at the begin; implies `repeatable read`, since servers ignore it elsewhere.
    pub const fn snapshot(mut self) -> Self {
        self.options.snapshot = Snapshot::AtBegin;
        self.options.isolation = Some(Isolation::RepeatableRead);
        self
    }

    /// The outcome of a COMMIT without an answer is resolved.
    pub const fn exactly_once(mut self) -> Self {
        self.options.lost_commit = LostCommit::Resolved;
        self
    }

    /// How it is retried.
    pub const fn retry(mut self, retry: Retry) -> Self {
        self.options.retry = Some(retry);
        self
    }

    /// Its figures, with its label.
    pub(crate) fn figures(&'static self, body_type: fn() -> &'static str) -> &'static Figures {
        self.figures.get_or_init(|| register(self.label(body_type), self.options))
    }

    /// `body_type` is the type name of the body's closure, `module::Type::function::{{closure}}`: the only place where the
    /// compiler tells a macro's output which module and type it stands in.
    fn label(&'static self, body_type: fn() -> &'static str) -> Label {
        let name = self.name.unwrap_or_else(|| self.full_name.get_or_init(|| self.derived(body_type())));
        Label::new(name, self.file, self.line)
    }

    fn derived(&self, body_type: &str) -> String {
        let path = without_type_arguments(body_type.trim_end_matches("::{{closure}}"));
        // Without the function's own name in it the text is not what we take it for; the plain name is still right.
        if path.contains(self.function) { path } else { self.function.to_owned() }
    }
}

/// `bank::Account<i32>::transfer<&str>` is the same unit whatever it is instantiated with: they share one descriptor. What
/// stands before a path in `<Type as Trait>::function` is kept, without its own arguments.
fn without_type_arguments(path: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::new();
    for (at, character) in path.char_indices() {
        match character {
            '<' if at == 0 => kept.push('<'),
            '<' => depth += 1,
            '>' if depth > 0 => depth -= 1,
            _ if depth == 0 => kept.push(character),
            _ => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    static PLAIN: Unit = Unit::new("transfer", "src/bank.rs", 3);
    static GENERIC: Unit = Unit::new("put", "src/bank.rs", 3);
    static NAMED: Unit = Unit::new("transfer", "src/bank.rs", 3).name("pay");
    static ODD: Unit = Unit::new("transfer", "src/bank.rs", 3);

    #[test]
    fn the_name_comes_from_the_type_of_the_body() {
        assert_eq!(PLAIN.label(|| "bank::Account::transfer::{{closure}}").name(), "bank::Account::transfer");
        let generic = GENERIC.label(|| "<n::A<Vec<i32>> as n::L<u8>>::put<&str, 2>::{{closure}}");
        assert_eq!(generic.name(), "<n::A as n::L>::put");
        assert_eq!(NAMED.label(|| "bank::transfer::{{closure}}").to_string(), "`pay` (src/bank.rs:3)");
        assert_eq!(ODD.label(|| "something else").name(), "transfer");
    }
}
