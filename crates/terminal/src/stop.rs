//! The request to end a terminal, and the time it has for it.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How long a client may go on with the event it handles when the terminal shall end. What comes
/// after it (the last slice, the store, the output) has to fit into the rest of one second.
const GRACE: Duration = Duration::from_millis(250);

/// A request to end, shared by who asks and who obeys. Nobody has asked at first.
#[derive(Clone, Default, Debug)]
pub struct StopRequest(Arc<OnceLock<Instant>>);

impl StopRequest {
    /// Asks; asking again changes nothing.
    pub fn request(&self) {
        let _ = self.0.set(Instant::now());
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.get().is_some()
    }

    /// Whether a client that still handles an event must be ended now.
    // spec: X-S12 X-24
    // defends: T-31
    pub(crate) fn grace_is_over(&self) -> bool {
        self.0.get().is_some_and(|asked| asked.elapsed() >= GRACE)
    }
}
