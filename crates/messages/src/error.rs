//! What can be wrong with a message, and at which offset.

use core::fmt;

/// A message that does not decode: what is wrong and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DecodeError {
    /// Octets from the start of the message (or section) to the fault.
    pub offset: usize,
    /// What is wrong there.
    pub kind: DecodeErrorKind,
}

/// The kinds of fault. All are the sender's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The message ends inside a field.
    Truncated,
    /// A version that this implementation does not know.
    Version(u8),
    /// Another kind of message stands here.
    WrongMessage(u8),
    /// A tag that is neither known nor marked as one that may be ignored.
    UnknownTag(u8),
    /// A field that may stand once stands twice.
    Repeated(u8),
    /// A mandatory field is missing.
    Missing(u8),
    /// A field of the wrong length.
    Length(u8),
    /// Octets follow after the last field.
    Trailing,
    /// Tags out of order, so that the bytes are not the one canonical form.
    NotCanonical,
    /// More entries than the format allows.
    TooMany,
    /// No table_id of a CA section, or none that fits here.
    TableId(u8),
    /// The section claims the long form, which CA sections here never use.
    LongSection,
}

impl DecodeError {
    pub(crate) const fn new(offset: usize, kind: DecodeErrorKind) -> Self {
        Self { offset, kind }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use DecodeErrorKind as K;
        match self.kind {
            K::Truncated => f.write_str("message ends inside a field")?,
            K::Version(v) => write!(f, "unknown format version {v}")?,
            K::WrongMessage(k) => write!(f, "message of kind {k} where another is expected")?,
            K::UnknownTag(t) => write!(f, "unknown tag 0x{t:02x}")?,
            K::Repeated(t) => write!(f, "tag 0x{t:02x} stands twice")?,
            K::Missing(t) => write!(f, "tag 0x{t:02x} is missing")?,
            K::Length(t) => write!(f, "wrong length of tag 0x{t:02x}")?,
            K::Trailing => f.write_str("octets after the end")?,
            K::NotCanonical => f.write_str("tags not in ascending order")?,
            K::TooMany => f.write_str("too many entries")?,
            K::TableId(t) => write!(f, "table_id 0x{t:02x} is not expected here")?,
            K::LongSection => f.write_str("section with section_syntax_indicator 1")?,
        }
        write!(f, " (offset {})", self.offset)
    }
}

impl core::error::Error for DecodeError {}

/// A message that cannot be written because a part is outside the format's limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum EncodeError {
    /// More entitlements than one unique EMM holds.
    TooManyEntitlements(usize),
    /// Usage rights longer than an ECM can carry, or not canonical.
    UsageRights(usize),
    /// The section would be longer than its limit.
    SectionTooLong {
        /// Octets of the section.
        len: usize,
        /// The limit.
        limit: usize,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyEntitlements(n) => {
                write!(
                    f,
                    "{n} entitlements do not fit one unique EMM (at most {})",
                    crate::MAX_ENTITLEMENTS
                )
            }
            Self::UsageRights(n) => write!(f, "usage rights of {n} octets do not fit an ECM"),
            Self::SectionTooLong { len, limit } => {
                write!(f, "section of {len} octets is over the limit of {limit}")
            }
        }
    }
}

impl core::error::Error for EncodeError {}
