//! The two clocks of the headend: the wall clock for messages, a steady one for time-outs.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use portcullis_simulcrypt::Time;
use portcullis_types::UnixSeconds;

/// Seconds since 1970.
#[must_use]
pub fn unix_now() -> UnixSeconds {
    UnixSeconds(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()))
}

/// A steady clock for the sans-IO machines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steady(Instant);

impl Steady {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Time {
        Time(u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Sleeps until a machine's time-out; for ever when there is none.
    pub(crate) async fn until(self, time: Option<Time>) {
        match time {
            Some(time) => {
                // One millisecond more, so that the machine's clock has surely reached it.
                let at = self.0 + Duration::from_millis(time.0.saturating_add(1));
                tokio::time::sleep_until(at.into()).await;
            }
            None => std::future::pending().await,
        }
    }
}
