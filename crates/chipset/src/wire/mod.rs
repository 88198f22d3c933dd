//! Requests and replies between the terminal and the chip, and their limits.
//!
//! Trust domain: the border of the chip. Every octet that arrives here is hostile.
//! What must never happen: a reply that can carry SCK, K3, K2, K1 or a control word. [`Outcome`]
//! has no variant for one, and no field of it is computed from one except the challenge's dnonce.
//!
//! One message is one postcard value in one datagram of a `SOCK_SEQPACKET` pair. The types do not
//! nest into themselves, so that a message cannot make the decoder recurse.

mod error;

use portcullis_types::{
    ChipId, EpochId, GroupId, MemberIndex, Parity, Pid, ProductId, ScramblingMode, VendorSysId,
};
use serde::{Deserialize, Serialize};

pub use error::ChipError;

/// Octets of the longest message either way.
pub const MAX_MESSAGE: usize = 64 * 1024;
/// Operations in one batch.
pub const MAX_BATCH: usize = 16;
/// Sessions at a time.
pub const MAX_SESSIONS: usize = 16;
/// PIDs of one session.
pub const MAX_PIDS: usize = 64;
/// Octets of the longest CA message (an EMM section without its header).
pub const MAX_CA_MESSAGE: usize = portcullis_keyladder::envelope::MAX_EMM;
/// Octets of the longest label or counter name.
pub const MAX_NAME: usize = 64;
/// Octets that can be sealed at a time.
pub const MAX_SEALED: usize = 32 * 1024;
/// Octets that sealing adds: nonce and tag.
pub const SEAL_OVERHEAD: usize = 12 + 16;
/// Octets of the longest trust anchor.
pub const MAX_TRUST_ANCHOR: usize = 8 * 1024;

/// A descrambling session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct SessionId(pub u32);

/// One datagram to the chip.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Request {
    /// Asks for the packet memory; its descriptor comes with the reply.
    Attach,
    /// One operation.
    One(Operation),
    /// Several, carried out in order until one fails.
    Batch(Vec<Operation>),
    /// From the bootloader, before the platform runs.
    Boot(BootOperation),
}

/// What a terminal can ask of the chip.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Operation {
    /// Who the chip is.
    Info,
    /// Opens a session for the vendor of a verified client package.
    OpenSession {
        /// Vendor_SysID; decides K3.
        vendor_sys_id: VendorSysId,
        /// Algorithm of the descrambler; decides the control-word class.
        mode: ScramblingMode,
        /// Cipher of the ladder.
        ladder: Ladder,
    },
    /// The elementary streams of a session.
    SetPids {
        /// Session.
        session: SessionId,
        /// At most [`MAX_PIDS`] of 13 bits each.
        pids: Vec<u16>,
    },
    /// A whole sealed unique EMM: brings K2.
    SetEk2 {
        /// Session.
        session: SessionId,
        /// The envelope.
        message: Vec<u8>,
    },
    /// A whole sealed group EMM: brings K1 when this chip is a member.
    SetEk1 {
        /// Session.
        session: SessionId,
        /// The envelope.
        message: Vec<u8>,
    },
    /// Opens a message of any kind; an ECM selects its K1 for [`Operation::LoadCw`].
    OpenMessage {
        /// Session.
        session: SessionId,
        /// The envelope.
        message: Vec<u8>,
    },
    /// Loads an encrypted control word into the descrambler.
    LoadCw {
        /// Session.
        session: SessionId,
        /// Its parity.
        parity: Parity,
        /// ECW.
        ecw: [u8; 16],
        /// Usage rights in canonical form, as they were bound.
        usage_rights: Vec<u8>,
    },
    /// Clears the descrambler keys of a session.
    Release {
        /// Session.
        session: SessionId,
    },
    /// Closes a session and clears its keys.
    CloseSession {
        /// Session.
        session: SessionId,
    },
    /// Answers a nonce of the headend with K2.
    Challenge {
        /// Session.
        session: SessionId,
        /// The nonce.
        nonce: [u8; 16],
    },
    /// Descrambles packets in the packet memory.
    Descramble {
        /// Session.
        session: SessionId,
        /// Index of the first packet.
        first: u32,
        /// How many.
        count: u32,
    },
    /// Encrypts data for this chip alone.
    Seal {
        /// Keys of different labels are unrelated.
        label: String,
        /// Data.
        data: Vec<u8>,
    },
    /// Opens what [`Operation::Seal`] gave.
    Unseal {
        /// The same label.
        label: String,
        /// Sealed data.
        data: Vec<u8>,
    },
    /// Reads a monotonic counter; an unknown one is 0.
    CounterRead {
        /// Its name.
        name: String,
    },
    /// Raises a monotonic counter, durably.
    CounterRaise {
        /// Its name.
        name: String,
        /// Not below the present value.
        value: u64,
    },
    /// The links of the boot chain.
    BootReport,
    /// The trust anchor that the platform image carried.
    TrustAnchor,
}

/// What the bootloader can ask of the chip.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum BootOperation {
    /// What verifies the platform image.
    Keys,
    /// The outcome of the platform link. A good one ends the boot phase.
    Report(PlatformReport),
}

/// The bootloader's word on the platform image.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PlatformReport {
    /// The links it checked.
    pub links: Vec<BootLink>,
    /// Whether the platform is going to run.
    pub good: bool,
    /// Trust anchor of the image, DER.
    pub trust_anchor: Vec<u8>,
    /// New floors; empty unless good.
    pub floors: BootFloors,
}

/// Version floors of the boot chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct BootFloors {
    /// Of the certificate that names the signer.
    pub certificate: u32,
    /// Of the image.
    pub image: u32,
}

/// Cipher of the ladder, as it crosses the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub enum Ladder {
    /// AES-128.
    #[default]
    Aes,
    /// Two-key triple DES.
    Tdes,
}

impl From<Ladder> for portcullis_keyladder::LadderAlgorithm {
    fn from(ladder: Ladder) -> Self {
        match ladder {
            Ladder::Aes => Self::Aes,
            Ladder::Tdes => Self::Tdes,
        }
    }
}

/// One datagram from the chip.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Reply {
    /// To [`Request::Attach`]; the descriptor travels beside it.
    Attached {
        /// Packets the memory holds.
        packets: u32,
    },
    /// To [`Request::One`].
    One(Result<Outcome, ChipError>),
    /// To [`Request::Batch`]: as many as were carried out; only the last can be an error.
    Batch(Vec<Result<Outcome, ChipError>>),
    /// To [`Request::Boot`].
    Boot(Result<BootOutcome, ChipError>),
    /// The request could not be read or is out of place.
    Refused(ChipError),
}

/// What an operation gives. No variant holds a key.
// spec: D-K4
// defends: T-01 T-06
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Outcome {
    /// Done.
    Done,
    /// To [`Operation::Info`].
    Info(ChipInfo),
    /// To [`Operation::OpenSession`].
    Session(SessionId),
    /// To [`Operation::SetEk2`].
    Group {
        /// The group the chip is in now.
        group_id: GroupId,
        /// Its place there.
        member_index: MemberIndex,
    },
    /// To [`Operation::SetEk1`].
    Product {
        /// The product K1 belongs to.
        product_id: ProductId,
        /// Its epoch.
        epoch: EpochId,
    },
    /// To [`Operation::OpenMessage`]: ladder part, then client part.
    Body(Vec<u8>),
    /// To [`Operation::Challenge`].
    Dnonce([u8; 16]),
    /// To [`Operation::Descramble`].
    Descrambled(Descrambled),
    /// To [`Operation::Seal`] and [`Operation::Unseal`].
    Data(Vec<u8>),
    /// To [`Operation::CounterRead`].
    Counter(u64),
    /// To [`Operation::BootReport`].
    BootReport(Vec<BootLink>),
    /// To [`Operation::TrustAnchor`].
    TrustAnchor(Vec<u8>),
}

/// What a boot operation gives.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum BootOutcome {
    /// To [`BootOperation::Keys`].
    Keys {
        /// Public half of BL_KEY1, as BL_KEY0 certified it.
        bl_key1: [u8; 32],
        /// Floors of the platform link.
        floors: BootFloors,
    },
    /// To [`BootOperation::Report`].
    Noted,
}

/// Who a chip is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChipInfo {
    /// ChipID. The terminal derives its addresses from it and sends it to nobody.
    pub chip_id: ChipId,
    /// Name of the derivation profile.
    pub profile: String,
    /// Packets that the packet memory holds.
    pub packet_capacity: u32,
}

/// What became of the packets of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Descrambled {
    /// Packets of the session that were descrambled.
    pub descrambled: u32,
    /// Scrambled packets of the session for which no key was there.
    pub left_scrambled: u32,
}

impl core::ops::AddAssign for Descrambled {
    fn add_assign(&mut self, other: Self) {
        self.descrambled = self.descrambled.saturating_add(other.descrambled);
        self.left_scrambled = self.left_scrambled.saturating_add(other.left_scrambled);
    }
}

/// One link of the boot chain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BootLink {
    /// `bl-key1`, `bootloader`, `platform-key` or `platform`.
    pub name: String,
    /// Fingerprint of the key that vouches for it: SHA-256 of the public key, lower-case hex.
    pub signer: String,
    /// SHA-256 of what was verified, lower-case hex.
    pub sha256: String,
    /// Its version.
    pub version: u32,
    /// `good`, or the cause of the refusal.
    pub verdict: String,
}

impl BootLink {
    /// The verdict of a link that holds.
    pub const GOOD: &'static str = "good";

    /// Whether the link holds.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.verdict == Self::GOOD
    }
}

/// Encodes a message.
///
/// # Errors
/// [`ChipError::TooLong`] when it would exceed [`MAX_MESSAGE`].
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, ChipError> {
    let octets = postcard::to_allocvec(message).map_err(|_| ChipError::Malformed)?;
    limit("message", octets.len(), MAX_MESSAGE)?;
    Ok(octets)
}

/// Decodes a message that must fill the datagram exactly.
///
/// # Errors
/// [`ChipError::Malformed`] or [`ChipError::TooLong`].
pub fn decode<'a, T: Deserialize<'a>>(octets: &'a [u8]) -> Result<T, ChipError> {
    limit("message", octets.len(), MAX_MESSAGE)?;
    match postcard::take_from_bytes(octets) {
        Ok((message, [])) => Ok(message),
        _ => Err(ChipError::Malformed),
    }
}

/// Refuses a length above its limit.
pub(crate) fn limit(what: &str, length: usize, limit: usize) -> Result<(), ChipError> {
    if length <= limit {
        return Ok(());
    }
    Err(ChipError::TooLong {
        what: what.to_owned(),
        length: u32::try_from(length).unwrap_or(u32::MAX),
        limit: u32::try_from(limit).unwrap_or(u32::MAX),
    })
}

/// PIDs of a request, checked.
pub(crate) fn pids(numbers: &[u16]) -> Result<Vec<Pid>, ChipError> {
    limit("PID list", numbers.len(), MAX_PIDS)?;
    numbers.iter().map(|n| Pid::new(*n).ok_or(ChipError::NotAPid(*n))).collect()
}
