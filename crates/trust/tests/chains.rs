//! Chains that must be believed and chains that must not, one per way of cheating.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use portcullis_trust::{
    ENTITY_ID_OID, ENTITY_ROLE_OID, EXTENDED_KEY_USAGE_ARC, Role, TrustError, VENDOR_SYS_ID_OID,
    VerifiedIdentity, verify_chain,
};
use portcullis_types::{UnixSeconds, VendorSysId};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, date_time_ymd,
};

/// 2026-07-01.
const NOW: UnixSeconds = UnixSeconds(1_782_864_000);

struct Entity {
    key: KeyPair,
    params: CertificateParams,
    der: Vec<u8>,
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2036, 1, 1);
    params
}

fn integer(oid: &[u64], value: u16) -> CustomExtension {
    let [high, low] = value.to_be_bytes();
    CustomExtension::from_oid_content(oid, vec![0x02, 3, 0, high, low])
}

/// DER forbids superfluous zeros, so small numbers need the short form.
fn small(oid: &[u64], value: u8) -> CustomExtension {
    CustomExtension::from_oid_content(oid, vec![0x02, 1, value])
}

fn authority(name: &str, role: Option<Role>) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(u8::from(role.is_none())));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    if let Some(role) = role {
        params.custom_extensions.push(small(&ENTITY_ROLE_OID, role.number()));
        params.custom_extensions.push(integer(&ENTITY_ID_OID, 0xA001));
    }
    params
}

fn leaf(name: &str, role: Role) -> CertificateParams {
    let mut params = params(name);
    let mut oid = EXTENDED_KEY_USAGE_ARC.to_vec();
    oid.push(role.number().into());
    params.extended_key_usages.push(ExtendedKeyUsagePurpose::Other(oid));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params
}

fn root() -> Entity {
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let params = authority("root", None);
    let der = params.self_signed(&key).unwrap().der().to_vec();
    Entity { key, params, der }
}

fn issue(by: &Entity, params: CertificateParams) -> Entity {
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let issuer = Issuer::from_params(&by.params, &by.key);
    let der = params.signed_by(&key, &issuer).unwrap().der().to_vec();
    Entity { key, params, der }
}

fn vendor_of(root: &Entity) -> Entity {
    let mut params = authority("vendor", Some(Role::CaVendor));
    params
        .custom_extensions
        .push(CustomExtension::from_oid_content(&VENDOR_SYS_ID_OID, vec![0x02, 2, 0x0A, 0x01]));
    issue(root, params)
}

fn verify(chain: &[&Entity], root: &Entity, role: Role) -> Result<VerifiedIdentity, TrustError> {
    let chain: Vec<_> = chain.iter().map(|entity| entity.der.as_slice()).collect();
    verify_chain(&chain, &root.der, role, NOW)
}

// spec-test: E-R21 X-25
#[test]
fn a_good_chain_says_who_it_is() {
    let root = root();
    let vendor = vendor_of(&root);
    let series = issue(&vendor, leaf("series", Role::ClientSeries));
    let identity = verify(&[&series, &vendor], &root, Role::ClientSeries).unwrap();
    assert_eq!(identity.vendor_sys_id, Some(VendorSysId(0x0A01)));
    assert_eq!(identity.public_key.as_slice(), series.key.public_key_raw());
    assert_eq!(identity.issuers[0].entity_id, Some(0xA001));
    assert_eq!(identity.issuers[0].role, Role::CaVendor);
    let device = issue(&root, leaf("device", Role::Device));
    assert!(verify(&[&device], &root, Role::Device).is_ok());
}

// spec-test: E-R21
// attack-test: T-15
#[test]
fn who_is_not_issued_by_the_root_is_unknown() {
    let (root, other) = (root(), root_named("other"));
    let vendor = vendor_of(&root);
    let series = issue(&vendor, leaf("series", Role::ClientSeries));
    let refused = verify(&[&series, &vendor], &other, Role::ClientSeries).unwrap_err();
    assert!(matches!(refused, TrustError::UnknownIssuer(at) if at.index == 1));
    let alone = verify(&[&series], &root, Role::ClientSeries).unwrap_err();
    assert!(matches!(alone, TrustError::UnknownIssuer(at) if at.index == 0));
    assert_eq!(verify(&[], &root, Role::ClientSeries), Err(TrustError::Empty));
    // Self-signed, in the very name of the root.
    let mut own = leaf("root", Role::Device);
    own.distinguished_name = root.params.distinguished_name.clone();
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let der = own.self_signed(&key).unwrap().der().to_vec();
    let forged = Entity { key, params: own, der };
    assert!(verify(&[&forged], &root, Role::Device).is_err());
}

fn root_named(name: &str) -> Entity {
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let params = authority(name, None);
    let der = params.self_signed(&key).unwrap().der().to_vec();
    Entity { key, params, der }
}

// attack-test: T-15
#[test]
fn a_key_in_the_issuers_name_makes_bad_signatures() {
    let root = root();
    let impostor = Entity { der: Vec::new(), ..root_named("root") };
    let device = issue(&impostor, leaf("device", Role::Device));
    let refused = verify(&[&device], &root, Role::Device).unwrap_err();
    assert!(matches!(refused, TrustError::BadSignature(_)), "{refused}");
}

// spec-test: E-R21
// attack-test: T-15
#[test]
fn every_role_works_for_itself_and_for_no_other() {
    let root = root();
    let vendor = vendor_of(&root);
    let operator = issue(&root, authority("operator", Some(Role::Operator)));
    let leaves = [Role::ClientSeries, Role::PlatformOperation, Role::EmmSigner, Role::Centre];
    for issued in leaves {
        for by in [&vendor, &operator] {
            let entity = issue(by, leaf("leaf", issued));
            for asked in Role::ALL {
                let entitled = issued == asked
                    && asked.issuer()
                        == Some(if std::ptr::eq(by, &vendor) {
                            Role::CaVendor
                        } else {
                            Role::Operator
                        });
                let verdict = verify(&[&entity, by], &root, asked);
                assert_eq!(verdict.is_ok(), entitled, "{issued} asked as {asked}: {verdict:?}");
                if let Err(refused) = verdict {
                    assert!(matches!(refused, TrustError::WrongRole { .. }), "{refused}");
                }
            }
        }
        // The root itself may not issue what an intermediate issues.
        let direct = issue(&root, leaf("direct", issued));
        let refused = verify(&[&direct], &root, issued).unwrap_err();
        assert!(matches!(refused, TrustError::WrongRole { .. }), "{refused}");
    }
    // No key usage at all is no role.
    let bare = issue(&operator, params("bare"));
    assert!(verify(&[&bare, &operator], &root, Role::EmmSigner).is_err());
    // An intermediate is not its own end entity, and an end entity issues nothing.
    assert!(verify(&[&vendor], &root, Role::CaVendor).is_err());
    let series = issue(&vendor, leaf("series", Role::ClientSeries));
    let child = issue(&series, leaf("child", Role::ClientSeries));
    assert!(verify(&[&child, &series, &vendor], &root, Role::ClientSeries).is_err());
}

// spec-test: E-R21
#[test]
fn time_is_what_the_caller_says() {
    let root = root();
    let vendor = vendor_of(&root);
    let mut short = leaf("short", Role::ClientSeries);
    short.not_before = date_time_ymd(2026, 6, 1);
    short.not_after = date_time_ymd(2026, 6, 2);
    let series = issue(&vendor, short);
    let chain = [series.der.as_slice(), vendor.der.as_slice()];
    let at = |now| verify_chain(&chain, &root.der, Role::ClientSeries, UnixSeconds(now));
    assert!(
        matches!(at(1_780_272_000 - 1), Err(TrustError::NotYetValid { at, .. }) if at.index == 0)
    );
    assert!(at(1_780_272_000).is_ok());
    assert!(matches!(at(NOW.0), Err(TrustError::Expired { at, .. }) if at.index == 0));
    // The vendor's own certificate has ended: that one is named.
    let mut old = vendor.params.clone();
    old.not_after = date_time_ymd(2026, 2, 1);
    let old = issue(&root, old);
    let series = issue(&old, leaf("series", Role::ClientSeries));
    let refused = verify(&[&series, &old], &root, Role::ClientSeries).unwrap_err();
    assert!(matches!(refused, TrustError::Expired { ref at, .. } if at.index == 1), "{refused}");
    // A child that outlives its issuer.
    let mut young = vendor.params.clone();
    young.not_after = date_time_ymd(2030, 1, 1);
    let young = issue(&root, young);
    let series = issue(&young, leaf("series", Role::ClientSeries));
    let refused = verify(&[&series, &young], &root, Role::ClientSeries).unwrap_err();
    assert!(matches!(refused, TrustError::OutlivesIssuer(at) if at.index == 0));
}

// spec-test: E-R21
#[test]
fn deep_and_long_chains_are_refused() {
    let root = root();
    let vendor = vendor_of(&root);
    let below = issue(&vendor, authority("below", Some(Role::CaVendor)));
    let series = issue(&below, leaf("series", Role::ClientSeries));
    let refused = verify(&[&series, &below, &vendor], &root, Role::ClientSeries).unwrap_err();
    assert!(matches!(refused, TrustError::TooDeep(3)), "{refused}");
    let long = [&series, &below, &vendor, &vendor, &vendor];
    assert_eq!(verify(&long, &root, Role::ClientSeries), Err(TrustError::TooDeep(5)));
    let filler = vec![0x30; portcullis_trust::MAX_CERTIFICATE + 1];
    let refused = verify_chain(&[&filler], &root.der, Role::Device, NOW);
    assert!(matches!(refused, Err(TrustError::TooLong(_))));
}

// attack-test: T-03
#[test]
fn a_series_does_not_change_its_vendors_number() {
    let root = root();
    let vendor = vendor_of(&root);
    let mut params = leaf("series", Role::ClientSeries);
    params
        .custom_extensions
        .push(CustomExtension::from_oid_content(&VENDOR_SYS_ID_OID, vec![0x02, 2, 0x0B, 0x02]));
    let series = issue(&vendor, params);
    let refused = verify(&[&series, &vendor], &root, Role::ClientSeries).unwrap_err();
    assert!(matches!(refused, TrustError::VendorMismatch(at) if at.index == 0));
}

// attack-test: T-15
#[test]
fn every_changed_octet_of_a_chain_is_refused() {
    let root = root();
    let vendor = vendor_of(&root);
    let series = issue(&vendor, leaf("series", Role::ClientSeries));
    for (which, der) in [&series.der, &vendor.der].into_iter().enumerate() {
        for at in 0..der.len() {
            let mut changed = der.clone();
            changed[at] ^= 1;
            let chain = match which {
                0 => [changed.as_slice(), vendor.der.as_slice()],
                _ => [series.der.as_slice(), changed.as_slice()],
            };
            let verdict = verify_chain(&chain, &root.der, Role::ClientSeries, NOW);
            assert!(verdict.is_err(), "certificate {which}, octet {at}");
        }
        let mut longer = der.clone();
        longer.push(0);
        assert!(verify_chain(&[&longer], &root.der, Role::ClientSeries, NOW).is_err());
        assert!(
            verify_chain(&[&der[..der.len() - 1]], &root.der, Role::ClientSeries, NOW).is_err()
        );
    }
}

#[test]
fn other_key_kinds_are_refused() {
    let root = root();
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let issuer = Issuer::from_params(&root.params, &root.key);
    let params = leaf("device", Role::Device);
    let der = params.signed_by(&key, &issuer).unwrap().der().to_vec();
    let refused = verify_chain(&[&der], &root.der, Role::Device, NOW);
    assert!(matches!(refused, Err(TrustError::Malformed { .. })));
}
