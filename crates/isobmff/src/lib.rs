//! Protected samples of ISO base media files (ISO/IEC 14496-12 with Common Encryption, ISO/IEC
//! 23001-7).
//!
//! Trust domain: the headend's tools and a licensed device; the key is an argument. A file is read
//! twice: [`Plan::read`] reads the boxes, [`Plan::decrypt`] takes the whole file through a buffer and
//! decrypts every sample where it lies in it. No box changes its length: what described the
//! protection becomes a `free` box, the sample entry gets its original format back, and so every
//! offset in the file stays true. Fragmented files and files with one sample table.
//!
//! What must never happen: that a file is passed on as decrypted of which a protected sample was
//! not understood.

mod boxes;
mod decrypt;
mod error;
mod fragments;
mod protection;
mod senc;
mod table;

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use portcullis_scramble::cenc::{InitializationVector, Subsample};

use boxes::{Found, Kind};
pub use error::Mp4Error;
pub use protection::Protection;

/// Octets of the longest moov or moof box.
const METADATA_MAX: u64 = 256 << 20;
/// Samples of a file at most; each takes 48 octets of memory.
const SAMPLES_MAX: usize = 1 << 24;

/// What has to be done to a file to decrypt it.
#[derive(Default)]
pub struct Plan {
    length: u64,
    /// Boxes that get another name: place of the name, and the name.
    names: Vec<(u64, [u8; 4])>,
    protections: Vec<Protection>,
    samples: Vec<ProtectedSample>,
    subsamples: Vec<Subsample>,
}

/// A sample that is encrypted.
struct ProtectedSample {
    at: u64,
    size: u32,
    protection: usize,
    iv: InitializationVector,
    subsamples: Range<usize>,
}

/// What is known of a track.
#[derive(Default)]
struct Track {
    /// Its place among those of the plan.
    protection: Option<usize>,
    default_sample_size: u32,
}

impl Plan {
    /// Reads the boxes of a file.
    ///
    /// # Errors
    /// [`Mp4Error`] says what is wrong, and where.
    pub fn read<F: Read + Seek>(file: &mut F) -> Result<Self, Mp4Error> {
        let mut plan = Self { length: file.seek(SeekFrom::End(0))?, ..Self::default() };
        let mut tracks = BTreeMap::new();
        let mut at = 0;
        while at < plan.length {
            let header = boxes::header(file, at, plan.length)?;
            match &header.kind {
                b"moov" => {
                    let octets = boxes::metadata(file, &header)?;
                    let moov = Found::whole(header.kind, at, &octets);
                    table::moov(&moov, &mut plan, &mut tracks)?;
                }
                b"moof" => {
                    let octets = boxes::metadata(file, &header)?;
                    let moof = Found::whole(header.kind, at, &octets);
                    fragments::moof(&moof, &mut plan, &tracks)?;
                }
                b"pssh" => plan.free(at),
                _ => {}
            }
            at = header.end;
        }
        plan.samples.sort_by_key(|sample| sample.at);
        plan.names.sort_unstable();
        plan.check_samples()?;
        Ok(plan)
    }

    /// How the tracks are protected.
    #[must_use]
    pub fn protections(&self) -> &[Protection] {
        &self.protections
    }

    /// How many samples are encrypted.
    #[must_use]
    pub const fn samples(&self) -> usize {
        self.samples.len()
    }

    /// The box at this place will be a `free` box.
    fn free(&mut self, at: u64) {
        self.rename(at, *b"free");
    }

    fn rename(&mut self, at: u64, name: Kind) {
        self.names.push((at.saturating_add(4), name));
    }

    fn add(&mut self, sample: ProtectedSample) -> Result<(), Mp4Error> {
        if self.samples.len() >= SAMPLES_MAX {
            return Err(Mp4Error::TooMany { limit: SAMPLES_MAX });
        }
        self.samples.push(sample);
        Ok(())
    }

    /// No sample lies outside the file or over another.
    fn check_samples(&self) -> Result<(), Mp4Error> {
        let mut free_from = 0;
        for sample in &self.samples {
            let end = sample.at.saturating_add(sample.size.into());
            if sample.at < free_from || end > self.length {
                return Err(Mp4Error::SamplePlace { at: sample.at, size: sample.size });
            }
            free_from = end;
        }
        Ok(())
    }
}
