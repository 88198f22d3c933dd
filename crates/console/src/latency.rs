//! A latency over the last minute, with the few values that a page can draw.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::state::Latency;

const WINDOW: Duration = Duration::from_secs(60);
/// Values kept of one minute; with more the oldest go first.
const VALUES_MAX: usize = 600;
/// Values the page draws.
const SHOWN_MAX: usize = 60;

#[derive(Debug, Default)]
pub(crate) struct LatencyWindow {
    values: VecDeque<(Instant, u64)>,
    count: u64,
}

impl LatencyWindow {
    pub(crate) fn add(&mut self, now: Instant, value_us: u64) {
        if self.values.len() >= VALUES_MAX {
            self.values.pop_front();
        }
        self.values.push_back((now, value_us));
        self.count += 1;
    }

    pub(crate) fn show(&mut self, now: Instant) -> Latency {
        while self.values.front().is_some_and(|(at, _)| now.duration_since(*at) > WINDOW) {
            self.values.pop_front();
        }
        let mut sorted: Vec<u64> = self.values.iter().map(|(_, value)| *value).collect();
        sorted.sort_unstable();
        let skip = self.values.len().saturating_sub(SHOWN_MAX);
        Latency {
            p50_us: at(&sorted, 50),
            p99_us: at(&sorted, 99),
            count: self.count,
            samples_us: self.values.iter().skip(skip).map(|(_, value)| *value).collect(),
        }
    }
}

/// The value that so many of 100 do not exceed (nearest rank).
fn at(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_values_go_and_ranks_are_the_nearest() {
        let start = Instant::now();
        let mut window = LatencyWindow::default();
        window.add(start, 9_000_000);
        let later = start + Duration::from_secs(61);
        for value in 1..=100 {
            window.add(later, value);
        }
        let shown = window.show(later);
        assert_eq!((shown.p50_us, shown.p99_us, shown.count), (50, 99, 101));
        assert_eq!(shown.samples_us.first(), Some(&41));
        assert_eq!(LatencyWindow::default().show(start).p99_us, 0);
    }
}
