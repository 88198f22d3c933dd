//! Turns, CPU time and medians.

use std::cell::Cell;
use std::rc::Rc;

use rustix::time::{ClockId, clock_gettime};

/// How to measure.
pub(crate) struct Options {
    /// Turns of each contender.
    pub(crate) pairs: usize,
    /// Only the row of this name.
    pub(crate) only: Option<String>,
}

impl Options {
    /// Whether this row is asked for.
    pub(crate) fn wants(&self, row: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == row)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { pairs: 7, only: None }
    }
}

/// One line of the report. A rate: more is better.
pub(crate) struct Row {
    pub(crate) work: &'static str,
    pub(crate) unit: &'static str,
    /// `None`: not measured.
    pub(crate) ours: Option<f64>,
    pub(crate) peers: Vec<(&'static str, Option<f64>)>,
}

impl Row {
    /// What one of ours takes, where the unit is a number of them per second.
    pub(crate) fn each(&self) -> Option<(f64, &'static str)> {
        let unit = match self.unit {
            "M/s" => "ns",
            "k/s" | "k rounds/s" => "us",
            _ => return None,
        };
        Some((1e3 / self.ours?, unit))
    }

    /// By how much ours is better.
    pub(crate) fn ratio(&self, peer: Option<f64>) -> Option<f64> {
        Some(self.ours? / peer?)
    }
}

/// One contender: does the work once and returns the seconds it took, or `None` when it cannot.
pub(crate) type Contender<'a> = Box<dyn FnMut() -> Option<f64> + 'a>;

/// Lets the contenders take turns; returns the median of the seconds of each.
pub(crate) fn take_turns(pairs: usize, contenders: &mut [Contender<'_>]) -> Vec<Option<f64>> {
    let mut seconds = vec![Vec::new(); contenders.len()];
    // The first round warms caches and clocks and does not count.
    for round in 0..=pairs {
        for (contender, seconds) in contenders.iter_mut().zip(&mut seconds) {
            let taken = contender();
            if round > 0 {
                seconds.extend(taken);
            }
        }
    }
    seconds.into_iter().map(|seconds| median(seconds, pairs)).collect()
}

/// Two contenders whose ratio is what counts: within a turn they change places so many times, each
/// being the first of a pair as often as the other. What came before a turn then harms both alike.
pub(crate) fn side_by_side<'a>(
    pairs: usize,
    [mut one, mut other]: [Contender<'a>; 2],
) -> [Contender<'a>; 2] {
    let of_other = Rc::new(Cell::new(None));
    let told = Rc::clone(&of_other);
    let measure = move || {
        // Not counted: whoever had the processor before has left caches and clock as they suited it.
        one()?;
        other()?;
        let (mut seconds, mut others) = (0.0, 0.0);
        for pair in 0..pairs {
            if pair % 2 == 0 {
                seconds += one()?;
                others += other()?;
            } else {
                others += other()?;
                seconds += one()?;
            }
        }
        of_other.set(Some(others / pairs as f64));
        Some(seconds / pairs as f64)
    };
    [Box::new(measure), Box::new(move || told.take())]
}

/// The median, if every turn was measured.
fn median(mut seconds: Vec<f64>, pairs: usize) -> Option<f64> {
    seconds.sort_by(f64::total_cmp);
    let upper = seconds.get(pairs / 2)?;
    let lower = seconds.get((pairs - 1) / 2)?;
    (seconds.len() == pairs).then_some((upper + lower) / 2.0)
}

/// CPU time that `work` took of this thread, in seconds.
pub(crate) fn cpu_seconds(work: impl FnOnce()) -> f64 {
    let begun = thread_time();
    work();
    thread_time() - begun
}

fn thread_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
