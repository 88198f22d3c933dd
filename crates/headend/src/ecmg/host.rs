//! What all connections of an ECM generator share: ids in use and the makers of ECMs.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_simulcrypt::ecmg::{ChannelParameters, CwProvision, EcmgHost, EcmgStatus, Refusal};
use portcullis_types::{
    Deciseconds, EcmChannelId, EcmId, Milliseconds, SignedMilliseconds, SuperCasId,
};
use serde_json::json;

use super::{EcmgLimits, EcmgSystems};
use crate::clock::unix_now;
use crate::event::Events;

/// Shared by all connections.
pub(super) struct Shared {
    pub(super) systems: EcmgSystems,
    pub(super) limits: EcmgLimits,
    pub(super) events: Events,
    in_use: Mutex<InUse>,
}

#[derive(Default)]
struct InUse {
    channels: HashSet<(SuperCasId, EcmChannelId)>,
    ecm_ids: HashSet<(SuperCasId, EcmId)>,
    streams: usize,
}

impl Shared {
    pub(super) fn new(systems: EcmgSystems, limits: EcmgLimits, events: Events) -> Self {
        Self { systems, limits, events, in_use: Mutex::default() }
    }

    fn in_use(&self) -> MutexGuard<'_, InUse> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's view.
pub(super) struct Host(pub(super) Arc<Shared>);

impl EcmgHost for Host {
    fn open_channel(
        &mut self,
        super_cas_id: SuperCasId,
        channel: EcmChannelId,
    ) -> Result<ChannelParameters, EcmgStatus> {
        if self.0.systems.get(super_cas_id).is_none() {
            return Err(EcmgStatus::UnknownSuperCasId);
        }
        let mut in_use = self.0.in_use();
        if in_use.channels.len() >= self.0.limits.channels {
            return Err(EcmgStatus::TooManyChannels);
        }
        if !in_use.channels.insert((super_cas_id, channel)) {
            return Err(EcmgStatus::ChannelInUse);
        }
        self.0.events.emit(|| {
            json!({"event": "ecmg_channel", "state": "open",
                   "super_cas_id": super_cas_id.0, "ecm_channel_id": channel.0})
        });
        Ok(parameters(self.0.limits.streams_per_channel))
    }

    fn close_channel(&mut self, super_cas_id: SuperCasId, channel: EcmChannelId) {
        self.0.in_use().channels.remove(&(super_cas_id, channel));
        self.0.events.emit(|| {
            json!({"event": "ecmg_channel", "state": "closed",
                   "super_cas_id": super_cas_id.0, "ecm_channel_id": channel.0})
        });
    }

    fn open_stream(
        &mut self,
        super_cas_id: SuperCasId,
        ecm_id: Option<EcmId>,
    ) -> Result<(), EcmgStatus> {
        let mut in_use = self.0.in_use();
        if in_use.streams >= self.0.limits.streams {
            return Err(EcmgStatus::TooManyStreams);
        }
        // Super_CAS_id and ECM_id name one ECM stream in the whole system.
        // spec: S-27
        if ecm_id.is_some_and(|ecm_id| !in_use.ecm_ids.insert((super_cas_id, ecm_id))) {
            return Err(EcmgStatus::EcmIdInUse);
        }
        in_use.streams += 1;
        Ok(())
    }

    fn close_stream(&mut self, super_cas_id: SuperCasId, ecm_id: Option<EcmId>) {
        let mut in_use = self.0.in_use();
        in_use.streams = in_use.streams.saturating_sub(1);
        if let Some(ecm_id) = ecm_id {
            in_use.ecm_ids.remove(&(super_cas_id, ecm_id));
        }
    }

    fn ecm(&mut self, request: &CwProvision<'_>, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let unknown = Refusal { status: EcmgStatus::UnknownSuperCasId, information: 0 };
        let system = self.0.systems.get(request.super_cas_id).ok_or(unknown)?;
        let made = system.ecm(request, unix_now(), out);
        self.0.events.emit(|| {
            let (super_cas_id, stream) = (request.super_cas_id.0, request.stream_id.0);
            let status = made.as_ref().err().map_or(0, |refusal| refusal.status.code());
            json!({"event": "ecm", "super_cas_id": super_cas_id, "ecm_stream_id": stream,
                   "cp_number": request.cp_number.0, "octets": out.len(), "error_status": status})
        });
        made
    }
}

/// What every channel is told. The ECM of period n holds the words of n and n+1, so it goes on
/// air after the change to n: earlier, a box would lose the word in use.
// spec: S-16
fn parameters(max_streams: u16) -> ChannelParameters {
    let delay = SignedMilliseconds(200);
    ChannelParameters {
        section_tspkt_flag: 0,
        delay_start: delay,
        delay_stop: delay,
        ac_delay_start: Some(delay),
        ac_delay_stop: Some(delay),
        transition_delay_start: Some(SignedMilliseconds(-500)),
        transition_delay_stop: Some(delay),
        ecm_rep_period: Milliseconds(100),
        max_streams,
        min_cp_duration: Deciseconds(10),
        lead_cw: 1,
        cw_per_msg: 2,
        max_comp_time: Milliseconds(100),
    }
}
