//! Why a container is refused.

use portcullis_trust::TrustError;

use super::ImageKeyId;
use crate::PackageError;

/// A refused container. Offsets count from its first octet.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContainerError {
    /// Ends inside a field.
    #[error("container: ends before offset {0}")]
    Truncated(usize),
    /// Not our magic.
    #[error("container, offset 0: magic is not ODCI")]
    Magic,
    /// A field with a value that is not allowed.
    #[error("container, offset {offset}: {what} is {found}")]
    Field {
        /// Where.
        offset: usize,
        /// Which field.
        what: &'static str,
        /// Its value.
        found: u64,
    },
    /// Larger than the host takes.
    #[error("container: {what} of {len}, at most {limit}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// How much.
        len: u64,
        /// The limit.
        limit: u64,
    },
    /// Octets behind the countersignature.
    #[error("container: {0} octets behind the countersignature")]
    TrailingOctets(usize),
    /// A chain is not believed.
    #[error("container, {chain} chain: {source}")]
    Chain {
        /// Which chain.
        chain: &'static str,
        /// Why.
        #[source]
        source: TrustError,
    },
    /// The countersignature is not the platform operation's over these octets.
    #[error("container: bad countersignature of the platform operation")]
    BadCountersignature,
    /// Parts of two containers, vendors or operators were put together.
    #[error("container: {what} is {here} here and {there} there (mixed parts)")]
    MixAndMatch {
        /// Which id.
        what: &'static str,
        /// The container's.
        here: u64,
        /// The chain's or package's.
        there: u64,
    },
    /// A chain does not carry an id that it must.
    #[error("container, {chain} chain: no {what}")]
    MissingId {
        /// Which chain.
        chain: &'static str,
        /// Which id.
        what: &'static str,
    },
    /// Older than the terminal has seen.
    #[error("container: client version {offered} is below the floor {floor} (rollback)")]
    Rollback {
        /// Lowest version still accepted.
        floor: u32,
        /// Version offered.
        offered: u32,
    },
    /// Encrypted with something this build cannot open.
    #[error("container, offset 72: encryption algorithm {0} is not supported")]
    Encryption(u16),
    /// No image key of this name is here.
    #[error("container, offset 74: no image key {} here", hex(.0))]
    NoImageKey(ImageKeyId),
    /// The encrypted payload was altered, or the key is another one.
    #[error("container, offset 118: the payload does not decrypt (altered, or a wrong image key)")]
    Decryption,
    /// The payload is not the one that was announced.
    #[error("container: payload hash does not fit")]
    PayloadHash,
    /// The client needs a newer host.
    #[error("container: needs host API 0x{needed:08x}, this host has 0x{host:08x}")]
    HostTooOld {
        /// What it needs.
        needed: u32,
        /// What we are.
        host: u32,
    },
    /// The package inside is refused.
    #[error("container, {0}")]
    Package(#[from] PackageError),
}

fn hex(id: &ImageKeyId) -> String {
    id.0.iter().map(|octet| format!("{octet:02x}")).collect()
}
