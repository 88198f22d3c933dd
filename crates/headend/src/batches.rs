//! The figures of batches as commands and events tell them.

use std::time::Duration;

use portcullis_scramble::BatchStats;
use serde::Serialize;

/// How full batches were, and how long their first packet waited.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Batches {
    /// Batches.
    pub count: u64,
    /// Of them taken because they were full; the others because their time had come.
    pub full: u64,
    /// Packets in a batch on average, clear ones among them.
    pub packets_mean: u64,
    /// Packets in the fullest.
    pub packets_max: u64,
    /// Microseconds that half of the batches waited at most; 0 for packets that were at hand.
    pub wait_us_p50: u64,
    /// Microseconds that 99 of 100 batches waited at most.
    pub wait_us_p99: u64,
    /// Microseconds of the longest wait.
    pub wait_us_max: u64,
}

impl From<BatchStats> for Batches {
    fn from(stats: BatchStats) -> Self {
        let micros = |wait: Duration| u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        Self {
            count: stats.batches,
            full: stats.full,
            packets_mean: stats.packets / stats.batches.max(1),
            packets_max: stats.most as u64,
            wait_us_p50: micros(stats.p50),
            wait_us_p99: micros(stats.p99),
            wait_us_max: micros(stats.max),
        }
    }
}
