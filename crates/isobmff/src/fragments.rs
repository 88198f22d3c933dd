//! Movie fragments: where their samples lie.

use std::collections::BTreeMap;

use mp4_atom::{Tfhd, Trun};

use crate::boxes::Found;
use crate::senc::Auxiliary;
use crate::{Mp4Error, Plan, ProtectedSample, Track};

/// Reads a moof box.
pub(crate) fn moof(
    moof: &Found<'_>,
    plan: &mut Plan,
    tracks: &BTreeMap<u32, Track>,
) -> Result<(), Mp4Error> {
    // Where a track fragment without a base begins: the first at the moof, the others behind the
    // data of the one before.
    let mut base = moof.at;
    for traf in moof.children(0)? {
        match &traf.kind {
            b"traf" => base = self::traf(moof, &traf, base, plan, tracks)?,
            b"pssh" => plan.free(traf.at),
            _ => {}
        }
    }
    Ok(())
}

/// Returns where the data of the fragment ends.
fn traf(
    moof: &Found<'_>,
    traf: &Found<'_>,
    base: u64,
    plan: &mut Plan,
    tracks: &BTreeMap<u32, Track>,
) -> Result<u64, Mp4Error> {
    let tfhd = traf.child(b"tfhd")?.ok_or_else(|| traf.missing("tfhd"))?;
    let header: Tfhd = tfhd.decode()?;
    let track = tracks.get(&header.track_id).ok_or_else(|| tfhd.missing("track"))?;
    let base = match header.base_data_offset {
        Some(base) => base,
        None if header.default_base_is_moof => moof.at,
        None => base,
    };
    let default_size = header.default_sample_size.unwrap_or(track.default_sample_size);
    let children = traf.children(0)?;
    let senc = children.iter().find(|found| &found.kind == b"senc");
    let mut auxiliary = match (track.protection, senc) {
        (Some(protection), Some(senc)) => Some((protection, Auxiliary::read(*senc)?)),
        (Some(_), None) => return Err(traf.missing("senc")),
        (None, _) => None,
    };
    let mut at = base;
    for found in &children {
        match &found.kind {
            b"trun" => {
                let run: Trun = found.decode()?;
                if let Some(offset) = run.data_offset {
                    let start = base.checked_add_signed(offset.into());
                    at = start.ok_or_else(|| found.malformed())?;
                }
                for sample in &run.samples {
                    let size = sample.size.unwrap_or(default_size);
                    if let Some((protection, auxiliary)) = &mut auxiliary {
                        let (iv, subsamples) = auxiliary.next(*protection, plan)?;
                        let protection = *protection;
                        plan.add(ProtectedSample { at, size, protection, iv, subsamples })?;
                    }
                    at = at.saturating_add(size.into());
                }
            }
            b"senc" | b"saiz" | b"saio" if track.protection.is_some() => plan.free(found.at),
            b"sgpd" if found.body().get(4..8) == Some(b"seig") => {
                return Err(Mp4Error::Unsupported { what: "a key that changes", at: found.at });
            }
            _ => {}
        }
    }
    match auxiliary {
        Some((_, auxiliary)) if auxiliary.left() > 0 => Err(traf.malformed()),
        _ => Ok(at),
    }
}
