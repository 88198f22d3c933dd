//! The clocks of a terminal.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use portcullis_types::UnixSeconds;

/// What time it is.
pub trait Clock: Send {
    /// Milliseconds of a clock that never goes back.
    fn monotonic_ms(&self) -> u64;
    /// The date.
    fn wall(&self) -> UnixSeconds;
}

/// The clocks of the platform.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn wall(&self) -> UnixSeconds {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        UnixSeconds(since.map_or(0, |since| since.as_secs()))
    }
}
