//! Errors of the centre itself and of single requests.

use std::path::PathBuf;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use portcullis_download::{ErrorBody, ErrorCode};
use thiserror::Error;

/// Why the centre cannot start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CentreError {
    /// A file of the data directory does not read.
    #[error("{path}: not readable")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The operator's directory does not open.
    #[error(transparent)]
    Vault(#[from] portcullis_vault::VaultError),
    /// The centre's or authority's certificates are not what they should be.
    #[error("{path}: {source}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: portcullis_trust::TrustError,
    },
    /// The centre's private key is no key that TLS can use.
    #[error("operator/centre.key.age: not a private key for TLS")]
    Key,
    /// TLS refused the configuration.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The address cannot be listened on.
    #[error("listen on {address}")]
    Listen {
        /// The address.
        address: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The role is unknown.
    #[error("unknown role {0} (known: cdcs_pss, cdcs_mss, emm)")]
    Role(String),
}

/// A refused request, answered with an error body.
pub(crate) struct Refusal {
    pub(crate) code: ErrorCode,
    pub(crate) request_id: String,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(ErrorBody::new(self.code, self.request_id))).into_response()
    }
}
