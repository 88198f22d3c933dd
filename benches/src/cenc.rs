//! Common Encryption: bits per second of one core, samples of 64 KiB in memory.

use std::cell::RefCell;

use aes::cipher::{KeyIvInit as _, StreamCipher as _};
use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use portcullis_crypto::Key128;
use portcullis_scramble::cenc::{
    CencError, InitializationVector, Pattern, Sample, SampleCipher, Scheme,
};

use crate::measure::{Contender, Options, Row, cpu_seconds, take_turns};
use crate::native::NativePeer;

/// Samples of one call: a mebioctet, as the packets of the other rows.
const SAMPLES: usize = 16;
const SAMPLE: usize = 65_536;
/// Calls of one turn.
const ROUNDS: usize = 64;
const KEY: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const IV: [u8; 16] = *b"portcull\0\0\0\0\0\0\0\0";

/// The rows `cenc-ctr` and `cbcs`, if they are asked for.
pub(crate) fn rows(
    options: &Options,
    openssl: &RefCell<Option<NativePeer>>,
) -> Result<Vec<Row>, CencError> {
    let mut rows = Vec::new();
    if options.wants("cenc-ctr") {
        let contenders = vec![
            ("cenc-ctr", ours(Scheme::Cenc, Pattern::NONE)?),
            ("openssl", native(openssl, "cenc-ctr")),
            ("aws-lc", aws_lc()),
            ("rustcrypto", rustcrypto()),
        ];
        rows.push(row("cenc-ctr", options.pairs, contenders));
    }
    if options.wants("cbcs") {
        let pattern = Pattern { crypt_byte_block: 1, skip_byte_block: 9 };
        let contenders =
            vec![("cbcs", ours(Scheme::Cbcs, pattern)?), ("openssl", native(openssl, "cbcs"))];
        rows.push(row("cbcs", options.pairs, contenders));
    }
    Ok(rows)
}

fn row(work: &'static str, pairs: usize, contenders: Vec<(&'static str, Contender<'_>)>) -> Row {
    let (names, mut contenders): (Vec<_>, Vec<_>) = contenders.into_iter().unzip();
    let seconds = take_turns(pairs, &mut contenders);
    let rate = |seconds: f64| (ROUNDS * SAMPLES * SAMPLE * 8) as f64 / seconds / 1e9;
    let mut rates = names.into_iter().zip(seconds.into_iter().map(|taken| taken.map(rate)));
    let ours = rates.next().and_then(|(_, rate)| rate);
    Row { work, unit: "Gbit/s", ours, peers: rates.collect() }
}

fn native<'a>(peer: &'a RefCell<Option<NativePeer>>, work: &'static str) -> Contender<'a> {
    Box::new(move || peer.borrow_mut().as_mut()?.seconds(work, SAMPLES, ROUNDS))
}

fn samples() -> Vec<Vec<u8>> {
    let octet = |index: usize| (index.wrapping_mul(2_654_435_761) >> 13) as u8;
    (0..SAMPLES).map(|sample| (0..SAMPLE).map(|i| octet(sample * SAMPLE + i)).collect()).collect()
}

/// Both modes encrypt here; counter mode does the same in both directions.
fn ours(scheme: Scheme, pattern: Pattern) -> Result<Contender<'static>, CencError> {
    let cipher = SampleCipher::new(scheme, pattern, &Key128::new(KEY))?;
    let iv = InitializationVector::new(&IV)?;
    let mut samples = samples();
    Ok(Box::new(move || {
        let mut done = Ok(());
        let taken = cpu_seconds(|| {
            for _ in 0..ROUNDS {
                let samples = samples.iter_mut().map(|data| Sample { data, iv, subsamples: &[] });
                done = done.and_then(|()| cipher.encrypt_many(samples));
            }
        });
        done.is_ok().then_some(taken)
    }))
}

fn aws_lc() -> Contender<'static> {
    let key = UnboundCipherKey::new(&AES_128, &KEY).and_then(EncryptingKey::ctr).ok();
    let mut samples = samples();
    Box::new(move || {
        let key = key.as_ref()?;
        let mut works = true;
        let taken = cpu_seconds(|| {
            for sample in (0..ROUNDS).flat_map(|_| 0..SAMPLES) {
                let context = EncryptionContext::Iv128(FixedLength::from(IV));
                let Some(sample) = samples.get_mut(sample) else { continue };
                works &= key.less_safe_encrypt(sample, context).is_ok();
            }
        });
        works.then_some(taken)
    })
}

fn rustcrypto() -> Contender<'static> {
    let mut samples = samples();
    Box::new(move || {
        Some(cpu_seconds(|| {
            for sample in (0..ROUNDS).flat_map(|_| 0..SAMPLES) {
                let Some(sample) = samples.get_mut(sample) else { continue };
                ctr::Ctr64BE::<aes::Aes128>::new(&KEY.into(), &IV.into()).apply_keystream(sample);
            }
        }))
    })
}
