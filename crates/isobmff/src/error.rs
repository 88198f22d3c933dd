//! What can be wrong with a file.

use portcullis_scramble::cenc::CencError;

/// Why a file cannot be decrypted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Mp4Error {
    /// Reading or writing failed.
    #[error("the file cannot be read or written: {0}")]
    Io(#[from] std::io::Error),
    /// A box that runs past what is around it, or whose contents do not read.
    #[error("box {kind} at offset {at} does not read")]
    Malformed {
        /// Its four characters.
        kind: String,
        /// Where it begins.
        at: u64,
    },
    /// A box that must be there and is not.
    #[error("box {kind} at offset {at} has no {missing}")]
    Missing {
        /// The box around it.
        kind: String,
        /// Where that begins.
        at: u64,
        /// What is missing.
        missing: &'static str,
    },
    /// Something that is not worked on.
    #[error("{what} at offset {at} is not supported")]
    Unsupported {
        /// What.
        what: &'static str,
        /// Where.
        at: u64,
    },
    /// More samples than a file may have.
    #[error("more than {limit} protected samples")]
    TooMany {
        /// How many it may have.
        limit: usize,
    },
    /// A sample outside the file, or over another one.
    #[error("the sample of {size} octets at offset {at} lies outside the file or over another one")]
    SamplePlace {
        /// Where.
        at: u64,
        /// Octets.
        size: u32,
    },
    /// Nobody has the key of a track.
    #[error("no key for the track whose protection is at offset {at}")]
    NoKey {
        /// Where its `sinf` box begins.
        at: u64,
    },
    /// A sample and its subsample map, or a track and its pattern, that do not fit.
    #[error("the sample or track at offset {at}: {source}")]
    Cenc {
        /// Where.
        at: u64,
        /// Why.
        source: CencError,
    },
}
