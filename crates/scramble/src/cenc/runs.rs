//! Which octets of a sample are protected, and which blocks of those are encrypted.

use super::{Block, CencError, Scheme};

/// One entry of a subsample map.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Subsample {
    /// BytesOfClearData, in front.
    pub clear: u16,
    /// BytesOfProtectedData, behind them.
    pub protected: u32,
}

/// Of the blocks of a protected part so many are encrypted, then so many are not, and so on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pattern {
    /// crypt_byte_block, 4 bits.
    pub crypt_byte_block: u8,
    /// skip_byte_block, 4 bits.
    pub skip_byte_block: u8,
}

impl Pattern {
    /// 0:0: every block is encrypted.
    pub const NONE: Self = Self { crypt_byte_block: 0, skip_byte_block: 0 };

    pub(super) const fn is_valid(self) -> bool {
        let Self { crypt_byte_block: crypt, skip_byte_block: skip } = self;
        crypt < 16 && skip < 16 && (crypt > 0 || skip == 0)
    }

    /// Blocks that are encrypted in a row, and blocks until that begins again.
    pub(super) const fn in_a_row(self) -> (usize, usize) {
        match (self.crypt_byte_block as usize, self.skip_byte_block as usize) {
            (_, 0) => (1, 1),
            (crypt, skip) => (crypt, crypt + skip),
        }
    }

    /// The runs of encrypted blocks in a protected part.
    pub(super) fn crypt_runs(self, blocks: &mut [Block]) -> impl Iterator<Item = &mut [Block]> {
        let (crypt, period) = match self.in_a_row() {
            (_, 1) => (usize::MAX, usize::MAX),
            pattern => pattern,
        };
        blocks.chunks_mut(period).map(move |chunk| {
            let crypt = crypt.min(chunk.len());
            chunk.split_at_mut(crypt).0
        })
    }

    /// Places of the encrypted blocks, without end.
    pub(super) const fn places(self) -> Places {
        let (crypt, period) = self.in_a_row();
        Places { skip: period - crypt, crypt, left: crypt, at: 0 }
    }
}

/// Counts the places of encrypted blocks.
#[derive(Clone, Copy)]
pub(super) struct Places {
    skip: usize,
    crypt: usize,
    left: usize,
    at: usize,
}

impl Places {
    #[inline(always)]
    pub(super) const fn next(&mut self) -> usize {
        let place = self.at;
        self.left -= 1;
        self.at += 1;
        if self.left == 0 {
            self.left = self.crypt;
            self.at += self.skip;
        }
        place
    }
}

/// Whether the map fits the sample and the scheme.
pub(super) fn check(
    scheme: Scheme,
    found: usize,
    subsamples: &[Subsample],
) -> Result<(), CencError> {
    if subsamples.is_empty() {
        return Ok(());
    }
    let octets = |part: &Subsample| u64::from(part.clear) + u64::from(part.protected);
    // A map has at most as many entries as memory has octets: the sum stays far within 64 bits.
    let described = subsamples.iter().map(octets).fold(0, u64::saturating_add);
    if u64::try_from(found) != Ok(described) {
        return Err(CencError::SubsampleMap { described, found });
    }
    // The end of the last one is the end of the sample: nothing goes on behind it.
    let all_but_last = subsamples.split_last().map_or(&[][..], |(_, others)| others);
    let broken = |part: &Subsample| !part.protected.is_multiple_of(16);
    match all_but_last.iter().enumerate().find(|(_, part)| broken(part)) {
        Some((index, part)) if scheme == Scheme::Cbc1 => {
            Err(CencError::BrokenBlock { index, protected: part.protected })
        }
        _ => Ok(()),
    }
}

/// The protected parts of a sample whose map fits.
pub(super) fn runs<'a>(
    data: &'a mut [u8],
    subsamples: &[Subsample],
) -> impl Iterator<Item = &'a mut [u8]> {
    let whole = [Subsample { clear: 0, protected: u32::MAX }];
    let count = subsamples.len().max(1);
    let mut rest = data;
    (0..count).map_while(move |index| {
        let part = subsamples.get(index).or_else(|| whole.first())?;
        let (_, behind) = core::mem::take(&mut rest).split_at_mut_checked(part.clear.into())?;
        let protected = match subsamples.is_empty() {
            true => behind.len(),
            false => usize::try_from(part.protected).ok()?,
        };
        let (run, behind) = behind.split_at_mut_checked(protected)?;
        rest = behind;
        Some(run)
    })
}
