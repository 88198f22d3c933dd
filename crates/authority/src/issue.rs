//! What stands in a certificate of each role.

use portcullis_trust::{
    CertificateInfo, ENTITY_ID_OID, ENTITY_ROLE_OID, EXTENDED_KEY_USAGE_ARC, Role,
    VENDOR_SYS_ID_OID,
};
use portcullis_types::{UnixSeconds, VendorSysId};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa,
    KeyUsagePurpose, SanType,
};
use time::OffsetDateTime;

use crate::AuthorityError;
use crate::request::distinguished_name;

/// Clocks of verifiers may be behind ours.
const BACKDATE_SECONDS: u64 = 3600;
const DAY_SECONDS: u64 = 86_400;
const YEAR_DAYS: u32 = 365;

/// For whom a certificate is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// Its role.
    pub role: Role,
    /// Its common name.
    pub name: String,
    /// Its entity id.
    pub entity_id: Option<u32>,
    /// Its Vendor_SysID; CA vendors only.
    pub vendor_sys_id: Option<VendorSysId>,
    /// Days of validity; `None` is what the role gets by default.
    pub days: Option<u32>,
}

/// Days of validity by default; `None` is the root. Devices are in the field for long and are
/// revoked by ChipID, not by expiry.
#[must_use]
pub const fn validity_days(role: Option<Role>) -> u32 {
    match role {
        None => 30 * YEAR_DAYS,
        Some(Role::CaVendor | Role::Operator | Role::Device) => 20 * YEAR_DAYS,
        Some(_) => 10 * YEAR_DAYS,
    }
}

pub(crate) fn certificate_params(
    subject: &Subject,
    issuer: &CertificateInfo,
) -> Result<CertificateParams, AuthorityError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished_name(&subject.name)?;
    params.use_authority_key_identifier_extension = true;
    // A vendor's id goes on to its series; nobody else has one.
    let vendor_sys_id = match subject.role {
        Role::CaVendor => match (subject.vendor_sys_id, subject.entity_id) {
            (Some(id), Some(_)) => Some(id),
            _ => return Err(AuthorityError::MissingIds),
        },
        _ => issuer.vendor_sys_id,
    };
    if let Some(VendorSysId(id)) = vendor_sys_id {
        params.custom_extensions.push(integer(&VENDOR_SYS_ID_OID, id.into()));
    }
    if let Some(id) = subject.entity_id {
        params.custom_extensions.push(integer(&ENTITY_ID_OID, id));
    }
    if subject.role.is_intermediate() {
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.custom_extensions.push(integer(&ENTITY_ROLE_OID, subject.role.number().into()));
        return Ok(params);
    }
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let mut usage = EXTENDED_KEY_USAGE_ARC.to_vec();
    usage.push(subject.role.number().into());
    params.extended_key_usages.push(ExtendedKeyUsagePurpose::Other(usage));
    match subject.role {
        Role::Centre => {
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
            params.subject_alt_names.push(SanType::DnsName("localhost".try_into()?));
            let loopback = std::net::Ipv4Addr::LOCALHOST;
            params.subject_alt_names.push(SanType::IpAddress(loopback.into()));
        }
        Role::Device => params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth),
        _ => {}
    }
    Ok(params)
}

/// Validity from a little before `now`; never beyond the issuer's.
pub(crate) fn set_validity(
    params: &mut CertificateParams,
    now: UnixSeconds,
    days: u32,
    issuer_end: Option<UnixSeconds>,
) -> Result<(), AuthorityError> {
    let end = now.0.saturating_add(u64::from(days).saturating_mul(DAY_SECONDS));
    let end = issuer_end.map_or(end, |issuer| end.min(issuer.0));
    if end <= now.0 {
        return Err(AuthorityError::IssuerExpired);
    }
    params.not_before = date(now.0.saturating_sub(BACKDATE_SECONDS));
    params.not_after = date(end);
    Ok(())
}

fn date(seconds: u64) -> OffsetDateTime {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// A non-critical extension that holds one INTEGER.
fn integer(oid: &[u64], value: u32) -> CustomExtension {
    let octets = value.to_be_bytes();
    let skip = octets.iter().take(3).take_while(|octet| **octet == 0).count();
    let digits = octets.get(skip..).unwrap_or(&octets);
    let pad = digits.first().is_some_and(|octet| *octet >= 0x80);
    let mut der = vec![0x02, digits.len() as u8 + u8::from(pad)];
    if pad {
        der.push(0);
    }
    der.extend_from_slice(digits);
    CustomExtension::from_oid_content(oid, der)
}
