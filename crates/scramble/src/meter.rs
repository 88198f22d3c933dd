//! How long batches waited, how full they were.
//!
//! Counts in buckets of an eighth of an octave, so that memory is fixed and a percentile is told
//! at most an eighth too high, never too low.

use core::time::Duration;

/// Buckets of one octave.
const STEPS: usize = 8;
/// Octaves of microseconds: the last one ends above an hour.
const OCTAVES: usize = 32;

/// Figures of the batches so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct BatchStats {
    /// Batches.
    pub batches: u64,
    /// Of them taken because they were full; the others because their time had come.
    pub full: u64,
    /// Packets in them, clear ones among them.
    pub packets: u64,
    /// Packets of the fullest.
    pub most: usize,
    /// How long the first packet of a batch waited, in half of the batches at most.
    pub p50: Duration,
    /// The same in 99 of 100 batches.
    pub p99: Duration,
    /// The longest that a packet waited.
    pub max: Duration,
}

impl BatchStats {
    /// These and others; of the waits, the longer ones.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            batches: self.batches + other.batches,
            full: self.full + other.full,
            packets: self.packets + other.packets,
            most: self.most.max(other.most),
            p50: self.p50.max(other.p50),
            p99: self.p99.max(other.p99),
            max: self.max.max(other.max),
        }
    }
}

/// Counts batches.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    batches: u64,
    full: u64,
    packets: u64,
    most: usize,
    max: Duration,
    waits: [u64; STEPS * OCTAVES],
}

impl Meter {
    pub(crate) const fn new() -> Self {
        let waits = [0; STEPS * OCTAVES];
        Self { batches: 0, full: 0, packets: 0, most: 0, max: Duration::ZERO, waits }
    }

    /// A batch whose first packet waited so long.
    pub(crate) fn count(&mut self, packets: usize, is_full: bool, wait: Duration) {
        self.batches += 1;
        self.full += u64::from(is_full);
        self.packets += packets as u64;
        self.most = self.most.max(packets);
        self.max = self.max.max(wait);
        if let Some(bucket) = self.waits.get_mut(bucket(wait)) {
            *bucket += 1;
        }
    }

    pub(crate) fn stats(&self) -> BatchStats {
        BatchStats {
            batches: self.batches,
            full: self.full,
            packets: self.packets,
            most: self.most,
            p50: self.percentile(50),
            p99: self.percentile(99),
            max: self.max,
        }
    }

    fn percentile(&self, percent: u64) -> Duration {
        let rank = (self.batches * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let reached = self.waits.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        reached.map_or(Duration::ZERO, |bucket| last_of(bucket).min(self.max))
    }
}

/// The bucket of a wait; waits beyond the last one count there.
fn bucket(wait: Duration) -> usize {
    let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
    let bucket = if micros < STEPS as u64 {
        micros as usize
    } else {
        // The octave, and the three bits behind its leading one.
        let octave = micros.ilog2() - STEPS.ilog2();
        (octave as usize + 1) * STEPS + (micros >> octave) as usize % STEPS
    };
    bucket.min(STEPS * OCTAVES - 1)
}

/// The longest wait of a bucket.
fn last_of(bucket: usize) -> Duration {
    let (octave, step) = (bucket / STEPS, (bucket % STEPS) as u64);
    let micros = match octave.checked_sub(1) {
        None => step,
        Some(octave) => ((STEPS as u64 + step + 1) << octave) - 1,
    };
    // All of the last microsecond belongs to it.
    Duration::from_nanos(micros * 1_000 + 999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_at_most_an_eighth_too_high() {
        for micros in (0..5_000).chain([9_999, 10_000, 123_456, 3_600_000_000]) {
            let wait = Duration::from_micros(micros);
            let told = last_of(bucket(wait));
            assert!(told >= wait && told <= wait * 9 / 8 + Duration::from_micros(1), "{wait:?}");
        }
        assert_eq!(bucket(Duration::MAX), STEPS * OCTAVES - 1);
    }

    #[test]
    fn percentiles_are_of_the_batches() {
        let mut meter = Meter::new();
        assert_eq!(meter.stats(), BatchStats::default());
        for wait in 1..=100 {
            meter.count(wait, wait > 90, Duration::from_millis(wait as u64));
        }
        let stats = meter.stats();
        assert_eq!((stats.batches, stats.full, stats.packets, stats.most), (100, 10, 5_050, 100));
        let (half, most) = (Duration::from_millis(50), Duration::from_millis(99));
        assert!(stats.p50 >= half && stats.p50 <= half * 9 / 8, "{:?}", stats.p50);
        assert!(stats.p99 >= most && stats.p99 <= stats.max, "{:?}", stats.p99);
        assert_eq!(stats.max, Duration::from_millis(100));
    }
}
