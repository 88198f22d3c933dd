//! `portcullis-peer-mp4decrypt KID KEY INPUT OUTPUT`: what Bento4's program `mp4decrypt` does with
//! one key, by the same library.
//!
//! Trust domain: none; a peer of the measurements.

use std::process::ExitCode;

use mp4decrypt::{Ap4CencDecryptingProcessor, Error};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kid, key, input, output] = arguments.as_slice() else {
        eprintln!("usage: portcullis-peer-mp4decrypt KID KEY INPUT OUTPUT");
        return ExitCode::from(2);
    };
    match decrypt([kid, key], [input, output]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("portcullis-peer-mp4decrypt: {input}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn decrypt([kid, key]: [&str; 2], [input, output]: [&str; 2]) -> Result<(), Error> {
    let processor = Ap4CencDecryptingProcessor::new().key(kid, key)?.build()?;
    processor.decrypt_file(input, output, None)
}
