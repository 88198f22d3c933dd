//! The block cipher of CSA2 on byte planes.
//!
//! Trust domain: headend and chip. In the scalar code each round moves all eight octets. Here an
//! octet keeps its register, and what the rounds XOR into it on its way is merged: with r the
//! registers and all places modulo 8, round t is
//!
//! ```text
//! s = SBOX[r[t-1] ^ key[t]]
//! r[t]   ^= s
//! r[t-2] ^= P(s) ^ r[t+2]
//! r[t+4] ^= r[t+1] ^ r[t+2]
//! ```
//!
//! after r[2], r[3], r[4] and r[5] have taken in what the two first rounds would have XORed into
//! them (see `turn`). Every line is its own inverse, so deciphering runs the rounds backwards.

use crate::csa2::permute_octet;

use super::{BLOCK, GROUPS, Lengths, PITCH, ROUNDS, Register, Scratch};

type State<V, const IN_FLIGHT: usize> = [[V; BLOCK]; IN_FLIGHT];

/// The bit permutation of the lower and of the upper four bits, for paths that look it up.
#[allow(dead_code)] // not every target has such a path
pub(super) const PERMUTED: [[u8; 16]; 2] = {
    let mut permuted = [[0; 16]; 2];
    let mut input = 0;
    while input < 16 {
        permuted[0][input] = permute_octet(input as u8);
        permuted[1][input] = permute_octet((input as u8) << 4);
        input += 1;
    }
    permuted
};

/// Scrambles all blocks, in reverse chaining. So many groups are in flight at a time: a round is a
/// chain of some ten cycles, which other groups fill.
#[inline(always)]
pub(super) fn scramble<V: Register, const IN_FLIGHT: usize>(
    scratch: &mut Scratch<V>,
    lengths: &Lengths,
) {
    for first in (0..lengths.groups).step_by(IN_FLIGHT) {
        let mut chain = [[V::ZERO; BLOCK]; IN_FLIGHT];
        for index in (0..lengths.octets / BLOCK).rev() {
            let Some(planes) = block_of(&mut scratch.planes, index) else { return };
            for (lane, chain) in chain.iter_mut().enumerate() {
                for (chain, plane) in chain.iter_mut().zip(planes.iter()) {
                    *chain = chain.xor(plane[(first + lane) % GROUPS]);
                }
            }
            encipher(&mut chain, &scratch.keys, first);
            if index >= lengths.blocks_min {
                for (lane, chain) in chain.iter_mut().enumerate() {
                    let group = (first + lane) % GROUPS;
                    let active = scratch.blocks[group].greater_than(index as u8);
                    for (chain, plane) in chain.iter_mut().zip(planes.iter_mut()) {
                        plane[group] = active.choose(*chain, plane[group]);
                        *chain = active.and(*chain);
                    }
                }
                continue;
            }
            for (lane, chain) in chain.iter().enumerate() {
                for (chain, plane) in chain.iter().zip(planes.iter_mut()) {
                    plane[(first + lane) % GROUPS] = *chain;
                }
            }
        }
    }
}

/// The inverse of [`scramble`].
#[inline(always)]
pub(super) fn descramble<V: Register, const IN_FLIGHT: usize>(
    scratch: &mut Scratch<V>,
    lengths: &Lengths,
) {
    let count = lengths.octets / BLOCK;
    for first in (0..lengths.groups).step_by(IN_FLIGHT) {
        for index in 0..count {
            let Some(planes) = block_of(&mut scratch.planes, index) else { return };
            let mut state = [[V::ZERO; BLOCK]; IN_FLIGHT];
            for (lane, state) in state.iter_mut().enumerate() {
                for (state, plane) in state.iter_mut().zip(planes.iter()) {
                    *state = plane[(first + lane) % GROUPS];
                }
            }
            decipher(&mut state, &scratch.keys, first);
            let Some((planes, behind)) = two_blocks_of(&mut scratch.planes, index) else { return };
            for (lane, state) in state.iter().enumerate() {
                let group = (first + lane) % GROUPS;
                let active = scratch.blocks[group].greater_than(index as u8);
                let chained = scratch.blocks[group].greater_than(index as u8 + 1);
                for (place, state) in state.iter().enumerate() {
                    let plane = &mut planes[place % BLOCK][group];
                    let behind = behind.map_or(V::ZERO, |behind| behind[place % BLOCK][group]);
                    if index + 1 < lengths.blocks_min {
                        *plane = state.xor(behind);
                    } else if index < lengths.blocks_min && index + 1 == count {
                        *plane = *state;
                    } else {
                        *plane = active.choose(state.xor(chained.and(behind)), *plane);
                    }
                }
            }
        }
    }
}

type BlockPlanes<V> = [[V; PITCH]; BLOCK];

#[inline(always)]
fn block_of<V>(planes: &mut [[V; PITCH]], index: usize) -> Option<&mut BlockPlanes<V>> {
    planes.get_mut(index * BLOCK..)?.first_chunk_mut()
}

/// A block and the one behind it.
#[inline(always)]
fn two_blocks_of<V>(
    planes: &mut [[V; PITCH]],
    index: usize,
) -> Option<(&mut BlockPlanes<V>, Option<&BlockPlanes<V>>)> {
    let (block, behind) = planes.get_mut(index * BLOCK..)?.split_first_chunk_mut()?;
    Some((block, behind.first_chunk()))
}

#[inline(always)]
fn encipher<V: Register, const IN_FLIGHT: usize>(
    state: &mut State<V, IN_FLIGHT>,
    keys: &[[V; PITCH]],
    first: usize,
) {
    let Some((keys, behind)) = split(keys) else { return };
    turn(state);
    take_first(state, behind, first);
    for keys in keys.as_chunks::<8>().0 {
        round::<V, IN_FLIGHT, 0>(state, keys, first);
        round::<V, IN_FLIGHT, 1>(state, keys, first);
        round::<V, IN_FLIGHT, 2>(state, keys, first);
        round::<V, IN_FLIGHT, 3>(state, keys, first);
        round::<V, IN_FLIGHT, 4>(state, keys, first);
        round::<V, IN_FLIGHT, 5>(state, keys, first);
        round::<V, IN_FLIGHT, 6>(state, keys, first);
        round::<V, IN_FLIGHT, 7>(state, keys, first);
    }
    take_last(state, behind, first);
    turn(state);
}

#[inline(always)]
fn decipher<V: Register, const IN_FLIGHT: usize>(
    state: &mut State<V, IN_FLIGHT>,
    keys: &[[V; PITCH]],
    first: usize,
) {
    let Some((keys, behind)) = split(keys) else { return };
    turn(state);
    take_last(state, behind, first);
    for keys in keys.as_chunks::<8>().0.iter().rev() {
        round::<V, IN_FLIGHT, 7>(state, keys, first);
        round::<V, IN_FLIGHT, 6>(state, keys, first);
        round::<V, IN_FLIGHT, 5>(state, keys, first);
        round::<V, IN_FLIGHT, 4>(state, keys, first);
        round::<V, IN_FLIGHT, 3>(state, keys, first);
        round::<V, IN_FLIGHT, 2>(state, keys, first);
        round::<V, IN_FLIGHT, 1>(state, keys, first);
        round::<V, IN_FLIGHT, 0>(state, keys, first);
    }
    take_first(state, behind, first);
    turn(state);
}

/// Between the octets of a block and what the rounds work on, in both directions.
#[inline(always)]
fn turn<V: Register, const IN_FLIGHT: usize>(state: &mut State<V, IN_FLIGHT>) {
    for r in state {
        r[2] = r[2].xor(r[0]);
        r[3] = r[3].xor3(r[0], r[1]);
        r[4] = r[4].xor(r[0]);
        r[5] = r[5].xor(r[1]);
    }
}

/// The keys of the rounds, and what is put in and taken out around them.
#[inline(always)]
fn split<V>(keys: &[[V; PITCH]]) -> Option<(&[[V; PITCH]; ROUNDS], &BlockPlanes<V>)> {
    let (rounds, behind) = keys.split_first_chunk()?;
    Some((rounds, behind.first_chunk()?))
}

#[inline(always)]
fn take_first<V: Register, const IN_FLIGHT: usize>(
    state: &mut State<V, IN_FLIGHT>,
    behind: &[[V; PITCH]; BLOCK],
    first: usize,
) {
    for (lane, r) in state.iter_mut().enumerate() {
        r[7] = r[7].xor(behind[7][(first + lane) % GROUPS]);
    }
}

#[inline(always)]
fn take_last<V: Register, const IN_FLIGHT: usize>(
    state: &mut State<V, IN_FLIGHT>,
    behind: &[[V; PITCH]; BLOCK],
    first: usize,
) {
    for (lane, r) in state.iter_mut().enumerate() {
        for (r, key) in r.iter_mut().zip(behind).take(7) {
            *r = r.xor(key[(first + lane) % GROUPS]);
        }
    }
}

#[inline(always)]
fn round<V: Register, const IN_FLIGHT: usize, const T: usize>(
    state: &mut State<V, IN_FLIGHT>,
    keys: &[[V; PITCH]; 8],
    first: usize,
) {
    for (lane, r) in state.iter_mut().enumerate() {
        let s = r[(T + 7) % 8].block_sbox();
        r[T] = r[T].xor3(s, keys[T][(first + lane) % GROUPS]);
        r[(T + 6) % 8] = r[(T + 6) % 8].xor3(s.block_permutation(), r[(T + 2) % 8]);
        r[(T + 4) % 8] = r[(T + 4) % 8].xor3(r[(T + 1) % 8], r[(T + 2) % 8]);
    }
}

/// The control words, each octet XOR 6, which are the keys of the last eight rounds: these rounds
/// backwards on nothing but the sums of keys tell them (see `MergedKeys`).
#[inline(always)] // by itself it would not be compiled for the processor's vectors
pub(super) fn control_words<V: Register>(keys: &[[V; PITCH]], found: &mut BlockPlanes<V>) {
    let Some((rounds, behind)) = split(keys) else { return };
    let Some(rounds) = rounds.last_chunk::<BLOCK>() else { return };
    for group in 0..GROUPS {
        let mut r = behind.map(|planes| planes[group]);
        r[7] = V::ZERO;
        for t in (0..BLOCK).rev() {
            r[(t + 4) % 8] = r[(t + 4) % 8].xor3(r[(t + 1) % 8], r[(t + 2) % 8]);
            r[(t + 6) % 8] = r[(t + 6) % 8].xor(r[(t + 2) % 8]);
            r[t] = r[t].xor(rounds[t][group]);
            found[t][group] = r[(t + 7) % 8];
        }
    }
}
