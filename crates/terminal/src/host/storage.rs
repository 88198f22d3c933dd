//! The calls of the client's storage. Changes are durable when the event ended well.
//!
//! What must never happen: a key of the client that reaches a record of the terminal's.

use portcullis_store::{Disk, StoreError};
use portcullis_svm::abi::status;
use portcullis_svm::{GuestMemory, GuestSlice, HostFault, Reply, Syscall};

use super::Host;
use crate::chip::SecurityChip;

/// First octet of a client's own record.
const RECORD: u8 = b'r';
/// First octet of a monotonic counter.
const COUNTER: u8 = b'c';

impl<C: SecurityChip, D: Disk> Host<C, D> {
    pub(super) fn storage(
        &mut self,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        if matches!(call, Syscall::NvWrite | Syscall::NvMonotonicInc) {
            // defends: T-31
            self.used.writes += 1;
        }
        let may_write = self.used.writes <= self.limits.writes;
        match (call, args) {
            (Syscall::NvRead, &[key, key_len, ptr, cap]) => {
                let key = memory.read(key, key_len)?;
                GuestSlice::writable(memory, ptr, cap)?;
                if let Some(number) = floor(&key) {
                    return Ok(match self.store.floor(number) {
                        0 => Reply::error(status::NOT_FOUND),
                        value => memory.reply_with(ptr, cap, &value.to_be_bytes())?,
                    });
                }
                let key = record(&key);
                match self.store.get(&key) {
                    Some(value) => Ok(memory.reply_with(ptr, cap, value)?),
                    None => Ok(Reply::error(status::NOT_FOUND)),
                }
            }
            (Syscall::NvWrite, &[key, key_len, ptr, len]) => {
                let key = memory.read(key, key_len)?;
                let value = memory.read(ptr, len)?;
                if !may_write {
                    return Ok(Reply::error(status::QUOTA));
                }
                if let Some(number) = floor(&key) {
                    let Ok(value) = <[u8; 8]>::try_from(value.as_slice()) else {
                        return Ok(Reply::error(status::BAD_ARGUMENT));
                    };
                    let done = self.store.raise_floor(number, u64::from_be_bytes(value));
                    return Ok(done.map_or_else(store_refusal, |()| Reply::ok(len)));
                }
                let key = record(&key);
                Ok(self.store.set(&key, &value).map_or_else(store_refusal, |()| Reply::ok(len)))
            }
            (Syscall::NvMonotonicInc, _) if !may_write => Ok(Reply::error(status::QUOTA)),
            (Syscall::NvMonotonicInc, &[id]) => {
                let mut key = vec![COUNTER];
                key.extend_from_slice(&id.to_be_bytes());
                let value = self.store.get(&key).and_then(|value| value.try_into().ok());
                let Some(next) = value.map_or(0, u32::from_be_bytes).checked_add(1) else {
                    return Ok(Reply::error(status::QUOTA));
                };
                let done = self.store.set(&key, &next.to_be_bytes());
                Ok(done.map_or_else(store_refusal, |()| Reply::ok(next)))
            }
            _ => Err(HostFault::NoSuchCall),
        }
    }
}

/// The number of a floor, if that is what a key names: `floor/0` to `floor/3`, 8 octets each,
/// big-endian. Floors only rise and outlive the storage.
// defends: T-10 T-12
fn floor(key: &[u8]) -> Option<usize> {
    let [digit @ b'0'..=b'9'] = key.strip_prefix(b"floor/")? else { return Some(usize::MAX) };
    Some(usize::from(digit - b'0'))
}

/// A client's own key, apart from the counters.
fn record(key: &[u8]) -> Vec<u8> {
    [&[RECORD], key].concat()
}

pub(super) fn store_refusal(error: StoreError) -> Reply {
    Reply::error(match error {
        StoreError::Quota { .. } => status::QUOTA,
        StoreError::Key(_) => status::BAD_ARGUMENT,
        _ => status::DEVICE,
    })
}
