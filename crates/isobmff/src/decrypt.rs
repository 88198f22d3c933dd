//! A file on its way: through a buffer that stays in the processor's cache.

use std::io::{Read, Write};

use portcullis_crypto::Key128;
use portcullis_scramble::cenc::{Sample, SampleCipher};

use crate::{Mp4Error, Plan, ProtectedSample, Protection};

/// Octets of the buffer, unless a sample is longer.
const CHUNK: u64 = 1 << 20;
/// Octets of the longest sample.
const SAMPLE_MAX: u32 = 256 << 20;

impl Plan {
    /// Reads the file from its start, decrypts all samples and writes it. `key_of` gives the key of
    /// a track.
    ///
    /// # Errors
    /// [`Mp4Error`] says what is wrong, and where; what was written then is of no use.
    // spec: E-R29
    pub fn decrypt<'a, I: Read, O: Write>(
        &self,
        key_of: impl Fn(&Protection) -> Option<&'a Key128>,
        input: &mut I,
        output: &mut O,
    ) -> Result<(), Mp4Error> {
        let ciphers = self.protections.iter().map(|protection| {
            let Protection { scheme, pattern, at, .. } = *protection;
            let key = key_of(protection).ok_or(Mp4Error::NoKey { at })?;
            SampleCipher::new(scheme, pattern, key).map_err(|source| Mp4Error::Cenc { at, source })
        });
        let ciphers = ciphers.collect::<Result<Vec<_>, _>>()?;
        let (mut names, mut samples) = (self.names.as_slice(), self.samples.as_slice());
        let mut buffer = Vec::new();
        let mut at = 0;
        while at < self.length {
            let end = self.chunk_end(at, samples)?;
            buffer.resize((end - at) as usize, 0);
            input.read_exact(&mut buffer)?;
            let here = names.partition_point(|(place, _)| *place < end);
            let (of_chunk, behind) = names.split_at(here);
            for (place, name) in of_chunk {
                set(&mut buffer, place - at, name);
            }
            names = behind;
            let here = samples.partition_point(|sample| sample.at < end);
            let (of_chunk, behind) = samples.split_at(here);
            for sample in of_chunk {
                self.decrypt_sample(sample, &ciphers, &mut buffer, at)?;
            }
            samples = behind;
            output.write_all(&buffer)?;
            at = end;
        }
        Ok(())
    }

    /// Where a chunk ends that begins here: in no sample, and in no name.
    fn chunk_end(&self, at: u64, samples: &[ProtectedSample]) -> Result<u64, Mp4Error> {
        let end = at.saturating_add(CHUNK).min(self.length);
        let after = samples.partition_point(|sample| sample.at < end);
        let last = after.checked_sub(1).and_then(|last| samples.get(last));
        if let Some(last) = last.filter(|last| last.at + u64::from(last.size) > end) {
            if last.size > SAMPLE_MAX {
                return Err(Mp4Error::Unsupported { what: "so long a sample", at: last.at });
            }
            return Ok(if last.at > at { last.at } else { last.at + u64::from(last.size) });
        }
        let name = self.names.partition_point(|(place, _)| *place < end);
        let last = name.checked_sub(1).and_then(|last| self.names.get(last));
        Ok(last.map_or(end, |(place, _)| end.max(place + 4)).min(self.length))
    }

    fn decrypt_sample(
        &self,
        sample: &ProtectedSample,
        ciphers: &[SampleCipher],
        buffer: &mut [u8],
        buffer_at: u64,
    ) -> Result<(), Mp4Error> {
        let place = Mp4Error::SamplePlace { at: sample.at, size: sample.size };
        let start = (sample.at - buffer_at) as usize;
        let data = buffer.get_mut(start..start + sample.size as usize);
        let (Some(data), Some(cipher)) = (data, ciphers.get(sample.protection)) else {
            return Err(place);
        };
        let subsamples = self.subsamples.get(sample.subsamples.clone()).unwrap_or_default();
        cipher
            .decrypt(Sample { data, iv: sample.iv, subsamples })
            .map_err(|source| Mp4Error::Cenc { at: sample.at, source })
    }
}

fn set(buffer: &mut [u8], at: u64, name: &[u8; 4]) {
    let places = usize::try_from(at).ok().and_then(|at| buffer.get_mut(at..));
    for (octet, of_name) in places.unwrap_or_default().iter_mut().zip(name) {
        *octet = *of_name;
    }
}
