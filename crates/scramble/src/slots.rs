//! The even and odd key of a descrambler.

use alloc::sync::Arc;

use portcullis_ts::{Packet, PacketMut, RawPacket, ScramblingControl};
use portcullis_types::Parity;

use crate::Cipher;
use crate::batch::with_lanes;
use crate::scheduler::{BatchKeys, Mark, Scheduler};
use crate::sliced::Direction;

/// What descrambling did with a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Descrambled {
    /// The packet was in clear.
    WasClear,
    /// It is in clear now.
    Yes,
    /// There is no key of its parity: it stays scrambled.
    NoKey,
}

/// What descrambling did with a run of packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DescrambledCount {
    /// Packets in clear now that were scrambled.
    pub descrambled: usize,
    /// Packets that stay scrambled for want of a key.
    pub left_scrambled: usize,
}

/// Two keys, one per parity; packets choose by their control bits.
#[derive(Default)]
pub struct KeySlots {
    keys: [Option<Arc<Cipher>>; 2],
}

impl KeySlots {
    /// Slots without a key.
    #[must_use]
    pub const fn new() -> Self {
        Self { keys: [None, None] }
    }

    /// Loads a key in place of the one before.
    pub fn set(&mut self, parity: Parity, cipher: Cipher) {
        let [even, odd] = &mut self.keys;
        *match parity {
            Parity::Even => even,
            Parity::Odd => odd,
        } = Some(Arc::new(cipher));
    }

    /// Drops both keys.
    pub fn clear(&mut self) {
        self.keys = [None, None];
    }

    /// The key of a parity.
    #[must_use]
    pub const fn get(&self, parity: Parity) -> Option<&Arc<Cipher>> {
        let [even, odd] = &self.keys;
        match parity {
            Parity::Even => even.as_ref(),
            Parity::Odd => odd.as_ref(),
        }
    }

    /// Descrambles one packet with the key of its parity.
    pub fn descramble_packet(&self, packet: &mut RawPacket) -> Descrambled {
        let Some(parity) = Packet::new(packet).tsc().parity() else {
            return Descrambled::WasClear;
        };
        match self.get(parity) {
            Some(cipher) => {
                cipher.descramble_packet(packet);
                Descrambled::Yes
            }
            None => Descrambled::NoKey,
        }
    }

    /// What a scheduler is to do with a packet, counted.
    #[inline]
    pub fn mark(
        &self,
        packet: Packet<'_>,
        keys: &mut BatchKeys,
        count: &mut DescrambledCount,
    ) -> Mark {
        let Some(parity) = packet.tsc().parity() else { return Mark::PASS };
        match self.get(parity) {
            Some(cipher) => {
                count.descrambled += 1;
                keys.mark(cipher, parity)
            }
            None => {
                count.left_scrambled += 1;
                Mark::PASS
            }
        }
    }

    /// Descrambles those packets that `select` chooses, where they lie.
    pub fn descramble(
        &self,
        scheduler: &mut Scheduler,
        packets: &mut [RawPacket],
        mut select: impl FnMut(Packet<'_>) -> bool,
    ) -> DescrambledCount {
        let mut count = DescrambledCount::default();
        scheduler.work(packets, |packet, keys| {
            if packet.tsc().parity().is_some() && select(packet) {
                self.mark(packet, keys, &mut count)
            } else {
                Mark::PASS
            }
        });
        count
    }

    /// Descrambles those packets of a run that `select` chooses.
    pub fn descramble_batch(
        &self,
        packets: &mut [RawPacket],
        mut select: impl FnMut(Packet<'_>) -> bool,
    ) -> DescrambledCount {
        let mut count = DescrambledCount::default();
        with_lanes(Direction::Descramble, |lanes| {
            for packet in packets {
                let view = Packet::new(packet);
                let Some(parity) = view.tsc().parity() else { continue };
                if !select(view) {
                    continue;
                }
                match self.get(parity) {
                    Some(_) if view.payload_offset().is_none() => {
                        // Control bits without a payload say nothing; they are put right.
                        PacketMut::new(packet).set_tsc(ScramblingControl::Clear);
                        count.descrambled += 1;
                    }
                    Some(cipher) => {
                        lanes.descramble(packet, cipher);
                        count.descrambled += 1;
                    }
                    None => count.left_scrambled += 1,
                }
            }
        });
        count
    }
}
