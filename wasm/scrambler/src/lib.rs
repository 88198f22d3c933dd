//! The scramblers in a browser: the page puts packets into the room that is here for them, and a
//! control word, and takes the packets back descrambled.
//!
//! Trust domain: the operator's browser. It has the control words that somebody typed in, for
//! recordings that somebody chose; nothing in here asks a box, a chip or the headend for anything.
//! What must never happen: a control word that is still there after [`forget`].
//!
//! Safety: `unsafe` stands here only in the attribute that keeps a function's name. The names are
//! those of no other function of the module. Addresses are given out as numbers and never taken.

#![allow(unsafe_code)]

use std::cell::RefCell;

use portcullis_scramble::{Cipher, FULL_BATCH, KeySlots, limit_lanes, scramble_batch};
use portcullis_ts::RawPacket;
use portcullis_ts::packet::null_packet;
use portcullis_types::{Parity, ScramblingMode};

/// Packets that there is room for.
const CAPACITY: usize = 16 * FULL_BATCH;
/// Octets of the longest control word.
const CONTROL_WORD_MAX: usize = 16;

struct Scrambler {
    packets: Vec<RawPacket>,
    control_word: [u8; CONTROL_WORD_MAX],
    keys: KeySlots,
    /// Packets that the last call left scrambled, for want of a key.
    left: u32,
}

thread_local! {
    static SCRAMBLER: RefCell<Scrambler> = RefCell::new(Scrambler {
        packets: vec![null_packet(); CAPACITY],
        control_word: [0; CONTROL_WORD_MAX],
        keys: KeySlots::new(),
        left: 0,
    });
}

const fn parity(number: u32) -> Parity {
    if number.is_multiple_of(2) { Parity::Even } else { Parity::Odd }
}

/// How many packets of 188 octets there is room for.
#[unsafe(no_mangle)]
pub extern "C" fn capacity() -> usize {
    CAPACITY
}

/// Where the packets lie.
#[unsafe(no_mangle)]
pub extern "C" fn packets() -> *mut RawPacket {
    SCRAMBLER.with_borrow_mut(|scrambler| scrambler.packets.as_mut_ptr())
}

/// Where the control word of [`set_key`] is to be put; 16 octets.
#[unsafe(no_mangle)]
pub extern "C" fn control_word() -> *mut u8 {
    SCRAMBLER.with_borrow_mut(|scrambler| scrambler.control_word.as_mut_ptr())
}

/// Octets that a control word of this scrambling_mode has; 0 for a mode that there is not.
#[unsafe(no_mangle)]
pub extern "C" fn control_word_len(mode: u32) -> usize {
    known(mode).map_or(0, ScramblingMode::control_word_len)
}

fn known(mode: u32) -> Option<ScramblingMode> {
    ScramblingMode::from_descriptor_value(u8::try_from(mode).ok()?).ok()
}

/// Takes the control word that was put in for a parity (0 even, 1 odd) under a scrambling_mode of
/// EN 300 468, and wipes the octets it came in. False for a mode that there is not.
#[unsafe(no_mangle)]
pub extern "C" fn set_key(mode: u32, of: u32) -> bool {
    SCRAMBLER.with_borrow_mut(|scrambler| {
        let Some(mode) = known(mode) else { return false };
        let octets = scrambler.control_word.get(..mode.control_word_len()).unwrap_or_default();
        let cipher = Cipher::new(mode, octets);
        scrambler.control_word.fill(0);
        cipher.map(|cipher| scrambler.keys.set(parity(of), cipher)).is_ok()
    })
}

/// Drops the keys, and wipes them with it.
#[unsafe(no_mangle)]
pub extern "C" fn forget() {
    SCRAMBLER.with_borrow_mut(|scrambler| {
        scrambler.keys = KeySlots::new();
        scrambler.control_word.fill(0);
        scrambler.packets.fill(null_packet());
    });
}

/// Descrambles the first packets; gives how many of them were scrambled and are no more.
#[unsafe(no_mangle)]
pub extern "C" fn descramble(count: usize) -> u32 {
    SCRAMBLER.with_borrow_mut(|Scrambler { packets, keys, left, .. }| {
        let packets = packets.get_mut(..count).unwrap_or_default();
        let done = keys.descramble_batch(packets, |_| true);
        *left = done.left_scrambled as u32;
        done.descrambled as u32
    })
}

/// Packets that the last [`descramble`] left scrambled, for want of a key.
#[unsafe(no_mangle)]
pub extern "C" fn left_scrambled() -> u32 {
    SCRAMBLER.with_borrow(|scrambler| scrambler.left)
}

/// Scrambles the first packets with the key of a parity; false without one.
#[unsafe(no_mangle)]
pub extern "C" fn scramble(count: usize, of: u32) -> bool {
    SCRAMBLER.with_borrow_mut(|Scrambler { packets, keys, .. }| {
        let Some(cipher) = keys.get(parity(of)) else { return false };
        scramble_batch(packets.get_mut(..count).unwrap_or_default(), cipher, parity(of));
        true
    })
}

/// Uses no kernel with more lanes from now on; for tests and measurements.
#[unsafe(no_mangle)]
pub extern "C" fn limit(lanes: usize) {
    limit_lanes(lanes);
}
