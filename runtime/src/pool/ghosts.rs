//! Connections that were given up while the server may still work for them. Until their server side ends they hold locks that
//! the next attempt would wait for; so whoever takes a session next ends them first.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::backend::{Backend, Connection};

type Ghost<B> = <<B as Backend>::Connection as Connection>::Ghost;

/// The list, and a flag so that taking a session costs nothing while it is empty.
#[derive(Debug)]
pub(crate) struct Ghosts<B: Backend> {
    some: AtomicBool,
    list: Mutex<Vec<Ghost<B>>>,
}

impl<B: Backend> Default for Ghosts<B> {
    fn default() -> Self {
        Self { some: AtomicBool::new(false), list: Mutex::default() }
    }
}

impl<B: Backend> Ghosts<B> {
    pub(crate) fn remember(&self, ghost: Option<Ghost<B>>) {
        if let Some(ghost) = ghost {
            self.list.lock().unwrap_or_else(PoisonError::into_inner).push(ghost);
            self.some.store(true, Ordering::Release);
        }
    }

    pub(crate) fn take(&self) -> Option<Vec<Ghost<B>>> {
        // Looked at before it is written: a write would take it from all other threads' caches.
        if !self.some.load(Ordering::Acquire) || !self.some.swap(false, Ordering::AcqRel) {
            return None;
        }
        Some(std::mem::take(&mut *self.list.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}
