//! The calls of cryptography. A client names keys by handles and gets results, never keys.
//!
//! Clause: X.1198 6.2.2 (no plain key leaves). Two keys are there from the start: the operator's
//! EMM signing key, for verification, and the *client secret*, which is made at random when it is
//! first used and lies in the client's sealed storage, where the client itself has no name for
//! it. All others are derived from these by HKDF-SHA-256 and last as long as the client runs.
//!
//! What must never happen: a key, or a part of one, in the client's memory.

use std::collections::BTreeMap;

use portcullis_crypto::{
    Ed25519VerifyingKey, Key128, Zeroizing, cmac, hkdf_sha256, hmac_sha256, sha256,
};
use portcullis_store::Disk;
use portcullis_svm::abi::{key, status};
use portcullis_svm::{GuestMemory, GuestSlice, HostFault, Reply, Syscall};

use super::Host;
use super::storage::store_refusal;
use crate::chip::SecurityChip;

/// Where the client secret lies in the storage.
const SECRET: &[u8] = b"k";
/// Octets of a key.
const KEY: usize = 32;

type Key = Zeroizing<[u8; KEY]>;

/// The derived keys of one client.
pub(super) struct Keys {
    derived: BTreeMap<u32, Key>,
    next: u32,
}

impl Default for Keys {
    fn default() -> Self {
        Self { derived: BTreeMap::new(), next: key::FIRST_DERIVED }
    }
}

impl<C: SecurityChip, D: Disk> Host<C, D> {
    // spec: X-28
    pub(super) fn crypto(
        &mut self,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        match (call, args) {
            (Syscall::Sha256, &[ptr, len, out]) => {
                let data = memory.read(ptr, len)?;
                memory.write(out, &sha256(&[&data]))?;
                Ok(Reply::ok(32))
            }
            (Syscall::VerifySig, &[handle, ptr, len, signature]) => {
                let data = memory.read(ptr, len)?;
                let signature = memory.read_array(signature)?;
                if handle != key::OPERATOR_EMM {
                    return Ok(Reply::error(status::NOT_FOUND));
                }
                let verified = Ed25519VerifyingKey::from_bytes(&self.emm_signer)
                    .is_ok_and(|key| key.verify(&data, &signature).is_ok());
                Ok(if verified { Reply::ok(0) } else { Reply::error(status::BAD_SIGNATURE) })
            }
            (Syscall::AesCmac | Syscall::HmacSha256, &[handle, ptr, len, out]) => {
                let data = memory.read(ptr, len)?;
                let size = if call == Syscall::AesCmac { 16 } else { 32 };
                GuestSlice::writable(memory, out, size)?;
                let key = match self.key(handle)? {
                    Ok(key) => key,
                    Err(refused) => return Ok(refused),
                };
                let mac: &[u8] = match (call, key.first_chunk::<16>()) {
                    (Syscall::AesCmac, Some(half)) => &cmac(&Key128::new(*half), &[&data]),
                    _ => &hmac_sha256(&*key, &[&data]),
                };
                memory.write(out, mac)?;
                Ok(Reply::ok(size))
            }
            (Syscall::HkdfToHandle, &[handle, salt, salt_len, info, info_len]) => {
                let salt = memory.read(salt, salt_len)?;
                let info = memory.read(info, info_len)?;
                let key = match self.key(handle)? {
                    Ok(key) => key,
                    Err(refused) => return Ok(refused),
                };
                self.derive(&key, &salt, &info)
            }
            (Syscall::KeyRelease, &[handle]) => Ok(match self.keys.derived.remove(&handle) {
                Some(_) => Reply::ok(0),
                None => Reply::error(status::NOT_FOUND),
            }),
            (Syscall::Random, &[ptr, len]) => {
                GuestSlice::writable(memory, ptr, len)?;
                let mut octets = vec![0; len as usize];
                if octets.len() > self.limits.random {
                    return Ok(Reply::error(status::QUOTA));
                }
                randomness(&mut octets)?;
                memory.write(ptr, &octets)?;
                Ok(Reply::ok(len))
            }
            _ => Err(HostFault::NoSuchCall),
        }
    }

    fn derive(&mut self, key: &Key, salt: &[u8], info: &[u8]) -> Result<Reply, HostFault> {
        let Keys { derived, next } = &mut self.keys;
        if derived.len() >= self.limits.keys {
            return Ok(Reply::error(status::QUOTA));
        }
        let mut out = Zeroizing::new([0; KEY]);
        hkdf_sha256(&**key, salt, info, &mut *out).map_err(|_| HostFault::Host("HKDF"))?;
        let handle = *next;
        *next = next.checked_add(1).ok_or(HostFault::Host("no handles are left"))?;
        derived.insert(handle, out);
        Ok(Reply::ok(handle))
    }

    /// The secret key of a handle, or the status for the client.
    fn key(&mut self, handle: u32) -> Result<Result<Key, Reply>, HostFault> {
        if handle != key::CLIENT_SECRET {
            let known = self.keys.derived.get(&handle);
            return Ok(known.cloned().ok_or(Reply::error(status::NOT_FOUND)));
        }
        let known = self.store.get(SECRET).and_then(|octets| octets.try_into().ok());
        if let Some(octets) = known {
            return Ok(Ok(Zeroizing::new(octets)));
        }
        let mut secret = Zeroizing::new([0; KEY]);
        randomness(&mut *secret)?;
        Ok(self.store.set(SECRET, &*secret).map_err(store_refusal).map(|()| secret))
    }
}

fn randomness(out: &mut [u8]) -> Result<(), HostFault> {
    getrandom::fill(out).map_err(|_| HostFault::Host("no randomness"))
}
