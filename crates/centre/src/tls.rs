//! TLS 1.3 with the centre's certificate, and device certificates checked against the authority's
//! root by role.

use std::fmt;
use std::fs;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_crypto::hkdf_sha256;
use portcullis_headend::layout::DataDir;
use portcullis_trust::{Role, VerifiedIdentity, certificates_from_pem, verify_chain};
use portcullis_types::{ChipId, UnixSeconds};
use portcullis_vault::{Party, Passphrase};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};

use crate::error::CentreError;

/// What the centre has of keys: the TLS configuration, the anchor for devices, the ticket key.
pub(crate) struct Credentials {
    pub(crate) config: Arc<rustls::ServerConfig>,
    pub(crate) anchor: Arc<Vec<u8>>,
    pub(crate) ticket_key: [u8; 32],
    pub(crate) operator: Party,
}

pub(crate) fn credentials(
    data: &DataDir,
    passphrase: Option<&Passphrase>,
) -> Result<Credentials, CentreError> {
    let operator = Party::open(&data.operator(), passphrase)?;
    let key = operator.open_file("centre.key.age")?;
    let mut ticket_key = [0; 32];
    // The roles of one centre share this key because they share the TLS key; see `ticket`.
    hkdf_sha256(&key, b"", b"portcullis CDCS_MSS ticket key v1", &mut ticket_key)
        .map_err(|_| CentreError::Key)?;
    let key = PrivateKeyDer::from_pem_slice(&key)
        .or_else(|_| PrivateKeyDer::try_from(key.to_vec()))
        .map_err(|_| CentreError::Key)?;
    let chain = read_certificates(&data.operator().join("centre.pem"))?;
    let anchor = read_certificates(&data.authority().join("root.pem"))?;
    let anchor = Arc::new(anchor.into_iter().next().unwrap_or_default());
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(DeviceVerifier::new(Arc::clone(&anchor), &provider));
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain.into_iter().map(CertificateDer::from).collect(), key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Credentials { config: Arc::new(config), anchor, ticket_key, operator })
}

fn read_certificates(path: &std::path::Path) -> Result<Vec<Vec<u8>>, CentreError> {
    let text =
        fs::read(path).map_err(|source| CentreError::Read { path: path.to_path_buf(), source })?;
    certificates_from_pem(&text)
        .map_err(|source| CentreError::Certificate { path: path.to_path_buf(), source })
}

/// Who is at the other end, when it showed a device certificate.
pub(crate) fn device(chain: &[CertificateDer<'_>], anchor: &[u8]) -> Option<ChipId> {
    let chain: Vec<&[u8]> = chain.iter().map(AsRef::as_ref).collect();
    let identity = verify_chain(&chain, anchor, Role::Device, now()).ok()?;
    chip_of(&identity)
}

/// The chip a device certificate is for: sixteen hexadecimal digits behind the last "chip " of its
/// subject. A box name stands before it and cannot hold a space.
fn chip_of(identity: &VerifiedIdentity) -> Option<ChipId> {
    let (_, digits) = identity.subject.rsplit_once("chip ")?;
    let octets = portcullis_types::parse_hex_array(digits.get(..16)?).ok()?;
    let rest = digits.get(16..)?;
    // Other attributes may follow; other digits may not.
    let ends = rest.is_empty() || rest.starts_with([',', '+', ' ']);
    ends.then(|| ChipId(u64::from_be_bytes(octets)))
}

pub(crate) fn now() -> UnixSeconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    UnixSeconds(since.map_or(0, |since| since.as_secs()))
}

/// Asks for a device certificate and accepts none; the routes decide who may do without.
struct DeviceVerifier {
    anchor: Arc<Vec<u8>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl DeviceVerifier {
    fn new(anchor: Arc<Vec<u8>>, provider: &CryptoProvider) -> Self {
        Self { anchor, algorithms: provider.signature_verification_algorithms }
    }
}

impl fmt::Debug for DeviceVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceVerifier")
    }
}

impl ClientCertVerifier for DeviceVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    // spec: M-B02 M-B03
    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let chain: Vec<&[u8]> =
            [end_entity].into_iter().chain(intermediates).map(AsRef::as_ref).collect();
        verify_chain(&chain, &self.anchor, Role::Device, UnixSeconds(now.as_secs()))
            .map(|_| ClientCertVerified::assertion())
            .map_err(|_| CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 only".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}
