//! An issuer: its key, its certificate, its serial numbers and the copies of what it issued.

use std::fs::File;
use std::path::{Path, PathBuf};

use portcullis_trust::{CertificateInfo, Role, certificates_from_pem};
use portcullis_types::UnixSeconds;
use portcullis_vault::{Party, write_public};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, IsCa, KeyPair,
    KeyUsagePurpose, SerialNumber,
};

use crate::issue::{Subject, certificate_params, set_validity, validity_days};
use crate::request::{create_key, distinguished_name, key_pair};
use crate::{AuthorityError, read_request};

/// Name of the root's files.
const ROOT: &str = "root";
/// Certificates between the root and an end entity.
const ROOT_PATH_LENGTH: u8 = 1;

/// Somebody who issues certificates: the root, or an intermediate for its own roles.
pub struct Issuer {
    dir: PathBuf,
    name: String,
    key: KeyPair,
    certificate_pem: String,
    info: CertificateInfo,
}

impl Issuer {
    /// The root ceremony: makes key and self-signed certificate in the party's directory.
    ///
    /// # Errors
    /// [`AuthorityError`] when files cannot be written or a root is there already.
    pub fn create_root(
        party: &Party,
        subject: &str,
        now: UnixSeconds,
    ) -> Result<Self, AuthorityError> {
        let path = party.dir().join("root.pem");
        if path.exists() {
            return Err(portcullis_vault::VaultError::Exists(path).into());
        }
        let key = create_key(party, ROOT)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished_name(subject)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(ROOT_PATH_LENGTH));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.serial_number = Some(next_serial(party.dir())?);
        set_validity(&mut params, now, validity_days(None), None)?;
        let certificate = params.self_signed(&key)?;
        write_public(&path, certificate.pem().as_bytes())?;
        Self::open(party, ROOT)
    }

    /// Opens an issuer: `NAME.key.age` and `NAME.pem` in the party's directory.
    ///
    /// # Errors
    /// [`AuthorityError`] when a file is missing, or key and certificate do not fit.
    pub fn open(party: &Party, name: &str) -> Result<Self, AuthorityError> {
        let key = key_pair(&party.open_file(&format!("{name}.key.age"))?)?;
        let path = party.dir().join(format!("{name}.pem"));
        let bytes = std::fs::read(&path).map_err(|e| AuthorityError::io(&path, e))?;
        let certificate = |source| AuthorityError::IssuerCertificate { path: path.clone(), source };
        let chain = certificates_from_pem(&bytes).map_err(certificate)?;
        let der = chain.first().map(Vec::as_slice).unwrap_or_default();
        let info = CertificateInfo::parse(der)
            .map_err(|what| certificate(portcullis_trust::TrustError::BadAnchor(what)))?;
        if info.public_key != key.public_key_raw() {
            return Err(AuthorityError::KeyMismatch(path));
        }
        let certificate_pem =
            String::from_utf8(bytes).map_err(|_| AuthorityError::KeyMismatch(path.clone()))?;
        let (dir, name) = (party.dir().to_owned(), name.to_owned());
        Ok(Self { dir, name, key, certificate_pem, info })
    }

    /// The issuer's certificate.
    #[must_use]
    pub const fn info(&self) -> &CertificateInfo {
        &self.info
    }

    /// Issues a certificate for the key of a request. The answer is PEM: the certificate and,
    /// when the issuer is an intermediate, the issuer's after it (a chain without the root).
    ///
    /// # Errors
    /// [`AuthorityError`] when the issuer may not issue the role, ids are missing, or the request
    /// is bad.
    pub fn issue(
        &self,
        request_pem: &[u8],
        subject: &Subject,
        now: UnixSeconds,
    ) -> Result<Vec<u8>, AuthorityError> {
        self.check_role(subject.role)?;
        let request = read_request(request_pem)?;
        let mut params = certificate_params(subject, &self.info)?;
        let days = subject.days.unwrap_or_else(|| validity_days(Some(subject.role)));
        set_validity(&mut params, now, days, Some(self.info.not_after))?;
        params.serial_number = Some(next_serial(&self.dir)?);
        let serial = params.serial_number.as_ref().map(SerialNumber::to_bytes).unwrap_or_default();
        let signable = CertificateSigningRequestParams { params, public_key: request.public_key };
        let issuer = rcgen::Issuer::from_ca_cert_pem(&self.certificate_pem, &self.key)?;
        let mut pem = signable.signed_by(&issuer)?.pem();
        self.keep(&serial, pem.as_bytes())?;
        if self.name != ROOT {
            pem.push_str(&self.certificate_pem);
        }
        Ok(pem.into_bytes())
    }

    /// Root: vendors, operators, devices. Vendor: client series. Operator: its own roles.
    fn check_role(&self, role: Role) -> Result<(), AuthorityError> {
        if role.issuer() == self.info.entity_role && self.info.is_issuer {
            return Ok(());
        }
        let name = |role: Option<Role>| role.map_or("the root", Role::name);
        let (wanted, found) = (name(role.issuer()), name(self.info.entity_role));
        Err(AuthorityError::NotYours { role, wanted, found })
    }

    /// A copy of everything issued, by serial number.
    fn keep(&self, serial: &[u8], pem: &[u8]) -> Result<(), AuthorityError> {
        let name: String = serial.iter().map(|octet| format!("{octet:02x}")).collect();
        Ok(write_public(&self.dir.join("issued").join(format!("{name}.pem")), pem)?)
    }
}

/// The next serial number: a counter that is on disk before it is used, then random octets.
fn next_serial(dir: &Path) -> Result<SerialNumber, AuthorityError> {
    let path = dir.join("serial");
    let lock_path = dir.join("serial.lock");
    // Held until the end of this function: two issuing programs never draw the same number.
    let lock = File::create(&lock_path).map_err(|e| AuthorityError::io(&lock_path, e))?;
    lock.lock().map_err(|e| AuthorityError::io(&lock_path, e))?;
    let last: u32 = match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().parse().map_err(|_| AuthorityError::Serial(path.clone()))?,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => 0,
        Err(e) => return Err(AuthorityError::io(&path, e)),
    };
    let next = last.checked_add(1).ok_or_else(|| AuthorityError::Serial(path.clone()))?;
    write_public(&path, format!("{next}\n").as_bytes())?;
    let mut octets = [0; 12];
    getrandom::fill(&mut octets).map_err(|_| AuthorityError::Randomness)?;
    let (counter, _) = octets.split_at_mut(4);
    // The first bit stays clear: serial numbers are positive.
    counter.copy_from_slice(&(next | 0x4000_0000).to_be_bytes());
    Ok(SerialNumber::from_slice(&octets))
}
