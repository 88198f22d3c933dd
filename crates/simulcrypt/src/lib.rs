//! Messages and channel/stream machines of ECMG-SCS and EMMG-MUX (TS 103 197), sans-IO.
//!
//! Trust domain: the headend's closed network. Nothing here opens a socket, reads a clock or
//! draws a random number: bytes and [`Time`] come in by argument, bytes go out by
//! `poll_transmit`, so that both ends can be driven against each other in one test.
//!
//! - [`Message`], [`Writer`], [`FrameReader`]: framing and parameters; what may stand in which
//!   message is data ([`MessageRule`]), one table per interface ([`ecmg::MESSAGES`],
//!   [`emmg::MESSAGES`]), with the differences between protocol versions 1 to 5.
//! - [`ecmg::ServerChannel`] answers an SCS; [`scs::ClientChannel`] drives an ECM generator.
//! - [`emmg::Client`] provides EMMs; [`mux::Server`] takes them.
//!
//! Parameter numbers and error codes of the two interfaces differ although they look alike;
//! they are never in one table.
//!
//! What must never happen: a panic on any input; memory by an unchecked length; a control word
//! in an error or a `Debug` output.

mod error;
mod frame;
mod grammar;
mod message;
mod status;

pub mod ecmg;
pub mod emmg;
pub mod mux;
pub mod scs;

pub use error::{CodecError, EncodeError, Fault};
pub use frame::{FrameReader, FrameTooLong, MAX_MESSAGE};
pub use grammar::{MessageRule, ParameterRule, Values};
pub use message::{Message, Parameter, Writer, peek_parameter};

/// Milliseconds since any fixed start; only differences count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Time(pub u64);

impl Time {
    /// This instant and a span later.
    #[must_use]
    pub const fn after(self, span: portcullis_types::Milliseconds) -> Self {
        Self(self.0.saturating_add(span.0 as u64))
    }
}

/// The protocol versions that the machines speak.
pub const VERSIONS: core::ops::RangeInclusive<u8> = 1..=5;
