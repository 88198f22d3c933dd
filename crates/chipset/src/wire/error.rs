//! Why the chip refuses.

use portcullis_types::{EpochId, ProductId};
use serde::{Deserialize, Serialize};

use super::MAX_SESSIONS;

/// Why the chip refuses, by whose fault.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ChipError {
    // The caller's.
    /// Not a request, or one out of place.
    #[error("the chip could not read the request")]
    Malformed,
    /// No such session.
    #[error("no such chip session")]
    NoSuchSession,
    /// [`MAX_SESSIONS`] are open.
    #[error("too many chip sessions ({MAX_SESSIONS} are open)")]
    TooManySessions,
    /// A field is longer than its limit.
    #[error("{what} too long: {length}, at most {limit}")]
    TooLong {
        /// The field.
        what: String,
        /// Its length.
        length: u32,
        /// The limit.
        limit: u32,
    },
    /// A number above 13 bits among the PIDs.
    #[error("0x{0:04x} is no PID")]
    NotAPid(u16),
    /// Packets outside the packet memory.
    #[error("packets {first}..{first}+{count} are outside the packet memory")]
    PacketRange {
        /// First packet.
        first: u32,
        /// Count.
        count: u32,
    },
    /// No unique EMM was loaded.
    #[error("no group key (K2) loaded")]
    NoGroupKey,
    /// No group EMM of this product and epoch was loaded.
    #[error("no key (K1) for product {product_id}, epoch {epoch}")]
    NoProductKey {
        /// Product.
        product_id: ProductId,
        /// Epoch.
        epoch: EpochId,
    },
    /// No ECM was opened in this session.
    #[error("no ECM opened in this session")]
    NoEcmOpened,
    /// Empty, or with characters other than ASCII letters, digits and `-_./:`.
    #[error("not a name for a label or counter")]
    BadName,
    /// Names under `boot/` belong to the boot chain.
    #[error("counters under boot/ belong to the boot chain")]
    ReservedCounter,
    /// Every counter there can be is in use.
    #[error("too many counters")]
    TooManyCounters,
    /// Anything but a boot operation before the platform was verified.
    #[error("the platform is not verified")]
    PlatformNotVerified,
    /// A boot operation while the platform runs.
    #[error("the boot phase is over")]
    BootPhaseOver,

    // The sender's of a message, or an attacker's.
    /// The message does not open.
    #[error("CA message refused: {0}")]
    Message(String),
    /// Of another kind than the operation takes.
    #[error("CA message of the wrong kind")]
    WrongKind,
    /// A unique EMM for another chip or another group.
    #[error("CA message for another chip or group")]
    NotForThisChip,
    /// The chip's bit in a group EMM is clear.
    #[error("this chip is no member of the group any more")]
    NotAMember,
    /// An older unique EMM than one already taken.
    #[error("unique EMM replayed: counter {offered}, {floor} was taken already")]
    Replayed {
        /// The newest taken.
        floor: u32,
        /// The one offered.
        offered: u32,
    },
    /// The ladder gave no control word of the session's class.
    #[error("control word refused: it was made for another scrambling mode or other rights")]
    WrongControlWord,
    /// Sealed by another chip, under another label, or altered.
    #[error("sealed data refused: other chip, other label, or altered")]
    SealRefused,
    /// A counter would fall.
    #[error("counter would fall from {current} to {offered}")]
    Rollback {
        /// Present value.
        current: u64,
        /// Value offered.
        offered: u64,
    },
    /// More challenges than the chip answers in a minute.
    #[error("too many challenges; wait a minute")]
    RateLimited,

    // The environment's.
    /// A counter could not be stored.
    #[error("chip storage: {0}")]
    Storage(String),
}
