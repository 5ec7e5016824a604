//! When the API server last said anything to each session.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kpulse_core::Scope;

use crate::wire::Wire;

/// When the API server last said anything to the sessions with these settings. A clone is the same one.
#[derive(Debug, Clone, Default)]
pub struct Signs(Arc<Mutex<BTreeMap<Scope, Wire>>>);

impl Signs {
    /// How long each session has heard nothing, not even a bookmark. A watch that is well hears something every minute
    /// or two.
    #[must_use]
    pub fn ages(&self) -> BTreeMap<Scope, Duration> {
        let wires = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wires.iter().map(|(scope, wire)| (scope.clone(), wire.last_sign().elapsed())).collect()
    }

    /// Listens to a session's wire for as long as what is returned lives.
    pub(super) fn follow(&self, scope: &Scope, wire: &Wire) -> Followed {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(scope.clone(), wire.clone());
        Followed { signs: self.clone(), scope: scope.clone(), wire: wire.clone() }
    }
}

/// A session that is listened to.
#[derive(Debug)]
pub(super) struct Followed {
    signs: Signs,
    scope: Scope,
    wire: Wire,
}

impl Drop for Followed {
    fn drop(&mut self) {
        let mut wires = self.signs.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Another session may watch the same by now.
        if wires.get(&self.scope).is_some_and(|wire| wire.is(&self.wire)) {
            wires.remove(&self.scope);
        }
    }
}
