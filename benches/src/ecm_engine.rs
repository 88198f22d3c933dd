//! Sealing ECMs: millions per second of one core, 160 octets each, every one under its own keys.

use aes::cipher::{BlockCipherEncrypt as _, BlockModeEncrypt as _, InnerIvInit as _, KeyInit as _};
use cmac::Mac as _;
use portcullis_keyladder::envelope::{HeaderFields, Sealer, ToSeal, seal_many};
use portcullis_keyladder::{LadderKey, Level1};

use crate::measure::{Contender, Options, Row, cpu_seconds, take_turns};

/// ECMs of one call.
const ECMS: usize = 1_024;
/// Products, each with its K1; neighbours have different ones.
const PRODUCTS: usize = 64;
/// Octets of the client part: header, these padded to whole blocks, and the MAC are 160.
const CLIENT: usize = 120;
const HEADER: usize = 16;
const BODY: usize = 128;
/// Calls of one turn.
const ROUNDS: usize = 50;

/// The row `ecm-engine`, if it is asked for.
pub(crate) fn rows(options: &Options) -> Vec<Row> {
    if !options.wants("ecm-engine") {
        return Vec::new();
    }
    let mut contenders = [ours(), rustcrypto()];
    let seconds = take_turns(options.pairs, &mut contenders);
    let rate = |seconds: f64| (ROUNDS * ECMS) as f64 / seconds / 1e6;
    let mut rates = seconds.into_iter().map(|taken| taken.map(rate));
    let ours = rates.next().flatten();
    let peers = ["rustcrypto"].into_iter().zip(rates).collect();
    vec![Row { work: "ecm-engine", unit: "M/s", ours, peers }]
}

fn ours() -> Contender<'static> {
    let sealers: Vec<Sealer<LadderKey<Level1>>> =
        (0..PRODUCTS).map(|product| Sealer::new(&LadderKey::new([product as u8; 16]))).collect();
    let client = [0x42; CLIENT];
    Box::new(move || {
        let mut sealed = 0;
        let taken = cpu_seconds(|| {
            for round in 0..ROUNDS {
                let messages = sealers.iter().cycle().take(ECMS).map(|sealer| ToSeal {
                    sealer,
                    fields: HeaderFields { salt: round as u16, key_ref: 1, sequence: 2 },
                    ladder: &[],
                    client: &client,
                });
                sealed += seal_many(messages).map_or(0, |sealed| sealed.iter().count());
            }
        });
        (sealed == ROUNDS * ECMS).then_some(taken)
    })
}

/// One by one, keys expanded once, in one buffer that stays where it is.
fn rustcrypto() -> Contender<'static> {
    struct Keys {
        enc: aes::Aes128,
        mac: cmac::Cmac<aes::Aes128>,
    }
    let keys: Vec<_> = (0..PRODUCTS)
        .map(|product| Keys {
            enc: aes::Aes128::new(&[product as u8; 16].into()),
            mac: cmac::Cmac::new(&[!product as u8; 16].into()),
        })
        .collect();
    let client = [0x42; CLIENT];
    Box::new(move || {
        Some(cpu_seconds(|| {
            for round in 0..ROUNDS {
                for keys in keys.iter().cycle().take(ECMS) {
                    let header: [u8; HEADER] = [round as u8; HEADER];
                    let mut message = [0; HEADER + BODY];
                    let (head, body) = message.split_at_mut(HEADER);
                    head.copy_from_slice(&header);
                    for (octet, of_client) in body.iter_mut().zip(client) {
                        *octet = of_client;
                    }
                    let mut iv = aes::Block::from(header);
                    keys.enc.encrypt_block(&mut iv);
                    let (blocks, _) = aes::Block::slice_as_chunks_mut(body);
                    cbc::Encryptor::inner_iv_init(&keys.enc, &iv).encrypt_blocks(blocks);
                    let mut mac = keys.mac.clone();
                    mac.update(&message);
                    std::hint::black_box((mac.finalize(), message));
                }
            }
        }))
    })
}
