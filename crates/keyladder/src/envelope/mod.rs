//! The sealed message: one envelope for ECM, group EMM and unique EMM of every CA vendor.
//!
//! Trust domain: the headend seals, the chip opens; the terminal reads the [`Header`] only.
//! Encrypt-then-MAC under keys derived from the level key by purpose and kind, so that a
//! message of one kind never opens as another.
//! What must never happen: one octet of a body given out before the MAC over the whole message
//! was found good.
//!
//! ```text
//! 0 version  1 kind  2 salt  4 key_ref  8 sequence  12 ladder length  14 body length
//! 16 ciphertext (AES-128-CBC, zero padded)  .. 16 octets AES-CMAC
//! ```

mod parts;
mod sealer;

use alloc::vec::Vec;

use portcullis_crypto::{Key128, aes128_encrypt_block, cbc_decrypt_in_place, cmac, ct_eq};
use portcullis_types::EpochId;

pub use parts::{GroupLadder, MemberBitmap, UniqueLadder, unique_address};
pub use sealer::{SealedMessages, Sealer, ToSeal, seal_many};

use crate::{LadderKey, Level1, Level2, RootKey};

/// The only version there is.
pub const VERSION: u8 = 1;
/// Octets of the clear header.
pub const HEADER_LEN: usize = 16;
/// Octets of the MAC at the end.
pub const MAC_LEN: usize = 16;
/// Octets of the longest sealed EMM: a 1024-octet section without its three header octets.
pub const MAX_EMM: usize = 1021;
/// Octets of the longest sealed ECM: a 256-octet section without its three header octets.
pub const MAX_ECM: usize = 253;

/// Which message it is, hence which level key seals it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// To one chip, under K3: brings EK2 and entitlements.
    UniqueEmm = 1,
    /// To the members of a group, under K2: brings EK1.
    GroupEmm = 2,
    /// To all who hold K1: brings ECW.
    Ecm = 3,
}

impl Kind {
    const fn from_octet(octet: u8) -> Option<Self> {
        match octet {
            1 => Some(Self::UniqueEmm),
            2 => Some(Self::GroupEmm),
            3 => Some(Self::Ecm),
            _ => None,
        }
    }

    /// Octets of the longest envelope of this kind.
    #[must_use]
    pub const fn max_len(self) -> usize {
        match self {
            Self::Ecm => MAX_ECM,
            _ => MAX_EMM,
        }
    }

    /// Octets of the ladder part of this kind.
    #[must_use]
    pub const fn ladder_len(self) -> usize {
        match self {
            Self::UniqueEmm => UniqueLadder::LEN,
            Self::GroupEmm => GroupLadder::LEN,
            Self::Ecm => 0,
        }
    }
}

/// The clear header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Kind of message.
    pub kind: Kind,
    /// ECM: CP_number of the first control word. EMM: any changing value.
    pub salt: u16,
    /// Whose: address of the chip, group id or product id, by kind.
    pub key_ref: u32,
    /// Counter (unique EMM) or epoch.
    pub sequence: u32,
    /// Octets of the ladder part.
    pub ladder_len: u16,
    /// Octets of the whole body, ladder part included.
    pub body_len: u16,
}

/// What the sealing side chooses of the header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeaderFields {
    /// See [`Header::salt`].
    pub salt: u16,
    /// See [`Header::key_ref`].
    pub key_ref: u32,
    /// See [`Header::sequence`].
    pub sequence: u32,
}

/// Why a message does not open. All are the sender's (or an attacker's) fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Shorter than header and MAC, or than its own header says.
    #[error("message truncated: {found} octets of {expected}")]
    Truncated {
        /// Octets needed.
        expected: usize,
        /// Octets there.
        found: usize,
    },
    /// Longer than its own header says.
    #[error("{surplus} octets too many at offset {at}")]
    Surplus {
        /// Where they begin.
        at: usize,
        /// How many.
        surplus: usize,
    },
    /// A version that is not 1, at offset 0.
    #[error("message version {0} at offset 0, 1 expected")]
    Version(u8),
    /// A kind that does not exist, at offset 1.
    #[error("unknown message kind {0} at offset 1")]
    UnknownKind(u8),
    /// A message of another kind than the key is for.
    #[error("message of kind {found:?} under the key of {expected:?}")]
    WrongKind {
        /// Kind the key seals.
        expected: Kind,
        /// Kind of the message.
        found: Kind,
    },
    /// The lengths at offsets 12 and 14 contradict the kind, each other or the limit.
    #[error("impossible lengths at offset 12: ladder part {ladder}, body {body}")]
    Lengths {
        /// Ladder length.
        ladder: u16,
        /// Body length.
        body: u16,
    },
    /// The MAC is wrong: altered, or sealed under another key.
    #[error("message not authentic")]
    NotAuthentic,
}

/// The body does not fit into a section.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Too long for its section.
    #[error("body of {length} octets does not fit into a {kind:?}")]
    TooLong {
        /// Kind of message.
        kind: Kind,
        /// Octets of the body.
        length: usize,
    },
    /// The ladder part has not the length its kind has.
    #[error("ladder part of {found} octets, {expected} expected for {kind:?}")]
    LadderLength {
        /// Kind of message.
        kind: Kind,
        /// Octets wanted.
        expected: usize,
        /// Octets given.
        found: usize,
    },
}

impl Header {
    /// Reads the clear header of a message and checks all lengths; says nothing about its
    /// authenticity.
    ///
    /// # Errors
    /// [`OpenError`] when the message cannot be one.
    pub fn parse(message: &[u8]) -> Result<Self, OpenError> {
        let shortest = HEADER_LEN + MAC_LEN;
        let Some(octets) = message.first_chunk::<HEADER_LEN>() else {
            return Err(OpenError::Truncated { expected: shortest, found: message.len() });
        };
        let [version, kind, s0, s1, k0, k1, k2, k3, q0, q1, q2, q3, l0, l1, b0, b1] = *octets;
        if version != VERSION {
            return Err(OpenError::Version(version));
        }
        let header = Self {
            kind: Kind::from_octet(kind).ok_or(OpenError::UnknownKind(kind))?,
            salt: u16::from_be_bytes([s0, s1]),
            key_ref: u32::from_be_bytes([k0, k1, k2, k3]),
            sequence: u32::from_be_bytes([q0, q1, q2, q3]),
            ladder_len: u16::from_be_bytes([l0, l1]),
            body_len: u16::from_be_bytes([b0, b1]),
        };
        let expected = header.message_len();
        if usize::from(header.ladder_len) != header.kind.ladder_len()
            || header.body_len < header.ladder_len
            || expected > header.kind.max_len()
        {
            return Err(OpenError::Lengths { ladder: header.ladder_len, body: header.body_len });
        }
        match message.len() {
            found if found < expected => Err(OpenError::Truncated { expected, found }),
            found if found > expected => {
                Err(OpenError::Surplus { at: expected, surplus: found - expected })
            }
            _ => Ok(header),
        }
    }

    /// Octets of the whole envelope.
    #[must_use]
    pub fn message_len(&self) -> usize {
        HEADER_LEN + padded(usize::from(self.body_len)) + MAC_LEN
    }

    fn to_bytes(self) -> [u8; HEADER_LEN] {
        let [s0, s1] = self.salt.to_be_bytes();
        let [k0, k1, k2, k3] = self.key_ref.to_be_bytes();
        let [q0, q1, q2, q3] = self.sequence.to_be_bytes();
        let [l0, l1] = self.ladder_len.to_be_bytes();
        let [b0, b1] = self.body_len.to_be_bytes();
        [VERSION, self.kind as u8, s0, s1, k0, k1, k2, k3, q0, q1, q2, q3, l0, l1, b0, b1]
    }
}

mod sealed {
    pub trait Sealed {
        fn level_key(&self) -> &portcullis_crypto::Key128;
    }
    impl Sealed for crate::RootKey {
        fn level_key(&self) -> &portcullis_crypto::Key128 {
            &self.0
        }
    }
    impl Sealed for crate::LadderKey<crate::Level2> {
        fn level_key(&self) -> &portcullis_crypto::Key128 {
            self.key()
        }
    }
    impl Sealed for crate::LadderKey<crate::Level1> {
        fn level_key(&self) -> &portcullis_crypto::Key128 {
            self.key()
        }
    }
}

/// A level key as the key of messages: each level seals one kind.
pub trait MessageKey: sealed::Sealed {
    /// The kind.
    const KIND: Kind;
}

impl MessageKey for RootKey {
    const KIND: Kind = Kind::UniqueEmm;
}
impl MessageKey for LadderKey<Level2> {
    const KIND: Kind = Kind::GroupEmm;
}
impl MessageKey for LadderKey<Level1> {
    const KIND: Kind = Kind::Ecm;
}

/// An opened, authentic message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opened {
    header: Header,
    body: Vec<u8>,
}

impl Opened {
    /// The header, now known to be authentic.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The part for the chip.
    #[must_use]
    pub fn ladder(&self) -> &[u8] {
        self.body.get(..usize::from(self.header.ladder_len)).unwrap_or_default()
    }

    /// The part for the client, in its vendor's layout.
    #[must_use]
    pub fn client(&self) -> &[u8] {
        self.body.get(usize::from(self.header.ladder_len)..).unwrap_or_default()
    }

    /// Ladder part and client part.
    #[must_use]
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }
}

/// Seals one message under a level key; the level decides the kind. A key that seals more than
/// one is kept as a [`Sealer`].
///
/// # Errors
/// [`SealError`] when the body does not fit.
pub fn seal<K: MessageKey>(
    key: &K,
    fields: HeaderFields,
    ladder: &[u8],
    client: &[u8],
) -> Result<Vec<u8>, SealError> {
    Sealer::new(key).seal(fields, ladder, client)
}

/// Opens a message: lengths, kind and MAC first, then the body.
///
/// # Errors
/// [`OpenError`] says what is wrong; nothing of the body is given out then.
// defends: T-10
pub fn open<K: MessageKey>(key: &K, message: &[u8]) -> Result<Opened, OpenError> {
    let header = Header::parse(message)?;
    if header.kind != K::KIND {
        return Err(OpenError::WrongKind { expected: K::KIND, found: header.kind });
    }
    let keys = MessageKeys::derive(key.level_key(), header.kind);
    let (authenticated, mac) =
        message.split_last_chunk::<MAC_LEN>().ok_or(OpenError::NotAuthentic)?;
    if !ct_eq(&cmac(&keys.mac, &[authenticated]), mac) {
        return Err(OpenError::NotAuthentic);
    }
    let iv = aes128_encrypt_block(&keys.enc, header.to_bytes());
    let mut body = authenticated.get(HEADER_LEN..).unwrap_or_default().to_vec();
    cbc_decrypt_in_place(&keys.enc, &iv, &mut body).map_err(|_| OpenError::NotAuthentic)?;
    let (kept, padding) = body.split_at(usize::from(header.body_len).min(body.len()));
    if padding.iter().any(|octet| *octet != 0) {
        return Err(OpenError::NotAuthentic);
    }
    let length = kept.len();
    body.truncate(length);
    Ok(Opened { header, body })
}

struct MessageKeys {
    enc: Key128,
    mac: Key128,
}

impl MessageKeys {
    fn derive(level_key: &Key128, kind: Kind) -> Self {
        Self {
            enc: Key128::new(cmac(level_key, &[b"portcullis enc v1", &[kind as u8]])),
            mac: Key128::new(cmac(level_key, &[b"portcullis mac v1", &[kind as u8]])),
        }
    }
}

const fn padded(length: usize) -> usize {
    length.div_ceil(16) * 16
}

impl Header {
    /// The epoch of a group EMM or ECM.
    #[must_use]
    pub const fn epoch(&self) -> EpochId {
        EpochId(self.sequence)
    }
}
