//! The chip vendor: MaskKey in silicon, Seedv for the CA vendors, the boot keys.

use std::path::Path;

use portcullis_chipset::boot::PlatformKeyCertificate;
use portcullis_crypto::Ed25519VerifyingKey;
use portcullis_keyladder::{MaskKey, Profile, seedv};
use portcullis_types::VendorSysId;
use portcullis_vault::{Party, Passphrase, Recipient, seal_to, write_public};

use crate::SdmpError;
use crate::serialiser::SERIALISER_KEY;
use crate::signing_key::{create_key, open_key, open_secret, random, write_public_key};

/// The chip vendor with its unlock key open.
pub struct ChipVendor {
    party: Party,
}

/// Public halves of the keys that the boot chain uses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BootKeys {
    /// Owner of the bootloader.
    pub bl_key1: Ed25519VerifyingKey,
    /// Signer of platform images.
    pub platform: Ed25519VerifyingKey,
}

impl ChipVendor {
    /// Sets a chip vendor up: MaskKey, the serialiser module with its own key, the per-model key
    /// (sealed to the serialiser and to the SDMP, so that the vendor's office cannot open it),
    /// BL_KEY1 and the platform key with its certificate.
    ///
    /// # Errors
    /// [`SdmpError`] when it exists or files cannot be written.
    // spec: D-K8
    // defends: T-07
    pub fn create(
        dir: &Path,
        passphrase: Option<&Passphrase>,
        sdmp: &Recipient,
        model_key_for_sdmp: &Path,
    ) -> Result<Self, SdmpError> {
        let party = Party::create(dir, passphrase)?;
        party.seal_file("mask.key.age", &*random::<16>()?)?;
        let serialiser = Party::create_named(dir, SERIALISER_KEY, None)?;
        let model_key = random::<16>()?;
        seal_to(&serialiser.recipient(), &dir.join("model.key.age"), &*model_key)?;
        seal_to(sdmp, model_key_for_sdmp, &*model_key)?;
        let recipient = format!("{}\n", serialiser.recipient());
        write_public(&dir.join("serialiser.pub"), recipient.as_bytes())?;
        let bl_key1 = create_key(&party, "bl_key1")?;
        write_public_key(&dir.join("bl_key1.pub"), &bl_key1.verifying_key())?;
        let platform = create_key(&party, "platform")?;
        write_public_key(&dir.join("platform.pub"), &platform.verifying_key())?;
        let certificate = PlatformKeyCertificate::sign(&bl_key1, &platform.verifying_key(), 1);
        write_public(&dir.join("platform.cert"), certificate.to_bytes())?;
        Ok(Self { party })
    }

    /// Opens a chip vendor.
    ///
    /// # Errors
    /// [`SdmpError`].
    pub fn open(dir: &Path, passphrase: Option<&Passphrase>) -> Result<Self, SdmpError> {
        Ok(Self { party: Party::open(dir, passphrase)? })
    }

    /// Public halves of the boot keys.
    ///
    /// # Errors
    /// [`SdmpError`].
    pub fn boot_keys(&self) -> Result<BootKeys, SdmpError> {
        Ok(BootKeys {
            bl_key1: open_key(&self.party, "bl_key1")?.verifying_key(),
            platform: open_key(&self.party, "platform")?.verifying_key(),
        })
    }

    /// Hands a CA vendor its Seedv, sealed to it (J.1032 6.2.1.2).
    ///
    /// # Errors
    /// [`SdmpError`].
    pub fn deliver_seedv(
        &self,
        profile: Profile,
        vendor: VendorSysId,
        recipient: &Recipient,
        out: &Path,
    ) -> Result<(), SdmpError> {
        let mask_key = MaskKey::new(*open_secret::<16>(&self.party, "mask.key.age", "a MaskKey")?);
        let seedv = seedv(profile, &mask_key, vendor);
        Ok(seal_to(recipient, out, seedv.expose_secret())?)
    }

    /// The step in the fab that puts MaskKey into a chip's silicon: sealed to the serialiser for
    /// the time of one burn.
    ///
    /// # Errors
    /// [`SdmpError`].
    pub(crate) fn mask_key(&self) -> Result<MaskKey, SdmpError> {
        Ok(MaskKey::new(*open_secret::<16>(&self.party, "mask.key.age", "a MaskKey")?))
    }
}
