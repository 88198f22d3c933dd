//! The SCP manager: finds, downloads, verifies, installs and loads the client of a CA system.
//!
//! Clauses: X.1198 7 (SCP manager), 7.3, 7.4; J.1020 10.7, 10.13, 10.14; J.1010 6.1. The order is
//! that of types: octets -> verified container -> installed in a slot -> loaded -> running. An
//! installed image is verified again at every launch (J.1032 6.2.3.1), against the trust anchor
//! of the platform image and the floor in the chip.
//!
//! What must never happen: an octet of a container run before every check passed; a slot touched
//! before the image for it was verified; an older version than one that ran before.

mod known;
mod launch;

use std::path::Path;

use portcullis_chipset::ChipHandle;
use portcullis_crypto::sha256;
use portcullis_download::client::Outcome;
use portcullis_download::wire::HeldClient;
use portcullis_package::{ContainerLimits, ParsedContainer, VerifiedContainer};
use portcullis_store::{ClientName, RealDisk, Slot, SlotLimits, Slots, VersionFloors};
use portcullis_svm::{Client, Limits as SvmLimits, StopKind};
use portcullis_types::{CaSystemId, UnixSeconds};
use serde_json::json;

use self::known::KnownClient;
pub(crate) use self::launch::Launched;
use crate::centre_link::CentreLink;
use crate::chip::{ChipSealer, SecurityChip};
use crate::embedded_scp::channels::Broker;
use crate::embedded_scp::image_keys::ImageKeyring;
use crate::embedded_scp::provider::Provider;
use crate::embedded_scp::violations::{self, LOG_NAME, ViolationRecord};
use crate::error::ClientError;
use crate::report::Reporter;
use crate::stop::StopRequest;

/// What the SCP manager works with.
pub(crate) struct ScpManager<'a> {
    pub(crate) flash: &'a Path,
    pub(crate) anchor: &'a [u8],
    pub(crate) now: UnixSeconds,
    pub(crate) centre: Option<&'a CentreLink>,
    pub(crate) reporter: &'a Reporter,
    pub(crate) provider: &'a dyn Provider,
    pub(crate) channels: Broker,
    /// Where traces of clients go, if anywhere.
    pub(crate) record: Option<&'a Path>,
    pub(crate) stop: &'a StopRequest,
}

/// A client in a slot that was verified in this boot.
pub(crate) struct InstalledClient {
    pub(crate) known: KnownClient,
    pub(crate) container: VerifiedContainer,
    slot: Slot,
    slots: Slots<RealDisk>,
}

impl ScpManager<'_> {
    /// The client for a CA system: the newest the centre has, else the one installed.
    ///
    /// # Errors
    /// [`ClientError`] when there is none that may run.
    // spec: X-09 X-13 X-14 X-16 X-42 X-52 X-55 D-07 M-B07 M-B14
    pub(crate) fn obtain(
        &self,
        chip: &mut ChipHandle,
        ca_system_id: CaSystemId,
    ) -> Result<InstalledClient, ClientError> {
        let installed = self.installed(chip, ca_system_id);
        let Some(centre) = self.centre else { return installed };
        let held = installed.as_ref().ok().map(|installed| HeldClient {
            super_scp_id: installed.known.super_scp_id,
            client_id: installed.known.client_id,
            version: installed.container.version,
        });
        let fresh = self.download(centre, chip, ca_system_id, held);
        match (fresh, installed) {
            (Ok(Some(fresh)), _) => Ok(fresh),
            (Ok(None), installed) => installed,
            (Err(error), Ok(installed)) => {
                // The one here is good; a centre that is down or wrong does not stop it.
                tracing::info!("client of CA system {ca_system_id}: {error}");
                Ok(installed)
            }
            (Err(error), Err(_)) => Err(error),
        }
    }

    /// The best installed client for a CA system.
    fn installed(
        &self,
        chip: &mut ChipHandle,
        ca_system_id: CaSystemId,
    ) -> Result<InstalledClient, ClientError> {
        let known = self.known().into_iter().find(|known| known.ca_system_id == ca_system_id);
        let known = known.ok_or(ClientError::NoCentre)?;
        let slots = Slots::open(RealDisk, &self.slots_dir(), known.name(), SlotLimits::default())?;
        self.best_slot(chip, known, slots)
    }

    /// Verifies the slots in their order and takes the first that may run.
    // spec: D-X5
    // defends: T-26
    fn best_slot(
        &self,
        chip: &mut ChipHandle,
        known: KnownClient,
        mut slots: Slots<RealDisk>,
    ) -> Result<InstalledClient, ClientError> {
        let mut failure = ClientError::NoCentre;
        let keys = ImageKeyring::open(self.flash, chip);
        for slot in slots.candidates() {
            let Some(image) = slots.read(slot)? else { continue };
            match self.verify(chip, &image, known.name(), &keys) {
                Ok(container) => {
                    self.report(&known, "verified", &container, &image);
                    return Ok(InstalledClient { known, container, slot, slots });
                }
                Err(error) => {
                    tracing::info!("slot {slot} of {}: {error}", known.vendor);
                    slots.mark_bad(slot)?;
                    failure = error;
                }
            }
        }
        Err(failure)
    }

    /// Downloads, verifies and installs; `None` when the client held is the current one.
    fn download(
        &self,
        centre: &CentreLink,
        chip: &mut ChipHandle,
        ca_system_id: CaSystemId,
        held: Option<HeldClient>,
    ) -> Result<Option<InstalledClient>, ClientError> {
        let mut last_percent = None;
        let outcome = centre.download(ca_system_id, held, &mut |progress| {
            let Some(cdcs) = progress.cdcs else { return };
            let percent = progress.received * 100 / cdcs.size.max(1);
            if last_percent != Some(percent) {
                last_percent = Some(percent);
                self.reporter.emit(json!({
                    "event": "client", "state": "downloading", "vendor": cdcs.vendor,
                    "version": cdcs.version, "bytes": progress.received, "percent": percent,
                }));
            }
        })?;
        let image = match outcome {
            Outcome::Image(image) => image,
            Outcome::UpToDate => return Ok(None),
            Outcome::Failed(error) => return Err(error.into()),
        };
        let cdcs = image.cdcs();
        let known = KnownClient {
            ca_system_id,
            vendor: cdcs.vendor.clone(),
            super_scp_id: cdcs.super_scp_id,
            client_id: cdcs.client_id,
        };
        if known.vendor.len() > 64 || known.vendor.chars().any(char::is_control) {
            return Err(ClientError::WrongTarget);
        }
        let mut keys = ImageKeyring::open(self.flash, chip);
        if let Some(grant) = image.image_key() {
            keys.grant(grant);
        }
        let container = match self.verify(chip, image.bytes(), known.name(), &keys) {
            Ok(container) if container.version == cdcs.version => container,
            other => {
                let error = other.err().unwrap_or(ClientError::WrongTarget);
                self.reporter.emit(json!({
                    "event": "client", "state": "refused", "vendor": known.vendor,
                    "version": cdcs.version, "verdict": error.to_string(),
                    "reason": error.to_string(),
                }));
                return Err(error);
            }
        };
        self.report(&known, "verified", &container, image.bytes());
        if image.image_key().is_some() {
            keys.keep(chip)?;
        }
        let mut slots =
            Slots::open(RealDisk, &self.slots_dir(), known.name(), SlotLimits::default())?;
        let slot = slots.install(image.bytes())?;
        self.remember(&known)?;
        self.report(&known, "installed", &container, image.bytes());
        Ok(Some(InstalledClient { known, container, slot, slots }))
    }

    /// Every check there is, the code scan included, on the octets that will run.
    // spec: X-C01 X-C02 X-25
    // defends: T-15 T-16 T-18 T-20
    fn verify<C: SecurityChip>(
        &self,
        chip: &mut C,
        image: &[u8],
        expected: ClientName,
        keys: &ImageKeyring,
    ) -> Result<VerifiedContainer, ClientError> {
        let floor = VersionFloors::floor(&mut ChipSealer(chip), expected)?;
        let parsed = ParsedContainer::parse(image, &ContainerLimits::default())?;
        let container = parsed.verify(self.anchor, floor, self.now, keys)?;
        let named =
            ClientName { super_scp_id: container.super_scp_id, client_id: container.client_id };
        if named != expected || named == LOG_NAME {
            return Err(ClientError::WrongTarget);
        }
        if let Err(error) = load(&container) {
            self.refused_load(chip, expected, &error);
            return Err(error);
        }
        Ok(container)
    }

    /// Keeps for the operator that a client was not let in.
    // spec: X-65 X-26
    fn refused_load<C: SecurityChip>(&self, chip: &mut C, name: ClientName, error: &ClientError) {
        let of_client = matches!(error, ClientError::Scan(_) | ClientError::Provider(_));
        if !of_client {
            return;
        }
        let what = error.to_string();
        let record = ViolationRecord::new(self.now, name, StopKind::LoadRefused, &what);
        self.reporter.emit(record.to_event());
        if let Err(error) = violations::keep(RealDisk, self.flash, &mut ChipSealer(chip), record) {
            tracing::warn!("a refused client could not be recorded: {error}");
        }
    }

    fn report(
        &self,
        known: &KnownClient,
        state: &str,
        container: &VerifiedContainer,
        image: &[u8],
    ) {
        self.reporter.emit(json!({
            "event": "client",
            "state": state,
            "vendor": known.vendor,
            "version": container.version,
            "signer": hex::encode(container.client_series.fingerprint),
            "deployed_by": hex::encode(container.platform_operation.fingerprint),
            "sha256": hex::encode(sha256(&[image])),
            "bytes": image.len(),
            "verdict": "good",
        }));
    }
}

/// Scans and loads the code of a verified container under its policy.
fn load(container: &VerifiedContainer) -> Result<Client, ClientError> {
    let policy = container.package.policy();
    // A terminal that was built with the compiling tier opens it to clients whose policy asks.
    let maximum =
        SvmLimits { compile: cfg!(feature = "compiled"), ..SvmLimits::terminal_maximum() };
    let limits = policy.limits.capped_by(&maximum);
    #[allow(unused_mut, reason = "only the compiling tier changes it")]
    let mut client = Client::load(container.package.image(), policy.permit_table(), limits)?;
    #[cfg(feature = "compiled")]
    if let Some(tier) = portcullis_svm_compiler::tier() {
        // Refused: the interpreter runs it.
        client.set_compiler(tier);
    }
    Ok(client)
}
