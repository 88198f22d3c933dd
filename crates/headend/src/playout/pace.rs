//! Sends packets at the pace of their stream time.

use std::thread;
use std::time::{Duration, Instant};

use portcullis_ts::Pcr;

use crate::output::{Output, OutputError};
use crate::pipeline::{Outgoing, StreamTime};

/// Packets that are due within this time go together; shorter sleeps are not kept anyway.
const GRAIN: Duration = Duration::from_millis(2);
/// When stream time and the wall clock part further than this, one of them jumped.
const APART_MAX: Duration = Duration::from_secs(1);

/// The wall clock of a stream.
pub(super) struct Pacer {
    anchor: Option<(Instant, StreamTime)>,
}

impl Pacer {
    pub(super) const fn new() -> Self {
        Self { anchor: None }
    }

    /// Writes packets, each not before its time.
    pub(super) fn send(&mut self, out: &Outgoing, output: &mut Output) -> Result<(), OutputError> {
        let mut rest = out.packets.as_slice();
        let mut times = out.times.as_slice();
        while let Some(first) = times.first() {
            self.wait(*first);
            let horizon = *first + GRAIN.as_micros() as u64 * (Pcr::HZ / 1_000_000);
            let count = times.partition_point(|time| *time <= horizon).max(1);
            let (now, later) = rest.split_at(count.min(rest.len()));
            output.write(now)?;
            rest = later;
            times = times.get(count..).unwrap_or_default();
        }
        Ok(())
    }

    fn wait(&mut self, time: StreamTime) {
        let now = Instant::now();
        let (wall, stream) = *self.anchor.get_or_insert((now, time));
        let due = wall + ticks(time.0.saturating_sub(stream.0));
        if due > now + APART_MAX || now > due + APART_MAX {
            self.anchor = Some((now, time));
        } else {
            thread::sleep(due.saturating_duration_since(now));
        }
    }
}

/// A span of stream time.
const fn ticks(ticks: u64) -> Duration {
    Duration::from_nanos((ticks as u128 * 1_000 / 27) as u64)
}
