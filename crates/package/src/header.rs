//! The 48 octets of the package header (X.1198 A.1, Table A.1).
//!
//! The text contradicts itself in several places; what is read and written here follows the
//! field sizes, which allow one layout only (see docs/reference/package.md). Big-endian.

use portcullis_types::{ScpClientId, SuperScpId};

use crate::{PackageError, SignatureType};

/// Octets of the header.
pub const HEADER_LEN: usize = 48;

/// Offsets of Signature Type and Signature Length, which sit in one 32-bit word.
pub const SIGNATURE_OFFSET_FIELDS: (usize, usize) = (28, 29);

const PREFIX_ASCII: [u8; 8] = *b"SCP_VM_K";
/// The octets of the standard's numeric example, which do not spell the name beside them.
const PREFIX_NUMERIC: [u8; 8] = *b"SCP_c_KR";

/// Which of the two prefixes a package carries. We write the name; both are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PrefixSpelling {
    /// `SCP_VM_K`, the name.
    Ascii,
    /// `SCP_c_KR`, the octets of the numeric example.
    Numeric,
}

/// Whether code and policy are compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum PackageType {
    /// As they are.
    Plain = 0,
    /// Each a zlib stream; the lengths are those of the streams.
    Compressed = 1,
}

/// A parsed header. Lengths are the stored ones and already agree with the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PackageHeader {
    /// Offset 0.
    pub prefix: PrefixSpelling,
    /// Offset 8: version of the client.
    pub version: u16,
    /// Offset 10.
    pub package_type: PackageType,
    /// Offset 12.
    pub client_id: ScpClientId,
    /// Offset 16.
    pub super_scp_id: SuperScpId,
    /// Offset 20.
    pub policy_length: u32,
    /// Offset 24.
    pub code_length: u32,
    /// Offset 28.
    pub signature_type: SignatureType,
    /// Offset 29, three octets.
    pub signature_length: u32,
    /// Offset 32: 48 + policy length.
    pub object_code_offset: u32,
    /// Offset 36: where the code is loaded in the client's memory.
    pub load_offset: u32,
    /// Offset 40: init code, from the start of the expanded code.
    pub entry_point: u32,
}

/// One field for people and tools: offset, size, name, value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeaderField {
    /// Where it begins.
    pub offset: usize,
    /// How many octets.
    pub size: usize,
    /// The standard's name.
    pub name: &'static str,
    /// Its value.
    pub value: u64,
}

impl PackageHeader {
    /// Reads the header of a whole package and checks it against the length of the file.
    ///
    /// # Errors
    /// [`PackageError`] with the offset of the field.
    // spec: X-A01 X-A02 X-A03 X-A04 X-A05 X-A06 X-A07 X-A08 X-A09 X-A11 X-A12 X-A15 C-02
    // defends: T-14
    pub fn parse(package: &[u8]) -> Result<Self, PackageError> {
        let header: &[u8; HEADER_LEN] =
            package.first_chunk().ok_or(PackageError::Truncated(package.len()))?;
        let prefix = match header.first_chunk() {
            Some(&PREFIX_ASCII) => PrefixSpelling::Ascii,
            Some(&PREFIX_NUMERIC) => PrefixSpelling::Numeric,
            _ => return Err(PackageError::Prefix),
        };
        let package_type = match be16(header, 10) {
            0 => PackageType::Plain,
            1 => PackageType::Compressed,
            other => return Err(PackageError::Type(other)),
        };
        let [kind, length @ ..] = be32(header, 28).to_be_bytes();
        let signature_type = SignatureType::from_number(kind)?;
        let signature_length = length.iter().fold(0, |sum, octet| sum << 8 | u32::from(*octet));
        let expected = signature_type.signature_len();
        if signature_length != expected {
            let (kind, found) = (signature_type, signature_length);
            return Err(PackageError::SignatureLength { kind, expected, found });
        }
        let this = Self {
            prefix,
            version: be16(header, 8),
            package_type,
            client_id: ScpClientId(be32(header, 12)),
            super_scp_id: SuperScpId(be32(header, 16)),
            policy_length: be32(header, 20),
            code_length: be32(header, 24),
            signature_type,
            signature_length,
            object_code_offset: be32(header, 32),
            load_offset: be32(header, 36),
            entry_point: be32(header, 40),
        };
        // 64-bit sums: three 32-bit lengths cannot wrap.
        let code_at = HEADER_LEN as u64 + u64::from(this.policy_length);
        let expected = code_at + u64::from(this.code_length) + u64::from(signature_length);
        if expected != package.len() as u64 {
            return Err(PackageError::Length { expected, found: package.len() });
        }
        if u64::from(this.object_code_offset) != code_at {
            let found = this.object_code_offset;
            return Err(PackageError::ObjectCodeOffset { expected: code_at, found });
        }
        if !this.load_offset.is_multiple_of(4) {
            return Err(PackageError::LoadOffset(this.load_offset));
        }
        if !this.entry_point.is_multiple_of(4) {
            return Err(PackageError::EntryPoint(this.entry_point));
        }
        match be32(header, 44) {
            0 => Ok(this),
            reserved => Err(PackageError::Reserved(reserved)),
        }
    }

    /// The 48 octets.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let prefix = match self.prefix {
            PrefixSpelling::Ascii => PREFIX_ASCII,
            PrefixSpelling::Numeric => PREFIX_NUMERIC,
        };
        let signature =
            u32::from(self.signature_type.number()) << 24 | self.signature_length & 0x00FF_FFFF;
        let mut out = [0; HEADER_LEN];
        let parts: [&[u8]; 12] = [
            &prefix,
            &self.version.to_be_bytes(),
            &(self.package_type as u16).to_be_bytes(),
            &self.client_id.0.to_be_bytes(),
            &self.super_scp_id.0.to_be_bytes(),
            &self.policy_length.to_be_bytes(),
            &self.code_length.to_be_bytes(),
            &signature.to_be_bytes(),
            &self.object_code_offset.to_be_bytes(),
            &self.load_offset.to_be_bytes(),
            &self.entry_point.to_be_bytes(),
            &[0; 4],
        ];
        for (to, from) in out.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        out
    }

    /// Every field with its offset, for inspection.
    #[must_use]
    pub fn fields(&self) -> Vec<HeaderField> {
        let prefix = match self.prefix {
            PrefixSpelling::Ascii => PREFIX_ASCII,
            PrefixSpelling::Numeric => PREFIX_NUMERIC,
        };
        let field = |offset, size, name, value| HeaderField { offset, size, name, value };
        vec![
            field(0, 8, "prefix", u64::from_be_bytes(prefix)),
            field(8, 2, "version", self.version.into()),
            field(10, 2, "type", self.package_type as u64),
            field(12, 4, "scp_client_id", self.client_id.0.into()),
            field(16, 4, "super_scp_id", self.super_scp_id.0.into()),
            field(20, 4, "policy_length", self.policy_length.into()),
            field(24, 4, "code_length", self.code_length.into()),
            field(28, 1, "signature_type", self.signature_type.number().into()),
            field(29, 3, "signature_length", self.signature_length.into()),
            field(32, 4, "object_code_offset", self.object_code_offset.into()),
            field(36, 4, "load_offset", self.load_offset.into()),
            field(40, 4, "entry_point", self.entry_point.into()),
            field(44, 4, "reserved", 0),
        ]
    }
}

/// Fields of the fixed header: the offset is a constant below its length, zero otherwise.
fn be16(header: &[u8; HEADER_LEN], at: usize) -> u16 {
    header.get(at..).and_then(<[u8]>::first_chunk).copied().map_or(0, u16::from_be_bytes)
}

fn be32(header: &[u8; HEADER_LEN], at: usize) -> u32 {
    header.get(at..).and_then(<[u8]>::first_chunk).copied().map_or(0, u32::from_be_bytes)
}
