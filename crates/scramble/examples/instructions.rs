//! A fixed amount of work, for counting instructions: `instructions WORK scramble|descramble LANES`.
//!
//! WORK is a scrambling mode or a scheme of Common Encryption. LANES limits the kernels (see
//! `limit_lanes`). `cargo xtask instructions` runs this under
//! valgrind, and looks up the kernels that valgrind cannot run in the disassembly of this program.

use std::process::ExitCode;

use portcullis_crypto::Key128;
use portcullis_scramble::cenc::{InitializationVector, Pattern, Sample, SampleCipher, Scheme};
use portcullis_scramble::{Cipher, descramble_each, limit_lanes, scramble_each};
use portcullis_ts::packet::null_packet;
use portcullis_ts::{PacketMut, ScramblingControl};
use portcullis_types::{Parity, ScramblingMode};

/// Four full batches of the widest kernel.
const PACKETS: usize = 2_048;
const KEYS: u8 = 4;
/// Samples, and octets of each.
const SAMPLES: usize = 40;
const SAMPLE: usize = 8_192;
const USAGE: &str = "usage: instructions WORK scramble|descramble LANES";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if work(&arguments).is_none() {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    }
    ExitCode::SUCCESS
}

fn work(arguments: &[String]) -> Option<()> {
    let [work, direction, lanes] = arguments else { return None };
    let scrambles = match direction.as_str() {
        "scramble" => true,
        "descramble" => false,
        _ => return None,
    };
    limit_lanes(lanes.parse().ok()?);
    match work.parse() {
        Ok(mode) => packets(mode, scrambles),
        Err(_) => samples(work.parse().ok()?, scrambles),
    }
}

fn packets(mode: ScramblingMode, scrambles: bool) -> Option<()> {
    let ciphers = (0..KEYS)
        .map(|key| Cipher::new(mode, [key; 16].get(..mode.control_word_len())?).ok())
        .collect::<Option<Vec<_>>>()?;
    let mut packets = vec![null_packet(); PACKETS];
    let keyed = packets.iter_mut().zip(ciphers.iter().cycle());
    if scrambles {
        scramble_each(keyed.map(|(packet, cipher)| (packet, cipher, Parity::Even)));
    } else {
        descramble_each(keyed.map(|(packet, cipher)| {
            PacketMut::new(packet).set_tsc(ScramblingControl::Scrambled(Parity::Even));
            (packet, cipher)
        }));
    }
    Some(())
}

fn samples(scheme: Scheme, scrambles: bool) -> Option<()> {
    let pattern = match scheme {
        Scheme::Cens | Scheme::Cbcs => Pattern { crypt_byte_block: 1, skip_byte_block: 9 },
        Scheme::Cenc | Scheme::Cbc1 => Pattern::NONE,
    };
    let cipher = SampleCipher::new(scheme, pattern, &Key128::new([7; 16])).ok()?;
    let iv = InitializationVector::new(&[9; 16]).ok()?;
    let mut samples = vec![vec![0; SAMPLE]; SAMPLES];
    let mut samples = samples.iter_mut().map(|data| Sample { data, iv, subsamples: &[] });
    if scrambles {
        return cipher.encrypt_many(samples).ok();
    }
    samples.try_for_each(|sample| cipher.decrypt(sample)).ok()
}
