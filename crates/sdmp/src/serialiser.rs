//! The serialiser module on the chip maker's line: opens a batch file and burns one chip.

use std::path::Path;

use portcullis_chipset::{Otp, OtpContents};
use portcullis_crypto::{Ed25519VerifyingKey, Key128};
use portcullis_keyladder::delivery::ChipDelivery;
use portcullis_types::ChipId;
use portcullis_vault::Party;

use crate::signing_key::open_secret;
use crate::{ChipVendor, SdmpError};

/// Name of the module's key; it stands in the chip vendor's directory, but the vendor's unlock
/// key opens nothing that is sealed to it.
pub(crate) const SERIALISER_KEY: &str = "serialiser.key";

/// The module with its key open.
pub struct Serialiser {
    party: Party,
    sdmp: Ed25519VerifyingKey,
}

impl Serialiser {
    /// Opens the module; `sdmp` is the key that signs batch files.
    ///
    /// # Errors
    /// [`SdmpError`].
    pub fn open(dir: &Path, sdmp: Ed25519VerifyingKey) -> Result<Self, SdmpError> {
        Ok(Self { party: Party::open_named(dir, SERIALISER_KEY, None)?, sdmp })
    }

    /// Burns the chip of a batch file, once. MaskKey is the silicon's; `fab` stands for the mask
    /// that the chip vendor puts into it.
    ///
    /// # Errors
    /// [`SdmpError`] when the batch is not the SDMP's or the chip was burnt already.
    // spec: D-K8 D-S4
    // defends: T-08
    pub fn burn(
        &self,
        batch: &Path,
        fab: &ChipVendor,
        otp_dir: &Path,
    ) -> Result<ChipId, SdmpError> {
        let octets = self.party.open_path(batch)?;
        let delivery = ChipDelivery::decode(&octets, &self.sdmp)
            .map_err(|source| SdmpError::Delivery { path: batch.to_owned(), source })?;
        let model_key =
            Key128::new(*open_secret::<16>(&self.party, "model.key.age", "a model key")?);
        Otp::burn(
            otp_dir,
            &OtpContents {
                chip_id: delivery.chip_id,
                profile: delivery.profile,
                module_id: delivery.module_id,
                esck: delivery.esck,
                bl_key0: delivery.bl_key0,
                model_key: &model_key,
                mask_key: &fab.mask_key()?,
            },
        )?;
        Ok(delivery.chip_id)
    }
}
