//! One party: its directory, its unlock key and the files sealed to it.

use std::path::{Component, Path, PathBuf};

use zeroize::Zeroizing;

use crate::identity::{identity_file, read_identity, read_limited};
use crate::{MAX_FILE, Passphrase, Recipient, VaultError, create_private_dir, write_private};

/// Name of the unlock key in a party's directory.
pub const UNLOCK_KEY: &str = "unlock.key";

/// A party whose unlock key is open.
pub struct Party {
    dir: PathBuf,
    identity: age::x25519::Identity,
}

impl Party {
    /// Makes the directory (0700) and a new unlock key in it.
    ///
    /// # Errors
    /// [`VaultError::Exists`] when there is an unlock key already; I/O errors.
    pub fn create(dir: &Path, passphrase: Option<&Passphrase>) -> Result<Self, VaultError> {
        Self::create_named(dir, UNLOCK_KEY, passphrase)
    }

    /// As [`Party::create`], with a key file of another name: a module that shares the directory
    /// of a party but not its secrets (the serialiser on the chip maker's line).
    ///
    /// # Errors
    /// As [`Party::create`].
    pub fn create_named(
        dir: &Path,
        key_file: &str,
        passphrase: Option<&Passphrase>,
    ) -> Result<Self, VaultError> {
        create_private_dir(dir)?;
        let path = dir.join(checked(key_file)?);
        if path.exists() {
            return Err(VaultError::Exists(path));
        }
        let identity = age::x25519::Identity::generate();
        write_private(&path, &identity_file(&identity, passphrase, &path)?)?;
        Ok(Self { dir: dir.to_owned(), identity })
    }

    /// Opens the unlock key of a directory.
    ///
    /// # Errors
    /// [`VaultError`] when it is missing, no identity, or protected by another passphrase.
    pub fn open(dir: &Path, passphrase: Option<&Passphrase>) -> Result<Self, VaultError> {
        Self::open_named(dir, UNLOCK_KEY, passphrase)
    }

    /// Opens a key file of another name.
    ///
    /// # Errors
    /// As [`Party::open`].
    pub fn open_named(
        dir: &Path,
        key_file: &str,
        passphrase: Option<&Passphrase>,
    ) -> Result<Self, VaultError> {
        let identity = read_identity(&dir.join(checked(key_file)?), passphrase)?;
        Ok(Self { dir: dir.to_owned(), identity })
    }

    /// The party's directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// To whom others seal what this party shall read.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        Recipient(self.identity.to_public())
    }

    /// Seals `bytes` into `name` (a path inside the party's directory), replacing it atomically.
    ///
    /// # Errors
    /// [`VaultError`] when the name leaves the directory, or on I/O errors.
    pub fn seal_file(&self, name: &str, bytes: &[u8]) -> Result<(), VaultError> {
        seal_to(&self.recipient(), &self.dir.join(checked(name)?), bytes)
    }

    /// Opens a sealed file of the party's directory.
    ///
    /// # Errors
    /// [`VaultError::DoesNotOpen`] when it is sealed to somebody else or damaged; I/O errors.
    pub fn open_file(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        self.open_path(&self.dir.join(checked(name)?))
    }

    /// Opens a sealed file anywhere.
    ///
    /// # Errors
    /// As [`Party::open_file`].
    pub fn open_path(&self, path: &Path) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let sealed = read_limited(path, MAX_FILE)?;
        age::decrypt(&self.identity, &sealed)
            .map(Zeroizing::new)
            .map_err(|_| VaultError::DoesNotOpen(path.to_owned()))
    }
}

/// Seals `bytes` to a recipient into `path` (0600, atomic).
///
/// # Errors
/// [`VaultError`] when the bytes are too many, or on I/O errors.
pub fn seal_to(recipient: &Recipient, path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    if bytes.len() as u64 > MAX_FILE {
        return Err(VaultError::TooLarge { path: path.to_owned(), limit: MAX_FILE });
    }
    let sealed =
        age::encrypt(&recipient.0, bytes).map_err(|_| VaultError::Sealing(path.to_owned()))?;
    write_private(path, &sealed)
}

/// A relative path of plain components only.
fn checked(name: &str) -> Result<&Path, VaultError> {
    let path = Path::new(name);
    let mut components = path.components();
    let plain = components.all(|c| matches!(c, Component::Normal(_)));
    if name.is_empty() || !plain {
        return Err(VaultError::BadName(path.to_owned()));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    // spec-test: D-K8
    #[test]
    fn sealed_files_open_for_their_party_only() {
        let dir = tempfile::tempdir().unwrap();
        let a = Party::create(&dir.path().join("a"), None).unwrap();
        let b = Party::create(&dir.path().join("b"), None).unwrap();
        a.seal_file("chips/master.key.age", b"secret of a").unwrap();
        let path = dir.path().join("a/chips/master.key.age");
        assert!(!std::fs::read(&path).unwrap().windows(6).any(|w| w == b"secret"));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let a = Party::open(&dir.path().join("a"), None).unwrap();
        assert_eq!(&a.open_file("chips/master.key.age").unwrap()[..], b"secret of a");
        assert!(matches!(b.open_path(&path), Err(VaultError::DoesNotOpen(_))));
        assert!(matches!(Party::create(&dir.path().join("a"), None), Err(VaultError::Exists(_))));
    }

    // attack-test: T-08
    #[test]
    fn an_unlock_key_that_others_may_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let open = |passphrase| Party::open(dir.path(), passphrase).map(|_| ());
        Party::create(dir.path(), None).unwrap();
        let key = dir.path().join("unlock.key");
        for (mode, is_good) in [(0o644, false), (0o640, false), (0o602, false), (0o400, true)] {
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
            let opened = open(None);
            assert_eq!(opened.is_ok(), is_good, "{mode:o}");
            if let Err(error) = opened {
                assert!(error.to_string().contains("chmod 600"), "{error}");
            }
        }
        // Under a passphrase the mode is not what protects it.
        std::fs::remove_file(&key).unwrap();
        let passphrase = crate::Passphrase::new("long and random");
        Party::create(dir.path(), Some(&passphrase)).unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        open(Some(&passphrase)).unwrap();
    }

    #[test]
    fn a_changed_octet_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let a = Party::create(dir.path(), None).unwrap();
        a.seal_file("x.age", b"twelve and a half").unwrap();
        let path = dir.path().join("x.age");
        let sealed = std::fs::read(&path).unwrap();
        for at in (0..sealed.len()).step_by(7) {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            assert!(a.open_file("x.age").is_err(), "octet {at}");
        }
    }

    #[test]
    fn a_passphrase_protects_the_unlock_key() {
        let dir = tempfile::tempdir().unwrap();
        let right = Passphrase::new("right horse");
        let recipient = Party::create(dir.path(), Some(&right)).unwrap().recipient();
        assert!(matches!(Party::open(dir.path(), None), Err(VaultError::PassphraseNeeded(_))));
        assert!(matches!(
            Party::open(dir.path(), Some(&Passphrase::new("wrong"))),
            Err(VaultError::WrongPassphrase(_))
        ));
        assert_eq!(Party::open(dir.path(), Some(&right)).unwrap().recipient(), recipient);
    }

    #[test]
    fn names_stay_inside_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        let a = Party::create(dir.path(), None).unwrap();
        for name in ["../x", "/etc/x", "", "a/../../x", "."] {
            assert!(matches!(a.seal_file(name, b""), Err(VaultError::BadName(_))), "{name}");
        }
    }
}
