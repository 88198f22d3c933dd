//! A fixed amount of work, for counting instructions: `instructions MODE scramble|descramble LANES`.
//!
//! LANES limits the kernels of CSA2 (see `limit_lanes`). `cargo xtask instructions` runs this under
//! valgrind, and looks up the kernels that valgrind cannot run in the disassembly of this program.

use std::process::ExitCode;

use portcullis_scramble::{Cipher, descramble_each, limit_lanes, scramble_each};
use portcullis_ts::packet::null_packet;
use portcullis_ts::{PacketMut, ScramblingControl};
use portcullis_types::{Parity, ScramblingMode};

/// Four full batches of the widest kernel.
const PACKETS: usize = 2_048;
const KEYS: u8 = 4;
const USAGE: &str = "usage: instructions MODE scramble|descramble LANES";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if work(&arguments).is_none() {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    }
    ExitCode::SUCCESS
}

fn work(arguments: &[String]) -> Option<()> {
    let [mode, direction, lanes] = arguments else { return None };
    let mode: ScramblingMode = mode.parse().ok()?;
    limit_lanes(lanes.parse().ok()?);
    let ciphers = (0..KEYS)
        .map(|key| Cipher::new(mode, [key; 16].get(..mode.control_word_len())?).ok())
        .collect::<Option<Vec<_>>>()?;
    let mut packets = vec![null_packet(); PACKETS];
    let scrambles = match direction.as_str() {
        "scramble" => true,
        "descramble" => false,
        _ => return None,
    };
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
