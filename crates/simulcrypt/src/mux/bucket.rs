//! The bandwidth of one stream: what it was granted, and what it may still send.

use portcullis_types::Milliseconds;

use crate::Time;

/// Counts what a stream sends against what it was granted.
#[derive(Debug)]
pub(super) struct Bucket {
    kbps: u16,
    /// Bits that may still come.
    credit: u64,
    since: Time,
}

impl Bucket {
    /// Full, from now on.
    pub(super) fn granted(kbps: u16, burst: Milliseconds, now: Time) -> Self {
        Self { kbps, credit: Self::capacity(kbps, burst), since: now }
    }

    fn capacity(kbps: u16, burst: Milliseconds) -> u64 {
        // kbit/s times milliseconds is bits; one message of full length always fits.
        (u64::from(kbps) * u64::from(burst.0)).max(8 * crate::MAX_MESSAGE as u64)
    }

    /// Whether so many bits were still granted; then they are used up.
    pub(super) fn take(&mut self, bits: u64, now: Time, burst: Milliseconds) -> bool {
        let passed = now.0.saturating_sub(self.since.0);
        let earned = u64::from(self.kbps).saturating_mul(passed);
        self.credit = self.credit.saturating_add(earned).min(Self::capacity(self.kbps, burst));
        self.since = now;
        match self.credit.checked_sub(bits) {
            Some(left) => {
                self.credit = left;
                true
            }
            None => false,
        }
    }
}
