//! The player: packets through the chip and out in their order, CA sections to the client.

mod account;
mod events;

use std::time::{Duration, Instant};

use portcullis_chipset::ChipHandle;
use portcullis_scramble::Collector;
use portcullis_ts::{Packet, RawPacket, ScramblingControl};
use portcullis_types::{CaSystemId, Parity, ProductId};
use serde_json::json;

use super::{Clients, Config, by_client};
use crate::chip::SecurityChip;
use crate::demux::Demux;
use crate::discovery::{Algorithm, Discovery, Service};
use crate::embedded_scp::data_manager::DataManager;
use crate::embedded_scp::scp_manager::Launched;
use crate::error::{Reason, TerminalError};
use crate::report::Reporter;
use crate::streams::{Arrived, Input, Output, SILENCE};

/// Who makes the keys for the service.
pub(super) enum KeySource {
    /// The service is in clear, as far as its PMT says.
    Clear(ChipHandle),
    Client(Box<ClientSource>),
    /// Nobody; the chip waits for the next service, unless it is gone.
    None(Reason, Option<ChipHandle>),
}

impl KeySource {
    /// Ends what is there and gives the chip back.
    fn into_chip(self) -> Option<ChipHandle> {
        match self {
            Self::Clear(chip) => Some(chip),
            Self::None(_, chip) => chip,
            Self::Client(source) => {
                let session = source.running.host_ref().session();
                let mut chip = source.running.terminate();
                // Keys of a service that is not watched any more are nobody's.
                SecurityChip::close_session(&mut chip, session).ok().map(|()| chip)
            }
        }
    }
}

pub(super) struct ClientSource {
    pub(super) running: Launched,
    pub(super) data: DataManager,
    pub(super) ca_system_id: CaSystemId,
    pub(super) vendor: String,
    pub(super) version: u32,
    /// How the last ECM was answered.
    pub(super) last: Option<(u32, Option<ProductId>)>,
}

/// What came out last, for reports on change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Nothing,
    Descrambled,
    Scrambled,
}

/// Plays one service.
pub(super) struct Player<'a> {
    config: &'a Config,
    reporter: &'a Reporter,
    discovery: Discovery,
    service: Service,
    source: KeySource,
    clients: Clients<'a>,
    /// Changes of service that were made.
    changes: usize,
    demux: Demux,
    /// Packets that wait for the chip.
    pending: Collector,
    begun: Instant,
    packets: u64,
    descrambled: u64,
    left_scrambled: u64,
    /// Both counts when the service was chosen.
    at_change: (u64, u64),
    reported: (u64, u64),
    last_report: Instant,
    flow: Flow,
    /// Of the last scrambled packet that came.
    parity: Option<Parity>,
}

impl<'a> Player<'a> {
    /// A player that has seen nothing but the tables yet.
    pub(super) fn new(
        config: &'a Config,
        reporter: &'a Reporter,
        discovery: Discovery,
        service: Service,
        source: KeySource,
        clients: Clients<'a>,
    ) -> Self {
        Self {
            config,
            reporter,
            discovery,
            service,
            source,
            clients,
            changes: 0,
            demux: Demux::default(),
            pending: Collector::new(config.limits.batch)
                .with_deadline(config.limits.batch_deadline),
            begun: Instant::now(),
            packets: 0,
            descrambled: 0,
            left_scrambled: 0,
            at_change: (0, 0),
            reported: (0, 0),
            last_report: Instant::now(),
            flow: Flow::Nothing,
            parity: None,
        }
    }

    pub(super) fn play(
        &mut self,
        backlog: Vec<RawPacket>,
        input: &mut Input,
        output: &mut Option<Output>,
    ) -> Result<(), TerminalError> {
        self.take(&backlog, output)?;
        drop(backlog);
        let mut packets = Vec::new();
        loop {
            packets.clear();
            let due = self.pending.poll_timeout();
            let wait = due.map_or(SILENCE, |due| due.saturating_sub(self.begun.elapsed()));
            let wait = self.client_timeout().map_or(wait, |left| left.min(wait));
            let arrived = input.read(&mut packets, wait)?;
            self.take(&packets, output)?;
            // Only a broadcast lets packets wait for others; a pipe may be silent for ever.
            if !input.is_live() || self.pending.is_due(self.begun.elapsed()) {
                self.flush(output)?;
            }
            self.turn(output)?;
            self.report(false);
            if matches!(arrived, Arrived::End) || self.config.stop.is_requested() {
                if input.losses() > 0 {
                    tracing::info!("{} losses at the input", input.losses());
                }
                return Ok(());
            }
        }
    }

    /// Timers that ran out and messages that came, while no packet waits for the chip.
    // spec: X-S07 X-S09
    fn turn(&mut self, output: &mut Option<Output>) -> Result<(), TerminalError> {
        if self.client_timeout().is_none_or(|left| !left.is_zero()) {
            return Ok(());
        }
        self.flush(output)?;
        let KeySource::Client(source) = &mut self.source else { return Ok(()) };
        let turned = source.running.handle_timeout();
        turned.or_else(|stopped| self.client_stopped(stopped))
    }

    /// How long the client has until a timer runs out.
    fn client_timeout(&self) -> Option<Duration> {
        match &self.source {
            KeySource::Client(source) => source.running.poll_timeout(),
            _ => None,
        }
    }

    /// Takes packets in their order and puts all of them out.
    fn take(
        &mut self,
        packets: &[RawPacket],
        output: &mut Option<Output>,
    ) -> Result<(), TerminalError> {
        let now = self.begun.elapsed();
        for octets in packets {
            if self.config.stop.is_requested() {
                break;
            }
            if let Some(service) = self.due_change() {
                self.change_service(service, output)?;
            }
            let packet = Packet::new(octets);
            if self.discovery.push(packet) {
                self.flush(output)?;
                self.apply_tables()?;
            }
            for section in self.demux.push(packet) {
                self.section(section, output)?;
            }
            // Ends: when the batch has been taken there is room.
            while self.pending.push(octets, now).is_err() {
                self.flush(output)?;
            }
        }
        Ok(())
    }

    /// The service that is to be watched from here on, once its tables are known.
    fn due_change(&self) -> Option<Service> {
        let (after, service) = self.config.then.get(self.changes)?;
        let taken = self.packets + self.pending.len() as u64;
        if taken < *after {
            return None;
        }
        self.discovery.service(*service)
    }

    /// Another service: with the client that is there when it serves that too, else the SCP
    /// manager is told that the client changes, and starts the one needed.
    // spec: X-55 X-S11
    fn change_service(
        &mut self,
        service: Service,
        output: &mut Option<Output>,
    ) -> Result<(), TerminalError> {
        self.flush(output)?;
        self.changes += 1;
        self.at_change = (self.descrambled, self.left_scrambled);
        let before = std::mem::replace(&mut self.service, service);
        let serves = |source: &ClientSource| {
            let systems = &self.service.ca_systems;
            systems.iter().any(|(system, _)| *system == source.ca_system_id)
                && self.service.algorithm == before.algorithm
        };
        let ids = self.service.ca_systems.iter().map(|(id, _)| id.to_string());
        let (id, ids) = (self.service.id, ids.collect::<Vec<_>>());
        self.reporter.emit(json!({ "event": "service", "service": id.0, "ca_systems": ids }));
        match &mut self.source {
            KeySource::Client(source) if serves(source) => {
                source.last = None;
                if let Err(stopped) = source.running.select_content(id) {
                    self.client_stopped(stopped)?;
                }
            }
            _ => {
                self.reporter.emit(json!({
                    "event": "client_change", "service": id.0, "ca_systems": ids,
                }));
                let nobody = KeySource::None(Reason::NoCaDescriptor, None);
                let chip = std::mem::replace(&mut self.source, nobody).into_chip();
                self.source =
                    self.clients.start(chip.ok_or(TerminalError::ChipGone)?, &self.service)?;
                self.return_channel()?;
            }
        }
        self.apply_tables()
    }

    /// The tables changed (or were read for the first time): PIDs follow.
    pub(super) fn apply_tables(&mut self) -> Result<(), TerminalError> {
        if let Some(service) = self.discovery.service(self.service.id) {
            self.service = service;
        }
        let KeySource::Client(source) = &mut self.source else { return Ok(()) };
        let ecm = self.service.ca_systems.iter().find(|(id, _)| *id == source.ca_system_id);
        let emm = self.discovery.emm_pid(source.ca_system_id);
        self.demux.set_pids(ecm.map(|(_, pid)| *pid), emm);
        let host = source.running.host();
        let session = host.session();
        Ok(SecurityChip::set_pids(&mut host.chip, session, &self.service.pids)?)
    }

    /// Descrambles what waits and puts it out.
    fn flush(&mut self, output: &mut Option<Output>) -> Result<(), TerminalError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let before = (self.descrambled, self.left_scrambled);
        let mut packets = self.pending.take(self.begun.elapsed());
        let pids = &self.service.pids;
        let of_service = |octets: &RawPacket| pids.contains(&Packet::new(octets).pid());
        let parity = |octets: &RawPacket| Packet::new(octets).tsc().parity();
        let last = packets.iter().rev().filter(|packet| of_service(packet)).find_map(parity);
        self.parity = last.or(self.parity);
        let mut stopped = None;
        if let KeySource::Client(source) = &mut self.source {
            if let Algorithm::Client(_) = self.service.algorithm {
                let is_ours = |packet: Packet<'_>| pids.contains(&packet.pid());
                match by_client::descramble(&mut source.running, packets, is_ours) {
                    Ok(count) => self.descrambled += count,
                    Err(why) => stopped = Some(why),
                }
            } else {
                let host = source.running.host();
                let session = host.session();
                let chip = &mut host.chip;
                let counts = SecurityChip::descramble(chip, session, packets)?;
                self.descrambled += u64::from(counts.descrambled);
            }
        }
        let is_scrambled = |octets: &RawPacket| {
            Packet::new(octets).tsc() != ScramblingControl::Clear && of_service(octets)
        };
        let left = packets.iter().filter(|packet| is_scrambled(packet)).count();
        self.left_scrambled += left as u64;
        if self.config.drop_scrambled && left > 0 {
            packets = without(packets, is_scrambled);
        }
        if let Some(output) = output {
            output.write(packets)?;
        }
        self.packets += packets.len() as u64;
        let flow = if self.left_scrambled > before.1 {
            Flow::Scrambled
        } else if self.descrambled > before.0 {
            Flow::Descrambled
        } else {
            self.flow
        };
        if flow != self.flow {
            self.flow = flow;
            self.report(true);
        }
        stopped.map_or(Ok(()), |stopped| self.client_stopped(stopped))
    }
}

/// Packets without those, moved to the front.
fn without(packets: &mut [RawPacket], left_out: impl Fn(&RawPacket) -> bool) -> &mut [RawPacket] {
    let mut kept = 0;
    for at in 0..packets.len() {
        if !packets.get(at).is_some_and(&left_out) {
            packets.swap(kept, at);
            kept += 1;
        }
    }
    packets.get_mut(..kept).unwrap_or_default()
}
