//! Verification of a container, in the order that lets nothing unverified be interpreted.

use std::borrow::Cow;

use portcullis_crypto::{Ed25519VerifyingKey, sha256};
use portcullis_trust::{Role, VerifiedIdentity, verify_chain};
use portcullis_types::{ScpClientId, SuperScpId, UnixSeconds, VendorSysId};

use super::layout::{MIN_HOST_API, ParsedContainer};
use super::{ContainerError, ImageKeys};
use crate::{PackageKey, ParsedPackage, VerifiedPackage};

/// Proof that a version is not below the floor it was compared with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewerThanFloor(());

/// A container that may be installed. Only [`ParsedContainer::verify`] makes one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VerifiedContainer {
    /// The client.
    pub package: VerifiedPackage,
    /// Its supplier.
    pub super_scp_id: SuperScpId,
    /// Its id.
    pub client_id: ScpClientId,
    /// Its version.
    pub version: u32,
    /// The vendor's Vendor_SysID, from the client chain: the only one the ladder will open for.
    pub vendor_sys_id: VendorSysId,
    /// Who built it.
    pub client_series: VerifiedIdentity,
    /// Who deploys it.
    pub platform_operation: VerifiedIdentity,
    /// Who signs the operator's global EMMs.
    pub emm_signer: VerifiedIdentity,
    /// That the version is not below the floor.
    pub newer_than_floor: NewerThanFloor,
}

impl ParsedContainer<'_> {
    /// Verifies under a trust anchor (DER): platform operation chain, countersignature, version
    /// floor, encryption, payload hash, client chain, package signature, policy. `floor` is the
    /// lowest version still accepted for this client (0 when none was installed); `keys` open an
    /// encrypted payload.
    ///
    /// # Errors
    /// [`ContainerError`] of the first check that fails.
    // spec: E-R14 X-25 X-42 E-F16
    // defends: T-15 T-16 T-18
    pub fn verify(
        &self,
        anchor: &[u8],
        floor: u32,
        now: UnixSeconds,
        keys: &(impl ImageKeys + ?Sized),
    ) -> Result<VerifiedContainer, ContainerError> {
        let platform_operation = self.check_countersignature(anchor, now)?;
        let emm_signer =
            chain("EMM signer", self.emm_signer_chain(), anchor, Role::EmmSigner, now)?;
        if platform_operation.issuers != emm_signer.issuers {
            return Err(ContainerError::MissingId {
                chain: "EMM signer",
                what: "issuer in common with the platform operation",
            });
        }
        let newer_than_floor = self.check_floor(floor)?;
        let payload = self.check_payload(keys)?;
        let client_series = self.check_client_chain(anchor, now)?;
        let vendor_sys_id = client_series
            .vendor_sys_id
            .ok_or(ContainerError::MissingId { chain: "client", what: "Vendor_SysID" })?;
        let package = ParsedPackage::parse(&payload, &self.limits.package)?
            .verify(&PackageKey::Ed25519(client_series.public_key))?;
        self.check_package(&package)?;
        package.check_lifetime(now)?;
        Ok(VerifiedContainer {
            super_scp_id: self.header.super_scp_id,
            client_id: self.header.client_id,
            version: self.header.version,
            package,
            vendor_sys_id,
            client_series,
            platform_operation,
            emm_signer,
            newer_than_floor,
        })
    }

    /// The platform operation's chain and its signature over everything before it.
    ///
    /// # Errors
    /// [`ContainerError`] of the check that fails.
    pub fn check_countersignature(
        &self,
        anchor: &[u8],
        now: UnixSeconds,
    ) -> Result<VerifiedIdentity, ContainerError> {
        let signers = self.platform_operation_chain();
        let signer = chain("platform operation", signers, anchor, Role::PlatformOperation, now)?;
        let _proof = Ed25519VerifyingKey::from_bytes(&signer.public_key)
            .map_err(|_| ContainerError::BadCountersignature)?
            .verify(self.signed, &self.signature)
            .map_err(|_| ContainerError::BadCountersignature)?;
        same("platform operation id", self.header.platform_operation_id, signer.entity_id)?;
        Ok(signer)
    }

    /// The version against the floor.
    ///
    /// # Errors
    /// [`ContainerError::Rollback`].
    pub const fn check_floor(&self, floor: u32) -> Result<NewerThanFloor, ContainerError> {
        let offered = self.header.version;
        if offered < floor {
            return Err(ContainerError::Rollback { floor, offered });
        }
        Ok(NewerThanFloor(()))
    }

    /// Host API, encryption and payload hash; gives the package in clear.
    ///
    /// # Errors
    /// [`ContainerError`] of the check that fails.
    pub fn check_payload(
        &self,
        keys: &(impl ImageKeys + ?Sized),
    ) -> Result<Cow<'_, [u8]>, ContainerError> {
        let needed = self.header.min_host_api;
        if needed > MIN_HOST_API {
            return Err(ContainerError::HostTooOld { needed, host: MIN_HOST_API });
        }
        let payload = self.payload(keys)?;
        if sha256(&[&payload]) != self.header.payload_sha256 {
            return Err(ContainerError::PayloadHash);
        }
        Ok(payload)
    }

    /// The client series, whose vendor must be the container's.
    ///
    /// # Errors
    /// [`ContainerError`] of the check that fails.
    pub fn check_client_chain(
        &self,
        anchor: &[u8],
        now: UnixSeconds,
    ) -> Result<VerifiedIdentity, ContainerError> {
        let series = chain("client", self.client_chain(), anchor, Role::ClientSeries, now)?;
        let vendor = series.issuers.first().and_then(|vendor| vendor.entity_id);
        same("Super SCP ID", self.header.super_scp_id.0, vendor)?;
        Ok(series)
    }

    /// Container and package name the same client.
    fn check_package(&self, package: &VerifiedPackage) -> Result<(), ContainerError> {
        let inner = package.header();
        let outer = &self.header;
        same("Super SCP ID", outer.super_scp_id.0, Some(inner.super_scp_id.0))?;
        same("SCP client ID", outer.client_id.0, Some(inner.client_id.0))?;
        same("client version", outer.version, Some(inner.version.into()))
    }
}

fn chain(
    name: &'static str,
    certificates: &[&[u8]],
    anchor: &[u8],
    role: Role,
    now: UnixSeconds,
) -> Result<VerifiedIdentity, ContainerError> {
    verify_chain(certificates, anchor, role, now)
        .map_err(|source| ContainerError::Chain { chain: name, source })
}

fn same(what: &'static str, here: u32, there: Option<u32>) -> Result<(), ContainerError> {
    match there {
        Some(there) if there == here => Ok(()),
        Some(there) => {
            Err(ContainerError::MixAndMatch { what, here: here.into(), there: there.into() })
        }
        None => Err(ContainerError::MissingId { chain: "signer's", what }),
    }
}
