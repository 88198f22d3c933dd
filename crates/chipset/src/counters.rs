//! Monotonic counters of the chip.
//!
//! Trust domain: the chip. Floors of versions and of sealed stores rest on them.
//! What must never happen: a counter that falls, or a raise acknowledged before it is on disk.
//! The file is authenticated under a key of the chip, so an edited one, or one of another chip,
//! is refused. Putting back the *whole* OTP directory is what only real silicon can prevent.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use portcullis_crypto::{Key128, cmac, ct_eq};
use portcullis_keyladder::Sck;

use crate::wire::{ChipError, MAX_NAME};

/// Counters a chip has room for.
pub const MAX_COUNTERS: usize = 256;

/// Why counters cannot be read or raised.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CounterError {
    /// The value would fall.
    #[error("counter would fall from {current} to {offered}")]
    Rollback {
        /// Present value.
        current: u64,
        /// Value offered.
        offered: u64,
    },
    /// Empty, too long, or with other characters than names have.
    #[error("not a counter name")]
    BadName,
    /// All [`MAX_COUNTERS`] are in use.
    #[error("too many counters")]
    TooMany,
    /// Edited, or of another chip.
    #[error("{path}: counters of another chip, or edited")]
    NotAuthentic {
        /// The file.
        path: PathBuf,
    },
    /// The system's fault.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl From<CounterError> for ChipError {
    fn from(error: CounterError) -> Self {
        match error {
            CounterError::Rollback { current, offered } => Self::Rollback { current, offered },
            CounterError::BadName => Self::BadName,
            CounterError::TooMany => Self::TooManyCounters,
            other => Self::Storage(other.to_string()),
        }
    }
}

/// The counters of one chip.
pub struct Counters {
    path: PathBuf,
    key: Key128,
    values: BTreeMap<String, u64>,
}

impl Counters {
    /// All counters at zero, for a chip that is being burnt.
    pub(crate) fn create(otp_dir: &Path, sck: &Sck) -> Result<(), CounterError> {
        let mut counters =
            Self { path: otp_dir.join(FILE), key: key(sck), values: BTreeMap::new() };
        counters.store(BTreeMap::new())
    }

    /// The counters of a chip.
    pub(crate) fn open(otp_dir: &Path, sck: &Sck) -> Result<Self, CounterError> {
        let path = otp_dir.join(FILE);
        let octets = std::fs::read(&path)
            .map_err(|source| CounterError::Io { path: path.clone(), source })?;
        let key = key(sck);
        match decode(&octets, &key) {
            Some(values) => Ok(Self { path, key, values }),
            None => Err(CounterError::NotAuthentic { path }),
        }
    }

    /// The value; 0 for one that was never raised.
    #[must_use]
    pub fn read(&self, name: &str) -> u64 {
        self.values.get(name).copied().unwrap_or(0)
    }

    /// Raises a counter; on return the value is on disk.
    ///
    /// # Errors
    /// [`CounterError`]; the value is unchanged then.
    // spec: D-X11
    // defends: T-38
    pub fn raise(&mut self, name: &str, value: u64) -> Result<(), CounterError> {
        let current = self.read(name);
        if value < current {
            return Err(CounterError::Rollback { current, offered: value });
        }
        if !is_name(name) {
            return Err(CounterError::BadName);
        }
        if value == current {
            return Ok(());
        }
        if !self.values.contains_key(name) && self.values.len() >= MAX_COUNTERS {
            return Err(CounterError::TooMany);
        }
        let mut values = self.values.clone();
        values.insert(name.to_owned(), value);
        self.store(values)
    }

    /// Writes a new file beside the old one, makes it durable, and only then replaces.
    fn store(&mut self, values: BTreeMap<String, u64>) -> Result<(), CounterError> {
        let octets = encode(&values, &self.key);
        let temporary = self.path.with_extension("new");
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&temporary)?;
            file.write_all(&octets)?;
            file.sync_all()?;
            std::fs::rename(&temporary, &self.path)?;
            match self.path.parent() {
                Some(dir) => File::open(dir)?.sync_all(),
                None => Ok(()),
            }
        };
        write().map_err(|source| CounterError::Io { path: self.path.clone(), source })?;
        self.values = values;
        Ok(())
    }
}

/// Whether a counter or label may be called so.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_./:".contains(&c))
}

fn key(sck: &Sck) -> Key128 {
    Key128::new(cmac(&Key128::new(*sck.expose_secret()), &[b"portcullis counters v1"]))
}

fn encode(values: &BTreeMap<String, u64>, key: &Key128) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    for (name, value) in values {
        // Names have at most MAX_NAME octets.
        out.push(name.len() as u8);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&value.to_be_bytes());
    }
    let mac = cmac(key, &[&out]);
    out.extend_from_slice(&mac);
    out
}

fn decode(octets: &[u8], key: &Key128) -> Option<BTreeMap<String, u64>> {
    let (body, mac) = octets.split_last_chunk::<16>()?;
    if !ct_eq(&cmac(key, &[body]), mac) {
        return None;
    }
    let mut rest = body.strip_prefix(&MAGIC)?;
    let mut values = BTreeMap::new();
    while let Some((length, tail)) = rest.split_first() {
        let (name, tail) = tail.split_at_checked(usize::from(*length))?;
        let (value, tail) = tail.split_first_chunk::<8>()?;
        values.insert(String::from_utf8(name.to_vec()).ok()?, u64::from_be_bytes(*value));
        rest = tail;
    }
    Some(values)
}

const FILE: &str = "counters";
const MAGIC: [u8; 8] = *b"PCCN\0\0\0\x01";
