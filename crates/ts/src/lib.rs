//! MPEG-TS packets, and behind the feature `psi` the tables and descriptors of the field's crates.
//!
//! Trust domain: any; the terminal, the chip and the headend all read packets through here, and
//! every octet may come from an attacker. Clauses: ISO/IEC 13818-1 2.4.3 (packets) and 2.4.4
//! (tables), EN 300 468 for the SDT and the scrambling_descriptor.
//!
//! - [`packet`]: views over one packet of 188 octets.
//! - [`sync`]: finds packets in octets that come from a file or a socket, and says at which
//!   offset they stop being packets.
//! - [`outer_parity`]: packets of 204 octets become packets of 188.
//! - [`psi`] (feature `psi`): sections, PAT, CAT, PMT, SDT. The only place that names `dvb-si`
//!   and `mpeg-ts`.
//!
//! What must never happen: a panic or an allocation by an unchecked length, whatever comes in.

#![no_std]

#[cfg(feature = "psi")]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod outer_parity;
pub mod packet;
#[cfg(feature = "psi")]
pub mod psi;
pub mod sync;

pub use packet::{PACKET_SIZE, Packet, PacketMut, Pcr, RawPacket, SYNC_BYTE, ScramblingControl};
