//! What all connections of an ECM generator share: ids in use and the makers of ECMs.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_simulcrypt::ecmg::{
    ChannelParameters, CwProvision, EachEcm, EcmgHost, EcmgStatus, Refusal,
};
use portcullis_types::{
    CpNumber, Deciseconds, EcmChannelId, EcmId, EcmStreamId, Milliseconds, SignedMilliseconds,
    SuperCasId,
};
use serde_json::json;

use super::maker::{Draft, make_all};
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
pub(super) struct Host {
    shared: Arc<Shared>,
    /// ECMs that were asked for and are not made yet, and what events will say of them.
    drafts: Vec<Draft>,
    about: Vec<About>,
}

impl Host {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared, drafts: Vec::new(), about: Vec::new() }
    }
}

impl EcmgHost for Host {
    fn open_channel(
        &mut self,
        super_cas_id: SuperCasId,
        channel: EcmChannelId,
    ) -> Result<ChannelParameters, EcmgStatus> {
        if self.shared.systems.get(super_cas_id).is_none() {
            return Err(EcmgStatus::UnknownSuperCasId);
        }
        let mut in_use = self.shared.in_use();
        if in_use.channels.len() >= self.shared.limits.channels {
            return Err(EcmgStatus::TooManyChannels);
        }
        if !in_use.channels.insert((super_cas_id, channel)) {
            return Err(EcmgStatus::ChannelInUse);
        }
        self.shared.events.emit(|| {
            json!({"event": "ecmg_channel", "state": "open",
                   "super_cas_id": super_cas_id.0, "ecm_channel_id": channel.0})
        });
        Ok(parameters(self.shared.limits.streams_per_channel))
    }

    fn close_channel(&mut self, super_cas_id: SuperCasId, channel: EcmChannelId) {
        self.shared.in_use().channels.remove(&(super_cas_id, channel));
        self.shared.events.emit(|| {
            json!({"event": "ecmg_channel", "state": "closed",
                   "super_cas_id": super_cas_id.0, "ecm_channel_id": channel.0})
        });
    }

    fn open_stream(
        &mut self,
        super_cas_id: SuperCasId,
        ecm_id: Option<EcmId>,
    ) -> Result<(), EcmgStatus> {
        let mut in_use = self.shared.in_use();
        if in_use.streams >= self.shared.limits.streams {
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
        let mut in_use = self.shared.in_use();
        in_use.streams = in_use.streams.saturating_sub(1);
        if let Some(ecm_id) = ecm_id {
            in_use.ecm_ids.remove(&(super_cas_id, ecm_id));
        }
    }

    fn ask(&mut self, request: &CwProvision<'_>) -> Result<(), Refusal> {
        let unknown = Refusal { status: EcmgStatus::UnknownSuperCasId, information: 0 };
        let system = self.shared.systems.get(request.super_cas_id);
        let drafted = system.ok_or(unknown).and_then(|system| system.draft(request, unix_now()));
        let about = About {
            super_cas_id: request.super_cas_id,
            stream: request.stream_id,
            cp_number: request.cp_number,
        };
        match drafted {
            Ok(draft) => {
                self.drafts.push(draft);
                self.about.push(about);
                Ok(())
            }
            Err(refusal) => {
                about.tell(&self.shared.events, Err(&refusal));
                Err(refusal)
            }
        }
    }

    fn make(&mut self, each: &mut EachEcm<'_>) {
        let events = &self.shared.events;
        let mut about = self.about.drain(..);
        make_all(&self.drafts, &mut |made| {
            if let Some(about) = about.next() {
                about.tell(events, made.as_ref().map(|section| section.len()));
            }
            each(made);
        });
        self.drafts.clear();
    }
}

/// What an event says of an ECM.
struct About {
    super_cas_id: SuperCasId,
    stream: EcmStreamId,
    cp_number: CpNumber,
}

impl About {
    fn tell(&self, events: &Events, made: Result<usize, &Refusal>) {
        events.emit(|| {
            let status = made.err().map_or(0, |refusal| refusal.status.code());
            json!({"event": "ecm", "super_cas_id": self.super_cas_id.0,
                   "ecm_stream_id": self.stream.0, "cp_number": self.cp_number.0,
                   "octets": made.unwrap_or(0), "error_status": status})
        });
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
