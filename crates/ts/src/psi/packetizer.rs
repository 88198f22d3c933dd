//! Sections in, packets of one PID out.

use alloc::vec::Vec;

use mpeg_ts::mux::SectionPacketiser;
use portcullis_types::Pid;

use crate::packet::{PacketMut, RawPacket};

/// Cuts sections into packets of one PID and counts their continuity.
pub struct SectionPacketizer {
    pid: Pid,
    next_cc: u8,
}

impl SectionPacketizer {
    /// A packetizer whose first packet has continuity_counter 0.
    #[must_use]
    pub const fn new(pid: Pid) -> Self {
        Self { pid, next_cc: 0 }
    }

    /// The PID.
    #[must_use]
    pub const fn pid(&self) -> Pid {
        self.pid
    }

    /// Packets for one section: pointer_field 0, rest filled with 0xFF.
    pub fn packetize(&mut self, section: &[u8]) -> Vec<RawPacket> {
        self.packetize_all(&[section])
    }

    /// Packets for several sections, one right behind the other.
    pub fn packetize_all(&mut self, sections: &[&[u8]]) -> Vec<RawPacket> {
        let pid = mpeg_ts::pid::Pid::new(self.pid.get());
        let mut inner = SectionPacketiser::with_continuity(pid, self.next_cc);
        let packets = inner.packetise(sections);
        self.next_cc = inner.continuity_counter();
        packets
    }

    /// Gives a packet that somebody else made this PID and the next continuity_counter.
    pub const fn restamp(&mut self, packet: &mut RawPacket) {
        let mut view = PacketMut::new(packet);
        view.set_pid(self.pid);
        view.set_cc(self.next_cc);
        self.next_cc = self.next_cc.wrapping_add(1) & 0x0F;
    }
}
