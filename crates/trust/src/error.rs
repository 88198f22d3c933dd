//! Why a chain is not believed, and which certificate of it.

use std::fmt;

use portcullis_types::UnixSeconds;

use crate::{MAX_CERTIFICATE, MAX_CHAIN, Role};

/// One certificate of a chain: 0 is the signer's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificatePlace {
    /// Position in the chain as given.
    pub index: usize,
    /// Its subject, or empty when it cannot be read.
    pub subject: String,
}

impl fmt::Display for CertificatePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.subject.is_empty() {
            write!(f, "certificate {}", self.index)
        } else {
            write!(f, "certificate {} ({})", self.index, self.subject)
        }
    }
}

/// A refused chain.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// No certificate was given.
    #[error("no certificate in the chain")]
    Empty,
    /// More certificates than any chain of ours has.
    #[error(
        "chain of {0} certificates is too deep (at most {MAX_CHAIN}, or a path length says so)"
    )]
    TooDeep(usize),
    /// Longer than [`MAX_CERTIFICATE`].
    #[error("{0} is longer than {MAX_CERTIFICATE} octets")]
    TooLong(CertificatePlace),
    /// Not an X.509 certificate, or one outside our profile.
    #[error("{at}: malformed ({what})")]
    Malformed {
        /// Which certificate.
        at: CertificatePlace,
        /// What is wrong.
        what: &'static str,
    },
    /// The trust anchor cannot be read.
    #[error("trust anchor: malformed ({0})")]
    BadAnchor(&'static str),
    /// Not issued by the next certificate, or the last not by the anchor.
    #[error("{0}: unknown issuer")]
    UnknownIssuer(CertificatePlace),
    /// Issued in that name, but the signature is not the issuer's.
    #[error("{0}: bad signature")]
    BadSignature(CertificatePlace),
    /// Past its end.
    #[error("{at}: expired at {not_after}", not_after = .not_after.0)]
    Expired {
        /// Which certificate.
        at: CertificatePlace,
        /// Its last second.
        not_after: UnixSeconds,
    },
    /// Before its beginning.
    #[error("{at}: not valid before {not_before}", not_before = .not_before.0)]
    NotYetValid {
        /// Which certificate.
        at: CertificatePlace,
        /// Its first second.
        not_before: UnixSeconds,
    },
    /// Good, but for something else.
    #[error("{at}: wrong role, {wanted} needed")]
    WrongRole {
        /// Which certificate.
        at: CertificatePlace,
        /// The role that was asked for.
        wanted: Role,
    },
    /// An end entity stands where an issuer must be.
    #[error("{0}: may not issue certificates")]
    NotAnIssuer(CertificatePlace),
    /// Its validity reaches beyond its issuer's.
    #[error("{0}: outlives its issuer")]
    OutlivesIssuer(CertificatePlace),
    /// The Vendor_SysID of the chain's certificates differ.
    #[error("{0}: another Vendor_SysID than its issuer's")]
    VendorMismatch(CertificatePlace),
    /// Anything else webpki refuses.
    #[error("{at}: refused ({what})")]
    Refused {
        /// Which certificate (the first when it is not known).
        at: CertificatePlace,
        /// webpki's reason.
        what: String,
    },
}
