//! Verification of a chain for one role at one time.

use portcullis_crypto::sha256;
use portcullis_types::{UnixSeconds, VendorSysId};
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage};

use crate::certificate::CertificateInfo;
use crate::{CertificatePlace, MAX_CERTIFICATE, MAX_CHAIN, Role, TrustError};

/// Who stands behind a chain that was verified. Only [`verify_chain`] makes one.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct VerifiedIdentity {
    /// The Ed25519 key that the chain vouches for.
    pub public_key: [u8; 32],
    /// The role it was verified for.
    pub role: Role,
    /// Entity id of the signer.
    pub entity_id: Option<u32>,
    /// Vendor_SysID of the CA vendor in the chain, if there is one.
    pub vendor_sys_id: Option<VendorSysId>,
    /// Subject of the signer's certificate.
    pub subject: String,
    /// SHA-256 of the signer's certificate.
    pub fingerprint: [u8; 32],
    /// First second in which the whole chain is valid.
    pub not_before: UnixSeconds,
    /// Last second in which the whole chain is valid.
    pub not_after: UnixSeconds,
    /// The intermediates above the signer, nearest first.
    pub issuers: Vec<ChainEntity>,
}

/// An intermediate of a verified chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChainEntity {
    /// Its role.
    pub role: Role,
    /// Its entity id.
    pub entity_id: Option<u32>,
    /// Its subject.
    pub subject: String,
    /// SHA-256 of its certificate.
    pub fingerprint: [u8; 32],
}

/// Verifies `chain` (signer first, anchor left out) up to `anchor` for `role` at `now`.
///
/// # Errors
/// [`TrustError`], naming the certificate.
// spec: E-R21
// defends: T-15
pub fn verify_chain(
    chain: &[&[u8]],
    anchor: &[u8],
    role: Role,
    now: UnixSeconds,
) -> Result<VerifiedIdentity, TrustError> {
    let infos = read_all(chain)?;
    let anchor_info = CertificateInfo::parse(anchor).map_err(TrustError::BadAnchor)?;
    check_path(chain, anchor, role, now)
        .map_err(|refused| explain(&refused, &infos, &anchor_info, role, now))?;
    check_issuers(&infos, &anchor_info, role)?;
    identity(chain, &infos, role)
}

fn read_all(chain: &[&[u8]]) -> Result<Vec<CertificateInfo>, TrustError> {
    if chain.is_empty() {
        return Err(TrustError::Empty);
    }
    if chain.len() > MAX_CHAIN {
        return Err(TrustError::TooDeep(chain.len()));
    }
    let mut infos = Vec::with_capacity(chain.len());
    for (index, der) in chain.iter().enumerate() {
        let at = CertificatePlace { index, subject: String::new() };
        if der.len() > MAX_CERTIFICATE {
            return Err(TrustError::TooLong(at));
        }
        infos.push(CertificateInfo::parse(der).map_err(|what| TrustError::Malformed { at, what })?);
    }
    Ok(infos)
}

/// The verdict on signatures, times, constraints and key usage is webpki's.
fn check_path(
    chain: &[&[u8]],
    anchor: &[u8],
    role: Role,
    now: UnixSeconds,
) -> Result<(), webpki::Error> {
    let anchor = CertificateDer::from(anchor);
    let anchors = [webpki::anchor_from_trusted_cert(&anchor)?];
    let [signer, issuers @ ..] = chain else { return Err(webpki::Error::UnknownIssuer) };
    let signer = CertificateDer::from(*signer);
    let issuers: Vec<_> = issuers.iter().map(|der| CertificateDer::from(*der)).collect();
    let time = UnixTime::since_unix_epoch(core::time::Duration::from_secs(now.0));
    EndEntityCert::try_from(&signer)?.verify_for_usage(
        &[webpki::aws_lc_rs::ED25519],
        &anchors,
        &issuers,
        time,
        // webpki asks this of every certificate that carries a key usage; that the signer's
        // carries it is asked in `check_issuers`.
        KeyUsage::required_if_present(role.extended_key_usage()),
        None,
        None,
    )?;
    Ok(())
}

/// Which kind of intermediate issued the role, and that the ids along the chain agree.
fn check_issuers(
    infos: &[CertificateInfo],
    anchor: &CertificateInfo,
    role: Role,
) -> Result<(), TrustError> {
    if !infos.first().is_some_and(|signer| signer.roles.contains(&role)) {
        return Err(TrustError::WrongRole { at: place(infos, 0), wanted: role });
    }
    let mut wanted = role.issuer();
    for (index, info) in infos.iter().enumerate() {
        // webpki builds a path from what it is given; ours must be exactly that path.
        let issuer = infos.get(index + 1).unwrap_or(anchor);
        if info.issuer_der != issuer.subject_der {
            return Err(TrustError::UnknownIssuer(place(infos, index)));
        }
        if info.not_after > issuer.not_after {
            return Err(TrustError::OutlivesIssuer(place(infos, index)));
        }
        if index > 0 {
            match (wanted, info.entity_role) {
                (Some(expected), Some(found))
                    if expected == found && !info.has_extended_key_usage =>
                {
                    wanted = expected.issuer();
                }
                _ => {
                    let at = place(infos, index);
                    return Err(TrustError::WrongRole { at, wanted: wanted.unwrap_or(role) });
                }
            }
        }
    }
    // Issued by the root although an intermediate is due.
    match wanted {
        Some(wanted) => {
            Err(TrustError::WrongRole { at: place(infos, infos.len().saturating_sub(1)), wanted })
        }
        None => Ok(()),
    }
}

fn identity(
    chain: &[&[u8]],
    infos: &[CertificateInfo],
    role: Role,
) -> Result<VerifiedIdentity, TrustError> {
    let (Some(signer), Some(der)) = (infos.first(), chain.first()) else {
        return Err(TrustError::Empty);
    };
    // The vendor's intermediate says which vendor this is; a series may repeat it, not change it.
    let vendor_sys_id = infos.last().and_then(|last| last.vendor_sys_id);
    for (index, info) in infos.iter().enumerate() {
        if info.vendor_sys_id.is_some() && info.vendor_sys_id != vendor_sys_id {
            return Err(TrustError::VendorMismatch(place(infos, index)));
        }
    }
    let issuers = infos.iter().zip(chain).skip(1).filter_map(|(info, der)| {
        info.entity_role.map(|role| ChainEntity {
            role,
            entity_id: info.entity_id,
            subject: info.subject.clone(),
            fingerprint: sha256(&[der]),
        })
    });
    Ok(VerifiedIdentity {
        public_key: signer.public_key,
        role,
        entity_id: signer.entity_id,
        vendor_sys_id,
        subject: signer.subject.clone(),
        fingerprint: sha256(&[der]),
        not_before: infos.iter().map(|i| i.not_before).max().unwrap_or(signer.not_before),
        not_after: infos.iter().map(|i| i.not_after).min().unwrap_or(signer.not_after),
        issuers: issuers.collect(),
    })
}

fn place(infos: &[CertificateInfo], index: usize) -> CertificatePlace {
    let subject = infos.get(index).map(|info| info.subject.clone()).unwrap_or_default();
    CertificatePlace { index, subject }
}

/// webpki says what is wrong but not with which certificate: looks for it.
fn explain(
    refused: &webpki::Error,
    infos: &[CertificateInfo],
    anchor: &CertificateInfo,
    role: Role,
    now: UnixSeconds,
) -> TrustError {
    use webpki::Error as E;
    let first = || place(infos, 0);
    let find = |wrong: &dyn Fn(&CertificateInfo) -> bool| {
        infos.iter().position(wrong).map(|index| place(infos, index))
    };
    match refused {
        E::CertExpired { not_after, .. } => TrustError::Expired {
            at: find(&|info| now > info.not_after).unwrap_or_else(first),
            not_after: UnixSeconds(not_after.as_secs()),
        },
        E::CertNotValidYet { not_before, .. } => TrustError::NotYetValid {
            at: find(&|info| now < info.not_before).unwrap_or_else(first),
            not_before: UnixSeconds(not_before.as_secs()),
        },
        E::RequiredEkuNotFoundContext(_) | E::EmptyEkuExtension | E::CaUsedAsEndEntity => {
            TrustError::WrongRole { at: first(), wanted: role }
        }
        E::EndEntityUsedAsCa => TrustError::NotAnIssuer(
            infos
                .iter()
                .skip(1)
                .position(|info| !info.is_issuer)
                .map_or_else(first, |index| place(infos, index + 1)),
        ),
        E::PathLenConstraintViolated
        | E::MaximumPathDepthExceeded
        | E::MaximumPathBuildCallsExceeded
        | E::MaximumSignatureChecksExceeded => TrustError::TooDeep(infos.len()),
        E::UnknownIssuer => TrustError::UnknownIssuer(broken_link(infos, anchor)),
        E::InvalidSignatureForPublicKey => TrustError::BadSignature(first()),
        other => TrustError::Refused { at: first(), what: format!("{other:?}") },
    }
}

/// The first certificate whose issuer is not the next one.
fn broken_link(infos: &[CertificateInfo], anchor: &CertificateInfo) -> CertificatePlace {
    let broken = infos
        .iter()
        .enumerate()
        .find(|(index, info)| info.issuer_der != infos.get(index + 1).unwrap_or(anchor).subject_der)
        .map_or_else(|| infos.len().saturating_sub(1), |(index, _)| index);
    place(infos, broken)
}
