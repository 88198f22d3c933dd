//! The movie box: tracks, their protection, and the samples of a file without fragments.

use std::collections::BTreeMap;

use mp4_atom::{Co64, Stco, Stsc, Stsz, StszSamples, Trex};

use crate::boxes::Found;
use crate::senc::Auxiliary;
use crate::{Mp4Error, Plan, ProtectedSample, Track, protection};

/// Reads a moov box.
pub(crate) fn moov(
    moov: &Found<'_>,
    plan: &mut Plan,
    tracks: &mut BTreeMap<u32, Track>,
) -> Result<(), Mp4Error> {
    for found in moov.children(0)? {
        match &found.kind {
            b"trak" => {
                let (id, track) = trak(&found, plan)?;
                tracks.entry(id).or_default().protection = track;
            }
            b"mvex" => {
                for trex in found.children(0)?.iter().filter(|found| &found.kind == b"trex") {
                    let trex: Trex = trex.decode()?;
                    let track = tracks.entry(trex.track_id).or_default();
                    track.default_sample_size = trex.default_sample_size;
                }
            }
            b"pssh" => plan.free(found.at),
            _ => {}
        }
    }
    Ok(())
}

fn trak(trak: &Found<'_>, plan: &mut Plan) -> Result<(u32, Option<usize>), Mp4Error> {
    let tkhd = trak.child(b"tkhd")?.ok_or_else(|| trak.missing("tkhd"))?;
    // Two times of 64 or 32 bits stand in front of the id.
    let id_at = if tkhd.body().first() == Some(&1) { 20 } else { 12 };
    let id = tkhd.body().get(id_at..).and_then(<[u8]>::first_chunk);
    let id = u32::from_be_bytes(*id.ok_or_else(|| tkhd.malformed())?);
    let stbl = trak.descend(&[b"mdia", b"minf", b"stbl"])?;
    let stbl = stbl.ok_or_else(|| trak.missing("stbl"))?;
    let stsd = stbl.child(b"stsd")?.ok_or_else(|| stbl.missing("stsd"))?;
    let protected = protection::read(&stsd, plan)?;
    if let Some(protection) = protected {
        samples(&stbl, protection, plan)?;
    }
    Ok((id, protected))
}

/// The samples of the table, chunk by chunk.
fn samples(stbl: &Found<'_>, protection: usize, plan: &mut Plan) -> Result<(), Mp4Error> {
    let child = |kind, name| stbl.child(kind)?.ok_or_else(|| stbl.missing(name));
    let stsz = child(b"stsz", "stsz")?;
    let mut sizes: Box<dyn Iterator<Item = u32>> = match stsz.decode::<Stsz>()?.samples {
        StszSamples::Identical { count, size } => {
            Box::new(std::iter::repeat_n(size, count as usize))
        }
        StszSamples::Different { sizes } => Box::new(sizes.into_iter()),
    };
    let chunks = match stbl.child(b"co64")? {
        Some(co64) => co64.decode::<Co64>()?.entries,
        None => {
            let stco: Stco = child(b"stco", "stco")?.decode()?;
            stco.entries.into_iter().map(u64::from).collect()
        }
    };
    if chunks.is_empty() {
        return Ok(()); // all samples are in fragments
    }
    for found in stbl.children(0)? {
        if matches!(&found.kind, b"senc" | b"saiz" | b"saio") {
            plan.free(found.at);
        }
        if &found.kind == b"sgpd" && found.body().get(4..8) == Some(b"seig") {
            return Err(Mp4Error::Unsupported { what: "a key that changes", at: found.at });
        }
    }
    let mut auxiliary = Auxiliary::read(child(b"senc", "senc")?)?;
    let stsc = child(b"stsc", "stsc")?;
    let runs = stsc.decode::<Stsc>()?.entries;
    let mut runs = runs.iter().peekable();
    let mut per_chunk = 0;
    for (index, mut at) in chunks.into_iter().enumerate() {
        // Chunks are counted from 1.
        while let Some(run) = runs.next_if(|run| run.first_chunk as usize <= index + 1) {
            per_chunk = run.samples_per_chunk;
        }
        for _ in 0..per_chunk {
            let Some(size) = sizes.next() else { return Err(stsz.missing("size of a sample")) };
            let (iv, subsamples) = auxiliary.next(protection, plan)?;
            plan.add(ProtectedSample { at, size, protection, iv, subsamples })?;
            at = at.saturating_add(size.into());
        }
    }
    match sizes.next() {
        Some(_) => Err(stsc.missing("place of a sample")),
        None => Ok(()),
    }
}
