//! What the player makes of CA sections: events of the client, and the end of one that is stopped.
//!
//! Clauses: X.1198 7 (tokens raise events), 7.5. What must never happen: keys of a client that was
//! stopped used on.

use std::time::Instant;

use portcullis_svm::abi::reason;
use serde_json::json;

use super::{KeySource, Player};
use crate::demux::CaSection;
use crate::embedded_scp::data_manager::DataManager;
use crate::embedded_scp::event_manager::Stopped;
use crate::error::{Reason, TerminalError};
use crate::streams::Output;

impl Player<'_> {
    /// Hands a CA section to the data manager, and what is new to the client.
    pub(super) fn section(
        &mut self,
        section: CaSection,
        output: &mut Option<Output>,
    ) -> Result<(), TerminalError> {
        let KeySource::Client(source) = &mut self.source else { return Ok(()) };
        let is_new = match &section {
            CaSection::Ecm(section) => source.data.is_new_ecm(section),
            CaSection::Emm(section) => source.data.is_new_emm(section),
        };
        if !is_new {
            return Ok(());
        }
        self.flush(output)?;
        match section {
            CaSection::Ecm(section) => self.change_key(&section),
            CaSection::Emm(section) => self.entitlement(&section),
        }
    }

    // spec: X-S06 X-57
    fn change_key(&mut self, section: &[u8]) -> Result<(), TerminalError> {
        let KeySource::Client(source) = &mut self.source else { return Ok(()) };
        let started = Instant::now();
        let answered = source.running.change_key(section);
        let latency = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        match answered {
            Ok(code) => {
                source.data.ecm_answered(code);
                source.last = Some((code, DataManager::product(section)));
                self.reporter.emit(json!({
                    "event": "ecm",
                    "parity": if section.first() == Some(&0x80) { "even" } else { "odd" },
                    "status": code,
                    "loaded": source.running.host_ref().loaded_control_word(),
                    "latency_us": latency,
                }));
                Ok(())
            }
            Err(stopped) => self.client_stopped(stopped),
        }
    }

    // spec: X-S08 X-57
    fn entitlement(&mut self, section: &[u8]) -> Result<(), TerminalError> {
        let KeySource::Client(source) = &mut self.source else { return Ok(()) };
        match source.running.entitlement(section) {
            Ok(code) => {
                source.data.emm_answered(section, code);
                self.reporter.emit(json!({
                    "event": "emm", "table_id": section.first(), "status": code,
                }));
                // A new right or key may open what the last ECM could not.
                let retry = source.data.ecm_to_retry().filter(|_| code == reason::OK);
                match retry.map(<[u8]>::to_vec) {
                    Some(ecm) => self.change_key(&ecm),
                    None => Ok(()),
                }
            }
            Err(stopped) => self.client_stopped(stopped),
        }
    }

    pub(super) fn client_stopped(&mut self, stopped: Stopped) -> Result<(), TerminalError> {
        if stopped.chip_gone {
            return Err(TerminalError::ChipGone);
        }
        let nobody = KeySource::None(Reason::NoCaDescriptor, None);
        match std::mem::replace(&mut self.source, nobody) {
            KeySource::Client(source) => {
                let (client, version) = (source.vendor.clone(), source.version);
                self.reporter.emit(json!({
                    "event": "client", "state": "stopped", "vendor": client, "version": version,
                    "reason": stopped.why, "code": stopped.kind.code(),
                }));
                // Without a client nobody may use the keys it loaded.
                let mut chip =
                    KeySource::Client(source).into_chip().ok_or(TerminalError::ChipGone)?;
                self.clients.tell_violations(&mut chip);
                let reason = Reason::Stopped { client, why: stopped.why };
                self.source = KeySource::None(reason, Some(chip));
            }
            other => self.source = other,
        }
        Ok(())
    }

    /// EMMs that wait at the centre, once at the start.
    // spec: D-05
    pub(in crate::media_client) fn return_channel(&mut self) -> Result<(), TerminalError> {
        let (Some(link), KeySource::Client(source)) = (self.clients.link, &self.source) else {
            return Ok(());
        };
        let sections = match link.emms(source.ca_system_id) {
            Ok(sections) => sections,
            Err(error) => {
                // The carousel brings them too.
                tracing::info!("return channel: {error}");
                return Ok(());
            }
        };
        for section in sections {
            let KeySource::Client(source) = &mut self.source else { return Ok(()) };
            if source.data.is_new_emm(&section) {
                self.entitlement(&section)?;
            }
        }
        Ok(())
    }
}
