//! No octet of a key is left in the memory of a process that has used and dropped it.
//!
//! Each scene is played in a process of its own, which gets its keys masked, works with them in a
//! thread, drops them, and then reads all of its memory: for the keys and what comes of keys alone,
//! and the stack of that thread for anything at all.

mod memory;
mod needles;

use std::format;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::string::String;
use std::vec::Vec;

use portcullis_crypto::{Key128, SHALLOW, SealKey, SealLane, leaving_no_trace, seal_many};
use portcullis_ts::RawPacket;
use portcullis_types::{Parity, ScramblingMode};

use self::memory::{Traces, input, traces_of};
use self::needles::{Haul, Needles, OCTET_MASK};
use crate::cenc::{InitializationVector, Pattern, Sample, SampleCipher, Scheme};
use crate::{Cipher, descramble_each, limit_lanes, scramble_each};

/// The test that plays what another asks for.
const PLAYER: &str = "tests::key_traces::no_octet_of_a_key_is_left_in_memory";
/// Tells the process that it is to play, and what.
const SCENE: &str = "PORTCULLIS_KEY_TRACES";
/// Keys of a scene: a full batch of the widest kernel, each lane its own.
const KEYS: usize = 512;
const PACKETS: usize = 700;
/// An adaptation field that leaves one block and a bit.
const SHORT: usize = 174;
/// Octets that the work's first frames may leave: return addresses, and what stands in registers
/// that the functions of this test use.
const NEAR_MAX: usize = 256;
/// Octets that the overwriting itself leaves at its far end, of the call that it makes.
const FAR_MAX: usize = 32;

/// Octets that look random and are the same in every run.
fn octets(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    core::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
    .take(count)
    .collect()
}

// attack-test: T-39
#[test]
fn no_octet_of_a_key_is_left_in_memory() {
    if let Ok(scene) = std::env::var(SCENE) {
        return play(&scene);
    }
    for lanes in [512, 256, 64] {
        for mode in ["csa2-full", "cissa", "idsa", "aes-cbc", "aes-ctr"] {
            for keys in ["one-key", "mixed"] {
                ask(&format!("{mode} {lanes} {keys}"));
            }
        }
        for scheme in Scheme::ALL {
            ask(&format!("{scheme} {lanes} one-key"));
        }
    }
    ask("seal 512 mixed");
}

/// The search finds a key that is still there.
#[test]
fn a_key_that_is_kept_is_found() {
    ask("csa2-full 512 kept");
    ask("cissa 512 kept");
}

/// Lets a scene be played.
fn ask(scene: &str) {
    let [what, lanes, _] = words(scene);
    let keys = octets(u64::MAX - scene.len() as u64, KEYS * 16);
    let mut haul = Haul::default();
    if what == "csa2-full" {
        let control_words: Vec<_> = (0..KEYS).map(|key| key_of(&keys, key)).collect();
        haul.add_csa2(&control_words, lanes.parse().unwrap());
    } else {
        keys.as_chunks().0.iter().for_each(|key| haul.add_aes(*key));
    }
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args([PLAYER, "--exact", "--nocapture"]).env(SCENE, scene);
    program.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let mut question: Vec<_> = keys.iter().map(|octet| octet ^ OCTET_MASK).collect();
    question.extend(haul.into_octets());
    child.stdin.take().unwrap().write_all(&question).unwrap();
    let done = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && told.contains(scene), "{scene}: {told}");
}

fn words(scene: &str) -> [&str; 3] {
    scene.split(' ').collect::<Vec<_>>().try_into().unwrap()
}

fn key_of<const N: usize>(keys: &[u8], number: usize) -> [u8; N] {
    keys[number * 16..][..N].try_into().unwrap()
}

fn play(scene: &str) {
    let [what, lanes, keys] = words(scene);
    limit_lanes(lanes.parse().unwrap());
    let question = input();
    let (masked, needles) = question.split_at(KEYS * 16);
    let needles = Needles::from_octets(needles);
    let count = if keys == "mixed" { KEYS } else { 1 };
    let masked = masked[..count * 16].to_vec();
    let Traces { near, far, deepest, needles } = match (what.parse(), what.parse()) {
        (Ok(mode), _) => scrambling(&needles, masked, mode, keys == "kept"),
        (_, Ok(scheme)) => samples(&needles, masked, scheme),
        _ => sealing(&needles, masked),
    };
    let found = format!("{near} octets near, {far} far, {deepest} deep, {needles} needles");
    std::eprintln!("{scene}: {found}");
    assert!(near <= NEAR_MAX && far <= FAR_MAX, "{found}");
    assert_eq!(needles > 0, keys == "kept", "{found}");
}

/// Keys as the test got them, and as they are: the place where a caller keeps them.
struct Unmasked(zeroize::Zeroizing<Vec<u8>>);

impl Unmasked {
    fn new(masked: &[u8]) -> Self {
        Self(zeroize::Zeroizing::new(masked.iter().map(|octet| octet ^ OCTET_MASK).collect()))
    }
}

struct Scrambling {
    keys: Unmasked,
    ciphers: Vec<Cipher>,
    packets: [Vec<RawPacket>; 2],
}

fn scrambling(needles: &Needles, masked: Vec<u8>, mode: ScramblingMode, keeps: bool) -> Traces {
    let prepare = move || Scrambling {
        keys: Unmasked::new(&masked),
        ciphers: Vec::with_capacity(KEYS),
        // Behind the short ones the registers of the stream cipher still hold their first state.
        packets: [|number| number % 183 * (number % 3 / 2), |_| SHORT]
            .map(|adaptation| (0..PACKETS).map(|i| packet(i, adaptation(i))).collect()),
    };
    let work = move |of: &mut Scrambling| {
        let Scrambling { keys, ciphers, packets } = of;
        for key in keys.0.chunks_exact(16) {
            ciphers.push(Cipher::new(mode, &key[..mode.control_word_len()]).unwrap());
        }
        for packets in packets.iter_mut() {
            let ciphers = || ciphers.iter().cycle();
            let keyed = packets.iter_mut().zip(ciphers());
            scramble_each(keyed.map(|(packet, cipher)| (packet, cipher, Parity::Even)));
            descramble_each(packets.iter_mut().zip(ciphers()));
        }
        let [packets, _] = packets;
        ciphers[0].scramble_packet(&mut packets[0], Parity::Odd);
        ciphers[0].descramble_packet(&mut packets[0]);
    };
    traces_of(needles, prepare, work, move |of| keeps.then_some(of.ciphers))
}

/// A packet whose adaptation field takes so many octets.
fn packet(number: usize, adaptation: usize) -> RawPacket {
    let mut raw: RawPacket = octets(number as u64, 188).try_into().unwrap();
    raw[..4].copy_from_slice(&[0x47, 0x01, 0x00, 0x10]);
    if adaptation > 0 {
        (raw[3], raw[4]) = (0x30, adaptation as u8 - 1);
    }
    raw
}

fn samples(needles: &Needles, masked: Vec<u8>, scheme: Scheme) -> Traces {
    let prepare = move || {
        let samples = (0..40).map(|i| octets(i, 300 + 113 * i as usize)).collect::<Vec<_>>();
        (Unmasked::new(&masked), Vec::with_capacity(1), samples)
    };
    let work = move |(keys, ciphers, samples): &mut (Unmasked, Vec<SampleCipher>, Vec<_>)| {
        let pattern = match scheme {
            Scheme::Cens | Scheme::Cbcs => Pattern { crypt_byte_block: 1, skip_byte_block: 9 },
            _ => Pattern::NONE,
        };
        leaving_no_trace::<SHALLOW, _>(|| {
            let key = Key128::new(key_of(&keys.0, 0));
            ciphers.push(SampleCipher::new(scheme, pattern, &key).unwrap());
        });
        let iv = InitializationVector::new(&[7; 16]).unwrap();
        fn of(data: &mut Vec<u8>, iv: InitializationVector) -> Sample<'_> {
            Sample { data, iv, subsamples: &[] }
        }
        ciphers[0].encrypt_many(samples.iter_mut().map(|data| of(data, iv))).unwrap();
        samples.iter_mut().for_each(|data| ciphers[0].decrypt(of(data, iv)).unwrap());
    };
    traces_of(needles, prepare, work, drop)
}

fn sealing(needles: &Needles, masked: Vec<u8>) -> Traces {
    let prepare = move || {
        let messages: Vec<_> = (0..100).map(|i| octets(i, 16 * (3 + i as usize % 9))).collect();
        (Unmasked::new(&masked), Vec::with_capacity(KEYS / 2), messages)
    };
    let work = move |(keys, sealers, messages): &mut (Unmasked, Vec<SealKey>, Vec<Vec<u8>>)| {
        leaving_no_trace::<SHALLOW, _>(|| {
            for key in 0..KEYS / 2 {
                let key = |number| Key128::new(key_of(&keys.0, 2 * key + number));
                sealers.push(SealKey::new(&key(0), &key(1)));
            }
        });
        let lanes = messages.iter_mut().zip(sealers.iter());
        let mut lanes: Vec<_> = lanes.map(|(message, key)| SealLane { key, message }).collect();
        seal_many(&mut lanes).unwrap();
    };
    traces_of(needles, prepare, work, drop)
}
