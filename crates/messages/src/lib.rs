//! The ECM and EMM syntax of the two reference CA systems; shared by headend and clients.
//!
//! Trust domain: a CA vendor. The headend writes these bytes, the vendor's client (a guest of the
//! virtual machine) reads them after the chip has opened the sealed envelope around them; the
//! terminal and the chip never look inside and must never link this crate.
//!
//! Two vendors, two layouts ([`vendor_a`]: tag-length-value, [`vendor_b`]: fixed records) carry
//! the same bodies, so that one headend serves two incompatible CA systems. Around them:
//! [`section`] (CA sections of the transport stream), [`AccessCriteria`] (what an SCS hands to
//! the ECM generator) and [`GlobalEmm`] (signed, not sealed).
//!
//! What must never happen: a panic or an allocation by an unchecked length on any input; a body
//! that decodes although an octet was cut off or added. `no_std`, no dependency but the ids.

#![no_std]

extern crate alloc;

mod body;
mod criteria;
mod error;
mod global;
mod layout;
mod reader;
pub mod section;
pub mod vendor_a;
pub mod vendor_b;

pub use body::{
    EcmBody, Entitlement, GroupEmmBody, MAX_ENTITLEMENTS, UniqueEmmBody, VALID_FOR_EVER,
};
pub use criteria::{AccessCriteria, MAX_USAGE_RIGHTS_LEN, USAGE_RIGHTS_CORE_TAG, UsageRights};
pub use error::{DecodeError, DecodeErrorKind, EncodeError};
pub use global::{GLOBAL_EMM_LEN, GLOBAL_EMM_TAG, GlobalEmm, SignedGlobalEmm};
pub use layout::Layout;
pub use section::{CaSection, TableId};
