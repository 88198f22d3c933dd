//! `portcullis descramble --mode cenc|cens|cbc1|cbcs`: the samples of an MP4 file, under keys that
//! are given.
//!
//! The file is read twice, once for its boxes; every sample is decrypted in the buffer it passes
//! through, and no offset in the file changes.

use std::fs::File;
use std::io::{self, Seek as _};
use std::path::Path;

use portcullis_crypto::{Key128, Zeroizing};
use portcullis_headend::location::Location;
use portcullis_headend::output::Unfinished;
use portcullis_isobmff::{Plan, Protection};
use portcullis_scramble::cenc::Scheme;
use portcullis_types::parse_hex_array;
use serde_json::json;

use super::{Args, report};
use crate::cli::{Failure, Outcome};

/// Keys of one file at most.
const KEYS_MAX: usize = 64;

pub(super) fn descramble(args: &Args, scheme: Scheme) -> Outcome {
    let (Location::File(input), Location::File(output)) = (&args.input, &args.output) else {
        return Err(Failure::usage("--mode: an MP4 file is read from a file and written to one"));
    };
    if !args.pids.is_empty() {
        return Err(Failure::usage("--pid: an MP4 file has no PIDs"));
    }
    let keys = Keys::parse(&args.cw).map_err(|line| Failure::usage(format!("--cw: {line}")))?;
    let mut file = File::open(input).map_err(of(input, "open"))?;
    let in_file = |error| Failure::from(error).at(input);
    let plan = Plan::read(&mut file).map_err(in_file)?;
    if let Some(other) = plan.protections().iter().find(|found| found.scheme != scheme) {
        let Protection { scheme: found, at, .. } = other;
        let line = format!("the protection at offset {at} is {found}, and --mode says {scheme}");
        return Err(Failure::new(line).at(input));
    }
    file.rewind().map_err(of(input, "read"))?;
    let mut clear = Unfinished::create(output).map_err(of(output, "open"))?;
    plan.decrypt(|track| keys.of(track), &mut file, clear.file()).map_err(in_file)?;
    clear.finish().map_err(of(output, "finish"))?;

    let tracks: Vec<_> = plan.protections().iter().map(described).collect();
    let (samples, count) = (plan.samples(), tracks.len());
    report(args, &json!({"samples": samples, "tracks": tracks}), || {
        format!("{samples} samples of {count} tracks descrambled ({scheme})")
    });
    Ok(())
}

fn of(path: &Path, action: &str) -> impl Fn(io::Error) -> Failure {
    move |error| Failure::new(format!("{}: cannot {action}: {error}", path.display()))
}

fn described(track: &Protection) -> serde_json::Value {
    json!({"scheme": track.scheme.name(), "key_id": hex::encode(track.key_id)})
}

/// One key for all tracks, or keys by their KID.
enum Keys {
    One(Key128),
    ByKid(Vec<([u8; 16], Key128)>),
}

impl Keys {
    fn parse(text: &str) -> Result<Self, String> {
        let key = |text: &str| {
            let octets = parse_hex_array(text).map(Zeroizing::new);
            octets.map(|octets| Key128::new(*octets)).map_err(|error| error.to_string())
        };
        if !text.contains(':') {
            return key(text).map(Self::One);
        }
        let mut keys = Vec::new();
        for pair in text.split(',') {
            let (kid, of_kid) = pair.split_once(':').ok_or("KID:KEY is needed for each key")?;
            let kid = parse_hex_array(kid).map_err(|error| format!("KID: {error}"))?;
            keys.push((kid, key(of_kid)?));
            if keys.len() > KEYS_MAX {
                return Err(format!("more than {KEYS_MAX} keys"));
            }
        }
        Ok(Self::ByKid(keys))
    }

    fn of(&self, track: &Protection) -> Option<&Key128> {
        match self {
            Self::One(key) => Some(key),
            Self::ByKid(keys) => keys.iter().find(|(kid, _)| *kid == track.key_id).map(|(_, k)| k),
        }
    }
}
