//! Non-volatile storage of one client: keys to octets, with a quota.
//!
//! The whole state is one blob, sealed by the chip under a label that names the client, with a
//! counter inside. A commit writes the blob with the next counter value and then raises the
//! counter in the chip, so a power cut leaves the blob equal to the chip or one ahead of it.
//! Every other distance is an attack and is refused (T-38).
//!
//! A state that is refused does not brick the box: [`SealedStore::open_or_begin_anew`] begins
//! with an empty one, which is safe because what must never fall is not in it. *Floors* are
//! numbers of the client that stand in counters of the chip, and survive any file.
//!
//! Changes are staged: [`SealedStore::set`] touches memory only, [`SealedStore::commit`] makes
//! all of them durable at once, [`SealedStore::discard`] forgets them. One event of a client is
//! one transaction.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use portcullis_types::{ScpClientId, SuperScpId};

use crate::disk::{Disk, write_atomically};
use crate::error::{SealerError, StoreError};

/// Which client: supplier and client id, from a verified package only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientName {
    /// The supplier.
    pub super_scp_id: SuperScpId,
    /// The supplier's client.
    pub client_id: ScpClientId,
}

impl ClientName {
    /// A name for files and directories; numbers only, so nothing escapes the store (T-27).
    #[must_use]
    pub fn file_name(self) -> String {
        format!("{:08x}-{:08x}", self.super_scp_id.0, self.client_id.0)
    }
}

/// What the store needs of the chip: a seal only this chip opens, and counters that only rise.
pub trait Sealer {
    /// Seals data under a label.
    ///
    /// # Errors
    /// [`SealerError`].
    fn seal(&mut self, label: &str, plain: &[u8]) -> Result<Vec<u8>, SealerError>;
    /// Opens what this chip sealed under the same label.
    ///
    /// # Errors
    /// [`SealerError::Foreign`] when it is anything else.
    fn unseal(&mut self, label: &str, sealed: &[u8]) -> Result<Vec<u8>, SealerError>;
    /// Reads a counter; a new one is 0.
    ///
    /// # Errors
    /// [`SealerError`].
    fn counter(&mut self, name: &str) -> Result<u64, SealerError>;
    /// Raises a counter to a higher value.
    ///
    /// # Errors
    /// [`SealerError`].
    fn raise_counter(&mut self, name: &str, to: u64) -> Result<(), SealerError>;
}

/// Limits of one client's storage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoreLimits {
    /// Octets of all keys and values together (default 64 KiB).
    pub quota: usize,
    /// Octets of one key (default 64).
    pub key_len: usize,
    /// Number of keys (default 256).
    pub keys: usize,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self { quota: 64 * 1024, key_len: 64, keys: 256 }
    }
}

/// Floors a client has.
pub(crate) const FLOORS: usize = 4;

type Entries = BTreeMap<Vec<u8>, Vec<u8>>;
type Floors = [u64; FLOORS];

/// The storage of one client on one chip.
pub struct SealedStore<D: Disk> {
    disk: D,
    path: PathBuf,
    client: ClientName,
    limits: StoreLimits,
    committed: Entries,
    staged: Option<Entries>,
    floors: Floors,
    staged_floors: Floors,
    counter: u64,
    poisoned: bool,
}

impl<D: Disk> SealedStore<D> {
    /// Opens the storage of a client in `dir`, empty when the chip never counted a commit.
    ///
    /// # Errors
    /// [`StoreError::RolledBack`] when an older state (or none) was put back,
    /// [`StoreError::Foreign`] when the blob is another chip's or client's, or altered.
    // spec: D-X7 D-X12 X-64
    // defends: T-38
    pub fn open<S: Sealer>(
        disk: D,
        dir: &Path,
        client: ClientName,
        limits: StoreLimits,
        sealer: &mut S,
    ) -> Result<Self, StoreError> {
        disk.create_dir(dir).map_err(StoreError::io("make directory", dir))?;
        let path = path_in(dir, client);
        let chip = sealer.counter(&label(client))?;
        let floors = read_floors(client, sealer)?;
        let cap = limits.quota + limits.keys * ENTRY_OVERHEAD + BLOB_OVERHEAD;
        let sealed = match disk.read(&path, cap) {
            // Longer than anything ever written here.
            Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
                return Err(StoreError::Foreign { path });
            }
            read => read.map_err(StoreError::io("read", &path))?,
        };
        let (committed, file) = match &sealed {
            None => (Entries::new(), 0),
            Some(bytes) => match sealer.unseal(&label(client), bytes) {
                Ok(plain) => parse(&plain)
                    .map_err(|offset| StoreError::Damaged { path: path.clone(), offset })?,
                Err(SealerError::Foreign) => return Err(StoreError::Foreign { path }),
                Err(error) => return Err(error.into()),
            },
        };
        match file.checked_sub(chip) {
            None => return Err(StoreError::RolledBack { path, chip, file }),
            Some(0) => {}
            // The power went between the rename and the raise: the new state is whole.
            Some(1) => sealer.raise_counter(&label(client), file)?,
            Some(_) => return Err(StoreError::Ahead { path, chip, file }),
        }
        Ok(Self {
            disk,
            path,
            client,
            limits,
            committed,
            staged: None,
            floors,
            staged_floors: floors,
            counter: file,
            poisoned: false,
        })
    }

    /// As [`SealedStore::open`], but a state that is not the chip's present one gives way to an
    /// empty one, and the refusal comes along. The client gets its rights from EMMs again;
    /// its floors hold.
    ///
    /// # Errors
    /// [`StoreError::Ahead`]: the chip itself went back. [`StoreError::Io`], [`StoreError::Chip`].
    // spec: D-X7
    // defends: T-38 F-07
    pub fn open_or_begin_anew<S: Sealer>(
        disk: D,
        dir: &Path,
        client: ClientName,
        limits: StoreLimits,
        sealer: &mut S,
    ) -> Result<(Self, Option<StoreError>), StoreError>
    where
        D: Clone,
    {
        let refused = match Self::open(disk.clone(), dir, client, limits, sealer) {
            Ok(store) => return Ok((store, None)),
            Err(
                error @ (StoreError::RolledBack { .. }
                | StoreError::Foreign { .. }
                | StoreError::Damaged { .. }),
            ) => error,
            Err(error) => return Err(error),
        };
        let floors = read_floors(client, sealer)?;
        let mut store = Self {
            disk,
            path: path_in(dir, client),
            client,
            limits,
            committed: Entries::new(),
            staged: None,
            floors,
            staged_floors: floors,
            counter: sealer.counter(&label(client))?,
            poisoned: false,
        };
        // At once: what was refused now must not be the present state after a crash.
        store.write(Entries::new(), sealer)?;
        Ok((store, Some(refused)))
    }

    /// A floor; 0 when it was never raised or there is no such one.
    #[must_use]
    pub fn floor(&self, number: usize) -> u64 {
        self.staged_floors.get(number).copied().unwrap_or(0)
    }

    /// Stages a higher floor.
    ///
    /// # Errors
    /// [`StoreError::Key`] when it would fall, or there is no such one.
    pub fn raise_floor(&mut self, number: usize, to: u64) -> Result<(), StoreError> {
        let floor = self.staged_floors.get_mut(number).ok_or(StoreError::Key("floor"))?;
        if to < *floor {
            return Err(StoreError::Key("floor would fall"));
        }
        *floor = to;
        Ok(())
    }

    /// The value of a key, staged changes included.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.entries().get(key).map(Vec::as_slice)
    }

    /// Stages a value; an empty value deletes the key.
    ///
    /// # Errors
    /// [`StoreError::Quota`] and [`StoreError::Key`]; nothing is staged then.
    pub fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        if key.is_empty() || key.len() > self.limits.key_len {
            return Err(StoreError::Key("length"));
        }
        if self.get(key).unwrap_or_default() == value {
            return Ok(());
        }
        let entries = self.entries();
        let replaced = entries.get(key).map_or(0, |old| key.len() + old.len());
        let used: usize = entries.iter().map(|(k, v)| k.len() + v.len()).sum();
        let needed = used - replaced + key.len() + value.len();
        if !value.is_empty() && needed > self.limits.quota {
            return Err(StoreError::Quota { needed, quota: self.limits.quota });
        }
        if !value.is_empty() && replaced == 0 && entries.len() >= self.limits.keys {
            return Err(StoreError::Key("too many keys"));
        }
        let staged = self.staged.get_or_insert_with(|| self.committed.clone());
        if value.is_empty() {
            staged.remove(key);
        } else {
            staged.insert(key.to_vec(), value.to_vec());
        }
        Ok(())
    }

    /// Makes all staged changes durable. Does nothing when there are none.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Chip`]: the store is then poisoned, because only a
    /// fresh look at disk and chip tells whether the old or the new state is there.
    pub fn commit<S: Sealer>(&mut self, sealer: &mut S) -> Result<(), StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned { path: self.path.clone() });
        }
        // Floors first: a floor without its record costs an EMM, a record without its floor
        // could be played again.
        let staged = self.staged_floors;
        for (number, (from, to)) in self.floors.iter_mut().zip(staged).enumerate() {
            if to > *from {
                sealer.raise_counter(&floor_name(self.client, number), to)?;
                *from = to;
            }
        }
        let Some(staged) = self.staged.take() else { return Ok(()) };
        if staged == self.committed {
            return Ok(());
        }
        self.write(staged, sealer)
    }

    fn write<S: Sealer>(&mut self, staged: Entries, sealer: &mut S) -> Result<(), StoreError> {
        self.poisoned = true;
        let next = self.counter + 1;
        let sealed = sealer.seal(&label(self.client), &serialise(&staged, next))?;
        write_atomically(&self.disk, &self.path, &sealed)?;
        sealer.raise_counter(&label(self.client), next)?;
        self.committed = staged;
        self.counter = next;
        self.poisoned = false;
        Ok(())
    }

    /// Forgets staged changes, as when the client's event ended in a fault.
    pub fn discard(&mut self) {
        self.staged = None;
        self.staged_floors = self.floors;
    }

    fn entries(&self) -> &Entries {
        self.staged.as_ref().unwrap_or(&self.committed)
    }
}

/// Label of the seal and name of the counter: both name the client, so that no client's storage
/// passes for another's (T-32).
fn label(client: ClientName) -> String {
    format!("client-storage-{}", client.file_name())
}

fn path_in(dir: &Path, client: ClientName) -> PathBuf {
    dir.join(format!("{}.nv", client.file_name()))
}

fn floor_name(client: ClientName, number: usize) -> String {
    format!("client-floor-{}-{number}", client.file_name())
}

fn read_floors<S: Sealer>(client: ClientName, sealer: &mut S) -> Result<Floors, SealerError> {
    let mut floors = [0; FLOORS];
    for (number, floor) in floors.iter_mut().enumerate() {
        *floor = sealer.counter(&floor_name(client, number))?;
    }
    Ok(floors)
}

// Blob: magic 4, format 1, counter 8, count 4, then per entry key length 2, key, value length 4,
// value. Big-endian.

fn serialise(entries: &Entries, counter: u64) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(MAGIC);
    out.push(FORMAT);
    out.extend_from_slice(&counter.to_be_bytes());
    out.extend_from_slice(&(entries.len() as u32).to_be_bytes());
    for (key, value) in entries {
        out.extend_from_slice(&(key.len() as u16).to_be_bytes());
        out.extend_from_slice(key);
        out.extend_from_slice(&(value.len() as u32).to_be_bytes());
        out.extend_from_slice(value);
    }
    out
}

/// The entries and the counter, or the offset of the fault.
fn parse(blob: &[u8]) -> Result<(Entries, u64), usize> {
    let mut at = 0;
    if take(blob, &mut at, 4)? != MAGIC {
        return Err(0);
    }
    if take(blob, &mut at, 1)? != [FORMAT] {
        return Err(4);
    }
    let counter = number(take(blob, &mut at, 8)?);
    let count = number(take(blob, &mut at, 4)?);
    let mut entries = Entries::new();
    for _ in 0..count {
        let len = number(take(blob, &mut at, 2)?) as usize;
        let key = take(blob, &mut at, len)?.to_vec();
        let len = number(take(blob, &mut at, 4)?) as usize;
        entries.insert(key, take(blob, &mut at, len)?.to_vec());
    }
    if at == blob.len() { Ok((entries, counter)) } else { Err(at) }
}

fn take<'a>(blob: &'a [u8], at: &mut usize, len: usize) -> Result<&'a [u8], usize> {
    let end = at.checked_add(len).ok_or(*at)?;
    let part = blob.get(*at..end).ok_or(*at)?;
    *at = end;
    Ok(part)
}

fn number(octets: &[u8]) -> u64 {
    octets.iter().fold(0, |value, octet| value << 8 | u64::from(*octet))
}

const MAGIC: &[u8; 4] = b"PSNV";
const FORMAT: u8 = 1;
/// Octets an entry takes besides key and value.
const ENTRY_OVERHEAD: usize = 6;
/// Octets of the blob's head and of the chip's seal, generously.
const BLOB_OVERHEAD: usize = 1024;

#[cfg(test)]
#[path = "sealed_tests.rs"]
mod tests;
