//! The subject's side: a key pair that stays with it, and a request that goes to the issuer.

use std::path::Path;

use portcullis_vault::{Party, Zeroizing, ed25519_seed_to_pem, write_private};
use rcgen::{
    CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType, KeyPair,
    PKCS_ED25519,
};

use crate::AuthorityError;

/// Makes a key pair, seals it as `NAME.key.age` in the party's directory and returns the PKCS#10
/// request in PEM.
///
/// # Errors
/// [`AuthorityError`] when the file cannot be written or there is no randomness.
pub fn create_request(party: &Party, name: &str, subject: &str) -> Result<Vec<u8>, AuthorityError> {
    request_for(&create_key(party, name)?, subject)
}

/// The same for a device: its key stands unencrypted (0600) in its own flash, because nobody is
/// there to give a passphrase.
///
/// # Errors
/// As [`create_request`].
pub fn create_plain_request(key_file: &Path, subject: &str) -> Result<Vec<u8>, AuthorityError> {
    let pem = new_key_pem()?;
    write_private(key_file, &pem)?;
    request_for(&key_pair(&pem)?, subject)
}

fn request_for(key: &KeyPair, subject: &str) -> Result<Vec<u8>, AuthorityError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished_name(subject)?;
    Ok(params.serialize_request(key)?.pem()?.into_bytes())
}

/// Reads a request and checks that its sender holds the key. Only key and nothing else is taken
/// from it: subject, role and extensions are the issuer's to decide.
///
/// # Errors
/// [`AuthorityError::BadRequest`].
pub fn read_request(pem: &[u8]) -> Result<CertificateSigningRequestParams, AuthorityError> {
    let bad = |why: &str| AuthorityError::BadRequest(why.to_owned());
    let text = std::str::from_utf8(pem).map_err(|_| bad("not PEM"))?;
    let request = CertificateSigningRequestParams::from_pem(text)
        .map_err(|e| AuthorityError::BadRequest(e.to_string()))?;
    if *request.public_key.algorithm() != PKCS_ED25519 {
        return Err(bad("the key is not Ed25519"));
    }
    Ok(request)
}

/// A new key pair, sealed before it is used.
pub(crate) fn create_key(party: &Party, name: &str) -> Result<KeyPair, AuthorityError> {
    let pem = new_key_pem()?;
    party.seal_file(&format!("{name}.key.age"), &pem)?;
    key_pair(&pem)
}

fn new_key_pem() -> Result<Zeroizing<Vec<u8>>, AuthorityError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(|_| AuthorityError::Randomness)?;
    Ok(ed25519_seed_to_pem(&seed))
}

/// The key pair of a PEM text.
pub(crate) fn key_pair(pem: &[u8]) -> Result<KeyPair, AuthorityError> {
    let text =
        std::str::from_utf8(pem).map_err(|_| portcullis_vault::VaultError::NotASigningKey)?;
    Ok(KeyPair::from_pkcs8_pem_and_sign_algo(text, &PKCS_ED25519)?)
}

pub(crate) fn distinguished_name(subject: &str) -> Result<DistinguishedName, AuthorityError> {
    if subject.is_empty() || subject.chars().count() > 64 || subject.chars().any(char::is_control) {
        return Err(AuthorityError::Subject);
    }
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, subject);
    Ok(name)
}
