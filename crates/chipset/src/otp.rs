//! One-time programmable memory of the chip, as a file that is written once.
//!
//! Trust domain: the chip. It holds what the serialiser burns (ChipID, ESCK, BL_KEY0 public key,
//! profile) and, in its sealed area, what silicon would hide from everybody: the per-model key
//! that recovers SCK from ESCK, and MaskKey. Clauses: J.1032 6.1.2 c, 6.1.3 a-c.
//! What must never happen: a second burn; SCK in the file (it is computed when the chip starts).
//!
//! ```text
//! 0 "PCOT"  4 version 1  5 profile  6 has ModuleID  7 ModuleID  8 ChipID  16 ESCK  32 BL_KEY0
//! 64 sealed area: model key  80 MaskKey  96 SHA-256 of all before (a checksum, no protection)
//! ```

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use portcullis_crypto::{
    Ed25519VerifyingKey, Key128, Zeroizing, aes128_decrypt_block, aes128_encrypt_block, ct_eq,
    sha256,
};
use portcullis_keyladder::{MaskKey, Profile, Sck};
use portcullis_types::{ChipId, ModuleId};
use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with};

use crate::counters::{CounterError, Counters};

/// Why OTP cannot be burnt or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OtpError {
    /// Burning is done once.
    #[error("{path}: this chip was burnt already")]
    AlreadyBurnt {
        /// The file.
        path: PathBuf,
    },
    /// Not the file that a burn writes, or damaged.
    #[error("{path}: not a chip's OTP: {cause} at offset {offset}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: &'static str,
        /// Where.
        offset: usize,
    },
    /// Another process runs on this chip.
    #[error("{path}: this chip is running already")]
    InUse {
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
    /// The counters beside it.
    #[error(transparent)]
    Counters(#[from] CounterError),
}

/// What is burnt.
pub struct OtpContents<'a> {
    /// ChipID.
    pub chip_id: ChipId,
    /// Derivation profile of the silicon.
    pub profile: Profile,
    /// ModuleID, for profiles 1a, 2a and 2b.
    pub module_id: Option<ModuleId>,
    /// ESCK, as the SDMP delivered it.
    pub esck: [u8; 16],
    /// Public half of BL_KEY0.
    pub bl_key0: [u8; 32],
    /// The chip vendor's per-model key.
    pub model_key: &'a Key128,
    /// The chip vendor's MaskKey.
    pub mask_key: &'a MaskKey,
}

/// A chip's OTP, read and held for the life of the chip.
pub struct Otp {
    pub(crate) chip_id: ChipId,
    pub(crate) profile: Profile,
    pub(crate) module_id: Option<ModuleId>,
    pub(crate) bl_key0: Ed25519VerifyingKey,
    pub(crate) mask_key: MaskKey,
    esck: [u8; 16],
    model_key: Key128,
    /// Locked as long as the chip runs: two processes on one chip would undo each other's counters.
    _lock: File,
}

/// ESCK = AES(model key, SCK): the SDMP's side of [`Otp`]'s recovery of SCK.
#[must_use]
pub fn encrypt_sck(model_key: &Key128, sck: &Sck) -> [u8; 16] {
    aes128_encrypt_block(model_key, *sck.expose_secret())
}

impl Otp {
    /// Burns a chip, once, with its counters at zero.
    ///
    /// # Errors
    /// [`OtpError::AlreadyBurnt`] on the second try; [`OtpError::Io`].
    // spec: D-S4
    pub fn burn(otp_dir: &Path, contents: &OtpContents<'_>) -> Result<(), OtpError> {
        std::fs::create_dir_all(otp_dir).map_err(io(otp_dir))?;
        let path = otp_dir.join(FILE);
        if path.exists() {
            return Err(OtpError::AlreadyBurnt { path });
        }
        let sck = Sck::new(aes128_decrypt_block(contents.model_key, contents.esck));
        Counters::create(otp_dir, &sck)?;
        let octets = contents.encode();
        let temporary = otp_dir.join(".chip.otp.new");
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&temporary)?;
            file.write_all(&octets)?;
            file.sync_all()
        };
        write().map_err(io(&temporary))?;
        // The rename refuses an existing file, so that of two burns at once one loses.
        match renameat_with(CWD, &temporary, CWD, &path, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(rustix::io::Errno::EXIST) => return Err(OtpError::AlreadyBurnt { path }),
            Err(errno) => return Err(io(&path)(errno.into())),
        }
        File::open(otp_dir).and_then(|dir| dir.sync_all()).map_err(io(otp_dir))
    }

    /// Reads and locks a chip's OTP.
    ///
    /// # Errors
    /// [`OtpError`].
    pub fn load(otp_dir: &Path) -> Result<Self, OtpError> {
        let path = otp_dir.join(FILE);
        let mut file = File::open(&path).map_err(io(&path))?;
        lock(&file, &path)?;
        let mut octets = Zeroizing::new([0u8; LENGTH + 1]);
        let mut length = 0;
        while let Some(rest) = octets.get_mut(length..) {
            match file.read(rest).map_err(io(&path))? {
                0 => break,
                more => length += more,
            }
        }
        let octets = octets.get(..length).unwrap_or_default();
        Self::decode(octets, file).map_err(|(cause, offset)| OtpError::Damaged {
            path,
            cause,
            offset,
        })
    }

    /// ChipID.
    #[must_use]
    pub const fn chip_id(&self) -> ChipId {
        self.chip_id
    }

    /// Public half of BL_KEY0.
    #[must_use]
    pub const fn bl_key0(&self) -> &Ed25519VerifyingKey {
        &self.bl_key0
    }

    /// SCK, as the chip recovers it from ESCK.
    pub(crate) fn sck(&self) -> Sck {
        Sck::new(aes128_decrypt_block(&self.model_key, self.esck))
    }

    fn decode(octets: &[u8], lock: File) -> Result<Self, (&'static str, usize)> {
        let octets: &[u8; LENGTH] = octets.try_into().map_err(|_| ("length", octets.len()))?;
        let (body, checksum) = octets.split_at(CHECKSUM_AT);
        if body[..4] != MAGIC {
            return Err(("magic", 0));
        }
        if body[4] != 1 {
            return Err(("version", 4));
        }
        if !ct_eq(&sha256(&[body]), checksum) {
            return Err(("checksum", CHECKSUM_AT));
        }
        let profile = Profile::from_number(body[5]).map_err(|_| ("profile", 5))?;
        let module_id = (body[6] == 1).then_some(ModuleId(body[7]));
        if profile.has_module_key() != module_id.is_some() {
            return Err(("ModuleID", 6));
        }
        Ok(Self {
            chip_id: ChipId(u64::from_be_bytes(array(body, 8))),
            profile,
            module_id,
            esck: array(body, 16),
            bl_key0: Ed25519VerifyingKey::from_bytes(&array(body, 32))
                .map_err(|_| ("BL_KEY0", 32))?,
            model_key: Key128::new(array(body, 64)),
            mask_key: MaskKey::new(array(body, 80)),
            _lock: lock,
        })
    }
}

impl OtpContents<'_> {
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(LENGTH));
        out.extend_from_slice(&MAGIC);
        out.push(1);
        out.push(self.profile.number());
        out.push(u8::from(self.module_id.is_some()));
        out.push(self.module_id.map_or(0, |id| id.0));
        out.extend_from_slice(&self.chip_id.0.to_be_bytes());
        out.extend_from_slice(&self.esck);
        out.extend_from_slice(&self.bl_key0);
        out.extend_from_slice(self.model_key.expose_secret());
        out.extend_from_slice(self.mask_key.expose_secret());
        let checksum = sha256(&[&out]);
        out.extend_from_slice(&checksum);
        out
    }
}

/// `N` octets at an offset that the caller's length check covers.
fn array<const N: usize>(octets: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    for (to, from) in out.iter_mut().zip(octets.iter().skip(at)) {
        *to = *from;
    }
    out
}

/// Takes the chip, waiting a little for one that is just being shut down.
fn lock(file: &File, path: &Path) -> Result<(), OtpError> {
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(()),
            Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(OtpError::InUse { path: path.to_owned() });
            }
            Err(errno) => return Err(io(path)(errno.into())),
        }
    }
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> OtpError {
    let path = path.to_owned();
    move |source| OtpError::Io { path, source }
}

const FILE: &str = "chip.otp";
const MAGIC: [u8; 4] = *b"PCOT";
const CHECKSUM_AT: usize = 96;
const LENGTH: usize = CHECKSUM_AT + 32;
const LOCK_PATIENCE: Duration = Duration::from_secs(2);
