//! The ECM generator: answers an SCS's CW_provision with a sealed ECM.
//!
//! Trust domain: the CA vendor's part of the headend. Control words come in over SimulCrypt and
//! leave as ECW inside an envelope under K1; they are in memory for the time of one request.
//! Both CA systems of a data directory share one port and are told apart by Super_CAS_id.
//! The generator never repeats an ECM; that is the multiplexer's business.
// spec: D-H1 S-20 S-21

mod host;
mod maker;
mod serve;

pub use maker::{EcmgSystem, EcmgSystems};
pub use serve::{EcmgLimits, serve, serve_with};

/// Why an ECM generator cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EcmgError {
    /// The data directory does not read.
    #[error(transparent)]
    Layout(#[from] crate::layout::LayoutError),
    /// A CA system's keys do not open.
    #[error(transparent)]
    Keys(#[from] crate::keys::KeyError),
    /// The operator's store does not open.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// The address cannot be listened on.
    #[error("{address}: cannot listen")]
    Listen {
        /// HOST:PORT.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// The listener failed.
    #[error("ECM generator: cannot accept connections")]
    Accept(#[source] std::io::Error),
}
