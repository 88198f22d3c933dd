//! The sample auxiliary information in a `senc` box.

use std::ops::Range;

use mp4_atom::Senc;
use portcullis_scramble::cenc::{InitializationVector, Subsample};

use crate::boxes::Found;
use crate::{Mp4Error, Plan, Protection};

/// IVs and subsample maps, sample by sample.
pub(crate) struct Auxiliary<'a> {
    senc: Found<'a>,
    contents: Senc,
    at: usize,
    left: u32,
}

impl<'a> Auxiliary<'a> {
    pub(crate) fn read(senc: Found<'a>) -> Result<Self, Mp4Error> {
        let mut read = Self { senc, contents: senc.decode()?, at: 0, left: 0 };
        read.left = u32::from_be_bytes(read.take()?);
        Ok(read)
    }

    /// Samples that have not been asked for yet.
    pub(crate) const fn left(&self) -> u32 {
        self.left
    }

    /// IV and place of the subsample map of the next sample.
    pub(crate) fn next(
        &mut self,
        protection: usize,
        plan: &mut Plan,
    ) -> Result<(InitializationVector, Range<usize>), Mp4Error> {
        self.left =
            self.left.checked_sub(1).ok_or_else(|| self.senc.missing("entry for a sample"))?;
        let malformed = self.senc.malformed();
        let Some(Protection { iv_size, constant_iv, .. }) = plan.protections.get(protection) else {
            return Err(malformed);
        };
        let iv = match constant_iv {
            Some(iv) => *iv,
            None => {
                let octets = self.octets(*iv_size)?;
                InitializationVector::new(octets).map_err(|_| malformed)?
            }
        };
        let start = plan.subsamples.len();
        if self.contents.use_subsamples {
            for _ in 0..u16::from_be_bytes(self.take()?) {
                let clear = u16::from_be_bytes(self.take()?);
                let protected = u32::from_be_bytes(self.take()?);
                plan.subsamples.push(Subsample { clear, protected });
            }
        }
        Ok((iv, start..plan.subsamples.len()))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Mp4Error> {
        let malformed = self.senc.malformed();
        self.octets(N)?.try_into().map_err(|_| malformed)
    }

    fn octets(&mut self, count: usize) -> Result<&[u8], Mp4Error> {
        let end = self.at.saturating_add(count);
        let octets = self.contents.data.get(self.at..end).ok_or_else(|| self.senc.malformed())?;
        self.at = end;
        Ok(octets)
    }
}
