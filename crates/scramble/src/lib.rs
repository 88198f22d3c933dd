//! DVB-CSA2, DVB-CISSA, IDSA and the AES modes on transport packets; Common Encryption on samples.
//!
//! Trust domains: the headend (scrambling) and the chip (descrambling); both hold control words,
//! so everything here that is derived from one is zeroised when it is dropped and is neither
//! printed nor cloned, and no call leaves anything of one on the stack. Clauses: transport_scrambling_control of ISO/IEC 13818-1 2.4.3.3 with the
//! DVB meaning (10 even, 11 odd); ETSI TS 103 127 for CISSA, ATIS-0800006 for IDSA.
//!
//! Common to all algorithms: header and adaptation field stay in clear, a packet without payload
//! is not touched, each packet stands on its own, and the control bits are set even when the
//! payload is too short to be scrambled (receivers in the field expect that).
//!
//! - [`Cipher`]: one control word under one mode, packet by packet.
//! - [`KeySlots`]: the even and odd key of a descrambler.
//! - [`scramble_each`], [`descramble_each`]: many packets with their keys at once; kernels that work
//!   on many packets in parallel stand behind them.
//! - [`Scheduler`]: brings the packets of a stream to such batches, collected or where they lie;
//!   headend, chip and commands scramble and descramble through it.
//! - [`Collector`]: the half of it that holds no key, for the terminal.
//! - [`cenc`]: samples of ISO base media files.
//!
//! What must never happen: a payload scrambled twice, or a packet whose control bits say "clear"
//! over a scrambled payload.

#![no_std]

extern crate alloc;
// For asking the processor what it has and for the scratch memory of the wide kernels; elsewhere
// the crate does without.
#[cfg(any(test, target_arch = "x86_64"))]
#[macro_use]
extern crate std;

mod aes;
mod batch;
pub mod cenc;
mod cipher;
mod collector;
mod csa2;
mod meter;
mod scheduler;
mod sliced;
mod slots;
#[cfg(test)]
mod tests;

pub use batch::{descramble_each, scramble_each};
pub use cipher::{Cipher, Scrambled, WrongControlWordLength};
pub use collector::{BATCH_DEADLINE, BatchIsFull, CAPACITY_MAX, Collector};
pub use csa2::reduce_entropy;
pub use meter::BatchStats;
pub use scheduler::{BatchKeys, FULL_BATCH, Mark, Scheduler};
pub use sliced::limit_lanes;
pub use slots::{Descrambled, DescrambledCount, KeySlots};

use portcullis_ts::RawPacket;
use portcullis_types::Parity;

/// Scrambles all packets of a run with one key; see [`Cipher::scramble_packet`].
pub fn scramble_batch(packets: &mut [RawPacket], cipher: &Cipher, parity: Parity) {
    scramble_each(packets.iter_mut().map(|packet| (packet, cipher, parity)));
}
