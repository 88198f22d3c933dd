//! The keys of encrypted client images that this terminal was given, sealed to its chip.
//!
//! Trust domain: the platform. Clause: X.1198 7.3, 7.4: an image stays encrypted in flash and is
//! plain only where it is verified and run. What must never happen: a key in flash that another
//! chip could open; more keys than the limit.

use std::path::{Path, PathBuf};

use portcullis_crypto::Zeroizing;
use portcullis_download::ImageKeyGrant;
use portcullis_package::{ImageKey, ImageKeyId, ImageKeys};
use portcullis_store::{RealDisk, write_atomically};

use crate::chip::SecurityChip;
use crate::error::ClientError;

/// Keys held at once: two slots for each of a few clients. The oldest gives way.
const MAX_KEYS: usize = 16;
const KEY_LEN: usize = 32;
const RECORD_LEN: usize = 16 + KEY_LEN;
const LABEL: &str = "image-keys";

/// The keys held.
pub(crate) struct ImageKeyring {
    path: PathBuf,
    keys: Vec<ImageKey>,
}

impl ImageKeyring {
    /// Opens the keys in the flash. One that does not open is empty: the centre gives keys anew.
    pub(crate) fn open<C: SecurityChip>(flash: &Path, chip: &mut C) -> Self {
        let path = flash.join("image-keys");
        let sealed = std::fs::read(&path).unwrap_or_default();
        let plain = match chip.unseal(LABEL, &sealed) {
            _ if sealed.is_empty() => Zeroizing::default(),
            Ok(plain) => Zeroizing::new(plain),
            Err(error) => {
                tracing::info!("image keys: {error}; encrypted clients are downloaded again");
                Zeroizing::default()
            }
        };
        let (records, _) = plain.as_chunks::<RECORD_LEN>();
        let keys = records.iter().take(MAX_KEYS).filter_map(|record| {
            let (id, key) = record.split_first_chunk()?;
            let key = Zeroizing::new(<[u8; KEY_LEN]>::try_from(key).ok()?);
            Some(ImageKey::new(ImageKeyId(*id), key))
        });
        Self { keys: keys.collect(), path }
    }

    /// Takes a key that came with a download, for this boot.
    pub(crate) fn grant(&mut self, grant: &ImageKeyGrant) {
        let id = ImageKeyId(grant.id);
        self.keys.retain(|key| key.id() != id);
        if self.keys.len() == MAX_KEYS {
            self.keys.remove(0);
        }
        self.keys.push(ImageKey::new(id, grant.key.clone()));
    }

    /// Keeps the keys, sealed to the chip.
    ///
    /// # Errors
    /// [`ClientError`] when the chip or the disk fails; the file is the old one then.
    pub(crate) fn keep<C: SecurityChip>(&self, chip: &mut C) -> Result<(), ClientError> {
        let mut plain = Zeroizing::new(Vec::with_capacity(self.keys.len() * RECORD_LEN));
        for key in &self.keys {
            plain.extend_from_slice(&key.id().0);
            plain.extend_from_slice(key.expose_secret());
        }
        let sealed = chip.seal(LABEL, &plain)?;
        Ok(write_atomically(&RealDisk, &self.path, &sealed)?)
    }
}

impl ImageKeys for ImageKeyring {
    fn image_key(&self, id: ImageKeyId) -> Option<&ImageKey> {
        self.keys.image_key(id)
    }
}
