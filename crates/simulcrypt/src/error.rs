//! What is wrong with a message, where, and which error_status says so.

use crate::ecmg::EcmgStatus;
use crate::emmg::EmmgStatus;

/// A message that breaks the grammar: where and how. Always the peer's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{fault} (offset {offset})")]
pub struct CodecError {
    /// Octets from the start of the message to the faulty item.
    pub offset: usize,
    /// What is wrong.
    pub fault: Fault,
}

/// The ways to break the grammar.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Fewer octets than header and message_length say.
    #[error("message is cut off")]
    Truncated,
    /// More octets than message_length says.
    #[error("octets after the end of the message")]
    Trailing,
    /// A parameter runs past the end of the message.
    #[error("parameter 0x{0:04x} runs past the end of the message")]
    Overrun(u16),
    /// A protocol_version outside [`crate::VERSIONS`].
    #[error("unsupported protocol_version {0}")]
    Version(u8),
    /// A message_type that this interface does not have.
    #[error("unknown message_type 0x{0:04x}")]
    UnknownMessage(u16),
    /// A mandatory parameter is missing.
    #[error("mandatory parameter 0x{0:04x} is missing")]
    Missing(u16),
    /// A parameter stands more often than it may.
    #[error("parameter 0x{0:04x} is repeated")]
    Repeated(u16),
    /// A parameter that this version of the message must not have.
    #[error("parameter 0x{0:04x} may not stand in this version of the message")]
    Forbidden(u16),
    /// A parameter of a wrong length.
    #[error("parameter 0x{0:04x} has a wrong length")]
    Length(u16),
    /// A parameter with a value that is not defined.
    #[error("parameter 0x{0:04x} has an undefined value")]
    Value(u16),
}

impl CodecError {
    pub(crate) const fn new(offset: usize, fault: Fault) -> Self {
        Self { offset, fault }
    }

    /// The error_status of the ECMG-SCS interface.
    // spec: S-34
    #[must_use]
    pub const fn ecmg_status(&self) -> EcmgStatus {
        match self.fault {
            Fault::Version(_) => EcmgStatus::UnsupportedVersion,
            Fault::UnknownMessage(_) => EcmgStatus::UnknownMessage,
            Fault::Missing(_) | Fault::Repeated(_) => EcmgStatus::MissingParameter,
            Fault::Length(_) => EcmgStatus::WrongParameterLength,
            Fault::Value(_) => EcmgStatus::InvalidValue,
            _ => EcmgStatus::InvalidMessage,
        }
    }

    /// The error_status of the EMMG/PDG-MUX interface.
    // spec: S-47
    #[must_use]
    pub const fn emmg_status(&self) -> EmmgStatus {
        match self.fault {
            Fault::Version(_) => EmmgStatus::UnsupportedVersion,
            Fault::UnknownMessage(_) => EmmgStatus::UnknownMessage,
            Fault::Missing(_) | Fault::Repeated(_) => EmmgStatus::MissingParameter,
            Fault::Length(_) => EmmgStatus::WrongParameterLength,
            Fault::Value(_) => EmmgStatus::InvalidValue,
            _ => EmmgStatus::InvalidMessage,
        }
    }

    /// Two octets of error_information: the parameter that is missing or stands twice, else the
    /// offset. A widespread peer refuses any other length.
    #[must_use]
    pub fn information(&self) -> u16 {
        match self.fault {
            Fault::Missing(parameter) | Fault::Repeated(parameter) => parameter,
            _ => u16::try_from(self.offset).unwrap_or(u16::MAX),
        }
    }
}

/// A message that does not fit the 16-bit lengths of the protocol. Our own fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("message or parameter longer than 65535 octets")]
pub struct EncodeError;
