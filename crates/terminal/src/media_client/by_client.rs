//! Packets that the client descrambles: into content buffers, through the machine, and back.
//!
//! Clauses: X.1198 6.3, 7.1 (the content buffer lies before the decoder), 7.2 (Descramble).
//! What must never happen: a packet that changes its place or its length.

use portcullis_ts::{Packet, PacketMut, RawPacket, ScramblingControl};

use crate::embedded_scp::event_manager::Stopped;
use crate::embedded_scp::scp_manager::Launched;
use crate::host::Content;
use crate::host::content::payloads;

/// Descrambles the packets that are asked for, as far as the client does; says how many.
///
/// # Errors
/// [`Stopped`]; the packets before that are done.
// spec: X-47 X-60 X-62
pub(super) fn descramble(
    client: &mut Launched,
    packets: &mut [RawPacket],
    is_ours: impl Fn(Packet<'_>) -> bool,
) -> Result<u64, Stopped> {
    let mut done = 0;
    let mut rest = packets;
    while !rest.is_empty() {
        let (content, taken) = gather(rest, &is_ours);
        let (these, after) = rest.split_at_mut(taken);
        if let Some(content) = content
            && let Some(octets) = client.descramble(content)?
        {
            done += put_back(these, &is_ours, &octets);
        }
        rest = after;
    }
    Ok(done)
}

/// The next content, and how many packets it and what lies between take up: at least one.
fn gather(packets: &[RawPacket], is_ours: impl Fn(Packet<'_>) -> bool) -> (Option<Content>, usize) {
    let mut content: Option<Content> = None;
    for (at, octets) in packets.iter().enumerate() {
        let packet = Packet::new(octets);
        let Some(parity) = packet.tsc().parity().filter(|_| is_ours(packet)) else { continue };
        let into = content.get_or_insert_with(|| Content::new(parity));
        if into.parity != parity || !into.push(packet.pid(), packet.payload()) {
            return (content, at);
        }
    }
    (content, packets.len())
}

fn put_back(packets: &mut [RawPacket], is_ours: impl Fn(Packet<'_>) -> bool, octets: &[u8]) -> u64 {
    let mut descrambled = payloads(octets);
    let mut done = 0;
    for packet in packets {
        let seen = Packet::new(packet);
        if seen.tsc().parity().is_none() || !is_ours(seen) {
            continue;
        }
        let Some(payload) = descrambled.next() else { break };
        let mut packet = PacketMut::new(packet);
        let to = packet.payload_mut();
        if to.len() == payload.len() {
            to.copy_from_slice(payload);
            packet.set_tsc(ScramblingControl::Clear);
            done += 1;
        }
    }
    done
}
