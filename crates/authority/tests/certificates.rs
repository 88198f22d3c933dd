//! What the authority issues is what the verifying side believes, and nothing more is issued.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use portcullis_authority::{AuthorityError, Issuer, Subject, create_plain_request, create_request};
use portcullis_trust::{CertificateInfo, Role, certificates_from_pem, verify_chain};
use portcullis_types::{UnixSeconds, VendorSysId};
use portcullis_vault::{Party, ed25519_seed_from_pem, write_public};

const NOW: UnixSeconds = UnixSeconds(1_782_864_000);

fn subject(role: Role, name: &str) -> Subject {
    let vendor = role == Role::CaVendor;
    Subject {
        role,
        name: name.to_owned(),
        entity_id: Some(0xA001),
        vendor_sys_id: vendor.then_some(VendorSysId(0x0A01)),
        days: None,
    }
}

fn root(dir: &Path) -> Issuer {
    let party = Party::create(&dir.join("authority"), None).unwrap();
    Issuer::create_root(&party, "Test root", NOW).unwrap()
}

fn anchor(dir: &Path) -> Vec<u8> {
    let pem = std::fs::read(dir.join("authority/root.pem")).unwrap();
    certificates_from_pem(&pem).unwrap().remove(0)
}

/// A party with a certificate of its own, and that party as issuer when it is an intermediate.
fn join(dir: &Path, by: &Issuer, role: Role) -> (Party, Vec<u8>) {
    let party = Party::create(&dir.join(role.name()), None).unwrap();
    let request = create_request(&party, "own", role.name()).unwrap();
    let pem = by.issue(&request, &subject(role, role.name()), NOW).unwrap();
    write_public(&party.dir().join("own.pem"), &pem).unwrap();
    (party, pem)
}

// spec-test: E-R21 X-25
#[test]
fn every_role_is_issued_by_its_issuer_and_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let root = root(dir.path());
    let anchor = anchor(dir.path());
    for (intermediate, leaves) in [
        (Role::CaVendor, &[Role::ClientSeries][..]),
        (Role::Operator, &[Role::PlatformOperation, Role::EmmSigner, Role::Centre][..]),
    ] {
        let (party, _) = join(dir.path(), &root, intermediate);
        let issuer = Issuer::open(&party, "own").unwrap();
        for role in Role::ALL {
            let request = create_plain_request(&dir.path().join("key"), "x").unwrap();
            let issued = issuer.issue(&request, &subject(role, "x"), NOW);
            assert_eq!(issued.is_ok(), leaves.contains(&role), "{intermediate} issues {role}");
            let Ok(pem) = issued else { continue };
            let chain = certificates_from_pem(&pem).unwrap();
            let chain: Vec<_> = chain.iter().map(Vec::as_slice).collect();
            let identity = verify_chain(&chain, &anchor, role, NOW).unwrap();
            let key = ed25519_seed_from_pem(&std::fs::read(dir.path().join("key")).unwrap());
            let key = portcullis_crypto::Ed25519SigningKey::from_seed(&key.unwrap());
            assert_eq!(identity.public_key, key.verifying_key().to_bytes());
            let vendor = (intermediate == Role::CaVendor).then_some(VendorSysId(0x0A01));
            assert_eq!(identity.vendor_sys_id, vendor);
        }
    }
    let request = create_plain_request(&dir.path().join("key"), "box").unwrap();
    let pem = root.issue(&request, &subject(Role::Device, "box"), NOW).unwrap();
    let chain = certificates_from_pem(&pem).unwrap();
    assert!(verify_chain(&[&chain[0]], &anchor, Role::Device, NOW).is_ok());
    let series = root.issue(&request, &subject(Role::ClientSeries, "x"), NOW);
    assert!(matches!(series, Err(AuthorityError::NotYours { .. })));
}

// spec-test: E-R21
// attack-test: T-15
#[test]
fn a_request_needs_its_key_and_decides_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let root = root(dir.path());
    let request = create_plain_request(&dir.path().join("key"), "I am the root").unwrap();
    let pem = root.issue(&request, &subject(Role::Device, "box"), NOW).unwrap();
    let info = CertificateInfo::parse(&certificates_from_pem(&pem).unwrap()[0]).unwrap();
    assert_eq!(info.subject, "CN=box");
    assert!(!info.is_issuer);
    // Another key in the request: the proof of possession fails.
    let text = String::from_utf8(request).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    for at in (40..body.len() - 8).step_by(9) {
        let mut changed = body.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let pem = format!(
            "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
            String::from_utf8(changed).unwrap()
        );
        let refused = root.issue(pem.as_bytes(), &subject(Role::Device, "box"), NOW);
        assert!(refused.is_err(), "character {at}");
    }
    assert!(root.issue(b"nonsense", &subject(Role::Device, "box"), NOW).is_err());
    let nameless = root.issue(text.as_bytes(), &subject(Role::Device, ""), NOW);
    assert!(matches!(nameless, Err(AuthorityError::Subject)));
}

// spec-test: E-R21
#[test]
fn serial_numbers_differ_and_nobody_outlives_its_issuer() {
    let dir = tempfile::tempdir().unwrap();
    let root = root(dir.path());
    let request = create_plain_request(&dir.path().join("key"), "box").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    root.issue(&request, &subject(Role::Device, "box"), NOW).unwrap();
                }
            });
        }
    });
    let issued = std::fs::read_dir(dir.path().join("authority/issued")).unwrap().count();
    assert_eq!(issued, 20, "one file per serial number");
    let serial = std::fs::read_to_string(dir.path().join("authority/serial")).unwrap();
    assert_eq!(serial.trim(), "21", "the root's own and twenty");
    let mut long = subject(Role::Device, "box");
    long.days = Some(365 * 100);
    let pem = root.issue(&request, &long, NOW).unwrap();
    let info = CertificateInfo::parse(&certificates_from_pem(&pem).unwrap()[0]).unwrap();
    assert_eq!(info.not_after, root.info().not_after);
    let late = UnixSeconds(root.info().not_after.0 + 1);
    let refused = root.issue(&request, &subject(Role::Device, "box"), late);
    assert!(matches!(refused, Err(AuthorityError::IssuerExpired)));
}

// spec-test: E-R21
#[test]
fn a_root_is_made_once_and_its_key_stays_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let root = root(dir.path());
    drop(root);
    let party = Party::open(&dir.path().join("authority"), None).unwrap();
    assert!(Issuer::create_root(&party, "again", NOW).is_err());
    let sealed = std::fs::read(dir.path().join("authority/root.key.age")).unwrap();
    assert!(sealed.starts_with(b"age-encryption.org/v1"));
    assert!(!sealed.windows(7).any(|w| w == b"PRIVATE"));
    // Key and certificate of different issuers do not make one.
    let (vendor, _) = join(dir.path(), &Issuer::open(&party, "root").unwrap(), Role::CaVendor);
    std::fs::copy(dir.path().join("authority/root.pem"), vendor.dir().join("own.pem")).unwrap();
    assert!(matches!(Issuer::open(&vendor, "own"), Err(AuthorityError::KeyMismatch(_))));
}
