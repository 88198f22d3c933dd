//! K1 and K2 of a CA system, K3 of its chips.
//!
//! Trust domain: the CA vendor's part of the headend. K1 and K2 are derived from one master key,
//! so that any number of ECM and EMM generators agree without talking; K3 is computed from what
//! the SDMP delivered about a chip. All live in memory only.
//! What must never happen: a key in a log, an error or the database.
// spec: D-H3 D-K3

use std::path::PathBuf;

use portcullis_crypto::{Ed25519VerifyingKey, hkdf_sha256};
use portcullis_keyladder::delivery::{DeliveryError, SckvDelivery};
use portcullis_keyladder::{LadderKey, Level1, Level2, RootKey, SeedV, root_key};
use portcullis_types::{
    ChipId, EpochId, GroupId, ProductId, Seconds, UnixSeconds, parse_hex_array,
};
use portcullis_vault::{Party, Passphrase, VaultError, Zeroizing};

use crate::layout::{CaSystem, DataDir};

/// The keys of one CA system.
pub struct CaKeys {
    ca: CaSystem,
    party: Party,
    master: Zeroizing<Vec<u8>>,
}

impl CaKeys {
    /// Opens the vendor's directory.
    ///
    /// # Errors
    /// [`KeyError`] when the unlock key or the master key does not open.
    pub fn open(
        data: &DataDir,
        ca: &CaSystem,
        passphrase: Option<&Passphrase>,
    ) -> Result<Self, KeyError> {
        let party = Party::open(&data.ca(&ca.vendor), passphrase)?;
        let master = party.open_file(MASTER_KEY)?;
        if master.len() < MIN_MASTER_LEN {
            return Err(KeyError::Malformed(party.dir().join(MASTER_KEY)));
        }
        Ok(Self { ca: ca.clone(), party, master })
    }

    /// The CA system.
    #[must_use]
    pub fn ca(&self) -> &CaSystem {
        &self.ca
    }

    /// The group key of a generation.
    #[must_use]
    pub fn k2(&self, group: GroupId, generation: u32) -> LadderKey<Level2> {
        LadderKey::new(self.derive(b"K2", group.0, generation))
    }

    /// The key of a product in an epoch.
    #[must_use]
    pub fn k1(&self, product: ProductId, epoch: EpochId) -> LadderKey<Level1> {
        LadderKey::new(self.derive(b"K1", product.0, epoch.0))
    }

    /// The root key of a chip for this vendor.
    ///
    /// # Errors
    /// [`KeyError`] when the SDMP has delivered nothing about this chip, or not to this vendor.
    pub fn k3(&self, chip: ChipId) -> Result<RootKey, KeyError> {
        let name = DataDir::sckv_name(chip);
        let record = self.party.open_file(&name)?;
        let path = || self.party.dir().join(&name);
        let delivery = SckvDelivery::decode(&record, &self.sdmp_key()?)
            .map_err(|source| KeyError::Delivery { path: path(), source })?;
        if delivery.chip_id != chip || delivery.vendor_sys_id != self.ca.description.vendor_sys_id {
            return Err(KeyError::OtherChip(path()));
        }
        let seed = self.party.open_file(SEEDV)?;
        let seed: [u8; 16] = seed
            .as_slice()
            .try_into()
            .map_err(|_| KeyError::Malformed(self.party.dir().join(SEEDV)))?;
        root_key(delivery.profile, &delivery.sckv, &SeedV::new(seed), delivery.module_id)
            .map_err(|_| KeyError::Malformed(path()))
    }

    fn derive(&self, label: &[u8; 2], id: u32, number: u32) -> [u8; 16] {
        let ca_system_id = self.ca.description.ca_system_id.0;
        let mut info = Vec::from(*label);
        info.extend_from_slice(&ca_system_id.to_be_bytes());
        info.extend_from_slice(&id.to_be_bytes());
        info.extend_from_slice(&number.to_be_bytes());
        let mut key = [0; 16];
        // 16 octets are far below the limit of HKDF.
        let _ = hkdf_sha256(&self.master, HKDF_SALT, &info, &mut key);
        key
    }

    /// The SDMP's verifying key, as the SDMP handed it to this vendor.
    fn sdmp_key(&self) -> Result<Ed25519VerifyingKey, KeyError> {
        let path = self.party.dir().join(SDMP_PUB);
        let text =
            std::fs::read(&path).map_err(|source| KeyError::Read { path: path.clone(), source })?;
        let octets = match <[u8; 32]>::try_from(text.as_slice()) {
            Ok(raw) => Some(raw),
            Err(_) => {
                std::str::from_utf8(&text).ok().and_then(|hex| parse_hex_array(hex.trim()).ok())
            }
        };
        octets
            .and_then(|octets| Ed25519VerifyingKey::from_bytes(&octets).ok())
            .ok_or(KeyError::Malformed(path))
    }
}

/// The epoch of an instant.
#[must_use]
pub fn epoch_at(now: UnixSeconds, length: Seconds) -> EpochId {
    EpochId(u32::try_from(now.0 / length.0.max(1)).unwrap_or(u32::MAX))
}

/// Start (inclusive) and end (exclusive) of an epoch.
#[must_use]
pub fn epoch_bounds(epoch: EpochId, length: Seconds) -> (UnixSeconds, UnixSeconds) {
    let start = u64::from(epoch.0).saturating_mul(length.0);
    (UnixSeconds(start), UnixSeconds(start.saturating_add(length.0)))
}

/// Keys that do not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The vault refused.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A file that cannot be read.
    #[error("{path}: not readable")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that holds no key.
    #[error("{0}: holds no key")]
    Malformed(PathBuf),
    /// A delivery that the SDMP did not sign.
    #[error("{path}: delivery refused")]
    Delivery {
        /// Which.
        path: PathBuf,
        /// Why.
        source: DeliveryError,
    },
    /// A delivery about another chip or for another vendor.
    // defends: T-08
    #[error("{0}: is about another chip or for another vendor")]
    OtherChip(PathBuf),
}

/// The master key's file in a CA vendor's directory: at least 16 random octets.
pub const MASTER_KEY: &str = "master.key.age";

/// Seedv's file in a CA vendor's directory: 16 octets.
pub const SEEDV: &str = "seedv.age";

/// The SDMP's verifying key in a CA vendor's directory: 32 octets, or 64 hexadecimal digits.
pub const SDMP_PUB: &str = "sdmp.pub";

const MIN_MASTER_LEN: usize = 16;
const HKDF_SALT: &[u8] = b"portcullis layer keys v1";
