//! Prints how fast each mode scrambles and descrambles batches on one core.
//!
//! `cargo run --release -p portcullis-scramble --example speed`

use std::time::Instant;

use portcullis_scramble::{Cipher, KeySlots, WrongControlWordLength, scramble_batch};
use portcullis_ts::packet::null_packet;
use portcullis_types::{Parity, ScramblingMode};

const PACKETS: usize = 4_096;
const PAYLOAD_BITS: f64 = 184.0 * 8.0;

fn main() -> Result<(), WrongControlWordLength> {
    for mode in [
        ScramblingMode::Csa2,
        ScramblingMode::Cissa,
        ScramblingMode::Idsa,
        ScramblingMode::AesCbc,
        ScramblingMode::AesCtr,
    ] {
        let control_word = [7; 16];
        let control_word = control_word.get(..mode.control_word_len()).unwrap_or_default();
        let cipher = Cipher::new(mode, control_word)?;
        let mut slots = KeySlots::new();
        slots.set(Parity::Even, Cipher::new(mode, control_word)?);
        let mut packets = vec![null_packet(); PACKETS];
        let (mut scrambling, mut descrambling) = (f64::MAX, f64::MAX);
        for _ in 0..9 {
            let begun = Instant::now();
            scramble_batch(&mut packets, &cipher, Parity::Even);
            scrambling = scrambling.min(begun.elapsed().as_secs_f64());
            let begun = Instant::now();
            slots.descramble_batch(&mut packets, |_| true);
            descrambling = descrambling.min(begun.elapsed().as_secs_f64());
        }
        let rate = |seconds: f64| PACKETS as f64 * PAYLOAD_BITS / seconds / 1e9;
        println!(
            "{:9} scramble {:6.2} Gbit/s  descramble {:6.2} Gbit/s",
            mode.name(),
            rate(scrambling),
            rate(descrambling)
        );
    }
    Ok(())
}
