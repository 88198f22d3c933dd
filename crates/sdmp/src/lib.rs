//! The secure data management platform: chip secrets, off line.
//!
//! Trust domain: three parties that do not trust each other with their keys, one module each, run
//! as separate steps by program `portcullis-sdmp`: [`Sdmp`] (ChipID, SCK, SCKv, Vendor_SysID,
//! BL_KEY0), [`ChipVendor`] (MaskKey, Seedv, BL_KEY1, platform key) and [`Serialiser`], the module
//! on the chip maker's line that alone opens what is burnt. Clauses: J.1032 6.1.2 c, 6.1.3,
//! 6.2.1.4. No network crate is linked.
//!
//! ```text
//!              SCK      model key   MaskKey   Seedv         SCKv             K3
//! SDMP         all      yes         no        no            all              none
//! chip vendor  none     no (sealed) yes       all           none             none
//! serialiser   its line yes         no        no            -                none
//! CA vendor    none     no          no        its own       its own          its own
//! ```
//!
//! What must never happen: a key outside a file sealed to its owner; two chips with one ChipID or
//! one SCK; a file of one party that opens with another's unlock key.

// spec: D-K1 D-K8 D-S3 D-08

mod chip_vendor;
mod error;
mod platform;
mod registry;
mod serialiser;
mod signing_key;

pub use chip_vendor::{BootKeys, ChipVendor};
pub use error::SdmpError;
pub use platform::{ChipOrder, ChipOutputs, MadeChip, Sdmp, read_public_key};
pub use registry::{MAX_VENDORS, Vendor};
pub use serialiser::Serialiser;
