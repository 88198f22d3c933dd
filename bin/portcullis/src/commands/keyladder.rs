//! `portcullis keyladder`: the ladder as a calculator for test vectors.

use std::fmt::Write as _;

use portcullis_keyladder::calculator::{Inputs, Outputs, calculate};
use portcullis_keyladder::{LadderAlgorithm, Profile};
use portcullis_types::{HexError, decode_hex, parse_hex_array};

use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis keyladder`. All values are hexadecimal.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Root-key derivation profile: 1, 1a, 2, 2a or 2b.
    #[arg(long)]
    profile: Profile,
    /// Cipher of the ladder: aes or tdes.
    #[arg(long)]
    ladder: LadderAlgorithm,
    /// SCK, 16 octets.
    #[arg(long, value_name = "HEX", value_parser = block)]
    sck: [u8; 16],
    /// Vendor_SysID, with or without 0x.
    #[arg(long, value_name = "HEX", value_parser = number::<u16>)]
    vid: u16,
    /// ModuleID (profiles 1a, 2a and 2b), with or without 0x.
    #[arg(long, value_name = "HEX", value_parser = number::<u8>)]
    mid: Option<u8>,
    /// MaskKey, 16 octets.
    #[arg(long, value_name = "HEX", value_parser = block)]
    mask_key: [u8; 16],
    /// EK2, 16 octets.
    #[arg(long, value_name = "HEX", value_parser = block)]
    ek2: Option<[u8; 16]>,
    /// EK1, 16 octets.
    #[arg(long, value_name = "HEX", value_parser = block)]
    ek1: Option<[u8; 16]>,
    /// ECW, 16 octets, or 8 under the tdes ladder.
    #[arg(long, value_name = "HEX", value_parser = control_word)]
    ecw: Option<EncryptedControlWord>,
    /// Nonce of the challenge, 16 octets.
    #[arg(long, value_name = "HEX", value_parser = block)]
    nonce: Option<[u8; 16]>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Octets of an ECW; a type of its own, so that clap does not take it for a list.
#[derive(Clone)]
struct EncryptedControlWord(Vec<u8>);

pub(crate) fn run(args: Args) -> Outcome {
    let outputs = calculate(&Inputs {
        profile: args.profile,
        ladder: args.ladder,
        sck: args.sck,
        vendor_sys_id: args.vid,
        module_id: args.mid,
        mask_key: args.mask_key,
        ek2: args.ek2,
        ek1: args.ek1,
        ecw: args.ecw.map(|ecw| ecw.0),
        nonce: args.nonce,
    })
    .map_err(|error| Failure::usage(format!("keyladder: {error}")))?;
    let lines = lines(&outputs);
    if args.json {
        let object: serde_json::Map<_, _> =
            lines.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
        println!("{}", serde_json::Value::Object(object));
    } else {
        for (key, value) in lines {
            println!("{key:<6} {value}");
        }
    }
    Ok(())
}

fn lines(outputs: &Outputs) -> Vec<(&'static str, String)> {
    let values: [(_, Option<&[u8]>); 8] = [
        ("sckv", Some(&outputs.sckv)),
        ("seedv", Some(&outputs.seedv)),
        ("k3", Some(&outputs.k3)),
        ("k2", outputs.k2.as_ref().map(|k| k.as_slice())),
        ("k1", outputs.k1.as_ref().map(|k| k.as_slice())),
        ("a", outputs.a.as_ref().map(|k| k.as_slice())),
        ("dnonce", outputs.dnonce.as_ref().map(|k| k.as_slice())),
        ("cw", outputs.cw.as_deref()),
    ];
    values.into_iter().filter_map(|(key, value)| Some((key, hex(value?)))).collect()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut out, octet| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{octet:02x}");
        out
    })
}

fn block(text: &str) -> Result<[u8; 16], HexError> {
    parse_hex_array(text)
}

fn control_word(text: &str) -> Result<EncryptedControlWord, HexError> {
    let mut octets = [0; 16];
    match decode_hex(text, &mut octets)? {
        found @ (8 | 16) => Ok(EncryptedControlWord(octets.iter().copied().take(found).collect())),
        found => Err(HexError::Length { expected: 16, found }),
    }
}

/// A hexadecimal id: `0x2A42` or `2a42`.
fn number<T: TryFrom<u64>>(text: &str) -> Result<T, HexError> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    if let Some(at) = digits.chars().position(|c| !c.is_ascii_hexdigit()) {
        return Err(HexError::NotADigit(text.len() - digits.len() + at));
    }
    if digits.is_empty() {
        return Err(HexError::NotADigit(0));
    }
    u64::from_str_radix(digits, 16)
        .ok()
        .and_then(|value| T::try_from(value).ok())
        .ok_or(HexError::TooLarge)
}
