//! The rights of this terminal and the floor of its time.

use alloc::vec::Vec;

use portcullis_messages::{Entitlement, UniqueEmmBody};
use portcullis_sdk::{Status, sys};
use portcullis_types::{ProductId, UnixSeconds};

const UNIQUE_RECORD: &[u8] = b"unique";
/// Floors of the terminal: they only rise and outlive the storage.
const TIME_FLOOR: &[u8] = b"floor/0";
const COUNTER_FLOOR: &[u8] = b"floor/1";
/// ECM time is written down only when it has moved on by so much: storage wears.
const WRITE_STEP_SECONDS: u64 = 600;

/// The rights of the latest unique EMM.
pub(crate) struct Rights {
    counter: Option<u32>,
    entitlements: Vec<Entitlement>,
}

/// What the rights say about a product at a time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Entitled { until: UnixSeconds },
    NotYet,
    Expired { until: UnixSeconds },
    None,
}

impl Rights {
    pub(crate) const fn none() -> Self {
        Self { counter: None, entitlements: Vec::new() }
    }

    /// The sealed unique EMM that was stored last.
    pub(crate) fn stored() -> Option<Vec<u8>> {
        sys::nv_read(UNIQUE_RECORD).ok().flatten()
    }

    pub(crate) fn store(sealed: &[u8], counter: u32) -> Result<(), Status> {
        sys::nv_write(COUNTER_FLOOR, &u64::from(counter).to_be_bytes())?;
        sys::nv_write(UNIQUE_RECORD, sealed)
    }

    /// No unique EMM below was taken last, even where the record of it is lost.
    pub(crate) fn counter_floor() -> u64 {
        floor(COUNTER_FLOOR)
    }

    pub(crate) fn counter(&self) -> Option<u32> {
        self.counter
    }

    pub(crate) fn replace(&mut self, body: UniqueEmmBody) {
        self.counter = Some(body.counter);
        self.entitlements = body.entitlements;
    }

    /// Whether a product may be watched now.
    pub(crate) fn verdict(&self, product: ProductId, now: UnixSeconds) -> Verdict {
        let mut verdict = Verdict::None;
        for right in self.entitlements.iter().filter(|right| right.product == product) {
            let this = if now < right.from {
                Verdict::NotYet
            } else if now < right.until {
                Verdict::Entitled { until: right.until }
            } else {
                Verdict::Expired { until: right.until }
            };
            verdict = verdict.better(this);
        }
        verdict
    }
}

fn floor(name: &[u8]) -> u64 {
    let record = sys::nv_read(name).ok().flatten();
    record.and_then(|r| r.try_into().ok()).map_or(0, u64::from_be_bytes)
}

impl Verdict {
    const fn rank(self) -> u8 {
        match self {
            Self::Entitled { .. } => 3,
            Self::NotYet => 2,
            Self::Expired { .. } => 1,
            Self::None => 0,
        }
    }

    const fn better(self, other: Self) -> Self {
        match (self, other) {
            (Self::Entitled { until: a }, Self::Entitled { until: b })
            | (Self::Expired { until: a }, Self::Expired { until: b }) => {
                if b.0 > a.0 {
                    other
                } else {
                    self
                }
            }
            _ if other.rank() > self.rank() => other,
            _ => self,
        }
    }
}

/// The latest time that an authenticated message has told. It never goes back.
pub(crate) struct TimeFloor {
    now: u64,
    written: u64,
}

impl TimeFloor {
    pub(crate) fn load() -> Self {
        let now = floor(TIME_FLOOR);
        Self { now, written: now }
    }

    pub(crate) const fn now(&self) -> UnixSeconds {
        UnixSeconds(self.now)
    }

    /// Raises the floor; writes it down at once when asked or when it has moved on by a step.
    pub(crate) fn raise(&mut self, time: UnixSeconds, write: bool) {
        if time.0 <= self.now {
            return;
        }
        self.now = time.0;
        let due = write || time.0 - self.written.min(time.0) >= WRITE_STEP_SECONDS;
        if due && sys::nv_write(TIME_FLOOR, &time.0.to_be_bytes()).is_ok() {
            self.written = time.0;
        }
    }
}
