//! What `--mode` names: the scrambling of packets, or that of the samples of an MP4 file.

use std::str::FromStr;

use portcullis_scramble::cenc::Scheme;
use portcullis_types::ScramblingMode;

/// What is scrambled, and how.
#[derive(Clone, Copy)]
pub(super) enum Mode {
    /// Packets of a transport stream.
    Packets(ScramblingMode),
    /// Samples of an MP4 file (ISO/IEC 23001-7).
    Samples(Scheme),
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(scheme) = text.parse() {
            return Ok(Self::Samples(scheme));
        }
        text.parse().map(Self::Packets).map_err(|error: portcullis_types::UnknownScramblingMode| {
            format!("{error}; for MP4 files: cenc, cens, cbc1, cbcs")
        })
    }
}
