//! Sealing under a level key whose message keys are derived and expanded once, and many messages
//! at once.
//!
//! What must never happen: that a message sealed among others differs from the same message sealed
//! alone.

use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;

use portcullis_crypto::{SHALLOW, SealKey, SealLane, leaving_no_trace};

use super::{
    HEADER_LEN, Header, HeaderFields, Kind, MAC_LEN, MessageKey, MessageKeys, SealError, padded,
};

/// Messages that are written before they are sealed: few enough that they stay in the nearest
/// cache, and enough that the kernels seldom begin anew.
const AT_ONCE: usize = 128;
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
        let header = header(K::KIND, fields, ladder, client)?;
        let mut message = vec![0; header.message_len()];
        put(header, ladder, client, &mut message);
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
    let mut to_come = messages.size_hint().0;
    let mut sealed = SealedMessages { octets: Vec::new(), runs: Vec::new() };
    let SealedMessages { octets, runs } = &mut sealed;
    let mut run = Run { messages: 0, length: 0 };
    let mut free = octets.as_mut_slice();
    let mut lanes = Vec::new();
    for ToSeal { sealer, fields, ladder, client } in messages {
        let header = header(K::KIND, fields, ladder, client)?;
        let length = header.message_len();
        if free.len() < length {
            let unsealed = free.len();
            to_come = to_come.saturating_sub(lanes.len()).max(1);
            seal_lanes::<K>(lanes)?;
            let end = octets.len() - unsealed;
            if end == 0 {
                octets.reserve(length * to_come.min(EXPECTED_MAX));
            }
            octets.resize(end + length * to_come.min(AT_ONCE), 0);
            free = octets.split_at_mut(end).1;
            lanes = Vec::with_capacity(to_come.min(AT_ONCE));
        }
        let (message, behind) = free.split_at_mut(length);
        free = behind;
        put(header, ladder, client, message);
        lanes.push(SealLane { key: &sealer.key, message });
        if run.length != length {
            if run.messages > 0 {
                runs.push(run);
            }
            run = Run { messages: 0, length };
        }
        run.messages += 1;
    }
    let unsealed = free.len();
    seal_lanes::<K>(lanes)?;
    runs.push(run);
    octets.truncate(octets.len() - unsealed);
    Ok(sealed)
}

fn seal_lanes<K: MessageKey>(mut lanes: Vec<SealLane<'_>>) -> Result<(), SealError> {
    // Whole blocks by construction.
    portcullis_crypto::seal_many(&mut lanes)
        .map_err(|refused| SealError::TooLong { kind: K::KIND, length: refused.length })
}

/// Messages that were sealed together, one behind the other.
pub struct SealedMessages {
    octets: Vec<u8>,
    runs: Vec<Run>,
}

/// Messages of one length, one behind the other.
#[derive(Clone, Copy)]
struct Run {
    messages: usize,
    length: usize,
}

impl SealedMessages {
    /// Each message, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.octets.as_slice();
        let each = self.runs.iter().flat_map(|run| core::iter::repeat_n(run.length, run.messages));
        each.map_while(move |length| rest.split_off(..length))
    }
}

/// The header of a message, if the message fits.
#[inline]
fn header(
    kind: Kind,
    HeaderFields { salt, key_ref, sequence }: HeaderFields,
    ladder: &[u8],
    client: &[u8],
) -> Result<Header, SealError> {
    if ladder.len() != kind.ladder_len() {
        let (expected, found) = (kind.ladder_len(), ladder.len());
        return Err(SealError::LadderLength { kind, expected, found });
    }
    let length = ladder.len().saturating_add(client.len());
    let body_len = u16::try_from(length).map_err(|_| too_long(kind, ladder, client))?;
    if HEADER_LEN + padded(length) + MAC_LEN > kind.max_len() {
        return Err(too_long(kind, ladder, client));
    }
    let ladder_len = ladder.len() as u16;
    Ok(Header { kind, salt, key_ref, sequence, ladder_len, body_len })
}

/// Writes a message as it is before it is sealed, where there is nothing but zero: header, body with
/// its padding, place of the MAC.
#[inline]
fn put(header: Header, ladder: &[u8], client: &[u8], place: &mut [u8]) {
    if let Some((to_header, body)) = place.split_first_chunk_mut() {
        *to_header = header.to_bytes();
        if let Some((to_ladder, behind)) = body.split_at_mut_checked(ladder.len()) {
            to_ladder.copy_from_slice(ladder);
            if let Some((to_client, _)) = behind.split_at_mut_checked(client.len()) {
                to_client.copy_from_slice(client);
            }
        }
    }
}

const fn too_long(kind: Kind, ladder: &[u8], client: &[u8]) -> SealError {
    SealError::TooLong { kind, length: ladder.len().saturating_add(client.len()) }
}
