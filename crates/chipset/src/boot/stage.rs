//! A boot stage: from an image nobody vouches for to one that may run.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::Command;

use portcullis_crypto::{Ed25519VerifyingKey, Sha256, ct_eq, sha256};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

use super::BootError;
use super::certificate::{BlKey1, CERTIFICATE_LEN, Certificate, CertifiedRole, PlatformKey};
use super::image::{HEADER_LEN, ImageHeader, ImageKind};
use crate::wire::{BootFloors, BootLink};

/// An image as it came from flash.
pub struct Unverified {
    source: Box<dyn Read>,
    header: ImageHeader,
    /// Header, certificate and trust anchor, as the signature covers them.
    signed: Vec<u8>,
    signature: [u8; 64],
}

/// An image every link of which holds; the payload is in a memfd that nobody can change.
pub struct Verified {
    payload: OwnedFd,
    trust_anchor: Vec<u8>,
    signer: Ed25519VerifyingKey,
    floors: BootFloors,
}

/// A link of the boot chain in one of its two states; only [`Verified`] can be executed.
///
/// ```compile_fail,E0599
/// use portcullis_chipset::boot::{BootStage, ImageKind};
/// let stage = BootStage::read(std::io::empty(), ImageKind::Platform)?;
/// stage.command();
/// # Ok::<(), portcullis_chipset::boot::BootError>(())
/// ```
// spec: D-X3 D-X4
// defends: T-37
pub struct BootStage<State> {
    kind: ImageKind,
    state: State,
}

impl BootStage<Unverified> {
    /// Reads an image up to its payload.
    ///
    /// # Errors
    /// [`BootError`] when it is no image of this kind.
    pub fn read(source: impl Read + 'static, kind: ImageKind) -> Result<Self, BootError> {
        let mut source: Box<dyn Read> = Box::new(source);
        let mut fixed = [0; HEADER_LEN];
        read_exact(&mut source, &mut fixed, 0)?;
        let header = ImageHeader::parse(&fixed, kind)?;
        let mut signed = fixed.to_vec();
        signed.resize(header.signed_len(), 0);
        if let Some(rest) = signed.get_mut(HEADER_LEN..) {
            read_exact(&mut source, rest, HEADER_LEN)?;
        }
        let mut signature = [0; 64];
        read_exact(&mut source, &mut signature, signed.len())?;
        Ok(Self { kind, state: Unverified { source, header, signed, signature } })
    }

    /// Verifies certificate, floors, signature and payload, and adds the links to the report.
    ///
    /// # Errors
    /// [`BootError`] of the first link that fails; the report names it too.
    pub fn verify(
        self,
        issuer: &Ed25519VerifyingKey,
        floors: BootFloors,
        report: &mut Vec<BootLink>,
    ) -> Result<BootStage<Verified>, BootError> {
        match self.kind {
            ImageKind::Bootloader => self.verify_as::<BlKey1>(issuer, floors, report),
            ImageKind::Platform => self.verify_as::<PlatformKey>(issuer, floors, report),
        }
    }

    fn verify_as<Role: CertifiedRole>(
        self,
        issuer: &Ed25519VerifyingKey,
        floors: BootFloors,
        report: &mut Vec<BootLink>,
    ) -> Result<BootStage<Verified>, BootError> {
        let Unverified { source, header, signed, signature } = self.state;
        let (before_anchor, trust_anchor) =
            signed
                .split_at_checked(HEADER_LEN + CERTIFICATE_LEN)
                .ok_or(BootError::Malformed { what: "image header", offset: HEADER_LEN })?;
        let certificate = before_anchor.get(HEADER_LEN..).unwrap_or_default();

        let mut link = link(Role::LINK, issuer, &sha256(&[certificate]), 0);
        let signer = Certificate::<Role>::from_bytes(certificate).and_then(|certificate| {
            link.version = certificate.version();
            certificate.verify(issuer, floors.certificate)
        });
        let certificate_version = link.version;
        let signer = note(report, link, signer)?;

        let link =
            self::link(self.kind.link(), &signer, &header.payload_sha256, header.version.version);
        let payload = check_signature(self.kind, &signer, &signed, &signature)
            .and_then(|()| check_floor(header.version.version, floors.image))
            .and_then(|()| copy_payload(source, &header, signed.len() + signature.len()));
        let payload = note(report, link, payload)?;
        Ok(BootStage {
            kind: self.kind,
            state: Verified {
                payload,
                trust_anchor: trust_anchor.to_vec(),
                signer,
                floors: BootFloors {
                    certificate: certificate_version,
                    image: header.version.floor.max(floors.image),
                },
            },
        })
    }
}

impl BootStage<Verified> {
    /// Verifies an image file; a file that cannot even be read becomes a bad link too.
    ///
    /// # Errors
    /// [`BootError`].
    pub fn load(
        path: &Path,
        kind: ImageKind,
        issuer: &Ed25519VerifyingKey,
        floors: BootFloors,
        report: &mut Vec<BootLink>,
    ) -> Result<Self, BootError> {
        let read = File::open(path)
            .map_err(BootError::Io)
            .and_then(|file| BootStage::<Unverified>::read(file, kind));
        match read {
            Ok(stage) => stage.verify(issuer, floors, report),
            Err(error) => {
                let mut link = link(kind.link(), issuer, &[], 0);
                link.verdict = error.to_string();
                report.push(link);
                Err(error)
            }
        }
    }

    /// A command that executes the very octets that were verified. The stage must live until it
    /// has been spawned.
    #[must_use]
    pub fn command(&self) -> Command {
        Command::new(format!("/proc/self/fd/{}", self.state.payload.as_raw_fd()))
    }

    /// The trust anchor in the image (DER; empty in a bootloader).
    #[must_use]
    pub fn trust_anchor(&self) -> &[u8] {
        &self.state.trust_anchor
    }

    /// The key that signed the image, certified by the link before.
    #[must_use]
    pub const fn signer(&self) -> &Ed25519VerifyingKey {
        &self.state.signer
    }

    /// The floors that hold once this image runs.
    #[must_use]
    pub const fn floors(&self) -> BootFloors {
        self.state.floors
    }
}

fn check_signature(
    kind: ImageKind,
    signer: &Ed25519VerifyingKey,
    signed: &[u8],
    signature: &[u8; 64],
) -> Result<(), BootError> {
    let _proof = signer
        .verify(&[kind.tag(), signed].concat(), signature)
        .map_err(|_| BootError::BadSignature(kind.link()))?;
    Ok(())
}

const fn check_floor(offered: u32, floor: u32) -> Result<(), BootError> {
    if offered < floor { Err(BootError::Rollback { floor, offered }) } else { Ok(()) }
}

/// Copies the payload into a memfd, seals it, and compares the hash of what was written.
fn copy_payload(
    mut source: Box<dyn Read>,
    header: &ImageHeader,
    offset: usize,
) -> Result<OwnedFd, BootError> {
    let mut memfd = File::from(executable_memfd(header.kind.link())?);
    let mut hash = Sha256::new();
    let mut buffer = vec![0; COPY_CHUNK];
    let mut left = header.payload_len;
    while left > 0 {
        let want = usize::try_from(left).unwrap_or(COPY_CHUNK).min(COPY_CHUNK);
        let chunk = buffer.get_mut(..want).unwrap_or_default();
        let at = offset as u64 + (header.payload_len - left);
        read_exact(&mut source, chunk, usize::try_from(at).unwrap_or(usize::MAX))?;
        hash.update(chunk);
        memfd.write_all(chunk)?;
        left -= want as u64;
    }
    if source.read(&mut [0])? != 0 {
        return Err(BootError::Malformed {
            what: "data after the payload",
            offset: usize::try_from(offset as u64 + header.payload_len).unwrap_or(usize::MAX),
        });
    }
    let seals = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    fcntl_add_seals(&memfd, seals).map_err(std::io::Error::from)?;
    if !ct_eq(&hash.finish(), &header.payload_sha256) {
        return Err(BootError::PayloadHash);
    }
    // A descriptor open for writing makes the system refuse to execute the file (ETXTBSY).
    let path = format!("/proc/self/fd/{}", memfd.as_raw_fd());
    Ok(File::open(path)?.into())
}

fn executable_memfd(name: &str) -> Result<OwnedFd, BootError> {
    let name = format!("portcullis-{name}");
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Kernels from 6.3 on want to be told that it will be executed, older ones know no such flag.
    let fd = memfd_create(&name, flags | MemfdFlags::EXEC)
        .or_else(|_| memfd_create(&name, flags))
        .map_err(std::io::Error::from)?;
    Ok(fd)
}

fn read_exact(source: &mut dyn Read, out: &mut [u8], offset: usize) -> Result<(), BootError> {
    source.read_exact(out).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => BootError::Truncated { offset },
        _ => BootError::Io(error),
    })
}

fn note<T>(
    report: &mut Vec<BootLink>,
    mut link: BootLink,
    outcome: Result<T, BootError>,
) -> Result<T, BootError> {
    link.verdict = match &outcome {
        Ok(_) => BootLink::GOOD.to_owned(),
        Err(error) => error.to_string(),
    };
    report.push(link);
    outcome
}

fn link(name: &str, signer: &Ed25519VerifyingKey, digest: &[u8], version: u32) -> BootLink {
    BootLink {
        name: name.to_owned(),
        signer: super::fingerprint(signer),
        sha256: super::hex(digest),
        version,
        verdict: String::new(),
    }
}

const COPY_CHUNK: usize = 256 * 1024;
