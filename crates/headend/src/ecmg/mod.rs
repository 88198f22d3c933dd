//! The ECM generator. (API first; bodies follow.)

use portcullis_types::{CaSystemId, SuperCasId};
use portcullis_vault::Passphrase;
use tokio::net::TcpListener;

use crate::layout::DataDir;

/// The CA systems that an ECM generator serves, with their keys.
pub struct EcmgSystems {
    systems: Vec<(SuperCasId, CaSystemId)>,
}

impl EcmgSystems {
    /// Opens the keys of all CA systems of a data directory.
    ///
    /// # Errors
    /// [`EcmgError`] when one does not open.
    pub fn open(data: &DataDir, passphrase: Option<&Passphrase>) -> Result<Self, EcmgError> {
        let _ = (data, passphrase);
        Ok(Self { systems: Vec::new() })
    }

    /// Which Super_CAS_ids are served.
    pub fn super_cas_ids(&self) -> impl Iterator<Item = SuperCasId> + '_ {
        self.systems.iter().map(|(id, _)| *id)
    }
}

/// Serves SCS connections for ever.
///
/// # Errors
/// [`EcmgError::Accept`] when the listener fails for good.
pub async fn serve(listener: TcpListener, systems: EcmgSystems) -> Result<(), EcmgError> {
    let _ = (listener, systems);
    Ok(())
}

/// Why an ECM generator cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EcmgError {
    /// The listener failed.
    #[error("ECM generator: cannot accept connections")]
    Accept(#[source] std::io::Error),
}
