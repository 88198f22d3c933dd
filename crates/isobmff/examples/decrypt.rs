//! Decrypts a protected file: `decrypt KEY INPUT OUTPUT`, the key in hexadecimal.

use std::error::Error;
use std::fs::File;

use portcullis_crypto::Key128;
use portcullis_isobmff::Plan;
use portcullis_types::parse_hex_array;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [key, input, output] = arguments.as_slice() else {
        return Err("usage: decrypt KEY INPUT OUTPUT".into());
    };
    let key = Key128::new(parse_hex_array(key)?);
    let plan = Plan::read(&mut File::open(input)?)?;
    plan.decrypt(|_| Some(&key), &mut File::open(input)?, &mut File::create(output)?)?;
    eprintln!("{} samples of {} tracks decrypted", plan.samples(), plan.protections().len());
    Ok(())
}
