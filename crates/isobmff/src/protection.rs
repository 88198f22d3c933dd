//! The protection of a track: sample entry, `sinf` and `tenc`.

use portcullis_scramble::cenc::{CencError, InitializationVector, Pattern, Scheme};

use crate::boxes::Found;
use crate::{Mp4Error, Plan};

/// How the samples of a track are protected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Protection {
    /// scheme_type.
    pub scheme: Scheme,
    /// Of schemes that have one.
    pub pattern: Pattern,
    /// default_KID.
    pub key_id: [u8; 16],
    /// Where its `sinf` box begins in the file.
    pub at: u64,
    /// default_Per_Sample_IV_Size; 0 with a constant one.
    pub(crate) iv_size: usize,
    pub(crate) constant_iv: Option<InitializationVector>,
}

/// Reads the sample entries of a track; a protected one gets its format back.
pub(crate) fn read(stsd: &Found<'_>, plan: &mut Plan) -> Result<Option<usize>, Mp4Error> {
    let entries = stsd.children(8)?;
    let mut protected = None;
    for entry in &entries {
        let fields = match &entry.kind {
            b"encv" => 78,
            // QuickTime's versions 1 and 2 of the audio sample entry are longer.
            b"enca" => match entry.body().get(9) {
                Some(1) => 44,
                Some(2) => 64,
                _ => 28,
            },
            b"enct" | b"encs" | b"encm" => {
                return Err(Mp4Error::Unsupported { what: "a protected text track", at: entry.at });
            }
            _ => continue,
        };
        if entries.len() > 1 {
            let what = "a protected track with several sample entries";
            return Err(Mp4Error::Unsupported { what, at: entry.at });
        }
        let sinf = entry.children(fields)?.into_iter().find(|found| &found.kind == b"sinf");
        let sinf = sinf.ok_or_else(|| entry.missing("sinf"))?;
        let frma = sinf.child(b"frma")?.ok_or_else(|| sinf.missing("frma"))?;
        let format = frma.body().first_chunk().ok_or_else(|| frma.malformed())?;
        plan.rename(entry.at, *format);
        plan.free(sinf.at);
        plan.protections.push(protection(&sinf)?);
        protected = Some(plan.protections.len() - 1);
    }
    Ok(protected)
}

fn protection(sinf: &Found<'_>) -> Result<Protection, Mp4Error> {
    let schm = sinf.child(b"schm")?.ok_or_else(|| sinf.missing("schm"))?;
    let scheme = schm.body().get(4..8).and_then(|name| std::str::from_utf8(name).ok());
    let scheme: Scheme = scheme
        .and_then(|name| name.parse().ok())
        .ok_or(Mp4Error::Unsupported { what: "the protection scheme", at: schm.at })?;
    let tenc = sinf.descend(&[b"schi", b"tenc"])?.ok_or_else(|| sinf.missing("tenc"))?;
    let malformed = || tenc.malformed();
    let (fixed, rest) = tenc.body().split_first_chunk::<24>().ok_or_else(malformed)?;
    let [version, _, _, _, _, pattern, is_protected, iv_size, key_id @ ..] = *fixed;
    if is_protected != 1 {
        return Err(Mp4Error::Unsupported { what: "a track that is not protected", at: tenc.at });
    }
    let pattern = match version {
        0 => Pattern::NONE,
        _ => Pattern { crypt_byte_block: pattern >> 4, skip_byte_block: pattern & 15 },
    };
    let cenc = |source: CencError| Mp4Error::Cenc { at: tenc.at, source };
    let constant_iv = match (iv_size, rest) {
        (0, [length, iv @ ..]) => {
            let iv = iv.get(..usize::from(*length)).ok_or_else(malformed)?;
            Some(InitializationVector::new(iv).map_err(cenc)?)
        }
        (8 | 16, _) => None,
        _ => return Err(malformed()),
    };
    Ok(Protection { scheme, pattern, key_id, at: sinf.at, iv_size: iv_size.into(), constant_iv })
}
