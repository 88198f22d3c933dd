//! Views over one transport packet (ISO/IEC 13818-1 2.4.3.2 to 2.4.3.5).
//!
//! Nothing here allocates or fails: a field that is not there, or an adaptation field that runs
//! past the packet, is `None`. Whether the octets are a packet at all is [`crate::sync`]'s matter.

use core::fmt;

use portcullis_types::{Parity, Pid};

/// Octets in a transport packet.
pub const PACKET_SIZE: usize = 188;
/// The first octet of every packet.
pub const SYNC_BYTE: u8 = 0x47;
/// Octets in front of the adaptation field or payload.
pub const HEADER_SIZE: usize = 4;

/// The octets of one packet.
pub type RawPacket = [u8; PACKET_SIZE];

/// transport_scrambling_control: what the payload is scrambled with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScramblingControl {
    /// 00: in clear.
    Clear,
    /// 01: reserved; treated as "not ours".
    Reserved,
    /// 10 or 11: scrambled with the even or odd key.
    Scrambled(Parity),
}

impl ScramblingControl {
    const fn from_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::Clear,
            1 => Self::Reserved,
            2 => Self::Scrambled(Parity::Even),
            _ => Self::Scrambled(Parity::Odd),
        }
    }

    const fn bits(self) -> u8 {
        match self {
            Self::Clear => 0,
            Self::Reserved => 1,
            Self::Scrambled(Parity::Even) => 2,
            Self::Scrambled(Parity::Odd) => 3,
        }
    }

    /// Whether the payload is in clear.
    #[must_use]
    pub const fn is_clear(self) -> bool {
        matches!(self, Self::Clear)
    }

    /// The key's parity when the payload is scrambled.
    #[must_use]
    pub const fn parity(self) -> Option<Parity> {
        match self {
            Self::Scrambled(parity) => Some(parity),
            _ => None,
        }
    }
}

/// Program clock reference in units of 27 MHz, below [`Pcr::MODULUS`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Pcr(u64);

impl Pcr {
    /// Ticks per second.
    pub const HZ: u64 = 27_000_000;
    /// The count at which the clock starts again from zero: 2^33 * 300.
    pub const MODULUS: u64 = (1 << 33) * 300;

    /// A clock value; counts past the modulus wrap.
    #[must_use]
    pub const fn from_ticks(ticks: u64) -> Self {
        Self(ticks % Self::MODULUS)
    }

    /// Ticks of 27 MHz.
    #[must_use]
    pub const fn ticks(self) -> u64 {
        self.0
    }

    /// Ticks from `earlier` to this value, taken over at most one wrap.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        (self.0 + Self::MODULUS - earlier.0) % Self::MODULUS
    }

    fn read(field: &[u8; 6]) -> Self {
        let base = u64::from(field[0]) << 25
            | u64::from(field[1]) << 17
            | u64::from(field[2]) << 9
            | u64::from(field[3]) << 1
            | u64::from(field[4] >> 7);
        let extension = u64::from(field[4] & 1) << 8 | u64::from(field[5]);
        // An extension above 299 is invalid; keeping it would only shift the value by < 10 us.
        Self::from_ticks(base * 300 + extension)
    }

    fn write(self, field: &mut [u8; 6]) {
        let (base, extension) = (self.0 / 300, self.0 % 300);
        field[0] = (base >> 25) as u8;
        field[1] = (base >> 17) as u8;
        field[2] = (base >> 9) as u8;
        field[3] = (base >> 1) as u8;
        field[4] = (base << 7) as u8 | 0x7E | (extension >> 8) as u8;
        field[5] = extension as u8;
    }
}

/// A packet to read.
#[derive(Clone, Copy)]
pub struct Packet<'a> {
    octets: &'a RawPacket,
}

impl<'a> Packet<'a> {
    /// A view over these octets; the sync byte is not looked at.
    #[must_use]
    pub const fn new(octets: &'a RawPacket) -> Self {
        Self { octets }
    }

    /// The octets.
    #[must_use]
    pub const fn octets(self) -> &'a RawPacket {
        self.octets
    }

    /// Whether the packet begins with the sync byte.
    #[must_use]
    pub const fn in_sync(self) -> bool {
        self.octets[0] == SYNC_BYTE
    }

    /// transport_error_indicator.
    #[must_use]
    pub const fn transport_error(self) -> bool {
        self.octets[1] & 0x80 != 0
    }

    /// payload_unit_start_indicator.
    #[must_use]
    pub const fn pusi(self) -> bool {
        self.octets[1] & 0x40 != 0
    }

    /// The packet identifier.
    #[must_use]
    pub const fn pid(self) -> Pid {
        Pid::from_low_bits((self.octets[1] as u16) << 8 | self.octets[2] as u16)
    }

    /// transport_scrambling_control.
    #[must_use]
    pub const fn tsc(self) -> ScramblingControl {
        ScramblingControl::from_bits(self.octets[3] >> 6)
    }

    /// continuity_counter.
    #[must_use]
    pub const fn cc(self) -> u8 {
        self.octets[3] & 0x0F
    }

    /// Whether adaptation_field_control announces an adaptation field.
    #[must_use]
    pub const fn has_adaptation_field(self) -> bool {
        self.octets[3] & 0x20 != 0
    }

    /// Whether adaptation_field_control announces a payload. The payload may still be empty
    /// when the adaptation field is malformed: see [`Packet::payload_offset`].
    #[must_use]
    pub const fn has_payload(self) -> bool {
        self.octets[3] & 0x10 != 0
    }

    /// Offset of the first payload octet; `None` when there is not one octet of payload.
    #[must_use]
    pub const fn payload_offset(self) -> Option<usize> {
        if !self.has_payload() {
            return None;
        }
        let offset = if self.has_adaptation_field() {
            HEADER_SIZE + 1 + self.octets[4] as usize
        } else {
            HEADER_SIZE
        };
        if offset < PACKET_SIZE { Some(offset) } else { None }
    }

    /// The payload; empty when there is none.
    #[must_use]
    pub fn payload(self) -> &'a [u8] {
        self.payload_offset().and_then(|at| self.octets.get(at..)).unwrap_or_default()
    }

    /// The adaptation field after its length octet; empty when there is none or it is malformed.
    #[must_use]
    pub fn adaptation_field(self) -> &'a [u8] {
        if !self.has_adaptation_field() {
            return &[];
        }
        self.octets.get(5..5 + usize::from(self.octets[4])).unwrap_or_default()
    }

    /// discontinuity_indicator.
    #[must_use]
    pub fn discontinuity(self) -> bool {
        self.adaptation_field().first().is_some_and(|flags| flags & 0x80 != 0)
    }

    /// random_access_indicator.
    #[must_use]
    pub fn random_access(self) -> bool {
        self.adaptation_field().first().is_some_and(|flags| flags & 0x40 != 0)
    }

    /// The program clock reference, when the packet carries one.
    #[must_use]
    pub fn pcr(self) -> Option<Pcr> {
        let field = self.adaptation_field();
        if field.first()? & 0x10 == 0 {
            return None;
        }
        Some(Pcr::read(field.get(1..7)?.try_into().ok()?))
    }
}

impl fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The header only: a payload in a log helps nobody and may be paid content.
        f.debug_struct("Packet")
            .field("pid", &self.pid())
            .field("tsc", &self.tsc())
            .field("cc", &self.cc())
            .field("pusi", &self.pusi())
            .finish_non_exhaustive()
    }
}

/// A packet to change in place.
pub struct PacketMut<'a> {
    octets: &'a mut RawPacket,
}

impl<'a> PacketMut<'a> {
    /// A view over these octets; the sync byte is not looked at.
    #[must_use]
    pub const fn new(octets: &'a mut RawPacket) -> Self {
        Self { octets }
    }

    /// The reading side.
    #[must_use]
    pub const fn as_packet(&self) -> Packet<'_> {
        Packet::new(self.octets)
    }

    /// Sets the packet identifier.
    pub const fn set_pid(&mut self, pid: Pid) {
        self.octets[1] = self.octets[1] & 0xE0 | (pid.get() >> 8) as u8;
        self.octets[2] = pid.get() as u8;
    }

    /// Sets transport_scrambling_control.
    pub const fn set_tsc(&mut self, tsc: ScramblingControl) {
        self.octets[3] = self.octets[3] & 0x3F | tsc.bits() << 6;
    }

    /// Sets continuity_counter to the lower four bits of `cc`.
    pub const fn set_cc(&mut self, cc: u8) {
        self.octets[3] = self.octets[3] & 0xF0 | cc & 0x0F;
    }

    /// The payload; empty when there is none.
    pub fn payload_mut(&mut self) -> &mut [u8] {
        match self.as_packet().payload_offset() {
            Some(at) => self.octets.get_mut(at..).unwrap_or_default(),
            None => &mut [],
        }
    }

    /// Overwrites the program clock reference; returns whether the packet carries one.
    pub fn set_pcr(&mut self, pcr: Pcr) -> bool {
        if self.as_packet().pcr().is_none() {
            return false;
        }
        match self.octets.get_mut(6..12).and_then(|field| field.try_into().ok()) {
            Some(field) => {
                pcr.write(field);
                true
            }
            None => false,
        }
    }
}

/// A null packet (PID 0x1FFF, payload all ones).
#[must_use]
pub const fn null_packet() -> RawPacket {
    let mut octets = [0xFF; PACKET_SIZE];
    octets[0] = SYNC_BYTE;
    octets[1] = 0x1F;
    octets[3] = 0x10;
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(header: &[u8]) -> RawPacket {
        let mut octets = [0xAA; PACKET_SIZE];
        octets[..header.len()].copy_from_slice(header);
        octets
    }

    #[test]
    fn header_fields_are_read_and_written() {
        let mut raw = packet(&[0x47, 0x41, 0x02, 0xD7]);
        let view = Packet::new(&raw);
        assert!(view.in_sync() && view.pusi() && !view.transport_error() && view.has_payload());
        assert_eq!(view.pid().get(), 0x0102);
        assert_eq!(view.tsc().parity(), Some(Parity::Odd));
        assert_eq!((view.cc(), view.payload_offset(), view.payload().len()), (7, Some(4), 184));
        let mut edit = PacketMut::new(&mut raw);
        edit.set_pid(Pid::NULL);
        edit.set_cc(0x1F);
        edit.set_tsc(ScramblingControl::Clear);
        assert_eq!(raw[..4], [0x47, 0x5F, 0xFF, 0x1F]);
    }

    #[test]
    fn payload_offset_never_leaves_the_packet() {
        for control in [0x00, 0x10, 0x20, 0x30u8] {
            for length in 0..=255u8 {
                let raw = packet(&[0x47, 0, 0, control, length]);
                let view = Packet::new(&raw);
                match view.payload_offset() {
                    Some(at) => {
                        assert!(control & 0x10 != 0);
                        assert_eq!(view.payload().len(), PACKET_SIZE - at);
                        assert!(!view.payload().is_empty());
                    }
                    None => assert!(view.payload().is_empty()),
                }
                // Reading must not panic, whatever the length says.
                let _ = (view.pcr(), view.discontinuity(), view.random_access());
            }
        }
    }

    #[test]
    fn a_clock_reference_round_trips_over_its_whole_range() {
        let mut raw = packet(&[0x47, 0x01, 0x00, 0x20, 183, 0x10]);
        for ticks in [0, 1, 299, 300, 27_000_000, Pcr::MODULUS - 1] {
            assert!(PacketMut::new(&mut raw).set_pcr(Pcr::from_ticks(ticks)));
            assert_eq!(Packet::new(&raw).pcr(), Some(Pcr::from_ticks(ticks)));
        }
        let late = Pcr::from_ticks(Pcr::MODULUS - 5);
        assert_eq!(Pcr::from_ticks(10).since(late), 15);
        let mut without = packet(&[0x47, 0x01, 0x00, 0x20, 183, 0x00]);
        assert!(!PacketMut::new(&mut without).set_pcr(late));
    }
}
