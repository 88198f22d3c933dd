//! The error codes both ends share, and the errors of the downloading end.

use serde::{Deserialize, Serialize};
use thiserror::Error;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal, $status:literal;)*) => {
        /// Error codes of the download flows, as they stand in an error body.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        #[serde(into = "u16", try_from = "u16")]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)*
        }

        impl ErrorCode {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The number.
            #[must_use]
            pub const fn code(self) -> u16 {
                match self { $(Self::$name => $code,)* }
            }

            /// The name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The HTTP status that goes with it.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }
        }
    };
}

codes! {
    /// The request could not be read.
    Malformed = 1, "MALFORMED", 400;
    /// A protocol version that this end does not speak.
    UnsupportedVersion = 2, "UNSUPPORTED_VERSION", 400;
    /// The requester did not prove who it is.
    AuthFailed = 3, "AUTH_FAILED", 401;
    /// The requester may not have this.
    NotAuthorized = 4, "NOT_AUTHORIZED", 403;
    /// The requester was revoked.
    Revoked = 5, "REVOKED", 403;
    /// The ticket is too old, or not yet valid.
    TicketExpired = 6, "TICKET_EXPIRED", 403;
    /// The ticket was used before.
    TicketReused = 7, "TICKET_REUSED", 403;
    /// The ticket is for another device or image, or no ticket of ours.
    TicketMismatch = 8, "TICKET_MISMATCH", 403;
    /// No client is known for this CA system.
    NoMatchingCdcs = 9, "NO_MATCHING_CDCS", 404;
    /// The device holds the current client.
    UpToDate = 10, "UP_TO_DATE", 409;
    /// The device holds a newer client than the one offered.
    RollbackRefused = 11, "ROLLBACK_REFUSED", 409;
    /// The image is not the one the metadata name.
    ImageInvalid = 12, "IMAGE_INVALID", 422;
    /// No room for the image.
    StorageFull = 13, "STORAGE_FULL", 507;
    /// Two devices use one identity.
    CloneDetected = 14, "CLONE_DETECTED", 403;
    /// Too much to do; try later.
    Busy = 15, "BUSY", 429;
    /// A fault of ours.
    Internal = 16, "INTERNAL", 500;
    /// A party behind this one does not answer.
    UpstreamDown = 17, "UPSTREAM_DOWN", 503;
}

impl ErrorCode {
    /// Whether the same request may succeed later without any change.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Busy | Self::Internal | Self::UpstreamDown)
    }
}

impl From<ErrorCode> for u16 {
    fn from(code: ErrorCode) -> Self {
        code.code()
    }
}

impl TryFrom<u16> for ErrorCode {
    type Error = String;

    fn try_from(code: u16) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.code() == code)
            .ok_or_else(|| format!("unknown error code {code}"))
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a download failed for good.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The centre refused.
    #[error("the centre answered {code} ({})", code.code())]
    Refused {
        /// Its code.
        code: ErrorCode,
    },
    /// The centre's answer breaks the protocol.
    #[error("the centre's answer is malformed: {what}")]
    Malformed {
        /// Which part.
        what: &'static str,
    },
    /// The answer names another CA system or client than the one asked for.
    #[error("the centre offers a client for another CA system")]
    WrongTarget,
    /// The offered client is older than the one held.
    #[error("the centre offers version {offered}, older than {held} that is held here")]
    RollbackRefused {
        /// Version held.
        held: u32,
        /// Version offered.
        offered: u32,
    },
    /// The image is larger than allowed or than announced.
    #[error("image of more than {limit} octets")]
    TooLarge {
        /// The limit that was crossed.
        limit: u64,
    },
    /// The image is not the one the metadata name.
    #[error("the image does not have the announced SHA-256")]
    WrongHash,
    /// The connection broke too often.
    #[error("the connection broke {attempts} times")]
    TooManyAttempts {
        /// How often.
        attempts: u32,
    },
    /// The whole took too long.
    #[error("no complete image after {seconds} s")]
    Deadline {
        /// The limit.
        seconds: u64,
    },
}
