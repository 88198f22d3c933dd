//! X.1198 Annex A client package, its policy, and the client image container.
//!
//! Trust domain: packing is the CA vendor's, countersigning the operator's, verifying the
//! terminal's; all three read the same layout here. Clauses: X.1198 7.3, 7.5, Annex A; the
//! container follows J.1012 7.4-7.6 (who built it, who deploys it).
//!
//! What must never happen: a field used before the signature over it was checked (only lengths
//! and the signature type are looked at before); an inflated octet beyond a limit; a policy with
//! something in it that is not understood; a package of one client under the header, policy, code
//! or chain of another. "Verified" is a type: [`VerifiedPackage`] and [`VerifiedContainer`] come
//! out of verification only.

// spec: X-C01 X-C04 X-C05 X-A01 X-25

mod container;
mod error;
mod header;
mod inflate;
mod pack;
mod package;
mod policy;
mod policy_xml;
mod signature;

pub use container::{
    CONTAINER_MAGIC, ContainerBuilder, ContainerError, ContainerHeader, ContainerLimits,
    Encryption, ImageKey, ImageKeyId, ImageKeys, MIN_HOST_API, NewerThanFloor, NoImageKeys,
    ParsedContainer, SignableContainer, VerifiedContainer,
};
pub use error::PackageError;
pub use header::{
    HEADER_LEN, HeaderField, PackageHeader, PackageType, PrefixSpelling, SIGNATURE_OFFSET_FIELDS,
};
pub use pack::{PackInput, UnsignedPackage, pack};
pub use package::{PackageLimits, ParsedPackage, VerifiedPackage, identity};
pub use policy::{
    ChannelPeer, ClientPolicy, ContentRules, EventPermits, Lifetime, NetworkHost, PermittedCall,
};
pub use policy_xml::{PolicyError, parse_policy};
pub use signature::{LegacySignatures, PackageKey, SignatureType};
