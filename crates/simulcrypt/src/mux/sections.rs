//! What a data_provision carries, over TCP or UDP: datagrams that are sections, and nothing else.
//!
//! What must never happen: an octet that is no well-formed section gets past this file.

use portcullis_types::{DataId, EmmgClientId};

use crate::emmg::{UDP_MESSAGES, parameter as p};
use crate::error::{CodecError, Fault};
use crate::message::Message;

/// A data_provision that came over UDP, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UdpProvision {
    /// The generator.
    pub client: EmmgClientId,
    /// Its stream.
    pub data_id: DataId,
    /// Well-formed sections; others are left out.
    pub sections: Vec<Vec<u8>>,
}

/// Reads a datagram that came over UDP. Anything wrong with it drops it: there is nobody to tell.
///
/// # Errors
/// [`CodecError`], for the log.
pub fn read_udp(datagram: &[u8], max_section: usize) -> Result<UdpProvision, CodecError> {
    let message = Message::parse(&UDP_MESSAGES, datagram)?;
    if message.version() < 2 {
        return Err(CodecError { offset: 0, fault: Fault::Version(message.version()) });
    }
    let missing = |kind| CodecError { offset: 5, fault: Fault::Missing(kind) };
    Ok(UdpProvision {
        client: EmmgClientId(message.u32(p::CLIENT_ID).ok_or_else(|| missing(p::CLIENT_ID))?),
        data_id: DataId(message.u16(p::DATA_ID).ok_or_else(|| missing(p::DATA_ID))?),
        sections: split_sections(&message, max_section).0,
    })
}

/// The well-formed sections of a data_provision, and the offset of the first that is not one.
pub(super) fn split_sections(message: &Message<'_>, limit: usize) -> (Vec<Vec<u8>>, Option<u16>) {
    let mut sections = Vec::new();
    let mut fault = None;
    for datagram in message.all(p::DATAGRAM) {
        if is_section(datagram.value, limit) {
            sections.push(datagram.value.to_vec());
        } else {
            fault = fault.or_else(|| u16::try_from(datagram.offset).ok()).or(Some(u16::MAX));
        }
    }
    (sections, fault)
}

/// A CA message section of EMM kind whose length field tells its exact length.
fn is_section(datagram: &[u8], limit: usize) -> bool {
    let Some((&[table_id, high, low], rest)) = datagram.split_first_chunk() else {
        return false;
    };
    let len = usize::from(u16::from_be_bytes([high & 0x0F, low]));
    (0x82..=0x8F).contains(&table_id) && rest.len() == len && datagram.len() <= limit
}
