//! What the input says of itself: PAT, CAT, SDT and all PMTs, kept up to date.

use std::collections::BTreeMap;

use portcullis_ts::Packet;
use portcullis_ts::psi::{
    Cat, LongHeader, Pat, Pmt, Sdt, SectionAssembler, TABLE_ID_CAT, TABLE_ID_PAT, TABLE_ID_PMT,
    TABLE_ID_SDT_ACTUAL, TableAssembler,
};
use portcullis_types::{Pid, ServiceId};

use super::pids::PidSet;

/// PMT PIDs that are watched at most; a PAT of one section names 253.
const PMT_PIDS_MAX: usize = 1_024;

/// Something the tables say now that they did not say before, or a section to pass on.
#[derive(Debug)]
pub(super) enum Said {
    /// There is a new PAT.
    Pat,
    /// There is a new CAT.
    Cat,
    /// A PMT came; `changed` when it differs from the last one of that service.
    Pmt { pid: Pid, service: ServiceId, changed: bool, section: Vec<u8> },
    /// Another section on a PMT PID, or a PMT that does not read.
    Other { pid: Pid, section: Vec<u8> },
}

/// The tables of a transport stream.
#[derive(Default)]
pub(super) struct Tables {
    pat_pid: Tap,
    cat_pid: Tap,
    sdt_pid: Tap,
    pmt_pids: BTreeMap<Pid, SectionAssembler>,
    pub(super) pat: Option<Pat>,
    pub(super) cat: Option<Cat>,
    pub(super) sdt: Option<Sdt>,
    pub(super) pmts: BTreeMap<ServiceId, Pmt>,
}

#[derive(Default)]
struct Tap {
    sections: SectionAssembler,
    table: TableAssembler,
}

impl Tap {
    /// A whole new table with this table_id. Damaged sections are passed over: the next
    /// repetition may be whole.
    fn push(&mut self, packet: Packet<'_>, table_id: u8) -> Option<Vec<Vec<u8>>> {
        self.sections.push(packet);
        let mut newest = None;
        while let Some(section) = self.sections.pop() {
            if section.first() == Some(&table_id)
                && let Ok(Some(table)) = self.table.push(section)
            {
                newest = Some(table);
            }
        }
        newest
    }
}

impl Tables {
    /// Takes a packet of any PID and says what is new.
    pub(super) fn push(&mut self, packet: Packet<'_>) -> Vec<Said> {
        match packet.pid() {
            Pid::PAT => self.push_pat(packet),
            Pid::CAT => {
                let table = self.cat_pid.push(packet, TABLE_ID_CAT);
                let Some(Ok(cat)) = table.map(|sections| Cat::parse(&sections)) else {
                    return Vec::new();
                };
                self.cat = Some(cat);
                vec![Said::Cat]
            }
            Pid::SDT => {
                let table = self.sdt_pid.push(packet, TABLE_ID_SDT_ACTUAL);
                if let Some(Ok(sdt)) = table.map(|sections| Sdt::parse(&sections)) {
                    self.sdt = Some(sdt);
                }
                Vec::new()
            }
            pid => self.push_pmt(pid, packet),
        }
    }

    /// Whether every program of the PAT has shown its PMT.
    pub(super) fn complete(&self) -> bool {
        self.pat.as_ref().is_some_and(|pat| {
            pat.programs.iter().all(|program| self.pmts.contains_key(&program.service))
        })
    }

    /// The input is read once more from its start: half-read sections are forgotten, tables not.
    pub(super) fn rewind(&mut self) {
        for tap in [&mut self.pat_pid, &mut self.cat_pid, &mut self.sdt_pid] {
            tap.sections = SectionAssembler::new();
        }
        self.pmt_pids.values_mut().for_each(|sections| *sections = SectionAssembler::new());
    }

    /// The PIDs that [`Tables::push`] wants to see, SDT apart.
    pub(super) fn pids(&self) -> PidSet {
        let mut pids = PidSet::default();
        self.pmt_pids.keys().copied().chain([Pid::PAT, Pid::CAT]).for_each(|pid| pids.insert(pid));
        pids
    }

    /// Adds every PID that a table names, whether or not it carries packets.
    pub(super) fn add_named_pids(&self, pids: &mut PidSet) {
        let pmts = self.pmts.values();
        let ca = pmts
            .clone()
            .flat_map(Pmt::ca_descriptors)
            .chain(self.cat.iter().flat_map(Cat::ca_descriptors))
            .map(|descriptor| descriptor.pid);
        let streams = pmts.clone().flat_map(|pmt| pmt.streams.iter().map(|stream| stream.pid));
        let clocks = pmts.filter_map(|pmt| pmt.pcr_pid);
        let network = self.pat.iter().filter_map(|pat| pat.network_pid);
        let tables = self.pmt_pids.keys().copied();
        for pid in ca.chain(streams).chain(clocks).chain(network).chain(tables) {
            pids.insert(pid);
        }
    }

    /// Whether a component belongs to a service beside this one.
    pub(super) fn belongs_to_another(&self, pid: Pid, service: ServiceId) -> bool {
        self.pmts
            .iter()
            .filter(|(other, _)| **other != service)
            .any(|(_, pmt)| pmt.streams.iter().any(|stream| stream.pid == pid))
    }

    fn push_pat(&mut self, packet: Packet<'_>) -> Vec<Said> {
        let table = self.pat_pid.push(packet, TABLE_ID_PAT);
        let Some(Ok(pat)) = table.map(|sections| Pat::parse(&sections)) else {
            return Vec::new();
        };
        let wanted = |pid: &Pid| pat.programs.iter().any(|program| program.pmt_pid == *pid);
        self.pmt_pids.retain(|pid, _| wanted(pid));
        for program in pat.programs.iter().take(PMT_PIDS_MAX) {
            self.pmt_pids.entry(program.pmt_pid).or_default();
        }
        self.pmts.retain(|service, _| pat.pmt_pid(*service).is_some());
        self.pat = Some(pat);
        vec![Said::Pat]
    }

    fn push_pmt(&mut self, pid: Pid, packet: Packet<'_>) -> Vec<Said> {
        let Some(sections) = self.pmt_pids.get_mut(&pid) else { return Vec::new() };
        sections.push(packet);
        let mut said = Vec::new();
        while let Some(section) = sections.pop() {
            let pmt = (section.first() == Some(&TABLE_ID_PMT))
                .then(|| LongHeader::parse(&section).ok().filter(|header| header.current))
                .flatten()
                .and_then(|_| Pmt::parse(&section).ok());
            said.push(match pmt {
                Some(pmt) => {
                    let service = pmt.service;
                    let changed = self.pmts.get(&service) != Some(&pmt);
                    self.pmts.insert(service, pmt);
                    Said::Pmt { pid, service, changed, section }
                }
                None => Said::Other { pid, section },
            });
        }
        said
    }
}
