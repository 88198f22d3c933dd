//! Scramblers: payload bits per second of one core, whole payloads of 184 octets.

use std::cell::RefCell;

use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, InnerIvInit as _, KeyInit as _};
use portcullis_scramble::{
    Cipher, KeySlots, WrongControlWordLength, limit_lanes, scramble_batch, scramble_each,
};
use portcullis_ts::packet::null_packet;
use portcullis_ts::{PacketMut, RawPacket, ScramblingControl};
use portcullis_types::{Parity, ScramblingMode};

use crate::measure::{Contender, Options, Row, cpu_seconds, side_by_side, take_turns};
use crate::native::NativePeer;
use crate::{cenc, ecm_engine};

/// Packets of one call: 16 full batches of the widest kernel, 1.5 MB.
const PACKETS: usize = 8_192;
const PAYLOAD: usize = 184;
/// Services whose packets follow each other in the row of mixed keys.
const SERVICES: usize = 64;

const UNIT: &str = "Gbit/s";
const LIBDVBCSA: &str = "libdvbcsa";
const OPENSSL: &str = "openssl";
const RCSA: &str = "rcsa";
const RUSTCRYPTO: &str = "rustcrypto";
const ONE_KEY: &str = "one-key";
/// Descrambling as the page does it, in the engine of a browser.
const IN_V8: &str = "csa2-wasm";
/// The same in plain words of 64 bits.
const WORDS_IN_V8: &str = "csa2-wasm-words";

/// All rows that are asked for.
pub(crate) fn rows(options: &Options) -> Result<Vec<Row>, Box<dyn std::error::Error>> {
    let peers = Peers {
        dvbcsa: RefCell::new(NativePeer::start("dvbcsa", &["-ldvbcsa"])),
        openssl: RefCell::new(NativePeer::start("openssl", &["-lcrypto"])),
    };
    let mut rows = Vec::new();
    for work in [
        "csa2-scramble",
        "csa2-descramble",
        "csa2-mixed-keys",
        "csa2-avx2-scramble",
        "csa2-avx2-descramble",
        "cissa-encrypt",
        "cissa-decrypt",
    ] {
        if options.wants(work) {
            rows.push(row(work, options.pairs, &peers)?);
        }
    }
    if options.wants(IN_V8) {
        rows.push(in_v8(options.pairs, &peers));
    }
    rows.extend(cenc::rows(options, &peers.openssl)?);
    rows.extend(ecm_engine::rows(options));
    Ok(rows)
}

struct Peers {
    dvbcsa: RefCell<Option<NativePeer>>,
    openssl: RefCell<Option<NativePeer>>,
}

fn row(work: &'static str, pairs: usize, peers: &Peers) -> Result<Row, WrongControlWordLength> {
    let dvbcsa = (LIBDVBCSA, native(&peers.dvbcsa, work, 4));
    let openssl = (OPENSSL, native(&peers.openssl, work, 16));
    let contenders = match work {
        "csa2-scramble" => vec![
            (work, ours_scrambling(ScramblingMode::Csa2, 8)?),
            dvbcsa,
            (RCSA, rcsa_scrambling()),
        ],
        "csa2-descramble" => vec![
            (work, ours_descrambling(ScramblingMode::Csa2, 8)?),
            dvbcsa,
            (RCSA, rcsa_descrambling()),
        ],
        "csa2-avx2-scramble" => vec![
            (work, with_avx2(ours_scrambling(ScramblingMode::Csa2, 4)?)),
            (RCSA, rcsa_scrambling()),
        ],
        "csa2-avx2-descramble" => vec![
            (work, with_avx2(ours_descrambling(ScramblingMode::Csa2, 4)?)),
            (RCSA, rcsa_descrambling()),
        ],
        "csa2-mixed-keys" => {
            let both = [mixed_keys(1)?, ours_scrambling(ScramblingMode::Csa2, 1)?];
            let [mixed, one_key] = side_by_side(8, both);
            vec![(work, mixed), (ONE_KEY, one_key), dvbcsa]
        }
        "cissa-encrypt" => vec![
            (work, ours_scrambling(ScramblingMode::Cissa, 32)?),
            openssl,
            (RUSTCRYPTO, rustcrypto(true)),
        ],
        _ => vec![
            (work, ours_descrambling(ScramblingMode::Cissa, 32)?),
            openssl,
            (RUSTCRYPTO, rustcrypto(false)),
        ],
    };
    let (names, mut contenders): (Vec<_>, Vec<_>) = contenders.into_iter().unzip();
    // Each contender tells seconds per PACKETS, however many rounds it makes.
    let seconds = take_turns(pairs, &mut contenders);
    let rate = |seconds: f64| (PACKETS * PAYLOAD * 8) as f64 / seconds / 1e9;
    let mut rates = names.into_iter().zip(seconds.into_iter().map(|taken| taken.map(rate)));
    let ours = rates.next().and_then(|(_, rate)| rate);
    Ok(Row { work, unit: UNIT, ours, peers: rates.collect() })
}

/// The page's module in node; libdvbcsa is native.
fn in_v8(pairs: usize, peers: &Peers) -> Row {
    let module = portcullis_assets::scrambler_wasm();
    let v8 = RefCell::new(NativePeer::start_in_v8("scrambler", module, None));
    let mut contenders = [
        native(&v8, IN_V8, 8),
        native(&v8, WORDS_IN_V8, 8),
        native(&peers.dvbcsa, "csa2-descramble", 4),
    ];
    let rate = |seconds: f64| (PACKETS * PAYLOAD * 8) as f64 / seconds / 1e9;
    let mut rates = take_turns(pairs, &mut contenders).into_iter().map(|taken| taken.map(rate));
    let ours = rates.next().flatten();
    let peers = [WORDS_IN_V8, LIBDVBCSA].into_iter().zip(rates).collect();
    Row { work: IN_V8, unit: UNIT, ours, peers }
}

fn native<'a>(
    peer: &'a RefCell<Option<NativePeer>>,
    work: &'static str,
    rounds: usize,
) -> Contender<'a> {
    Box::new(move || {
        let seconds = peer.borrow_mut().as_mut()?.seconds(work, PACKETS, rounds)?;
        Some(seconds / rounds as f64)
    })
}

fn packets() -> Vec<RawPacket> {
    let mut packets = vec![null_packet(); PACKETS];
    for (index, octet) in
        packets.iter_mut().flat_map(|packet| packet.iter_mut().skip(4)).enumerate()
    {
        *octet = (index.wrapping_mul(2_654_435_761) >> 13) as u8;
    }
    packets
}

fn set_all(packets: &mut [RawPacket], control: ScramblingControl) {
    packets.iter_mut().for_each(|packet| PacketMut::new(packet).set_tsc(control));
}

fn cipher(mode: ScramblingMode, number: u8) -> Result<Cipher, WrongControlWordLength> {
    let control_word: [u8; 16] = core::array::from_fn(|i| (i as u8).wrapping_mul(17) ^ number);
    Cipher::new(mode, control_word.get(..mode.control_word_len()).unwrap_or_default())
}

fn ours_scrambling(
    mode: ScramblingMode,
    rounds: usize,
) -> Result<Contender<'static>, WrongControlWordLength> {
    let cipher = cipher(mode, 1)?;
    let mut packets = packets();
    Ok(Box::new(move || {
        let turns = (0..rounds).map(|_| {
            set_all(&mut packets, ScramblingControl::Clear);
            cpu_seconds(|| scramble_batch(&mut packets, &cipher, Parity::Even))
        });
        Some(turns.sum::<f64>() / rounds as f64)
    }))
}

fn ours_descrambling(
    mode: ScramblingMode,
    rounds: usize,
) -> Result<Contender<'static>, WrongControlWordLength> {
    let mut slots = KeySlots::new();
    slots.set(Parity::Even, cipher(mode, 1)?);
    let mut packets = packets();
    Ok(Box::new(move || {
        let turns = (0..rounds).map(|_| {
            set_all(&mut packets, ScramblingControl::Scrambled(Parity::Even));
            cpu_seconds(|| {
                slots.descramble_batch(&mut packets, |_| true);
            })
        });
        Some(turns.sum::<f64>() / rounds as f64)
    }))
}

/// As a multiplex comes: every packet has another key than the one before.
fn mixed_keys(rounds: usize) -> Result<Contender<'static>, WrongControlWordLength> {
    let ciphers = (0..SERVICES)
        .map(|service| cipher(ScramblingMode::Csa2, service as u8))
        .collect::<Result<Vec<_>, _>>()?;
    let mut packets = packets();
    Ok(Box::new(move || {
        let turns = (0..rounds).map(|_| {
            set_all(&mut packets, ScramblingControl::Clear);
            cpu_seconds(|| {
                let keyed = packets.iter_mut().zip(ciphers.iter().cycle());
                scramble_each(keyed.map(|(packet, cipher)| (packet, cipher, Parity::Even)));
            })
        });
        Some(turns.sum::<f64>() / rounds as f64)
    }))
}

/// The same without AVX-512, where the processor has AVX2 at all.
fn with_avx2(mut work: Contender<'static>) -> Contender<'static> {
    const AVX2_LANES: usize = 256;
    Box::new(move || {
        if !has_avx2() {
            return None;
        }
        limit_lanes(AVX2_LANES);
        let seconds = work();
        limit_lanes(usize::MAX);
        seconds
    })
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    std::is_x86_feature_detected!("avx2")
}

#[cfg(not(target_arch = "x86_64"))]
const fn has_avx2() -> bool {
    false
}

const RCSA_KEY: [u8; 8] = [0x11, 0x22, 0x33, 0x66, 0x44, 0x55, 0x66, 0xFF];

fn rcsa_scrambling() -> Contender<'static> {
    let batch = rcsa::CsaBatch::new(&RCSA_KEY);
    let mut packets = packets();
    Box::new(move || Some(cpu_seconds(|| batch.encrypt_in_place(packets.as_flattened_mut()))))
}

fn rcsa_descrambling() -> Contender<'static> {
    let mut descrambler = rcsa::Descrambler::new();
    descrambler.set_even(&RCSA_KEY);
    let mut packets = packets();
    Box::new(move || {
        set_all(&mut packets, ScramblingControl::Scrambled(Parity::Even));
        Some(cpu_seconds(|| descrambler.descramble(packets.as_flattened_mut())))
    })
}

/// RustCrypto's CBC, packet by packet, its key expanded once.
fn rustcrypto(encrypts: bool) -> Contender<'static> {
    const IV: &[u8; 16] = b"DVBTMCPTAESCISSA";
    const ROUNDS: usize = 16;
    let cipher = aes::Aes128::new(&[9; 16].into());
    let mut packets = packets();
    Box::new(move || {
        let taken = cpu_seconds(|| {
            for packet in (0..ROUNDS).flat_map(|_| 0..PACKETS) {
                let Some(payload) = packets.get_mut(packet).and_then(|raw| raw.get_mut(4..180))
                else {
                    continue;
                };
                let (blocks, _) = aes::Block::slice_as_chunks_mut(payload);
                if encrypts {
                    cbc::Encryptor::inner_iv_init(&cipher, IV.into()).encrypt_blocks(blocks);
                } else {
                    cbc::Decryptor::inner_iv_init(&cipher, IV.into()).decrypt_blocks(blocks);
                }
            }
        });
        Some(taken / ROUNDS as f64)
    })
}
