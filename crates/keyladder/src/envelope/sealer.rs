//! Sealing under a level key whose message keys are derived and expanded once, and many messages
//! at once.
//!
//! What must never happen: that a message sealed among others differs from the same message sealed
//! alone.

use alloc::vec::Vec;
use core::marker::PhantomData;

use portcullis_crypto::{SHALLOW, SealKey, SealLane, leaving_no_trace};

use super::{
    HEADER_LEN, Header, HeaderFields, Kind, MAC_LEN, MessageKey, MessageKeys, SealError, padded,
};

/// A level key ready to seal; the level decides the kind of message.
pub struct Sealer<K> {
    key: SealKey,
    level: PhantomData<K>,
}

/// A message that is to be sealed.
pub struct ToSeal<'a, K> {
    /// Under which key.
    pub sealer: &'a Sealer<K>,
    /// What the sealing side chooses of the header.
    pub fields: HeaderFields,
    /// The part for the chip.
    pub ladder: &'a [u8],
    /// The part for the client.
    pub client: &'a [u8],
}

impl<K: MessageKey> Sealer<K> {
    /// Derives and expands the message keys of a level key.
    #[must_use]
    pub fn new(level_key: &K) -> Self {
        leaving_no_trace::<SHALLOW, _>(|| {
            let MessageKeys { enc, mac } = MessageKeys::derive(level_key.level_key(), K::KIND);
            Self { key: SealKey::new(&enc, &mac), level: PhantomData }
        })
    }

    /// Seals one message.
    ///
    /// # Errors
    /// [`SealError`] when the body does not fit.
    pub fn seal(
        &self,
        fields: HeaderFields,
        ladder: &[u8],
        client: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let mut message = Vec::new();
        put(K::KIND, fields, ladder, client, &mut message)?;
        self.key.seal(&mut message).map_err(|_| too_long(K::KIND, ladder, client))?;
        Ok(message)
    }
}

/// Seals messages as [`Sealer::seal`] does each, many at once where the processor can.
///
/// # Errors
/// [`SealError`] of the first body that does not fit; nothing is sealed then.
pub fn seal_many<'a, K: MessageKey + 'a>(
    messages: impl IntoIterator<Item = ToSeal<'a, K>>,
) -> Result<SealedMessages, SealError> {
    let messages = messages.into_iter();
    let mut keys = Vec::with_capacity(messages.size_hint().0);
    let mut ends = Vec::with_capacity(messages.size_hint().0);
    let mut octets = Vec::new();
    for ToSeal { sealer, fields, ladder, client } in messages {
        put(K::KIND, fields, ladder, client, &mut octets)?;
        keys.push(&sealer.key);
        ends.push(octets.len());
    }
    let mut sealed = SealedMessages { octets, ends };
    let mut lanes = Vec::with_capacity(keys.len());
    let (mut rest, mut start) = (sealed.octets.as_mut_slice(), 0);
    for (key, end) in keys.into_iter().zip(&sealed.ends) {
        let (message, behind) = rest.split_at_mut(*end - start);
        lanes.push(SealLane { key, message });
        (rest, start) = (behind, *end);
    }
    // Whole blocks by construction.
    portcullis_crypto::seal_many(&mut lanes)
        .map_err(|refused| SealError::TooLong { kind: K::KIND, length: refused.length })?;
    Ok(sealed)
}

/// Messages that were sealed together, one behind the other.
pub struct SealedMessages {
    octets: Vec<u8>,
    ends: Vec<usize>,
}

impl SealedMessages {
    /// Each message, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = core::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| self.octets.get(start..*end).unwrap_or_default())
    }
}

/// Writes a message as it is before it is sealed: header, body with its padding, place of the MAC.
fn put(
    kind: Kind,
    fields: HeaderFields,
    ladder: &[u8],
    client: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), SealError> {
    if ladder.len() != kind.ladder_len() {
        let (expected, found) = (kind.ladder_len(), ladder.len());
        return Err(SealError::LadderLength { kind, expected, found });
    }
    let length = ladder.len().saturating_add(client.len());
    let body_len = u16::try_from(length).map_err(|_| too_long(kind, ladder, client))?;
    if HEADER_LEN + padded(length) + MAC_LEN > kind.max_len() {
        return Err(too_long(kind, ladder, client));
    }
    let HeaderFields { salt, key_ref, sequence } = fields;
    let ladder_len = ladder.len() as u16;
    let header = Header { kind, salt, key_ref, sequence, ladder_len, body_len };
    out.reserve(header.message_len());
    let end = out.len() + header.message_len();
    out.extend_from_slice(&header.to_bytes());
    out.extend_from_slice(ladder);
    out.extend_from_slice(client);
    out.resize(end, 0);
    Ok(())
}

const fn too_long(kind: Kind, ladder: &[u8], client: &[u8]) -> SealError {
    SealError::TooLong { kind, length: ladder.len().saturating_add(client.len()) }
}
