//! Encrypt-then-MAC of whole messages: AES-128-CBC, then AES-CMAC, under keys that stay expanded.
//!
//! Trust domain: the headend, which seals many messages at once. A message is one header block in
//! clear, a body of whole blocks and 16 octets for the MAC; the IV is the header block enciphered.
//! CBC over header and body with a zero IV therefore gives that IV as its first block and the body
//! behind it, so that one chain does both.
//!
//! What must never happen: that a message sealed among others differs from the same message sealed
//! alone.

#[cfg(target_arch = "x86_64")]
mod vaes;

use zeroize::Zeroizing;

use crate::{Aes128, DEEP, Key128, SHALLOW, Wiped, leaving_no_trace};

const BLOCK: usize = 16;

/// The length of a message is not a header block, whole body blocks and a MAC.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{length} octets are not a header block, whole blocks and a MAC")]
pub struct NotAMessage {
    /// Octets given.
    pub length: usize,
}

/// The two keys of encrypt-then-MAC, expanded once.
///
/// Zeroised when it is dropped; like a key it cannot be printed or cloned.
pub struct SealKey(Wiped<Expanded>);

struct Expanded {
    enc: Aes128,
    mac: Aes128,
    /// What CMAC adds to a last block that is whole (K1 of SP 800-38B).
    whole: Zeroizing<[u8; BLOCK]>,
    #[cfg(target_arch = "x86_64")]
    wide: Option<vaes::Schedules>,
}

impl SealKey {
    /// Expands both keys.
    #[must_use]
    pub fn new(enc_key: &Key128, mac_key: &Key128) -> Self {
        leaving_no_trace::<SHALLOW, _>(|| Self(Wiped::new(Expanded::new(enc_key, mac_key))))
    }

    /// Seals one message in place.
    ///
    /// # Errors
    /// [`NotAMessage`] when the length is none of a message; nothing is changed then.
    pub fn seal(&self, message: &mut [u8]) -> Result<(), NotAMessage> {
        leaving_no_trace::<SHALLOW, _>(|| self.0.seal(message))
    }
}

impl Expanded {
    fn new(enc_key: &Key128, mac_key: &Key128) -> Self {
        let mac = Aes128::new(mac_key);
        let mut subkey = Zeroizing::new([[0; BLOCK]]);
        mac.encrypt_blocks(subkey.as_mut_slice());
        let [octets] = *subkey;
        let whole = Zeroizing::new(double(octets));
        Self {
            enc: Aes128::new(enc_key),
            mac,
            #[cfg(target_arch = "x86_64")]
            wide: vaes::Schedules::new(enc_key, mac_key, &whole),
            whole,
        }
    }

    fn seal(&self, message: &mut [u8]) -> Result<(), NotAMessage> {
        let (header, body, tag) = split(message)?;
        let (mut chain, mut mac) = ([*header], [*header]);
        self.enc.encrypt_blocks(&mut chain);
        for block in body {
            self.mac.encrypt_blocks(&mut mac);
            xor(chain.as_flattened_mut(), block);
            self.enc.encrypt_blocks(&mut chain);
            *block = *chain.as_flattened().first_chunk().unwrap_or(block);
            xor(mac.as_flattened_mut(), block);
        }
        xor(mac.as_flattened_mut(), &self.whole);
        self.mac.encrypt_blocks(&mut mac);
        [*tag] = mac;
        Ok(())
    }
}

/// A message with its key.
pub struct SealLane<'a> {
    /// Its key.
    pub key: &'a SealKey,
    /// The message; see [`SealKey::seal`].
    pub message: &'a mut [u8],
}

/// Seals every message as [`SealKey::seal`] does, many at once where the processor can. The lanes
/// are sorted by length meanwhile, the messages stay where they are.
///
/// # Errors
/// [`NotAMessage`] when a length is none of a message; nothing is changed then.
pub fn seal_many(lanes: &mut [SealLane<'_>]) -> Result<(), NotAMessage> {
    if lanes.is_empty() {
        return Ok(());
    }
    leaving_no_trace::<DEEP, _>(|| seal_lanes(lanes))
}

fn seal_lanes(lanes: &mut [SealLane<'_>]) -> Result<(), NotAMessage> {
    let (mut shortest, mut longest) = (usize::MAX, 0);
    for lane in lanes.iter_mut() {
        split(lane.message)?;
        shortest = shortest.min(lane.message.len());
        longest = longest.max(lane.message.len());
    }
    if shortest < longest {
        lanes.sort_unstable_by_key(|lane| lane.message.len());
    }
    for lanes in lanes.chunk_by_mut(|a, b| a.message.len() == b.message.len()) {
        #[cfg(target_arch = "x86_64")]
        let lanes = vaes::seal(lanes);
        for lane in lanes {
            lane.key.0.seal(lane.message)?;
        }
    }
    Ok(())
}

type Parts<'a> = (&'a mut [u8; BLOCK], &'a mut [[u8; BLOCK]], &'a mut [u8; BLOCK]);

/// Header, body and place of the MAC.
fn split(message: &mut [u8]) -> Result<Parts<'_>, NotAMessage> {
    let refused = NotAMessage { length: message.len() };
    let (blocks, rest) = message.as_chunks_mut();
    match blocks {
        [header, body @ .., tag] if rest.is_empty() => Ok((header, body, tag)),
        _ => Err(refused),
    }
}

/// Multiplication by x in the field of CMAC, in a time that does not depend on the octets.
fn double(octets: [u8; BLOCK]) -> [u8; BLOCK] {
    const REDUCTION: u128 = 0x87;
    let number = u128::from_be_bytes(octets);
    ((number << 1) ^ ((number >> 127) * REDUCTION)).to_be_bytes()
}

fn xor(target: &mut [u8], mask: &[u8; BLOCK]) {
    for (octet, mask) in target.iter_mut().zip(mask) {
        *octet ^= mask;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::{aes128_encrypt_block, cbc_encrypt_in_place, cmac};

    fn key(seed: u8) -> Key128 {
        Key128::new(core::array::from_fn(|i| (i as u8).wrapping_mul(29) ^ seed))
    }

    fn message(seed: usize, blocks: usize) -> Vec<u8> {
        (0..(blocks + 2) * BLOCK)
            .map(|i| ((seed * 977 + i).wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect()
    }

    /// With the functions of this crate that know nothing of messages.
    fn by_parts(seed: u8, message: &mut [u8]) {
        let (enc, mac) = (key(seed), key(!seed));
        let end = message.len() - BLOCK;
        let iv = aes128_encrypt_block(&enc, *message.first_chunk().unwrap());
        cbc_encrypt_in_place(&enc, &iv, &mut message[BLOCK..end]).unwrap();
        let tag = cmac(&mac, &[&message[..end]]);
        message[end..].copy_from_slice(&tag);
    }

    #[test]
    fn one_message_is_cbc_and_cmac_by_parts() {
        for blocks in 0..20 {
            let (mut sealed, mut expected) = (message(1, blocks), message(1, blocks));
            SealKey::new(&key(5), &key(!5)).seal(&mut sealed).unwrap();
            by_parts(5, &mut expected);
            assert_eq!(sealed, expected);
        }
    }

    #[test]
    fn many_messages_of_any_lengths_and_keys_are_as_many_single_ones() {
        let keys: Vec<_> = (0..7).map(|seed| SealKey::new(&key(seed), &key(!seed))).collect();
        for (count, keyed, lengths) in
            [(0, 1, 1), (1, 1, 1), (15, 7, 1), (16, 1, 1), (40, 1, 1), (97, 7, 1), (200, 7, 12)]
        {
            let clear: Vec<_> = (0..count).map(|i| message(i, i % lengths + 3)).collect();
            let mut sealed = clear.clone();
            let mut lanes: Vec<_> = sealed
                .iter_mut()
                .enumerate()
                .map(|(i, message)| SealLane { key: &keys[i % keyed], message })
                .collect();
            seal_many(&mut lanes).unwrap();
            for (i, (mut expected, sealed)) in clear.into_iter().zip(sealed).enumerate() {
                by_parts((i % keyed) as u8, &mut expected);
                assert_eq!(sealed, expected, "message {i} of {count}");
            }
        }
    }

    #[test]
    fn a_length_that_is_none_of_a_message_is_refused_and_nothing_changed() {
        let key = SealKey::new(&key(1), &key(2));
        for length in [0, 15, 16, 31, 33, 47] {
            let mut good = message(3, 1);
            let mut bad = message(4, 4)[..length].to_vec();
            let refused = Err(NotAMessage { length });
            assert_eq!(key.seal(&mut bad), refused);
            let mut lanes = [
                SealLane { key: &key, message: &mut good },
                SealLane { key: &key, message: &mut bad },
            ];
            assert_eq!(seal_many(&mut lanes), refused);
            assert_eq!(good, message(3, 1));
            assert_eq!(bad, message(4, 4)[..length]);
        }
    }
}
