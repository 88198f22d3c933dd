//! Prints the services of a transport stream with their components.
//!
//! `cargo run --release -p portcullis-ts --features psi --example services -- FILE`

use std::collections::BTreeMap;
use std::error::Error;

use portcullis_ts::Packet;
use portcullis_ts::psi::{Pat, Pmt, SectionAssembler, TableAssembler};
use portcullis_ts::sync::{Framed, Framer};
use portcullis_types::Pid;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("a file expected")?;
    let mut octets = std::fs::read(path)?;
    let mut framer = Framer::new();
    let (mut pat, mut table) = (SectionAssembler::new(), TableAssembler::new());
    let mut pmts = BTreeMap::<Pid, SectionAssembler>::new();
    let mut shown = BTreeMap::new();
    let (framed, _) = framer.next(&mut octets, true);
    let packets = match framed {
        Framed::Packets(packets) => packets,
        Framed::Fault(fault) => return Err(fault.into()),
        Framed::Skipped(_) | Framed::NeedMore => return Err("no packets".into()),
    };
    for packet in packets.iter().map(Packet::new) {
        if packet.pid() == Pid::PAT {
            pat.push(packet);
            while let Some(section) = pat.pop() {
                if let Some(sections) = table.push(section)? {
                    for program in Pat::parse(&sections)?.programs {
                        pmts.entry(program.pmt_pid).or_default();
                    }
                }
            }
        } else if let Some(sections) = pmts.get_mut(&packet.pid()) {
            sections.push(packet);
            while let Some(pmt) = sections.pop().and_then(|section| Pmt::parse(&section).ok()) {
                shown.entry(pmt.service.0).or_insert(pmt);
            }
        }
    }
    for (service, pmt) in shown {
        println!("service {service}");
        for stream in &pmt.streams {
            println!("  PID {} stream_type 0x{:02x}", stream.pid, stream.stream_type);
        }
        for descriptor in pmt.ca_descriptors() {
            println!("  ECM PID {} CA_system_id {}", descriptor.pid, descriptor.ca_system_id);
        }
    }
    Ok(())
}
