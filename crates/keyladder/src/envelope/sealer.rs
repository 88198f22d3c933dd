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

/// Messages that are written before they are sealed: few enough that they stay in the nearest
/// cache, and enough that each kernel has full registers.
const AT_ONCE: usize = 256;
/// Messages for which memory is taken in advance; more are sealed all the same.
const EXPECTED_MAX: usize = 4_096;

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
        put(K::KIND, fields, ladder, client, &mut message, 0)?;
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
    let mut messages = messages.into_iter();
    let expected = messages.size_hint().0.min(EXPECTED_MAX);
    let mut sealed = SealedMessages { octets: Vec::new(), ends: Vec::with_capacity(expected) };
    loop {
        let before = sealed.ends.len();
        seal_some(messages.by_ref().take(AT_ONCE), expected, &mut sealed)?;
        if sealed.ends.len() - before < AT_ONCE {
            return Ok(sealed);
        }
    }
}

fn seal_some<'a, K: MessageKey + 'a>(
    messages: impl Iterator<Item = ToSeal<'a, K>>,
    expected: usize,
    sealed: &mut SealedMessages,
) -> Result<(), SealError> {
    let SealedMessages { octets, ends } = sealed;
    let (first, begun) = (ends.len(), octets.len());
    let (mut start, mut end) = (begun, begun);
    let here = messages.size_hint().0;
    let mut keys = Vec::with_capacity(AT_ONCE);
    for ToSeal { sealer, fields, ladder, client } in messages {
        let at = end;
        end = put(K::KIND, fields, ladder, client, octets, at)?;
        if at == begun {
            // Most are about as long as the first.
            octets.reserve((end - at).saturating_mul(expected));
            octets.resize(end + (end - at) * here.saturating_sub(1), 0);
        }
        keys.push(&sealer.key);
        ends.push(end);
    }
    octets.truncate(end);
    let (_, mut rest) = octets.split_at_mut(begun);
    let mut lanes = Vec::with_capacity(keys.len());
    for (key, end) in keys.into_iter().zip(ends.iter().skip(first)) {
        let (message, behind) = rest.split_at_mut(*end - start);
        lanes.push(SealLane { key, message });
        (rest, start) = (behind, *end);
    }
    // Whole blocks by construction.
    portcullis_crypto::seal_many(&mut lanes)
        .map_err(|refused| SealError::TooLong { kind: K::KIND, length: refused.length })
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

/// Writes a message as it is before it is sealed, at a place behind which there is nothing but zero:
/// header, body with its padding, place of the MAC. Returns where it ends.
fn put(
    kind: Kind,
    fields: HeaderFields,
    ladder: &[u8],
    client: &[u8],
    out: &mut Vec<u8>,
    at: usize,
) -> Result<usize, SealError> {
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
    let end = at + header.message_len();
    if out.len() < end {
        out.resize(end, 0);
    }
    if let Some((to_header, body)) = out.get_mut(at..).and_then(<[u8]>::split_first_chunk_mut) {
        *to_header = header.to_bytes();
        if let Some((to_ladder, behind)) = body.split_at_mut_checked(ladder.len()) {
            to_ladder.copy_from_slice(ladder);
            if let Some((to_client, _)) = behind.split_at_mut_checked(client.len()) {
                to_client.copy_from_slice(client);
            }
        }
    }
    Ok(end)
}

const fn too_long(kind: Kind, ladder: &[u8], client: &[u8]) -> SealError {
    SealError::TooLong { kind, length: ladder.len().saturating_add(client.len()) }
}
