//! From octets to a package that is known to be whole, signed and understood.

use portcullis_crypto::sha256;
use portcullis_svm::Image;
use portcullis_types::UnixSeconds;

use crate::inflate::inflate;
use crate::policy_xml::MAX_POLICY;
use crate::{
    ClientPolicy, HEADER_LEN, LegacySignatures, PackageError, PackageHeader, PackageKey,
    PackageType, parse_policy,
};

/// What a host takes at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PackageLimits {
    /// Octets of the whole package.
    pub package: u64,
    /// Octets of the expanded policy.
    pub policy: u64,
    /// Octets of the expanded code.
    pub code: u64,
    /// What becomes of signature type 0x00.
    pub legacy: LegacySignatures,
}

impl Default for PackageLimits {
    fn default() -> Self {
        Self {
            package: 8 << 20,
            policy: MAX_POLICY,
            code: portcullis_svm::Limits::terminal_maximum().code_bytes.into(),
            legacy: LegacySignatures::Refuse,
        }
    }
}

/// A package whose parts are found and whose lengths agree. Nothing in it is believed.
#[derive(Clone, Copy, Debug)]
pub struct ParsedPackage<'a> {
    bytes: &'a [u8],
    header: HeaderRef,
    limits: PackageLimits,
}

/// The part boundaries, checked against the file.
#[derive(Clone, Copy, Debug)]
struct HeaderRef {
    policy_end: usize,
    code_end: usize,
}

impl<'a> ParsedPackage<'a> {
    /// Finds the parts.
    ///
    /// # Errors
    /// [`PackageError`] with the offset of the offending field.
    pub fn parse(bytes: &'a [u8], limits: &PackageLimits) -> Result<Self, PackageError> {
        let len = bytes.len() as u64;
        if len > limits.package {
            return Err(PackageError::TooLarge { part: "package", len, limit: limits.package });
        }
        let header = PackageHeader::parse(bytes)?;
        let policy_end = HEADER_LEN + header.policy_length as usize;
        let code_end = policy_end + header.code_length as usize;
        Ok(Self { bytes, header: HeaderRef { policy_end, code_end }, limits: *limits })
    }

    /// The header, unverified: for inspection and for finding the signer.
    ///
    /// # Errors
    /// Never for a parsed package; the header is parsed again.
    pub fn header(&self) -> Result<PackageHeader, PackageError> {
        PackageHeader::parse(self.bytes)
    }

    /// The policy as stored, unverified.
    #[must_use]
    pub fn stored_policy(&self) -> &'a [u8] {
        self.bytes.get(HEADER_LEN..self.header.policy_end).unwrap_or_default()
    }

    /// The code as stored, unverified.
    #[must_use]
    pub fn stored_code(&self) -> &'a [u8] {
        self.bytes.get(self.header.policy_end..self.header.code_end).unwrap_or_default()
    }

    /// The signature.
    #[must_use]
    pub fn signature(&self) -> &'a [u8] {
        self.bytes.get(self.header.code_end..).unwrap_or_default()
    }

    /// What the signature covers.
    #[must_use]
    pub fn signed(&self) -> &'a [u8] {
        self.bytes.get(..self.header.code_end).unwrap_or_default()
    }

    /// The policy text, inflated when need be: for inspection only, unverified.
    ///
    /// # Errors
    /// [`PackageError`] when it does not inflate within the limits.
    pub fn unverified_policy(&self) -> Result<Vec<u8>, PackageError> {
        self.expand("policy", self.stored_policy(), self.limits.policy)
    }

    /// The code, inflated when need be: for inspection and for running in a test machine only,
    /// unverified.
    ///
    /// # Errors
    /// [`PackageError`] when it does not inflate within the limits.
    pub fn unverified_code(&self) -> Result<Vec<u8>, PackageError> {
        self.expand("code", self.stored_code(), self.limits.code)
    }

    /// Checks only the signature, for programs that report each check by itself.
    ///
    /// # Errors
    /// [`PackageError`] when key and type do not fit or the signature is bad.
    pub fn check_signature(&self, key: &PackageKey) -> Result<(), PackageError> {
        let kind = self.header()?.signature_type;
        key.verify(kind, self.limits.legacy, self.signed(), self.signature())
    }

    /// Signature first, then inflate, then policy: nothing of a forged package is interpreted.
    ///
    /// # Errors
    /// [`PackageError`] of the first check that fails.
    // spec: X-C05 X-25 X-A13 X-A14 X-A16 X-A17 X-52
    // defends: T-15 T-18 T-19
    pub fn verify(self, key: &PackageKey) -> Result<VerifiedPackage, PackageError> {
        self.check_signature(key)?;
        self.interpret()
    }

    fn interpret(self) -> Result<VerifiedPackage, PackageError> {
        let header = self.header()?;
        let policy_xml = self.expand("policy", self.stored_policy(), self.limits.policy)?;
        let policy = parse_policy(&policy_xml)?;
        let room = self.limits.code.min(policy.limits.code_bytes.into());
        let code = self.expand("code", self.stored_code(), room)?;
        check_code(&header, &policy, &code)?;
        let image = Image {
            text_bytes: policy.text_bytes,
            code,
            load_offset: header.load_offset,
            entry: header.entry_point,
        };
        Ok(VerifiedPackage { header, policy, policy_xml, image })
    }

    fn expand(
        &self,
        part: &'static str,
        stored: &[u8],
        limit: u64,
    ) -> Result<Vec<u8>, PackageError> {
        match self.header()?.package_type {
            PackageType::Plain if stored.len() as u64 > limit => {
                Err(PackageError::TooLarge { part, len: stored.len() as u64, limit })
            }
            PackageType::Plain => Ok(stored.to_vec()),
            PackageType::Compressed => inflate(part, stored, limit),
        }
    }
}

/// Header, policy and code belong together and stay inside their limits.
pub(crate) fn check_code(
    header: &PackageHeader,
    policy: &ClientPolicy,
    code: &[u8],
) -> Result<(), PackageError> {
    let ids = [
        ("SCP client ID", header.client_id.0, policy.client_id.0),
        ("Super SCP ID", header.super_scp_id.0, policy.super_scp_id.0),
    ];
    for (what, header, policy) in ids {
        if header != policy {
            return Err(PackageError::MixAndMatch { what, header, policy });
        }
    }
    let limit = u64::from(policy.limits.code_bytes);
    let len = code.len() as u64;
    if len > limit {
        return Err(PackageError::TooLarge { part: "code", len, limit });
    }
    if u64::from(header.load_offset) + len > limit || !header.load_offset.is_multiple_of(4) {
        return Err(PackageError::LoadOffset(header.load_offset));
    }
    let text = policy.text_bytes;
    if text == 0 || !text.is_multiple_of(4) || u64::from(text) > len {
        return Err(PackageError::CodeLimits("text is zero, not aligned or beyond the code"));
    }
    if !header.entry_point.is_multiple_of(4) || header.entry_point >= text {
        return Err(PackageError::EntryPoint(header.entry_point));
    }
    Ok(())
}

/// Which client a package holds: a hash of header, policy and code, the latter two as they are
/// before compression. The signature is not part of it.
#[must_use]
pub fn identity(header: &PackageHeader, policy_xml: &[u8], code: &[u8]) -> [u8; 32] {
    sha256(&[&header.to_bytes(), policy_xml, code])
}

/// A package whose signature was good and whose policy was understood. Only
/// [`ParsedPackage::verify`] makes one.
#[derive(Clone, Debug)]
pub struct VerifiedPackage {
    header: PackageHeader,
    policy: ClientPolicy,
    policy_xml: Vec<u8>,
    image: Image,
}

impl VerifiedPackage {
    /// The header.
    #[must_use]
    pub const fn header(&self) -> &PackageHeader {
        &self.header
    }

    /// The policy: permit table, limits and lifetime.
    #[must_use]
    pub const fn policy(&self) -> &ClientPolicy {
        &self.policy
    }

    /// The policy as text.
    #[must_use]
    pub fn policy_xml(&self) -> &[u8] {
        &self.policy_xml
    }

    /// Which client this is, whoever signed it: [`identity`].
    #[must_use]
    pub fn identity(&self) -> [u8; 32] {
        identity(&self.header, &self.policy_xml, &self.image.code)
    }

    /// The code as the SVM loads it.
    #[must_use]
    pub const fn image(&self) -> &Image {
        &self.image
    }

    /// Refuses a client before or after its lifetime.
    ///
    /// # Errors
    /// [`PackageError::Lifetime`].
    // spec: X-Y01
    pub fn check_lifetime(&self, now: UnixSeconds) -> Result<(), PackageError> {
        if self.policy.lifetime.contains(now) { Ok(()) } else { Err(PackageError::Lifetime) }
    }
}
