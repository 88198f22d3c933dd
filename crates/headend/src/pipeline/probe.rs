//! Finds the service in the first packets, or says what is there instead.

use portcullis_ts::{Packet, RawPacket};
use portcullis_types::{Pid, ServiceId};

use super::PipelineError;
use super::pids::PidSet;
use super::tables::Tables;

/// Packets that are looked at for PAT and PMT: some seconds of any broadcast.
const PACKETS_MAX: usize = 80_000;
/// Packets after which the PMTs of other services are no longer waited for.
const OTHERS_MAX: usize = 40_000;
/// Packets after which an SDT is no longer waited for, just to name the services of an error.
const NAMES_MAX: usize = 8_000;

/// Looks for one service.
pub(super) struct Probe {
    service: ServiceId,
    pub(super) tables: Tables,
    /// PIDs that carry packets.
    pub(super) seen: PidSet,
    /// PIDs that carry scrambled packets.
    scrambled: PidSet,
    /// continuity_counter of the first PAT packet.
    pub(super) first_pat_cc: Option<u8>,
    packets: usize,
}

impl Probe {
    pub(super) fn new(service: ServiceId) -> Self {
        Self {
            service,
            tables: Tables::default(),
            seen: PidSet::default(),
            scrambled: PidSet::default(),
            first_pat_cc: None,
            packets: 0,
        }
    }

    /// Takes packets; `Ok(true)` when enough is known. `end` says that none follow.
    pub(super) fn push(&mut self, packets: &[RawPacket], end: bool) -> Result<bool, PipelineError> {
        for packet in packets.iter().map(Packet::new) {
            self.packets += 1;
            self.seen.insert(packet.pid());
            if packet.tsc().parity().is_some() && packet.payload_offset().is_some() {
                self.scrambled.insert(packet.pid());
            }
            if packet.pid() == Pid::PAT && packet.has_payload() {
                self.first_pat_cc.get_or_insert_with(|| packet.cc());
            }
            self.tables.push(packet);
        }
        self.verdict(end || self.packets >= PACKETS_MAX, end)
    }

    fn verdict(&self, last_chance: bool, end: bool) -> Result<bool, PipelineError> {
        let Some(pat) = &self.tables.pat else {
            return if last_chance {
                Err(PipelineError::NoPat { packets: self.packets })
            } else {
                Ok(false)
            };
        };
        let Some(pmt_pid) = pat.pmt_pid(self.service) else {
            let named = self.tables.sdt.is_some() || self.packets >= NAMES_MAX;
            return if named || end { Err(self.unknown_service()) } else { Ok(false) };
        };
        let Some(pmt) = self.tables.pmts.get(&self.service) else {
            return if last_chance {
                Err(PipelineError::NoPmt { service: self.service, pmt_pid })
            } else {
                Ok(false)
            };
        };
        if let Some(stream) = pmt.streams.iter().find(|s| self.scrambled.contains(s.pid)) {
            return Err(PipelineError::AlreadyScrambled {
                service: self.service,
                pid: stream.pid,
                packet: None,
            });
        }
        Ok(end || self.packets >= OTHERS_MAX || self.tables.complete())
    }

    fn unknown_service(&self) -> PipelineError {
        let services =
            self.tables.pat.iter().flat_map(|pat| &pat.programs).map(|program| {
                match self.tables.sdt.as_ref().and_then(|sdt| sdt.name(program.service)) {
                    Some(name) => format!("{} {name:?}", program.service.0),
                    None => program.service.0.to_string(),
                }
            });
        let there = services.collect::<Vec<_>>().join(", ");
        PipelineError::UnknownService { service: self.service, there }
    }
}
