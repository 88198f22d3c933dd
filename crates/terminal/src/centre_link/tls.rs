//! TLS 1.3 towards the centre: its role is checked against the trust anchor, the device's own
//! certificate is shown.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use portcullis_chipset::{ChipHandleError, DEVICE_KEY_LABEL};
use portcullis_crypto::Zeroizing;
use portcullis_trust::{Role, certificates_from_pem, verify_chain};
use portcullis_types::UnixSeconds;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use crate::chip::SecurityChip;
use crate::error::TerminalError;

/// The client side of every connection to the centre. The private key of the device certificate
/// lies in the flash sealed by the chip; it exists in clear only in this process.
pub(super) fn config(
    anchor: &[u8],
    flash: &Path,
    chip: &mut dyn SecurityChip,
) -> Result<Arc<ClientConfig>, TerminalError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(CentreVerifier {
        anchor: anchor.to_vec(),
        algorithms: provider.signature_verification_algorithms,
    });
    let path = flash.join("device.pem");
    let flawed = |what: &str| TerminalError::Flash {
        path: path.clone(),
        source: std::io::Error::other(what.to_owned()),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| flawed(&error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match identity(flash, chip)? {
        Some((chain, key)) => {
            builder.with_client_auth_cert(chain, key).map_err(|error| flawed(&error.to_string()))?
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The device's certificate and key, if it has them.
// defends: T-02
fn identity(flash: &Path, chip: &mut dyn SecurityChip) -> Result<Option<Identity>, TerminalError> {
    let (certificate, key) = (flash.join("device.pem"), flash.join("device.key.sealed"));
    if !certificate.exists() {
        return Ok(None);
    }
    let read = |path: &Path| {
        fs::read(path).map_err(|source| TerminalError::Flash { path: path.to_owned(), source })
    };
    let flawed = |path: &Path, what: String| TerminalError::Flash {
        path: path.to_owned(),
        source: std::io::Error::other(what),
    };
    let chain = certificates_from_pem(&read(&certificate)?)
        .map_err(|error| flawed(&certificate, error.to_string()))?;
    let octets = chip.unseal(DEVICE_KEY_LABEL, &read(&key)?).map_err(|error| match error {
        ChipHandleError::ChipGone => TerminalError::ChipGone,
        error => flawed(&key, error.to_string()),
    })?;
    let octets = Zeroizing::new(octets);
    let private = PrivateKeyDer::from_pem_slice(&octets)
        .map_err(|_| flawed(&key, "not a private key".into()))?;
    Ok(Some((chain.into_iter().map(CertificateDer::from).collect(), private)))
}

struct CentreVerifier {
    anchor: Vec<u8>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl fmt::Debug for CentreVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CentreVerifier")
    }
}

impl ServerCertVerifier for CentreVerifier {
    // spec: M-B03 M-B10 X-P01
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain: Vec<&[u8]> =
            [end_entity].into_iter().chain(intermediates).map(AsRef::as_ref).collect();
        match verify_chain(&chain, &self.anchor, Role::Centre, UnixSeconds(now.as_secs())) {
            Ok(_) => Ok(ServerCertVerified::assertion()),
            Err(error) => {
                tracing::info!("centre: {error}");
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 only".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}
