//! What programs execute: counted by the match loop, by straight code.

use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::Ordering::Relaxed;

use crate::Client;
use crate::threaded::Slot;
use crate::threaded::wires::{Stretch, Wired, ends_straight_code, is_transfer};

impl Slot {
    /// The match loop executes it, having come by a transfer or not.
    pub(crate) fn count(&self, by_transfer: bool) {
        let [executed, arrived] = &self.counts;
        executed.fetch_add(1, Relaxed);
        arrived.fetch_add(u64::from(by_transfer), Relaxed);
    }
}

/// What a client's match loop has executed.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    pub(super) straights: Vec<Straight>,
    pub(super) executed: f64,
}

/// Straight code that was executed.
#[derive(Clone, Debug)]
pub(super) struct Straight {
    pub(super) wires: Vec<Wired>,
    pub(super) executed: Vec<f64>,
    /// By a transfer.
    pub(super) arrived: Vec<f64>,
    /// Of those that executed an instruction, the part that went on to the next.
    pub(super) stayed: Vec<f64>,
}

impl Client {
    /// What was executed since the last call.
    #[must_use]
    pub fn take_profile(&self) -> Profile {
        let counts = |slot: &Slot| {
            let [executed, arrived] = &slot.counts;
            (executed.swap(0, Relaxed) as f64, arrived.swap(0, Relaxed) as f64)
        };
        self.profile(self.text.code.iter().map(counts).collect())
    }

    /// As if every instruction were executed once, and half of the branches taken.
    #[must_use]
    pub fn text_profile(&self) -> Profile {
        let mut stayed = 0.0;
        let counts = |slot: &Slot| {
            let count = (1.0, 1.0 - stayed);
            stayed = match slot.instruction.op {
                op if ends_straight_code(op) => 0.0,
                op if is_transfer(op) => 0.5,
                _ => 1.0,
            };
            count
        };
        self.profile(self.text.code.iter().map(counts).collect())
    }

    fn profile(&self, counts: Vec<(f64, f64)>) -> Profile {
        let mut profile = Profile::default();
        let mut at = 0;
        while let (Some(here), Some(counts)) = (self.text.code.get(at..), counts.get(at..))
            && !here.is_empty()
        {
            let stretch = Stretch::of(here, at);
            let wires = stretch.from(0).to_vec();
            let len = wires.len();
            at += len;
            let executed: Vec<f64> =
                counts.iter().take(len).map(|(executed, _)| *executed).collect();
            let sum: f64 = executed.iter().sum();
            if sum == 0.0 {
                continue;
            }
            let arrived = counts.iter().take(len).map(|(_, arrived)| *arrived).collect();
            let behind = counts.iter().skip(1).map(|(executed, arrived)| executed - arrived);
            let behind = behind.chain([0.0]).zip(&executed);
            let stayed = behind.map(|(on, all)| if *all > 0.0 { on / all } else { 0.0 }).collect();
            profile.executed += sum;
            profile.straights.push(Straight { wires, executed, arrived, stayed });
        }
        profile
    }
}

/// A program, how much it weighs beside others, and what it executed.
#[derive(Clone, Debug)]
pub struct Program {
    /// For the report.
    pub name: String,
    /// What all its instructions together count.
    pub weight: f64,
    /// What it executed.
    pub profile: Profile,
}
