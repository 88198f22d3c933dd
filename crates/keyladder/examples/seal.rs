//! A fixed amount of work, for counting instructions: seals a thousand ECMs under 64 keys.

use std::process::ExitCode;

use portcullis_keyladder::envelope::{HeaderFields, Sealer, ToSeal, seal_many};
use portcullis_keyladder::{LadderKey, Level1};

const KEYS: u8 = 64;
const MESSAGES: usize = 1_024;

fn main() -> ExitCode {
    let sealers: Vec<Sealer<LadderKey<Level1>>> =
        (0..KEYS).map(|key| Sealer::new(&LadderKey::new([key; 16]))).collect();
    let client = [0x42; 120];
    let sealed = seal_many(sealers.iter().cycle().take(MESSAGES).map(|sealer| ToSeal {
        sealer,
        fields: HeaderFields { salt: 1, key_ref: 1, sequence: 2 },
        ladder: &[],
        client: &client,
    }));
    match sealed {
        Ok(sealed) if sealed.iter().count() == MESSAGES => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
