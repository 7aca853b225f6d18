//! Values that live as long as an attempt or a savepoint: what libraries need to gather things during a unit and to flush them
//! in `before_commit`. One value per type.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::rc::Rc;

#[derive(Default)]
pub(crate) struct Locals(HashMap<TypeId, Rc<dyn Any>>);

impl Locals {
    pub(crate) fn get<T: 'static>(&self) -> Option<Rc<T>> {
        self.0.get(&TypeId::of::<T>()).cloned()?.downcast().ok()
    }

    /// The first value of a type stands.
    pub(crate) fn keep<T: 'static>(&mut self, value: Rc<T>) {
        self.0.entry(TypeId::of::<T>()).or_insert(value);
    }

    /// Of two values of a type the outer one stands: others may hold it already. Gives back those that have no place, so that
    /// they are dropped where users' destructors may run.
    pub(crate) fn absorb(&mut self, inner: Self) -> Vec<Rc<dyn Any>> {
        let mut displaced = Vec::new();
        for (key, value) in inner.0 {
            match self.0.entry(key) {
                Entry::Vacant(place) => {
                    place.insert(value);
                }
                Entry::Occupied(_) => displaced.push(value),
            }
        }
        displaced
    }
}

impl fmt::Debug for Locals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Locals({})", self.0.len())
    }
}
