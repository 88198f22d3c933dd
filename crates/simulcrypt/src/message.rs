//! One message: a view over received bytes, and a writer.
//!
//! ```text
//! 0 protocol_version  1 message_type  3 message_length  5 parameters: type 2, length 2, value
//! ```

use core::fmt;

use crate::VERSIONS;
use crate::error::{CodecError, EncodeError, Fault};
use crate::grammar::MessageRule;

/// A message that keeps the grammar of its interface and version; borrows the received bytes.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    version: u8,
    rule: &'static MessageRule,
    parameters: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads one whole message and holds it against the table of an interface.
    ///
    /// # Errors
    /// [`CodecError`] with the offset of the fault. [`Fault::UnknownMessage`] is for the
    /// receiver to ignore, not to answer.
    pub fn parse(table: &'static [MessageRule], bytes: &'a [u8]) -> Result<Self, CodecError> {
        let truncated = CodecError::new(bytes.len(), Fault::Truncated);
        let Some((&[version, k0, k1, l0, l1], rest)) = bytes.split_first_chunk() else {
            return Err(truncated);
        };
        let kind = u16::from_be_bytes([k0, k1]);
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        if rest.len() < len {
            return Err(truncated);
        }
        if rest.len() > len {
            return Err(CodecError::new(HEADER + len, Fault::Trailing));
        }
        if !VERSIONS.contains(&version) {
            return Err(CodecError::new(0, Fault::Version(version)));
        }
        let Some(rule) = table.iter().find(|rule| rule.kind == kind) else {
            return Err(CodecError::new(1, Fault::UnknownMessage(kind)));
        };
        rule.check(version, Parameters::new(rest))?;
        Ok(Self { version, rule, parameters: rest })
    }

    /// protocol_version.
    #[must_use]
    pub const fn version(&self) -> u8 {
        self.version
    }

    /// message_type.
    #[must_use]
    pub const fn kind(&self) -> u16 {
        self.rule.kind
    }

    /// The standard's name of the message.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.rule.name
    }

    /// All values of a parameter, in order, with their offsets.
    pub fn all(&self, kind: u16) -> impl Iterator<Item = Parameter<'a>> + use<'a> {
        Parameters::new(self.parameters).flatten().filter(move |p| p.kind == kind)
    }

    /// The first value of a parameter.
    #[must_use]
    pub fn get(&self, kind: u16) -> Option<&'a [u8]> {
        self.all(kind).next().map(|p| p.value)
    }

    /// A 1-octet number.
    #[must_use]
    pub fn u8(&self, kind: u16) -> Option<u8> {
        self.number(kind).map(u8::from_be_bytes)
    }

    /// A 2-octet number.
    #[must_use]
    pub fn u16(&self, kind: u16) -> Option<u16> {
        self.number(kind).map(u16::from_be_bytes)
    }

    /// A signed 2-octet number.
    #[must_use]
    pub fn i16(&self, kind: u16) -> Option<i16> {
        self.number(kind).map(i16::from_be_bytes)
    }

    /// A 4-octet number.
    #[must_use]
    pub fn u32(&self, kind: u16) -> Option<u32> {
        self.number(kind).map(u32::from_be_bytes)
    }

    fn number<const N: usize>(&self, kind: u16) -> Option<[u8; N]> {
        self.get(kind).and_then(|value| value.try_into().ok())
    }
}

impl fmt::Debug for Message<'_> {
    /// Name and version only: the values may be control words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(self.rule.name).field("version", &self.version).finish_non_exhaustive()
    }
}

/// One parameter as it stands in a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// parameter_type.
    pub kind: u16,
    /// Its value.
    pub value: &'a [u8],
    /// Octets from the start of the message to the parameter's type.
    pub offset: usize,
}

/// Walks the parameters; the only error is one that runs past the end, and it is the last item.
#[derive(Clone)]
pub(crate) struct Parameters<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Parameters<'a> {
    const fn new(rest: &'a [u8]) -> Self {
        Self { rest, offset: HEADER }
    }
}

impl<'a> Iterator for Parameters<'a> {
    type Item = Result<Parameter<'a>, CodecError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let offset = self.offset;
        let Some((&[k0, k1, l0, l1], rest)) = self.rest.split_first_chunk() else {
            self.rest = &[];
            return Some(Err(CodecError::new(offset, Fault::Overrun(0))));
        };
        let kind = u16::from_be_bytes([k0, k1]);
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        let Some((value, rest)) = rest.split_at_checked(len) else {
            self.rest = &[];
            return Some(Err(CodecError::new(offset, Fault::Overrun(kind))));
        };
        self.rest = rest;
        self.offset += 4 + len;
        Some(Ok(Parameter { kind, value, offset }))
    }
}

/// A fixed-length parameter of a message that did not parse, so that an error can at least name
/// channel and stream.
#[must_use]
pub fn peek_parameter<const N: usize>(bytes: &[u8], kind: u16) -> Option<[u8; N]> {
    let parameters = Parameters::new(bytes.get(HEADER..)?);
    parameters.map_while(Result::ok).find(|p| p.kind == kind)?.value.try_into().ok()
}

/// Writes one message at the end of a buffer.
pub struct Writer<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
    too_long: bool,
}

impl<'o> Writer<'o> {
    /// Begins a message.
    pub fn new(out: &'o mut Vec<u8>, version: u8, kind: u16) -> Self {
        let start = out.len();
        let [k0, k1] = kind.to_be_bytes();
        out.extend_from_slice(&[version, k0, k1, 0, 0]);
        Self { out, start, too_long: false }
    }

    /// Adds a parameter.
    #[must_use]
    pub fn bytes(self, kind: u16, value: &[u8]) -> Self {
        self.parts(kind, &[value])
    }

    /// Adds a parameter whose value comes in pieces.
    #[must_use]
    pub fn parts(mut self, kind: u16, value: &[&[u8]]) -> Self {
        let len: usize = value.iter().map(|part| part.len()).sum();
        let Ok(len) = u16::try_from(len) else {
            self.too_long = true;
            return self;
        };
        self.out.extend_from_slice(&kind.to_be_bytes());
        self.out.extend_from_slice(&len.to_be_bytes());
        for part in value {
            self.out.extend_from_slice(part);
        }
        self
    }

    /// Adds a 1-octet number.
    #[must_use]
    pub fn u8(self, kind: u16, value: u8) -> Self {
        self.bytes(kind, &[value])
    }

    /// Adds a 2-octet number.
    #[must_use]
    pub fn u16(self, kind: u16, value: u16) -> Self {
        self.bytes(kind, &value.to_be_bytes())
    }

    /// Adds a 4-octet number.
    #[must_use]
    pub fn u32(self, kind: u16, value: u32) -> Self {
        self.bytes(kind, &value.to_be_bytes())
    }

    /// Ends the message.
    ///
    /// # Errors
    /// [`EncodeError`] when it is too long; the buffer is as before then.
    pub fn finish(self) -> Result<(), EncodeError> {
        let len = u16::try_from(self.out.len() - self.start - HEADER);
        match (len, self.out.get_mut(self.start + 3..self.start + 5)) {
            (Ok(len), Some(field)) if !self.too_long => {
                field.copy_from_slice(&len.to_be_bytes());
                Ok(())
            }
            _ => {
                self.out.truncate(self.start);
                Err(EncodeError)
            }
        }
    }
}

const HEADER: usize = 5;
