//! A transport stream made in code: one service with a clock, 1000 packets a second.

use std::io::Write as _;

use portcullis_ts::packet::null_packet;
use portcullis_ts::psi::{Pat, Pmt, PmtStream, Program, SectionPacketizer};
use portcullis_ts::{PacketMut, Pcr, RawPacket};
use portcullis_types::{Pid, ServiceId};
use tempfile::NamedTempFile;

pub(crate) const VIDEO: u16 = 0x101;

fn pid(number: u16) -> Pid {
    Pid::new(number).unwrap()
}

/// So many milliseconds of service 1.
pub(crate) fn made(milliseconds: usize) -> Vec<RawPacket> {
    let pat = Pat {
        transport_stream_id: 1,
        version: 0,
        network_pid: None,
        programs: vec![Program { service: ServiceId(1), pmt_pid: pid(0x100) }],
    };
    let pmt = Pmt {
        service: ServiceId(1),
        version: 0,
        pcr_pid: Some(pid(VIDEO)),
        descriptors: Vec::new(),
        streams: vec![PmtStream { stream_type: 0x1B, pid: pid(VIDEO), descriptors: Vec::new() }],
    };
    let (mut pat_out, mut pmt_out) =
        (SectionPacketizer::new(Pid::PAT), SectionPacketizer::new(pid(0x100)));
    let (pat, pmt) = (pat.to_sections().unwrap(), pmt.to_section().unwrap());
    let mut cc = 0u8;
    (0..milliseconds)
        .map(|i| match i % 50 {
            1 => pat_out.packetize(&pat[0])[0],
            2 => pmt_out.packetize(&pmt)[0],
            n if n % 5 == 4 => null_packet(),
            n => {
                cc = (cc + 1) & 15;
                content(i, cc, n == 0)
            }
        })
        .collect()
}

fn content(i: usize, cc: u8, clock: bool) -> RawPacket {
    let mut raw: RawPacket = core::array::from_fn(|at| (at * 31 + i * 7) as u8);
    raw[..4].copy_from_slice(&[0x47, 0, 0, 0x10]);
    if clock {
        raw[3..12].copy_from_slice(&[0x30, 7, 0x10, 0, 0, 0, 0, 0, 0]);
        PacketMut::new(&mut raw).set_pcr(Pcr::from_ticks(i as u64 * 27_000));
    }
    let mut view = PacketMut::new(&mut raw);
    view.set_pid(pid(VIDEO));
    view.set_cc(cc);
    raw
}

pub(crate) fn file(packets: &[RawPacket]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(packets.as_flattened()).unwrap();
    file
}

pub(crate) fn read(path: &std::path::Path) -> Vec<RawPacket> {
    let octets = std::fs::read(path).unwrap();
    let (packets, rest) = octets.as_chunks();
    assert!(rest.is_empty());
    packets.to_vec()
}
