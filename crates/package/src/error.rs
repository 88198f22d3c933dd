//! Why a package is refused: by whose fault, and where.

use crate::{PolicyError, SignatureType};

/// A refused package. Offsets count from its first octet.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// Shorter than its header.
    #[error("package: {0} octets, the header alone has 48 (X.1198 A.1)")]
    Truncated(usize),
    /// The prefix is neither spelling.
    #[error("package, offset 0: prefix is not SCP_VM_K")]
    Prefix,
    /// A type nobody defined.
    #[error("package, offset 10: unknown type 0x{0:04x}")]
    Type(u16),
    /// The parts do not add up to the file.
    #[error("package: the header says {expected} octets, there are {found}")]
    Length {
        /// Header, policy, code and signature as the header gives them.
        expected: u64,
        /// Octets there.
        found: usize,
    },
    /// A part is larger than the host takes.
    #[error("package: {part} of {len} octets, at most {limit}")]
    TooLarge {
        /// Which part.
        part: &'static str,
        /// Its size (or what was reached when inflating).
        len: u64,
        /// The limit.
        limit: u64,
    },
    /// A signature type that is reserved or unknown.
    #[error("package, offset 28: signature type 0x{0:02x} is not defined")]
    SignatureType(u8),
    /// RSA-1024/SHA-1 without the legacy switch, or hybrid, which is only reserved.
    #[error("package, offset 28: signature type 0x{0:02x} is not accepted")]
    SignatureRefused(u8),
    /// Signature type and signature length disagree.
    #[error("package, offset 29: signature of {found} octets, {kind:?} has {expected}")]
    SignatureLength {
        /// The type.
        kind: SignatureType,
        /// What it needs.
        expected: u32,
        /// What the header says.
        found: u32,
    },
    /// The key is not of the signature's algorithm.
    #[error("package, offset 28: the key is not for signature type 0x{0:02x}")]
    WrongKeyKind(u8),
    /// The signature does not fit header, policy and code.
    #[error("package: bad signature (X.1198 7.3)")]
    BadSignature,
    /// Object Code Offset is not header plus policy.
    #[error("package, offset 32: object code offset {found}, header and policy end at {expected}")]
    ObjectCodeOffset {
        /// 48 + P.
        expected: u64,
        /// What the header says.
        found: u32,
    },
    /// Load Offset not aligned or beyond the code limit.
    #[error("package, offset 36: load offset 0x{0:08x} is not aligned or does not fit")]
    LoadOffset(u32),
    /// Entry Point not aligned or not inside the instructions.
    #[error("package, offset 40: entry point 0x{0:08x} is not aligned or not in the code")]
    EntryPoint(u32),
    /// Reserved is not zero.
    #[error("package, offset 44: reserved field is 0x{0:08x}, not zero")]
    Reserved(u32),
    /// The compressed octets are no zlib stream that fills its field.
    #[error("package: {0} is not one whole zlib stream")]
    Inflate(&'static str),
    /// The policy cannot be read.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Header and policy name different clients or suppliers: parts of two packages.
    #[error("package: {what} is {header} in the header and {policy} in the policy (mixed parts)")]
    MixAndMatch {
        /// Which field.
        what: &'static str,
        /// In the header.
        header: u32,
        /// In the policy.
        policy: u32,
    },
    /// The code is larger than the policy says, or its text is not inside it.
    #[error("package: code and policy limits disagree: {0}")]
    CodeLimits(&'static str),
    /// Not within the lifetime of the policy.
    #[error("package: outside the lifetime its policy gives")]
    Lifetime,
}
