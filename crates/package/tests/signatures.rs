//! Every signature type of a package, made by OpenSSL as a vendor's own tools would make it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

mod world;

use std::path::Path;
use std::process::Command;

use portcullis_package::{
    LegacySignatures, PackInput, PackageError, PackageKey, PackageLimits, PackageType,
    ParsedPackage, SignatureType, UnsignedPackage, VerifiedPackage, pack,
};
use portcullis_types::{ScpClientId, SuperScpId};

fn unsigned(signature_type: SignatureType) -> UnsignedPackage {
    pack(&PackInput {
        version: 3,
        client_id: ScpClientId(7),
        super_scp_id: SuperScpId(0xA001),
        policy: world::policy(7, 1).as_bytes(),
        image: &world::image(),
        package_type: PackageType::Compressed,
        signature_type,
    })
    .unwrap()
}

/// Runs OpenSSL in a folder. `cargo xtask setup` installs it, so its absence is a failure and no
/// skip.
fn openssl(folder: &Path, args: &str) {
    let done = Command::new("openssl").args(args.split(' ')).current_dir(folder).output();
    let done = done.expect("openssl is missing: apt-get install openssl");
    assert!(done.status.success(), "openssl {args}: {}", String::from_utf8_lossy(&done.stderr));
}

struct Signed {
    package: Vec<u8>,
    key: PackageKey,
}

/// Signs with a fresh key of OpenSSL's, the signature taken as OpenSSL writes it.
fn signed(kind: SignatureType, generate: &str, sign: &str) -> Signed {
    let folder = tempfile::tempdir().unwrap();
    let unsigned = unsigned(kind);
    std::fs::write(folder.path().join("signed"), unsigned.signed_bytes()).unwrap();
    openssl(folder.path(), generate);
    openssl(folder.path(), "pkey -in key.pem -pubout -outform DER -out key.der");
    openssl(folder.path(), sign);
    let key = std::fs::read(folder.path().join("key.der")).unwrap();
    let signature = std::fs::read(folder.path().join("signature")).unwrap();
    Signed {
        package: unsigned.with_signature(&signature).unwrap(),
        key: PackageKey::from_public_key_info(&key).unwrap(),
    }
}

fn verify(
    signed: &Signed,
    package: &[u8],
    legacy: LegacySignatures,
) -> Result<VerifiedPackage, PackageError> {
    let limits = PackageLimits { legacy, ..PackageLimits::default() };
    ParsedPackage::parse(package, &limits)?.verify(&signed.key)
}

/// Good as it is, refused with any changed octet of a part or of the signature.
fn holds(signed: &Signed, legacy: LegacySignatures) {
    assert!(verify(signed, &signed.package, legacy).is_ok());
    let end = signed.package.len();
    for at in [9, 60, 600, end - 129, end - 64, end - 1] {
        let mut changed = signed.package.clone();
        changed[at] ^= 1;
        let refused = verify(signed, &changed, legacy).unwrap_err();
        assert_eq!(refused, PackageError::BadSignature, "octet {at}");
    }
}

// spec-test: X-A10 X-A18 C-03
#[test]
fn rsa_pss_3072() {
    let signed = signed(
        SignatureType::RsaPss3072Sha256,
        "genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out key.pem",
        "dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -sign key.pem \
         -out signature signed",
    );
    assert_eq!(&signed.package[28..32], &[0x80, 0, 1, 0x80]);
    holds(&signed, LegacySignatures::Refuse);
}

// spec-test: X-A10 X-A18 C-03
#[test]
fn ecdsa_p256_as_der_and_raw() {
    let signed = signed(
        SignatureType::EcdsaP256Sha256,
        "genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem",
        "dgst -sha256 -sign key.pem -out signature signed",
    );
    holds(&signed, LegacySignatures::Refuse);
    let raw = &signed.package[signed.package.len() - 64..];
    let again = unsigned(SignatureType::EcdsaP256Sha256).with_signature(raw).unwrap();
    assert_eq!(again, signed.package);
}

// spec-test: X-A10 X-A18 C-03
#[test]
fn ed25519() {
    let signed = signed(
        SignatureType::Ed25519,
        "genpkey -algorithm ED25519 -out key.pem",
        "pkeyutl -sign -rawin -inkey key.pem -in signed -out signature",
    );
    holds(&signed, LegacySignatures::Refuse);
}

// spec-test: X-A10 X-A18 C-03
// attack-test: T-15
#[test]
fn rsa_1024_with_sha_1_needs_the_switch() {
    let generate = "genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out key.pem";
    let sign = "dgst -sha1 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20 -sign key.pem \
                -out signature signed";
    let signed = signed(SignatureType::RsaPss1024Sha1, generate, sign);
    let refused = verify(&signed, &signed.package, LegacySignatures::Refuse).unwrap_err();
    assert_eq!(refused, PackageError::SignatureRefused(0));
    holds(&signed, LegacySignatures::UnsafeAccept);
}

#[test]
fn a_signature_of_another_length_is_not_attached() {
    let found = |kind, len: usize| unsigned(kind).with_signature(&vec![0x30; len]).unwrap_err();
    for (kind, len) in [
        (SignatureType::Ed25519, 63),
        (SignatureType::RsaPss3072Sha256, 256),
        (SignatureType::EcdsaP256Sha256, 70),
    ] {
        assert!(matches!(found(kind, len), PackageError::SignatureLength { .. }), "{kind:?}");
    }
    let wrong = unsigned(SignatureType::RsaPss3072Sha256);
    let key = world::world(1).series.key;
    assert_eq!(wrong.sign(&key).unwrap_err(), PackageError::WrongKeyKind(0x80));
}
