//! Certificates and roles: the verifying side.
//!
//! Trust domain: whoever relies on a signature (terminal, centre, programs that inspect). The
//! issuing side is `portcullis-authority`, which is off line and never linked here.
//! X.509 chains are checked by webpki; this crate adds what the roles of J.1010 6.1 and J.1012
//! clause 5 need on top: one extended-key-usage OID per role, which kind of intermediate may
//! issue which role, entity ids and the Vendor_SysID, and errors that name the certificate.
//!
//! What must never happen: a chain accepted for a role it was not issued for (an operator's key
//! signing a vendor's client, a vendor's key deploying one), a clock read behind the caller's
//! back (time is an argument), an answer that is not tied to the anchor that was given.

// spec: E-R21

mod certificate;
mod chain;
mod error;
mod pem;
mod role;

pub use certificate::CertificateInfo;
pub use chain::{ChainEntity, VerifiedIdentity, verify_chain};
pub use error::{CertificatePlace, TrustError};
pub use pem::certificates_from_pem;
pub use role::{
    ENTITY_ID_OID, ENTITY_ROLE_OID, EXTENDED_KEY_USAGE_ARC, Role, UnknownRole, VENDOR_SYS_ID_OID,
};

/// Certificates of a chain, the anchor not counted.
pub const MAX_CHAIN: usize = 4;

/// Octets of one certificate.
pub const MAX_CERTIFICATE: usize = 8192;
