//! Discovery: PAT, CAT and PMT give the services, their CA systems and where ECM and EMM are.
//!
//! Clauses: J.1010 6.1 (user discovery of the right client), J.1012 7.2, ISO/IEC 13818-1 2.6.16.
//! The tables come from anybody: damaged ones are passed over, and what is kept is bounded.

use std::collections::BTreeMap;

use portcullis_ts::Packet;
use portcullis_ts::psi::{
    Cat, LongHeader, Pat, Pmt, SectionAssembler, TABLE_ID_CAT, TABLE_ID_PAT, TABLE_ID_PMT,
    TableAssembler,
};
use portcullis_types::{CaSystemId, Pid, ScramblingMode, ServiceId};

/// Services that are looked at.
const MAX_SERVICES: usize = 64;

/// scrambling_mode values of clients' own algorithms; the user-defined ones below are the chip's.
const CLIENT_DEFINED: std::ops::RangeInclusive<u8> = 0xF2..=0xFE;

/// What the terminal knows of the stream so far.
#[derive(Default)]
pub(crate) struct Discovery {
    assemblers: BTreeMap<Pid, SectionAssembler>,
    pat_table: TableAssembler,
    cat_table: TableAssembler,
    pat: Option<Pat>,
    cat: Option<Cat>,
    pmts: BTreeMap<ServiceId, (Vec<u8>, Pmt)>,
}

/// What matters of one service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Service {
    pub(crate) id: ServiceId,
    /// Elementary streams.
    pub(crate) pids: Vec<Pid>,
    /// CA systems in the order of the PMT, each with its ECM PID.
    pub(crate) ca_systems: Vec<(CaSystemId, Pid)>,
    pub(crate) algorithm: Algorithm,
}

/// Whose work descrambling is, by the scrambling_descriptor; DVB-CSA2 when there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Algorithm {
    Chip(ScramblingMode),
    /// A user-defined mode: the client brings the algorithm.
    Client(u8),
    /// A mode that nobody here has.
    Unknown(u8),
}

impl Algorithm {
    // spec: X-11 X-60
    fn of(scrambling_mode: Option<u8>) -> Self {
        let Some(value) = scrambling_mode else { return Self::Chip(ScramblingMode::Csa2) };
        match ScramblingMode::from_descriptor_value(value) {
            Ok(mode) => Self::Chip(mode),
            Err(_) if CLIENT_DEFINED.contains(&value) => Self::Client(value),
            Err(_) => Self::Unknown(value),
        }
    }

    /// What the chip session of the client is opened for. A client that descrambles itself sends
    /// no packet there; control words of 16 octets are the ladder's own.
    pub(crate) const fn of_chip(self) -> ScramblingMode {
        match self {
            Self::Chip(mode) => mode,
            Self::Client(_) | Self::Unknown(_) => ScramblingMode::Cissa,
        }
    }
}

impl std::fmt::Display for Algorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Chip(mode) => f.write_str(mode.name()),
            Self::Client(value) | Self::Unknown(value) => write!(f, "0x{value:02x}"),
        }
    }
}

impl Discovery {
    /// Takes a packet; `true` when a table changed.
    pub(crate) fn push(&mut self, packet: Packet<'_>) -> bool {
        let pid = packet.pid();
        let is_table = pid == Pid::PAT || pid == Pid::CAT || self.is_pmt_pid(pid);
        if !is_table {
            return false;
        }
        let assembler = self.assemblers.entry(pid).or_default();
        assembler.push(packet);
        let mut sections = Vec::new();
        while let Some(section) = assembler.pop() {
            sections.push(section);
        }
        let mut changed = false;
        for section in sections {
            changed |= self.take(pid, section);
        }
        changed
    }

    /// Whether the PAT and the PMT of every service (or of the one asked for) are here.
    pub(crate) fn is_complete(&self, wanted: Option<ServiceId>) -> bool {
        let Some(pat) = &self.pat else { return false };
        match wanted {
            Some(service) => pat.pmt_pid(service).is_none() || self.pmts.contains_key(&service),
            None => {
                let mut services = pat.programs.iter().take(MAX_SERVICES);
                services.all(|program| self.pmts.contains_key(&program.service))
            }
        }
    }

    /// The service asked for, else the first scrambled one, else the first.
    pub(crate) fn choose(&self, wanted: Option<ServiceId>) -> Option<ServiceId> {
        if let Some(service) = wanted {
            return self.pmts.contains_key(&service).then_some(service);
        }
        let known = || {
            let programs = self.pat.iter().flat_map(|pat| &pat.programs);
            programs.filter_map(|program| self.pmts.get(&program.service))
        };
        known()
            .find(|(_, pmt)| !pmt.ca_descriptors().is_empty())
            .or_else(|| known().next())
            .map(|(_, pmt)| pmt.service)
    }

    /// Whether there is a PAT.
    pub(crate) const fn has_pat(&self) -> bool {
        self.pat.is_some()
    }

    /// Whether the PAT names a service.
    pub(crate) fn names(&self, service: ServiceId) -> bool {
        self.pat.as_ref().is_some_and(|pat| pat.pmt_pid(service).is_some())
    }

    /// The services of the PAT, for people.
    pub(crate) fn services(&self) -> String {
        let programs = self.pat.iter().flat_map(|pat| &pat.programs);
        programs.map(|p| p.service.0.to_string()).collect::<Vec<_>>().join(", ")
    }

    /// What is known of a service.
    pub(crate) fn service(&self, id: ServiceId) -> Option<Service> {
        let (_, pmt) = self.pmts.get(&id)?;
        let mut ca_systems = Vec::new();
        for found in pmt.ca_descriptors() {
            if !ca_systems.iter().any(|(known, _)| *known == found.ca_system_id) {
                ca_systems.push((found.ca_system_id, found.pid));
            }
        }
        let algorithm = Algorithm::of(pmt.scrambling_mode_value());
        let pids = pmt.streams.iter().map(|stream| stream.pid).collect();
        Some(Service { id, pids, ca_systems, algorithm })
    }

    /// The EMM PID of a CA system.
    pub(crate) fn emm_pid(&self, ca_system_id: CaSystemId) -> Option<Pid> {
        let found = self.cat.as_ref()?.ca_descriptors();
        found.into_iter().find(|found| found.ca_system_id == ca_system_id).map(|found| found.pid)
    }

    fn is_pmt_pid(&self, pid: Pid) -> bool {
        let programs = self.pat.iter().flat_map(|pat| &pat.programs);
        programs.take(MAX_SERVICES).any(|program| program.pmt_pid == pid)
    }

    fn take(&mut self, pid: Pid, section: Vec<u8>) -> bool {
        match (pid, section.first().copied()) {
            (Pid::PAT, Some(TABLE_ID_PAT)) => {
                let table = self.pat_table.push(section).ok().flatten();
                let Some(pat) = table.and_then(|table| Pat::parse(&table).ok()) else {
                    return false;
                };
                self.pmts.retain(|service, _| pat.pmt_pid(*service).is_some());
                self.pat = Some(pat);
                self.forget_assemblers();
                true
            }
            (Pid::CAT, Some(TABLE_ID_CAT)) => {
                let table = self.cat_table.push(section).ok().flatten();
                let cat = table.and_then(|table| Cat::parse(&table).ok());
                let changed = cat.is_some();
                self.cat = cat.or_else(|| self.cat.take());
                changed
            }
            (_, Some(TABLE_ID_PMT)) => self.take_pmt(pid, section),
            _ => false,
        }
    }

    fn take_pmt(&mut self, pid: Pid, section: Vec<u8>) -> bool {
        if !LongHeader::parse(&section).is_ok_and(|header| header.current) {
            return false;
        }
        let Ok(pmt) = Pmt::parse(&section) else { return false };
        let service = pmt.service;
        // A PMT of a service that the PAT does not announce here is somebody else's.
        let announced = self.pat.as_ref().and_then(|pat| pat.pmt_pid(service)) == Some(pid);
        if !announced || self.pmts.get(&service).is_some_and(|(known, _)| *known == section) {
            return false;
        }
        self.pmts.insert(service, (section, pmt));
        true
    }

    fn forget_assemblers(&mut self) {
        let stale: Vec<Pid> = self
            .assemblers
            .keys()
            .copied()
            .filter(|pid| *pid != Pid::PAT && *pid != Pid::CAT && !self.is_pmt_pid(*pid))
            .collect();
        for pid in stale {
            self.assemblers.remove(&pid);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::{StreamBuilder, feed};

    // spec-test: X-11
    #[test]
    fn every_scrambling_mode_has_one_that_descrambles_or_nobody() {
        assert_eq!(Algorithm::of(None), Algorithm::Chip(ScramblingMode::Csa2));
        assert_eq!(Algorithm::of(Some(0x10)), Algorithm::Chip(ScramblingMode::Cissa));
        assert_eq!(Algorithm::of(Some(0xF1)), Algorithm::Chip(ScramblingMode::AesCtr));
        assert_eq!(Algorithm::of(Some(0xF2)), Algorithm::Client(0xF2));
        assert_eq!(Algorithm::of(Some(0xFF)), Algorithm::Unknown(0xFF));
        // DVB-CSA3 is confidential: not even guessed to be CSA2.
        assert_eq!(Algorithm::of(Some(0x03)), Algorithm::Unknown(0x03));
    }

    // spec-test: E-F10
    #[test]
    fn two_ca_systems_of_a_service_are_found_with_their_pids() {
        let mut discovery = Discovery::default();
        assert!(!discovery.is_complete(None));
        feed(&mut discovery, &StreamBuilder::two_services().packets());
        assert!(discovery.is_complete(None));
        // Service 1 is clear, service 2 scrambled: that is the one to play.
        assert_eq!(discovery.choose(None), Some(ServiceId(2)));
        assert_eq!(discovery.choose(Some(ServiceId(1))), Some(ServiceId(1)));
        assert_eq!(discovery.choose(Some(ServiceId(9))), None);
        assert_eq!(discovery.services(), "1, 2");
        let service = discovery.service(ServiceId(2)).unwrap();
        let pid = |pid| Pid::new(pid).unwrap();
        assert_eq!(
            service.ca_systems,
            [(CaSystemId(0x7A10), pid(0x300)), (CaSystemId(0x7B20), pid(0x301))]
        );
        assert_eq!(service.algorithm, Algorithm::Chip(ScramblingMode::Cissa));
        assert_eq!(discovery.emm_pid(CaSystemId(0x7B20)), Some(pid(0x401)));
        assert_eq!(discovery.emm_pid(CaSystemId(0x1234)), None);
        // The same tables again change nothing.
        let again = StreamBuilder::two_services().packets();
        let changed = again.iter().any(|packet| discovery.push(Packet::new(packet)));
        assert!(!changed);
    }
}
