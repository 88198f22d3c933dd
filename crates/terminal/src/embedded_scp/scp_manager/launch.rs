//! Starting an installed client: its slot on trial, its storage, its place on the chip, then the
//! first events.
//!
//! Clauses: X.1198 7.3, 7.7; J.1020 10.14. What must never happen: a slot called good before its
//! client has run; the chip lost when a start fails.

use std::path::Path;

use portcullis_chipset::ChipHandle;
use portcullis_package::VerifiedContainer;
use portcullis_store::{RealDisk, SealedStore, StoreError, StoreLimits, VersionFloors};
use portcullis_svm::Client;
use portcullis_types::{ScramblingMode, ServiceId};
use serde_json::json;

use super::{InstalledClient, KnownClient, ScpManager, load};
use crate::chip::ChipSealer;
use crate::embedded_scp::event_manager::{RunningClient, Terms};
use crate::embedded_scp::provider::{self, LoadedClient};
use crate::embedded_scp::recording::Recording;
use crate::error::ClientError;
use crate::host::Host;
use crate::host::network::{Network, NetworkLimits};
use crate::host::user::PlainMedia;

/// A start that failed, and the chip.
type Failed = Box<(ClientError, ChipHandle)>;

/// A client that runs on the chip of this terminal.
pub(crate) type Launched = RunningClient<ChipHandle, RealDisk>;

impl ScpManager<'_> {
    /// Starts an installed client for a service. When it does not come up its slot is bad and
    /// the other one gets its chance.
    // spec: X-46 D-X11
    pub(crate) fn launch(
        &self,
        mut chip: ChipHandle,
        mut installed: InstalledClient,
        mode: ScramblingMode,
        service: ServiceId,
    ) -> Result<(Launched, InstalledClient), Failed> {
        // Two slots: at most two turns.
        loop {
            let name = installed.known.name();
            let attempt = self.try_launch(chip, &mut installed, mode, service);
            let (error, back) = match attempt {
                Ok(launched) => return Ok((launched, installed)),
                Err(failed) => *failed,
            };
            chip = back;
            // A client that was ended because the terminal ends is none the worse for it.
            if error.is_chip_gone() || self.stop.is_requested() {
                return Err(Box::new((error, chip)));
            }
            self.reporter.emit(json!({
                "event": "client", "state": "stopped", "vendor": installed.known.vendor,
                "version": installed.container.version, "reason": error.to_string(),
            }));
            if !matches!(error, ClientError::Stopped(_) | ClientError::Scan(_)) {
                return Err(Box::new((error, chip)));
            }
            let InstalledClient { known, slot, mut slots, .. } = installed;
            let next = slots
                .mark_bad(slot)
                .map_err(ClientError::from)
                .and_then(|()| self.best_slot(&mut chip, known, slots));
            installed = match next {
                Ok(next) if next.known.name() == name => next,
                _ => return Err(Box::new((error, chip))),
            };
        }
    }

    fn try_launch(
        &self,
        mut chip: ChipHandle,
        installed: &mut InstalledClient,
        mode: ScramblingMode,
        service: ServiceId,
    ) -> Result<Launched, Failed> {
        let InstalledClient { known, container, slot, slots } = installed;
        let prepared = slots.begin_try(*slot).map_err(ClientError::from).and_then(|()| {
            let mut client = load(container)?;
            let loaded = LoadedClient {
                name: known.name(),
                version: container.version,
                series: container.client_series.fingerprint,
            };
            let scp_id = provider::attach(self.provider, &loaded, &mut client)?;
            let nv = usize::try_from(container.package.policy().nv_bytes).unwrap_or(usize::MAX);
            let defaults = StoreLimits::default();
            let limits = StoreLimits { quota: nv.min(defaults.quota), ..defaults };
            let dir = self.flash.join("store");
            let sealer = &mut ChipSealer(&mut chip);
            let (store, refused) =
                SealedStore::open_or_begin_anew(RealDisk, &dir, known.name(), limits, sealer)?;
            if let Some(refused) = refused {
                self.begun_anew(known, &refused);
            }
            let session = chip.open_session(container.vendor_sys_id, mode)?;
            Ok((client, scp_id, store, session))
        });
        let (client, scp_id, store, session) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                self.refused_load(&mut chip, known.name(), &error);
                return Err(Box::new((error, chip)));
            }
        };
        let policy = container.package.policy();
        let network = match Network::new(&policy.hosts, self.anchor, NetworkLimits::default()) {
            Ok(network) => network,
            Err(why) => return Err(Box::new((ClientError::Stopped(why), chip))),
        };
        let signer = container.emm_signer.public_key;
        let reporter = self.reporter.clone();
        let recording = self.record.and_then(|path| self.recording(path, &client, container));
        let host =
            Host::new(chip, store, session, container.vendor_sys_id, signer, reporter.clone())
                .with_stop(self.stop.clone())
                .with_scp_id(scp_id)
                .with_network(network)
                .with_channel(self.channels.join(known.name(), &policy.peers))
                .with_media(PlainMedia { age_limit: self.age_limit() });
        let terms = Terms {
            name: known.name(),
            lifetime: policy.lifetime,
            report_violations: policy.report_violations,
            flash: Some(self.flash.to_owned()),
        };
        let mut running =
            RunningClient::start_recorded(client, host, reporter, terms, RealDisk, recording)
                .map_err(|(stopped, chip)| Box::new((ClientError::Stopped(stopped.why), chip)))?;
        if let Err(stopped) = running.select_content(service) {
            return Err(Box::new((ClientError::Stopped(stopped.why), running.terminate())));
        }
        // It ran: the slot is good, and nothing older runs here again.
        let proved = slots.mark_good(*slot).and_then(|()| {
            let sealer = &mut ChipSealer(&mut running.host().chip);
            let proof = VersionFloors::check(sealer, known.name(), container.version)?;
            VersionFloors::raise(sealer, known.name(), proof)
        });
        if let Err(error) = proved {
            return Err(Box::new((error.into(), running.terminate())));
        }
        self.reporter.emit(json!({
            "event": "client", "state": "running", "vendor": known.vendor,
            "version": container.version, "signer": hex::encode(container.client_series.fingerprint),
            "scp_id": scp_id.to_string(),
        }));
        Ok(running)
    }

    /// Begins a trace. Without one the client runs all the same.
    fn recording(
        &self,
        path: &Path,
        client: &Client,
        container: &VerifiedContainer,
    ) -> Option<Recording> {
        let begun = Recording::begin(path, client, container.package.identity());
        let (state, reason) = match &begun {
            Ok(_) => ("begun", None),
            Err(error) => ("failed", Some(error.to_string())),
        };
        if let Some(reason) = &reason {
            tracing::warn!("recording {}: {reason}", path.display());
        }
        self.reporter.emit(json!({
            "event": "recording", "state": state, "file": path, "reason": reason,
        }));
        begun.ok()
    }

    /// A client begins with an empty storage: not in silence.
    fn begun_anew(&self, known: &KnownClient, refused: &StoreError) {
        tracing::warn!("client {}: {refused}; it waits for new EMMs", known.vendor);
        self.reporter.emit(json!({
            "event": "storage", "state": "begun_anew", "vendor": known.vendor,
            "reason": refused.to_string(),
        }));
    }
}
