//! What a terminal keeps: sealed client storage, A/B slots of client images, version floors.
//!
//! Trust domain: the terminal software platform, outside the chip. The flash under it belongs to
//! whoever holds the terminal, so nothing read back is believed: a client's storage is sealed by
//! the chip and bound to a chip counter, an image is verified again at every launch, and a floor
//! lives in the chip alone.
//!
//! Clauses: J.1032 6.2.3.2 (security of client data), 6.2.3.3 (secure storage, anti-rollback),
//! X.1198 6.2.2. Threats: T-16, T-27, T-32, T-38; faults: F-17, F-18.
//!
//! What must never happen: a power cut that leaves a mixture of two states, an older state taken
//! for the present one, storage of one client or chip opened by another, a floor that falls.

mod disk;
mod error;
mod floors;
mod sealed;
mod slots;
#[cfg(test)]
mod testing;

pub use disk::{Disk, RealDisk, write_atomically};
pub use error::{SealerError, StoreError};
pub use floors::{NewerThanFloor, VersionFloors};
pub use sealed::{ClientName, SealedStore, Sealer, StoreLimits};
pub use slots::{Slot, SlotLimits, SlotState, Slots};
