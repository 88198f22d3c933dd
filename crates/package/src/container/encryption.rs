//! Encryption of the payload: AES-256-GCM under an image key that authorised terminals hold.
//!
//! Trust domain: the operator encrypts, the terminal decrypts. A broadcast carousel has no TLS
//! (X.1198 7.4), so the image protects itself there and in flash; it is plain only where it is
//! verified and run. Associated data are the octets before the tag, so that neither ids nor the
//! announced hash can be exchanged under a ciphertext.
//!
//! What must never happen: a nonce used twice under one image key; a plain octet handed out before
//! the tag was checked.

use portcullis_crypto::{Randomness, Zeroizing, aes256_gcm_open, aes256_gcm_seal};

use super::ContainerError;

/// Octets before the tag: what the tag covers beside the payload.
pub(super) const AAD_LEN: usize = 102;
/// Octets of the tag.
const TAG_LEN: usize = 16;
/// The encryption algorithm of the container's head: AES-256-GCM.
pub(super) const AES_256_GCM: u16 = 2;

/// Names an image key; it stands in the container's head.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ImageKeyId(pub [u8; 16]);

/// The key of an encrypted image.
pub struct ImageKey {
    id: ImageKeyId,
    key: Zeroizing<[u8; 32]>,
}

impl ImageKey {
    /// A key with its name.
    #[must_use]
    pub fn new(id: ImageKeyId, key: Zeroizing<[u8; 32]>) -> Self {
        Self { id, key }
    }

    /// A new key under a new name.
    #[must_use]
    pub fn generate(fill: Randomness<'_>) -> Self {
        let mut id = [0; 16];
        let mut key = Zeroizing::new([0; 32]);
        fill(&mut id);
        fill(key.as_mut_slice());
        Self { id: ImageKeyId(id), key }
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> ImageKeyId {
        self.id
    }

    /// The octets, for the one who hands the key on.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8; 32] {
        &self.key
    }
}

/// What a terminal asks when an image is encrypted.
pub trait ImageKeys {
    /// The key of this name, if this terminal was given it.
    fn image_key(&self, id: ImageKeyId) -> Option<&ImageKey>;
}

/// A terminal without image keys: it opens plain containers only.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoImageKeys;

impl ImageKeys for NoImageKeys {
    fn image_key(&self, _id: ImageKeyId) -> Option<&ImageKey> {
        None
    }
}

impl ImageKeys for ImageKey {
    fn image_key(&self, id: ImageKeyId) -> Option<&ImageKey> {
        (id == self.id).then_some(self)
    }
}

impl ImageKeys for [ImageKey] {
    fn image_key(&self, id: ImageKeyId) -> Option<&ImageKey> {
        self.iter().find(|key| key.id == id)
    }
}

/// Encrypts a payload; the tag is returned apart, as the head carries it.
pub(super) fn seal(
    key: &ImageKey,
    nonce: &[u8; 12],
    aad: &[u8],
    payload: &[u8],
) -> Result<(Vec<u8>, [u8; TAG_LEN]), ContainerError> {
    let mut sealed = payload.to_vec();
    let failed = |_| ContainerError::Decryption;
    aes256_gcm_seal(&key.key, nonce, aad, &mut sealed).map_err(failed)?;
    let tag = sealed.last_chunk().copied().ok_or(ContainerError::Decryption)?;
    sealed.truncate(payload.len());
    Ok((sealed, tag))
}

/// Decrypts a payload whose tag stands apart.
// spec: X-02 X-27 C-11
pub(super) fn open(
    key: &ImageKey,
    nonce: &[u8; 12],
    tag: &[u8; TAG_LEN],
    aad: &[u8],
    payload: &[u8],
) -> Result<Vec<u8>, ContainerError> {
    let mut plain = Vec::with_capacity(payload.len() + TAG_LEN);
    plain.extend_from_slice(payload);
    plain.extend_from_slice(tag);
    aes256_gcm_open(&key.key, nonce, aad, &mut plain).map_err(|_| ContainerError::Decryption)?;
    Ok(plain)
}
