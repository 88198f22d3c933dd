//! A cursor over received bytes that knows its offset and never reads past the end.

use crate::error::{DecodeError, DecodeErrorKind};

pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    pub(crate) const fn offset(&self) -> usize {
        self.offset
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.offset >= self.bytes.len()
    }

    pub(crate) const fn error<T>(&self, kind: DecodeErrorKind) -> Result<T, DecodeError> {
        Err(DecodeError::new(self.offset, kind))
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let taken = self
            .offset
            .checked_add(len)
            .and_then(|end| self.bytes.get(self.offset..end))
            .ok_or_else(|| DecodeError::new(self.offset, DecodeErrorKind::Truncated))?;
        self.offset += len;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// Checks that nothing is left.
    pub(crate) const fn end(&self) -> Result<(), DecodeError> {
        if self.is_empty() { Ok(()) } else { self.error(DecodeErrorKind::Trailing) }
    }

    /// The version and kind octets that every client part begins with.
    pub(crate) fn head(&mut self, version: u8, kind: u8) -> Result<(), DecodeError> {
        match self.u8()? {
            v if v == version => {}
            v => return Err(DecodeError::new(self.offset - 1, DecodeErrorKind::Version(v))),
        }
        match self.u8()? {
            k if k == kind => Ok(()),
            k => Err(DecodeError::new(self.offset - 1, DecodeErrorKind::WrongMessage(k))),
        }
    }
}
