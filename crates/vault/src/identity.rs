//! age identities as files, with or without a passphrase, and recipients.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::str::FromStr;

use age::secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::{MAX_FILE, MAX_PASSPHRASE, VaultError};

/// Work factor (log2 N) of the passphrase protection. Every program of an `init` opens its
/// party's key once, so the factor is one that costs tens of milliseconds; the passphrase comes
/// from a file and is expected to be random.
const SCRYPT_LOG_N: u8 = 15;

/// Highest work factor accepted when opening, so that a planted key file cannot stall us.
const SCRYPT_LOG_N_MAX: u8 = 20;

const SECRET_KEY_PREFIX: &str = "AGE-SECRET-KEY-1";

/// The passphrase of a party, read from a file.
pub struct Passphrase(SecretString);

impl Passphrase {
    /// A passphrase from text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(SecretString::from(text))
    }

    /// The first line of a file.
    ///
    /// # Errors
    /// [`VaultError`] when the file cannot be read, is too large, not UTF-8 or empty.
    pub fn from_file(path: &Path) -> Result<Self, VaultError> {
        let bytes = read_limited(path, MAX_PASSPHRASE)?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| VaultError::EmptyPassphrase(path.to_owned()))?;
        match text.lines().next().map(str::trim_end) {
            Some(line) if !line.is_empty() => Ok(Self::new(line)),
            _ => Err(VaultError::EmptyPassphrase(path.to_owned())),
        }
    }

    fn secret(&self) -> SecretString {
        SecretString::from(self.0.expose_secret())
    }
}

/// To whom a file is sealed: the public half of an unlock key.
#[derive(Clone)]
pub struct Recipient(pub(crate) age::x25519::Recipient);

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({})", self.0)
    }
}

impl PartialEq for Recipient {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Recipient {}

impl FromStr for Recipient {
    type Err = VaultError;

    fn from_str(text: &str) -> Result<Self, VaultError> {
        text.trim().parse().map(Self).map_err(|_| VaultError::NotARecipient)
    }
}

/// The text of an identity file, encrypted under the passphrase when there is one.
pub(crate) fn identity_file(
    identity: &age::x25519::Identity,
    passphrase: Option<&Passphrase>,
    path: &Path,
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let secret = identity.to_string();
    let mut text = Zeroizing::new(Vec::with_capacity(256));
    text.extend_from_slice(format!("# public key: {}\n", identity.to_public()).as_bytes());
    text.extend_from_slice(secret.expose_secret().as_bytes());
    text.push(b'\n');
    let Some(passphrase) = passphrase else { return Ok(text) };
    let mut recipient = age::scrypt::Recipient::new(passphrase.secret());
    recipient.set_work_factor(SCRYPT_LOG_N);
    age::encrypt(&recipient, &text)
        .map(Zeroizing::new)
        .map_err(|_| VaultError::Sealing(path.to_owned()))
}

/// Reads an identity file.
pub(crate) fn read_identity(
    path: &Path,
    passphrase: Option<&Passphrase>,
) -> Result<age::x25519::Identity, VaultError> {
    let bytes = read_limited(path, MAX_PASSPHRASE)?;
    if let Some(identity) = find_identity(&bytes) {
        // Nothing but the file's mode protects it.
        let mode = std::fs::metadata(path).map_err(|e| VaultError::io(path, e))?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(VaultError::OpenToOthers { path: path.to_owned(), mode });
        }
        return Ok(identity);
    }
    if !bytes.starts_with(b"age-encryption.org/") && !bytes.starts_with(b"-----BEGIN AGE") {
        return Err(VaultError::NotAnIdentity(path.to_owned()));
    }
    let passphrase = passphrase.ok_or_else(|| VaultError::PassphraseNeeded(path.to_owned()))?;
    let mut opener = age::scrypt::Identity::new(passphrase.secret());
    opener.set_max_work_factor(SCRYPT_LOG_N_MAX);
    let text = age::decrypt(&opener, &bytes)
        .map(Zeroizing::new)
        .map_err(|_| VaultError::WrongPassphrase(path.to_owned()))?;
    find_identity(&text).ok_or_else(|| VaultError::NotAnIdentity(path.to_owned()))
}

fn find_identity(text: &[u8]) -> Option<age::x25519::Identity> {
    std::str::from_utf8(text)
        .ok()?
        .lines()
        .find(|line| line.starts_with(SECRET_KEY_PREFIX))?
        .trim_end()
        .parse()
        .ok()
}

/// Reads a whole file of at most `limit` octets.
pub(crate) fn read_limited(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let file = File::open(path).map_err(|e| VaultError::io(path, e))?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(limit.min(MAX_FILE) + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| VaultError::io(path, e))?;
    if bytes.len() as u64 > limit {
        return Err(VaultError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}
