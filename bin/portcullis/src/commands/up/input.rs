//! What goes on air: the built-in sample, or a service of a file.

use std::io::Read;
use std::path::{Path, PathBuf};

use portcullis_ts::psi::{Pat, Sdt, SectionAssembler, TableAssembler};
use portcullis_ts::{PACKET_SIZE, Packet, RawPacket, SYNC_BYTE};
use portcullis_types::{Pid, ServiceId};

use crate::cli::Failure;

/// Octets of a file that are searched for its tables.
const SEARCH_OCTETS: u64 = 16 << 20;
/// Packets in a row that make sure where packets begin.
const SYNC_RUN: usize = 5;

/// A service of a file.
#[derive(Debug, Clone)]
pub(super) struct Programme {
    pub(super) path: PathBuf,
    pub(super) service: u16,
    pub(super) name: String,
}

impl Programme {
    /// The built-in sample, written into the data directory for the headend to read.
    pub(super) fn sample(data: &Path) -> Result<Self, Failure> {
        let path = data.join("sample.ts");
        let same = std::fs::metadata(&path)
            .is_ok_and(|known| known.len() == portcullis_assets::SAMPLE_TS.len() as u64);
        if !same {
            std::fs::write(&path, portcullis_assets::SAMPLE_TS)
                .map_err(|e| Failure::new(format!("{}: {e}", path.display())))?;
        }
        let path = std::path::absolute(path)?;
        Ok(Self { path, service: portcullis_assets::SAMPLE_SERVICE, name: "Gate One".to_owned() })
    }

    /// A service of this file: the wanted one, or the first of its PAT.
    pub(super) fn find(path: &Path, wanted: Option<u16>) -> Result<Self, String> {
        let shown = path.display();
        let path = std::path::absolute(path).map_err(|e| format!("{shown}: {e}"))?;
        let mut octets = Vec::new();
        std::fs::File::open(&path)
            .and_then(|file| file.take(SEARCH_OCTETS).read_to_end(&mut octets))
            .map_err(|e| format!("{shown}: {e}"))?;
        let packets = packets(&octets)
            .ok_or_else(|| format!("{shown}: no transport stream of 188-octet packets"))?;
        let pat = table(packets, Pid::PAT)
            .and_then(|sections| Pat::parse(&sections).ok())
            .ok_or_else(|| format!("{shown}: no PAT in its first {} MB", SEARCH_OCTETS >> 20))?;
        let service = match wanted {
            Some(service) => ServiceId(service),
            None => pat
                .programs
                .first()
                .map(|program| program.service)
                .ok_or_else(|| format!("{shown}: its PAT names no service"))?,
        };
        if pat.pmt_pid(service).is_none() {
            return Err(format!("{shown}: its PAT names no service {}", service.0));
        }
        let sdt = table(packets, Pid::SDT).and_then(|sections| Sdt::parse(&sections).ok());
        let name = sdt
            .as_ref()
            .and_then(|sdt| sdt.name(service))
            .filter(|name| !name.is_empty())
            .map_or_else(|| format!("Service {}", service.0), str::to_owned);
        Ok(Self { path, service: service.0, name })
    }
}

/// The packets from the first place where several in a row begin with the sync byte.
fn packets(octets: &[u8]) -> Option<&[RawPacket]> {
    let in_sync = |from: &usize| {
        (0..SYNC_RUN).all(|i| octets.get(from + i * PACKET_SIZE) == Some(&SYNC_BYTE))
    };
    let start = (0..PACKET_SIZE).find(in_sync)?;
    Some(octets.get(start..)?.as_chunks().0)
}

/// The first whole table on a PID.
fn table(packets: &[RawPacket], pid: Pid) -> Option<Vec<Vec<u8>>> {
    let (mut sections, mut table) = (SectionAssembler::new(), TableAssembler::new());
    for packet in packets.iter().map(Packet::new).filter(|packet| packet.pid() == pid) {
        sections.push(packet);
        while let Some(section) = sections.pop() {
            if let Ok(Some(whole)) = table.push(section) {
                return Some(whole);
            }
        }
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_found_as_any_file() {
        let dir = std::env::temp_dir().join(format!("portcullis-up-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let sample = Programme::sample(&dir).unwrap_or_else(|f| unreachable!("{}", f.line));
        let found = Programme::find(&sample.path, None).unwrap();
        assert_eq!((found.service, found.name.as_str()), (1, "Gate One"));
        assert!(Programme::find(&sample.path, Some(9)).unwrap_err().contains("no service 9"));
        std::fs::write(dir.join("text"), "no stream").unwrap();
        assert!(Programme::find(&dir.join("text"), None).is_err());
        std::fs::remove_dir_all(dir).unwrap();
    }
}
