//! The EMM generator. (API first; bodies follow.)

use portcullis_types::{CaSystemId, ChipId};
use portcullis_vault::Passphrase;
use tokio::sync::mpsc;

use crate::layout::DataDir;
use crate::mux_server::EmmDatagram;

/// The EMM sections of one box in one CA system, freshly made: its unique EMM, the group EMMs of
/// its group and the global EMM. For the return channel.
///
/// # Errors
/// [`EmmgError`].
pub fn current_emms(
    data: &DataDir,
    passphrase: Option<&Passphrase>,
    ca_system: CaSystemId,
    chip_id: ChipId,
) -> Result<Vec<Vec<u8>>, EmmgError> {
    let _ = (data, passphrase, ca_system, chip_id);
    Ok(Vec::new())
}

/// All EMMs of all CA systems once: what file-to-file work puts before the first packet.
/// One datagram per CA system; client_id is its Super_CAS_id, data_id 1.
///
/// # Errors
/// [`EmmgError`].
pub fn snapshot(
    data: &DataDir,
    passphrase: Option<&Passphrase>,
) -> Result<Vec<EmmDatagram>, EmmgError> {
    let _ = (data, passphrase);
    Ok(Vec::new())
}

/// Plays the carousel of all CA systems into a channel instead of a TCP connection, for ever,
/// each at `kbps`; ends when the receiver is dropped.
///
/// # Errors
/// [`EmmgError`].
pub async fn run_in_process(
    data: DataDir,
    passphrase: Option<Passphrase>,
    kbps: u16,
    out: mpsc::Sender<EmmDatagram>,
) -> Result<(), EmmgError> {
    let _ = (data, passphrase, kbps, out);
    Ok(())
}

/// Why there are no EMMs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmmgError {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}
