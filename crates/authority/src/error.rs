//! Why a certificate is not issued.

use std::path::PathBuf;

use portcullis_trust::{Role, TrustError};
use portcullis_vault::VaultError;

/// Errors of the authority.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// Private files.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A file that cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The issuer's certificate cannot be read.
    #[error("{path}: {source}")]
    IssuerCertificate {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: TrustError,
    },
    /// Key and certificate of the issuer do not belong together.
    #[error("{0}: not the certificate of this key")]
    KeyMismatch(PathBuf),
    /// The request is not PKCS#10, or its signature is bad.
    #[error("certificate request: {0}")]
    BadRequest(String),
    /// The issuer may not issue the role.
    #[error("a {role} certificate is issued by {wanted}, not by {found}")]
    NotYours {
        /// The role asked for.
        role: Role,
        /// Who issues it.
        wanted: &'static str,
        /// Who was asked.
        found: &'static str,
    },
    /// A CA vendor needs its ids.
    #[error("a ca-vendor certificate needs --vendor-sys-id and --entity-id")]
    MissingIds,
    /// The subject is empty or too long.
    #[error("subject: 1 to 64 characters needed")]
    Subject,
    /// The issuer's certificate has ended.
    #[error("the issuer's certificate has expired")]
    IssuerExpired,
    /// The serial file holds no number, or the numbers have run out.
    #[error("{0}: no serial number in it")]
    Serial(PathBuf),
    /// There is no randomness.
    #[error("the system gives no randomness")]
    Randomness,
    /// The certificate library refused.
    #[error("certificate: {0}")]
    Certificate(#[from] rcgen::Error),
}

impl AuthorityError {
    pub(crate) fn io(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}
