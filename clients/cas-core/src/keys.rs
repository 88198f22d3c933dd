//! The group EMMs of this terminal, as sealed as they came, by product and epoch.
//!
//! One record holds all, so that a power cut leaves the old set or the new one. An entry without
//! an envelope is a memory of having been left out: an older message that let us in is a replay.

use alloc::vec::Vec;

use portcullis_messages::GroupEmmBody;
use portcullis_sdk::abi::{reason, status};
use portcullis_sdk::{Status, sys};
use portcullis_types::{EpochId, GroupId, ProductId, UnixSeconds};

const GROUP_RECORD: &[u8] = b"group";
/// Most group EMMs that are kept.
const MAX_GROUP_EMMS: usize = 16;
/// group, product, epoch, counter, valid_until, envelope length.
const ENTRY_HEAD: usize = 26;

/// What one counter belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyName {
    pub(crate) group: GroupId,
    pub(crate) product: ProductId,
    pub(crate) epoch: EpochId,
}

/// What is known, compared with a group EMM that came.
pub(crate) enum Known {
    Newer,
    Same,
    Older,
}

struct Entry {
    name: KeyName,
    counter: u32,
    until: UnixSeconds,
    sealed: Vec<u8>,
}

/// All group EMMs that are kept.
pub(crate) struct GroupKeys(Vec<Entry>);

impl GroupKeys {
    /// Reads the record; a record that cannot be read counts as none.
    pub(crate) fn load() -> Self {
        let record = sys::nv_read(GROUP_RECORD).ok().flatten().unwrap_or_default();
        let mut rest = record.as_slice();
        let mut entries = Vec::new();
        while let Some((entry, after)) = take_entry(rest) {
            if entries.len() < MAX_GROUP_EMMS {
                entries.push(entry);
            }
            rest = after;
        }
        Self(entries)
    }

    /// Loads every K1 that is kept into the chip. What does not open under the present group key is
    /// forgotten; its counter is not.
    pub(crate) fn give_to_chip(&mut self) {
        for entry in self.0.iter_mut().filter(|entry| !entry.sealed.is_empty()) {
            let done = sys::kl_set_ek1(&entry.sealed);
            if matches!(done, Err(Status(status::BAD_MAC | status::NOT_MEMBER))) {
                entry.sealed = Vec::new();
            }
        }
    }

    /// Whether a group EMM is older than what is known of its key, or that very state.
    pub(crate) fn compare(&self, name: KeyName, counter: u32) -> Known {
        match self.0.iter().find(|entry| entry.name == name) {
            Some(entry) if counter < entry.counter => Known::Newer,
            Some(entry) if counter == entry.counter && !entry.sealed.is_empty() => Known::Same,
            _ => Known::Older,
        }
    }

    /// Keeps a group EMM (or the memory of having been left out) and writes all down.
    pub(crate) fn insert(
        &mut self,
        name: KeyName,
        body: &GroupEmmBody,
        sealed: Option<&[u8]>,
        now: UnixSeconds,
    ) -> Result<(), u32> {
        self.0.retain(|entry| entry.name != name && entry.until > now);
        if self.0.len() >= MAX_GROUP_EMMS {
            let oldest = self.0.iter().enumerate().min_by_key(|(_, e)| e.until).map(|(i, _)| i);
            if let Some(oldest) = oldest {
                self.0.remove(oldest);
            }
        }
        self.0.push(Entry {
            name,
            counter: body.counter,
            until: body.valid_until,
            sealed: sealed.map(Vec::from).unwrap_or_default(),
        });
        self.store().map_err(|_| reason::BAD_MESSAGE)
    }

    fn store(&self) -> Result<(), Status> {
        let mut record = Vec::new();
        for entry in &self.0 {
            record.extend_from_slice(&entry.name.group.0.to_be_bytes());
            record.extend_from_slice(&entry.name.product.0.to_be_bytes());
            record.extend_from_slice(&entry.name.epoch.0.to_be_bytes());
            record.extend_from_slice(&entry.counter.to_be_bytes());
            record.extend_from_slice(&entry.until.0.to_be_bytes());
            record.extend_from_slice(&(entry.sealed.len() as u16).to_be_bytes());
            record.extend_from_slice(&entry.sealed);
        }
        sys::nv_write(GROUP_RECORD, &record)
    }
}

fn take_entry(bytes: &[u8]) -> Option<(Entry, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<ENTRY_HEAD>()?;
    let [g0, g1, g2, g3, p0, p1, p2, p3, e0, e1, e2, e3, c0, c1, c2, c3, until @ .., l0, l1] =
        *head;
    let (sealed, rest) = rest.split_at_checked(u16::from_be_bytes([l0, l1]).into())?;
    let entry = Entry {
        name: KeyName {
            group: GroupId(u32::from_be_bytes([g0, g1, g2, g3])),
            product: ProductId(u32::from_be_bytes([p0, p1, p2, p3])),
            epoch: EpochId(u32::from_be_bytes([e0, e1, e2, e3])),
        },
        counter: u32::from_be_bytes([c0, c1, c2, c3]),
        until: UnixSeconds(u64::from_be_bytes(until)),
        sealed: sealed.to_vec(),
    };
    Some((entry, rest))
}
