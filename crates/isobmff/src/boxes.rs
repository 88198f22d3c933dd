//! Finding boxes; the headers and leaves are read by `mp4-atom`.

use std::io::{Read, Seek, SeekFrom};

use mp4_atom::{Decode, Header};

use crate::{METADATA_MAX, Mp4Error};

pub(crate) type Kind = [u8; 4];

/// Octets of the longest header.
const HEADER_MAX: usize = 16;

/// A box in the file.
pub(crate) struct Place {
    pub(crate) kind: Kind,
    pub(crate) at: u64,
    pub(crate) end: u64,
}

/// The header of the box at a place of the file.
pub(crate) fn header<F: Read + Seek>(
    file: &mut F,
    at: u64,
    file_end: u64,
) -> Result<Place, Mp4Error> {
    let mut octets = [0; HEADER_MAX];
    let there = usize::try_from(file_end - at).map_or(HEADER_MAX, |left| left.min(HEADER_MAX));
    let octets = octets.split_at_mut(there).0;
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(octets)?;
    let mut rest = &*octets;
    let malformed = || Mp4Error::Malformed { kind: "at the top".into(), at };
    let header = Header::decode(&mut rest).map_err(|_| malformed())?;
    let head = (octets.len() - rest.len()) as u64;
    let end = match header.size {
        None => file_end,
        Some(size) => (at + head).checked_add(size as u64).ok_or_else(malformed)?,
    };
    let kind: Kind = header.kind.into();
    if end > file_end {
        return Err(Mp4Error::Malformed { kind: name(kind), at });
    }
    Ok(Place { kind, at, end })
}

/// All octets of a box.
pub(crate) fn metadata<F: Read + Seek>(file: &mut F, place: &Place) -> Result<Vec<u8>, Mp4Error> {
    let length = place.end - place.at;
    if length > METADATA_MAX {
        return Err(Mp4Error::Unsupported { what: "so long a moov or moof", at: place.at });
    }
    let mut octets = vec![0; length as usize];
    file.seek(SeekFrom::Start(place.at))?;
    file.read_exact(&mut octets)?;
    Ok(octets)
}

/// A box in memory.
#[derive(Clone, Copy)]
pub(crate) struct Found<'a> {
    pub(crate) kind: Kind,
    /// Where it begins in the file.
    pub(crate) at: u64,
    octets: &'a [u8],
    head: usize,
}

impl<'a> Found<'a> {
    /// A box that is all of these octets.
    pub(crate) fn whole(kind: Kind, at: u64, octets: &'a [u8]) -> Self {
        let is_long = octets.first_chunk() == Some(&1_u32.to_be_bytes());
        Self { kind, at, octets, head: if is_long { 16 } else { 8 } }
    }

    /// What is in it, header left out.
    pub(crate) fn body(&self) -> &'a [u8] {
        self.octets.get(self.head..).unwrap_or_default()
    }

    /// The boxes in it, from an offset of its body on.
    pub(crate) fn children(&self, from: usize) -> Result<Vec<Self>, Mp4Error> {
        let mut found = Vec::new();
        let mut at = self.head.saturating_add(from);
        while let Some(octets) = self.octets.get(at..).filter(|octets| !octets.is_empty()) {
            let mut rest = octets;
            let header = Header::decode(&mut rest).map_err(|_| self.malformed())?;
            let head = octets.len() - rest.len();
            let size = header.size.unwrap_or(rest.len());
            let end = head.checked_add(size).filter(|end| *end <= octets.len());
            let end = end.ok_or_else(|| self.malformed())?;
            found.push(Self {
                kind: header.kind.into(),
                at: self.at + at as u64,
                octets: octets.get(..end).unwrap_or_default(),
                head,
            });
            at += end;
        }
        Ok(found)
    }

    /// The first box of this kind in it.
    pub(crate) fn child(&self, kind: &Kind) -> Result<Option<Self>, Mp4Error> {
        Ok(self.children(0)?.into_iter().find(|found| found.kind == *kind))
    }

    /// A box some levels down.
    pub(crate) fn descend(&self, path: &[&Kind]) -> Result<Option<Self>, Mp4Error> {
        let mut found = Some(*self);
        for kind in path {
            found = match found {
                Some(around) => around.child(kind)?,
                None => None,
            };
        }
        Ok(found)
    }

    /// Its contents.
    pub(crate) fn decode<T: Decode>(&self) -> Result<T, Mp4Error> {
        T::decode(&mut &*self.octets).map_err(|_| self.malformed())
    }

    pub(crate) fn malformed(&self) -> Mp4Error {
        Mp4Error::Malformed { kind: name(self.kind), at: self.at }
    }

    pub(crate) fn missing(&self, missing: &'static str) -> Mp4Error {
        Mp4Error::Missing { kind: name(self.kind), at: self.at, missing }
    }
}

fn name(kind: Kind) -> String {
    kind.iter().map(|octet| char::from(*octet)).filter(|c| !c.is_control()).collect()
}
