//! Why a table was not taken or not built.

use alloc::string::{String, ToString};

use thiserror::Error;

/// A table that is not taken, or cannot be built.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum PsiError {
    /// The stream's fault: the section breaks its own syntax.
    #[error("{table}: {reason}")]
    Malformed {
        /// Which table.
        table: &'static str,
        /// What is wrong, in words.
        reason: String,
    },
    /// The stream's fault: CRC_32 does not match.
    #[error("section with table_id 0x{table_id:02x}: wrong CRC_32")]
    WrongCrc {
        /// table_id of the section.
        table_id: u8,
    },
    /// Our caller's fault: what is to be carried does not fit a section.
    #[error("{table} does not fit a section: {reason}")]
    DoesNotFit {
        /// Which table.
        table: &'static str,
        /// What is too long.
        reason: String,
    },
}

impl PsiError {
    pub(super) fn malformed(table: &'static str) -> impl Fn(dvb_si::error::Error) -> Self {
        move |cause| Self::Malformed { table, reason: cause.to_string() }
    }

    pub(super) fn does_not_fit(table: &'static str) -> impl Fn(dvb_si::error::Error) -> Self {
        move |cause| Self::DoesNotFit { table, reason: cause.to_string() }
    }
}
