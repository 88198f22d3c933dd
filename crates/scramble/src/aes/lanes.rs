//! Batches of AES payloads and the ways to work on them.
//!
//! Payloads of full length, nearly all, are worked on where they stand. The short ones behind an
//! adaptation field wait for each other and are worked on in places of full length. What must never
//! happen: that a path gives other octets than the portable code.

#[cfg(target_arch = "x86_64")]
use portcullis_crypto::RoundKeys;

use super::{AesCipher, BLOCK, Chaining, PAYLOAD, STEP, WHOLE, xor};
#[cfg(target_arch = "x86_64")]
use super::{aesni, vaes};
use crate::sliced::{Direction, lanes_limit};

/// Payloads that a batch takes: five registers of four, and two times ten.
pub(crate) const LANES: usize = 20;

/// One packet's payload with its key.
pub(crate) struct AesLane<'a, P: ?Sized = [u8]> {
    pub(crate) key: &'a AesCipher,
    pub(crate) payload: &'a mut P,
}

/// A payload of full length.
pub(crate) type FullLane<'a> = AesLane<'a, [u8; PAYLOAD]>;

impl<'a> FullLane<'a> {
    /// A lane of a batch that is being filled: its payload is fetched meanwhile.
    #[inline(always)]
    pub(crate) fn new(key: &'a AesCipher, payload: &'a mut [u8; PAYLOAD]) -> Self {
        #[cfg(target_arch = "x86_64")]
        vaes::prefetch(payload);
        Self { key, payload }
    }
}

/// A way to compute; all give the same octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Path {
    /// Four blocks per instruction.
    #[cfg(target_arch = "x86_64")]
    Vaes,
    /// One block per instruction, many packets in flight.
    #[cfg(target_arch = "x86_64")]
    AesNi,
    /// Whatever the cipher crate does.
    Portable,
}

impl Path {
    /// The ways of this processor, the fastest first.
    pub(crate) fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let special = [(Self::Vaes, vaes::detected()), (Self::AesNi, aesni::detected())];
        #[cfg(not(target_arch = "x86_64"))]
        let special: [(Self, bool); 0] = [];
        let all = special.into_iter().chain([(Self::Portable, true)]);
        all.filter(|(_, has)| *has).map(|(path, _)| path)
    }

    /// The fastest that is allowed; see [`limit_lanes`](crate::limit_lanes).
    fn best() -> Self {
        let limit = lanes_limit();
        let lanes = |path: &Self| match path {
            #[cfg(target_arch = "x86_64")]
            Self::Vaes => 512,
            #[cfg(target_arch = "x86_64")]
            Self::AesNi => 256,
            Self::Portable => 64,
        };
        Self::available().find(|path| lanes(path) <= limit).unwrap_or(Self::Portable)
    }

    /// Works on payloads of full length.
    pub(crate) fn run_full(self, lanes: &mut [FullLane<'_>], direction: Direction) {
        for lanes in lanes.chunks_mut(LANES) {
            let Some(first) = lanes.first().map(|lane| lane.key) else { return };
            let chaining = first.chaining;
            let one_key = have_one_key(lanes);
            let wide = lanes.len() > 1
                && chaining != Chaining::Ctr
                && (one_key || lanes.iter().all(|lane| lane.key.chaining == chaining));
            if wide && self.chained(lanes, direction, chaining) {
                continue;
            }
            if wide && one_key && direction == Direction::Scramble {
                for lanes in lanes.chunks_mut(STEP) {
                    first.cbc_in_step(lanes);
                }
                continue;
            }
            for lane in lanes {
                lane.key.work(lane.payload, direction);
            }
        }
    }

    /// Works on payloads of any length.
    #[inline(never)]
    pub(crate) fn run_short(self, lanes: &mut [AesLane<'_>], direction: Direction) {
        for lanes in lanes.chunks_mut(LANES) {
            let Some(chaining) = lanes.first().map(|lane| lane.key.chaining) else { return };
            let wide = lanes.len() > 1
                && !matches!(chaining, Chaining::Ctr)
                && lanes
                    .iter()
                    .all(|lane| lane.key.chaining == chaining && lane.payload.len() <= PAYLOAD);
            if !wide || !self.chained_in_places(lanes, direction, chaining) {
                for lane in lanes {
                    lane.key.work(lane.payload, direction);
                }
            }
        }
    }

    /// Whether this path, and every key, has the means; if not, nothing is changed.
    fn chained(self, lanes: &mut [FullLane<'_>], direction: Direction, chaining: Chaining) -> bool {
        let iv = chaining.iv();
        let residues = chaining == Chaining::Idsa;
        match direction {
            Direction::Scramble => {
                self.encrypt(lanes, &iv) && (!residues || self.residues(lanes, &iv))
            }
            // A residue's mask is made of the last cipher block, so it comes first.
            Direction::Descramble => {
                (!residues || self.residues(lanes, &iv)) && self.decrypt(lanes, &iv)
            }
        }
    }

    /// Each payload is worked on in a place of full length, and what is beyond its last whole
    /// block is thrown away.
    fn chained_in_places(
        self,
        lanes: &mut [AesLane<'_>],
        direction: Direction,
        chaining: Chaining,
    ) -> bool {
        let Some(key) = lanes.first().map(|lane| lane.key) else { return true };
        let iv = chaining.iv();
        let residues = chaining == Chaining::Idsa;
        if residues && direction == Direction::Descramble && !self.residues(lanes, &iv) {
            return false;
        }
        let mut places = [[0; PAYLOAD]; LANES];
        for (lane, place) in lanes.iter().zip(&mut places) {
            copy(place, lane.payload);
        }
        let mut of_lanes = lanes.iter();
        let mut work = places
            .each_mut()
            .map(|payload| FullLane { key: of_lanes.next().map_or(key, |lane| lane.key), payload });
        let done = match direction {
            Direction::Scramble => self.encrypt(&mut work, &iv),
            Direction::Descramble => self.decrypt(&mut work, &iv),
        };
        if !done {
            return false;
        }
        for (lane, place) in lanes.iter_mut().zip(&places) {
            let whole = lane.payload.len().min(WHOLE) / BLOCK * BLOCK;
            let (target, _) = lane.payload.split_at_mut(whole);
            copy(target, place);
        }
        if residues && direction == Direction::Scramble {
            return self.residues(lanes, &iv);
        }
        true
    }

    /// Hides what is left behind the last whole block of each payload behind AES(last cipher
    /// block, or the IV), or takes it out again.
    fn residues<P: ?Sized + AsMut<[u8]>>(
        self,
        lanes: &mut [AesLane<'_, P>],
        iv: &[u8; BLOCK],
    ) -> bool {
        let Some(key) = lanes.first().map(|lane| lane.key) else { return true };
        let mut masks = [*iv; LANES];
        for (lane, mask) in lanes.iter_mut().zip(&mut masks) {
            if let Some(last) = lane.payload.as_mut().as_chunks().0.last() {
                *mask = *last;
            }
        }
        let mut of_lanes = lanes.iter();
        let mut work = masks
            .each_mut()
            .map(|payload| AesLane { key: of_lanes.next().map_or(key, |lane| lane.key), payload });
        // One block of CBC with a zero IV is that block through AES.
        if !self.encrypt_all(&mut work, &[0; BLOCK]) {
            return false;
        }
        for (lane, mask) in lanes.iter_mut().zip(&masks) {
            xor(lane.payload.as_mut().as_chunks_mut::<BLOCK>().1, mask);
        }
        true
    }

    fn encrypt(self, lanes: &mut [FullLane<'_>], iv: &[u8; BLOCK]) -> bool {
        match <&mut [FullLane<'_>; LANES]>::try_from(&mut *lanes) {
            Ok(lanes) => self.encrypt_all(lanes, iv),
            Err(_) => self.encrypt_some(lanes, iv),
        }
    }

    /// Fewer packets than there are lanes: the others get something to work on.
    #[inline(never)]
    fn encrypt_some(self, lanes: &mut [FullLane<'_>], iv: &[u8; BLOCK]) -> bool {
        let Some(key) = lanes.first().map(|lane| lane.key) else { return true };
        let mut spare = [[0; PAYLOAD]; LANES];
        let mut lanes = lanes.iter_mut();
        let mut all = spare.each_mut().map(|payload| match lanes.next() {
            Some(lane) => AesLane { key: lane.key, payload: &mut *lane.payload },
            None => AesLane { key, payload },
        });
        self.encrypt_all(&mut all, iv)
    }

    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
    fn encrypt_all<const N: usize>(
        self,
        lanes: &mut [AesLane<'_, [u8; N]>; LANES],
        iv: &[u8; BLOCK],
    ) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vaes => vaes::encrypt(lanes, iv),
            #[cfg(target_arch = "x86_64")]
            Self::AesNi => aesni::encrypt(lanes, iv),
            Self::Portable => false,
        }
    }

    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
    fn decrypt(self, lanes: &mut [FullLane<'_>], iv: &[u8; BLOCK]) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vaes => vaes::decrypt(lanes, iv),
            #[cfg(target_arch = "x86_64")]
            Self::AesNi => aesni::decrypt(lanes, iv),
            Self::Portable => false,
        }
    }
}

/// Works on payloads of full length in the fastest way that this processor has.
pub(crate) fn run_full(lanes: &mut [FullLane<'_>], direction: Direction) {
    Path::best().run_full(lanes, direction);
}

/// Works on payloads of any length in the fastest way that this processor has.
pub(crate) fn run_short(lanes: &mut [AesLane<'_>], direction: Direction) {
    Path::best().run_short(lanes, direction);
}

/// Whether all lanes have the same key.
#[inline]
pub(super) fn have_one_key<P: ?Sized>(lanes: &[AesLane<'_, P>]) -> bool {
    let Some((first, others)) = lanes.split_first() else { return true };
    others.iter().all(|lane| core::ptr::eq(lane.key, first.key))
}

/// The round keys of all lanes, if all have them.
#[cfg(target_arch = "x86_64")]
#[inline(never)]
pub(super) fn schedules<'a, const N: usize>(
    lanes: &[AesLane<'a, [u8; N]>; LANES],
) -> Option<[&'a RoundKeys; LANES]> {
    let [first, ..] = lanes;
    let mut keys = [first.key.wide.as_ref()?; LANES];
    for (keys, lane) in keys.iter_mut().zip(lanes) {
        *keys = lane.key.wide.as_ref()?;
    }
    Some(keys)
}

fn copy(target: &mut [u8], source: &[u8]) {
    for (target, source) in target.iter_mut().zip(source) {
        *target = *source;
    }
}
