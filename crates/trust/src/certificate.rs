//! What one certificate says, before anybody believes it.

use portcullis_types::{UnixSeconds, VendorSysId};
use x509_parser::asn1_rs::{FromDer, Integer};
use x509_parser::certificate::X509Certificate;
use x509_parser::time::ASN1Time;

use crate::{ENTITY_ID_OID, ENTITY_ROLE_OID, MAX_CERTIFICATE, Role, VENDOR_SYS_ID_OID};

/// Contents of the OID id-Ed25519 (RFC 8410).
const ED25519: [u8; 3] = [0x2B, 0x65, 0x70];

/// The fields of a certificate that this system reads. Nothing here is verified.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CertificateInfo {
    /// Subject, for people.
    pub subject: String,
    /// Issuer, for people.
    pub issuer: String,
    /// Subject as encoded; what a chain is linked by.
    pub subject_der: Vec<u8>,
    /// Issuer as encoded.
    pub issuer_der: Vec<u8>,
    /// First second of validity.
    pub not_before: UnixSeconds,
    /// Last second of validity.
    pub not_after: UnixSeconds,
    /// The Ed25519 key.
    pub public_key: [u8; 32],
    /// Whether it may issue certificates.
    pub is_issuer: bool,
    /// Entity id under the trust authority.
    pub entity_id: Option<u32>,
    /// Vendor_SysID, in a CA vendor's certificate and its series.
    pub vendor_sys_id: Option<VendorSysId>,
    /// The role an intermediate has.
    pub entity_role: Option<Role>,
    /// Whether there is an extended key usage at all.
    pub has_extended_key_usage: bool,
    /// Our roles among its extended key usages.
    pub roles: Vec<Role>,
}

impl CertificateInfo {
    /// Reads a DER certificate.
    ///
    /// # Errors
    /// What is wrong with it, in a few words.
    pub fn parse(der: &[u8]) -> Result<Self, &'static str> {
        if der.len() > MAX_CERTIFICATE {
            return Err("too long");
        }
        let (rest, certificate) =
            X509Certificate::from_der(der).map_err(|_| "not an X.509 certificate")?;
        if !rest.is_empty() {
            return Err("octets after the certificate");
        }
        let key = certificate.public_key();
        if key.algorithm.algorithm.as_bytes() != ED25519 {
            return Err("public key is not Ed25519");
        }
        let public_key = key
            .subject_public_key
            .data
            .as_ref()
            .try_into()
            .map_err(|_| "public key is not 32 octets")?;
        let constraints = certificate.basic_constraints().map_err(|_| "basic constraints")?;
        let vendor_sys_id = match number(&certificate, &VENDOR_SYS_ID_OID)? {
            Some(id) => Some(VendorSysId(u16::try_from(id).map_err(|_| "Vendor_SysID")?)),
            None => None,
        };
        let entity_role = match number(&certificate, &ENTITY_ROLE_OID)? {
            Some(number) => Some(Role::from_number(number).ok_or("unknown entity role")?),
            None => None,
        };
        let usage = certificate.extended_key_usage().map_err(|_| "extended key usage")?;
        let other = usage.as_ref().map(|usage| usage.value.other.as_slice()).unwrap_or_default();
        let is_used =
            |role: &Role| other.iter().any(|oid| oid.as_bytes() == role.extended_key_usage());
        let validity = certificate.validity();
        Ok(Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            subject_der: certificate.subject().as_raw().to_vec(),
            issuer_der: certificate.issuer().as_raw().to_vec(),
            not_before: seconds(validity.not_before)?,
            not_after: seconds(validity.not_after)?,
            public_key,
            is_issuer: constraints.is_some_and(|constraints| constraints.value.ca),
            entity_id: number(&certificate, &ENTITY_ID_OID)?,
            vendor_sys_id,
            entity_role,
            has_extended_key_usage: usage.is_some(),
            roles: Role::ALL.into_iter().filter(is_used).collect(),
        })
    }
}

fn seconds(time: ASN1Time) -> Result<UnixSeconds, &'static str> {
    u64::try_from(time.timestamp()).map(UnixSeconds).map_err(|_| "time before 1970")
}

/// An extension that holds one INTEGER; twice the same extension is refused.
fn number(certificate: &X509Certificate<'_>, oid: &[u64]) -> Result<Option<u32>, &'static str> {
    let oid = oid_contents(oid);
    let mut found =
        certificate.extensions().iter().filter(|extension| extension.oid.as_bytes() == oid);
    let Some(extension) = found.next() else { return Ok(None) };
    if found.next().is_some() {
        return Err("extension twice");
    }
    match Integer::from_der(extension.value) {
        Ok(([], integer)) => integer.as_u32().map(Some).map_err(|_| "extension is no number"),
        _ => Err("extension is no number"),
    }
}

/// DER contents of an object identifier. (The parser's own encoder refuses second arcs above 39,
/// which X.660 allows under arc 2.)
pub(crate) fn oid_contents(arcs: &[u64]) -> Vec<u8> {
    let (first, rest) = match arcs {
        [a, b, rest @ ..] => (a.saturating_mul(40).saturating_add(*b), rest),
        _ => return Vec::new(),
    };
    let mut contents = Vec::new();
    for arc in std::iter::once(&first).chain(rest) {
        let groups = (64 - arc.leading_zeros()).div_ceil(7).max(1);
        for group in (0..groups).rev() {
            let more = if group == 0 { 0 } else { 0x80 };
            contents.push((arc >> (7 * group) & 0x7F) as u8 | more);
        }
    }
    contents
}
