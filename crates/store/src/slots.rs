//! Two slots, A and B, for the images of one client.
//!
//! A new image goes to the slot that is not in use. It is *pending* with a few tries until it
//! ran once; then it is *good*. When the tries are used up the other slot takes over (F-19). The
//! state file says which image belongs to a slot by its hash, so an image that was replaced
//! without its state is never started by mistake. State and images are hints only: the
//! terminal verifies every image again at launch, so flash can delay a start but not forge one.

use std::fmt;
use std::path::{Path, PathBuf};

use portcullis_crypto::sha256;

use crate::disk::{Disk, write_atomically};
use crate::error::StoreError;
use crate::sealed::ClientName;

/// One of the two slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slot {
    /// The first.
    A,
    /// The second.
    B,
}

impl Slot {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    const fn index(self) -> usize {
        self as usize
    }

    const fn file_name(self) -> &'static str {
        match self {
            Self::A => "a.odci",
            Self::B => "b.odci",
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::B => "B",
        })
    }
}

/// What is known of the image in a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SlotState {
    /// Nothing, or nothing that could be started.
    Empty,
    /// Installed, never ran; so many starts are left.
    Pending {
        /// Starts left.
        tries: u8,
    },
    /// Ran.
    Good,
}

/// Limits of the slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SlotLimits {
    /// Octets of an image (default 4 MiB).
    pub image: usize,
    /// Starts a new image gets to prove itself (default 3).
    pub tries: u8,
}

impl Default for SlotLimits {
    fn default() -> Self {
        Self { image: 4 * 1024 * 1024, tries: 3 }
    }
}

/// The slots of one client.
pub struct Slots<D: Disk> {
    disk: D,
    dir: PathBuf,
    limits: SlotLimits,
    table: Table,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Table {
    preferred: Slot,
    entries: [Entry; 2],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Entry {
    state: SlotState,
    sha256: [u8; 32],
}

const EMPTY: Entry = Entry { state: SlotState::Empty, sha256: [0; 32] };

impl<D: Disk> Slots<D> {
    /// Opens the slots of a client below `dir`.
    ///
    /// # Errors
    /// [`StoreError::Io`]. A damaged state file is no error: images that are there become
    /// pending with one try, since each is verified at launch anyway.
    pub fn open(
        disk: D,
        dir: &Path,
        client: ClientName,
        limits: SlotLimits,
    ) -> Result<Self, StoreError> {
        let dir = dir.join(client.file_name());
        disk.create_dir(&dir).map_err(StoreError::io("make directory", &dir))?;
        let path = dir.join(STATE_FILE);
        let state = disk.read(&path, STATE_LEN).ok().flatten();
        let mut slots =
            Self { disk, dir, limits, table: Table { preferred: Slot::A, entries: [EMPTY; 2] } };
        match state.as_deref().map(parse) {
            Some(Some(table)) => slots.table = table,
            Some(None) => slots.adopt_images(),
            None => {}
        }
        Ok(slots)
    }

    /// The state of a slot.
    #[must_use]
    pub fn state(&self, slot: Slot) -> SlotState {
        self.table.entries[slot.index()].state
    }

    /// The slots that may be started, best first: the newest image while it is good or has tries
    /// left, then the other one.
    #[must_use]
    pub fn candidates(&self) -> Vec<Slot> {
        let first = self.table.preferred;
        [first, first.other()].into_iter().filter(|slot| self.may_start(*slot)).collect()
    }

    /// The image of a slot, when it is the one that was installed there.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn read(&self, slot: Slot) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.dir.join(slot.file_name());
        let image = self
            .disk
            .read(&path, self.limits.image)
            .map_err(StoreError::io("read", &path))?
            .filter(|image| sha256(&[image]) == self.table.entries[slot.index()].sha256);
        Ok(image)
    }

    /// Installs an image into the slot that is not in use and prefers it from now on.
    ///
    /// # Errors
    /// [`StoreError::ImageTooLarge`], [`StoreError::Io`]. A power cut or error leaves the slot in
    /// use as it was.
    // spec: D-07
    pub fn install(&mut self, image: &[u8]) -> Result<Slot, StoreError> {
        if image.len() > self.limits.image {
            return Err(StoreError::ImageTooLarge { size: image.len(), limit: self.limits.image });
        }
        let slot = self.replaceable();
        write_atomically(&self.disk, &self.dir.join(slot.file_name()), image)?;
        let mut table = self.table;
        table.preferred = slot;
        table.entries[slot.index()] = Entry {
            state: SlotState::Pending { tries: self.limits.tries },
            sha256: sha256(&[image]),
        };
        self.save(table)?;
        Ok(slot)
    }

    /// Counts a start of a pending slot before it happens, so that an image that takes the
    /// terminal down with it still runs out of tries.
    ///
    /// # Errors
    /// [`StoreError::NothingToTry`], [`StoreError::Io`].
    pub fn begin_try(&mut self, slot: Slot) -> Result<(), StoreError> {
        let tries = match self.state(slot) {
            SlotState::Good => return Ok(()),
            SlotState::Pending { tries } if tries > 0 => tries - 1,
            SlotState::Pending { .. } | SlotState::Empty => {
                return Err(StoreError::NothingToTry(slot));
            }
        };
        self.save_state(slot, SlotState::Pending { tries })
    }

    /// The image ran: it is good, and the preferred one.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn mark_good(&mut self, slot: Slot) -> Result<(), StoreError> {
        if self.state(slot) == SlotState::Good && self.table.preferred == slot {
            return Ok(());
        }
        let mut table = self.table;
        table.preferred = slot;
        table.entries[slot.index()].state = SlotState::Good;
        self.save(table)
    }

    /// The image was refused: the slot is free and the other one preferred.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn mark_bad(&mut self, slot: Slot) -> Result<(), StoreError> {
        let mut table = self.table;
        table.preferred = slot.other();
        table.entries[slot.index()] = EMPTY;
        self.save(table)
    }

    fn may_start(&self, slot: Slot) -> bool {
        match self.state(slot) {
            SlotState::Good => true,
            SlotState::Pending { tries } => tries > 0,
            SlotState::Empty => false,
        }
    }

    /// The slot a new image may overwrite: never the best one that can still start.
    fn replaceable(&self) -> Slot {
        let good = |slot| self.state(slot) == SlotState::Good;
        let first = self.table.preferred;
        // A pending image gives way to a newer one before the good one behind it does.
        if good(first) || !good(first.other()) && self.may_start(first) {
            first.other()
        } else {
            first
        }
    }

    fn save_state(&mut self, slot: Slot, state: SlotState) -> Result<(), StoreError> {
        let mut table = self.table;
        table.entries[slot.index()].state = state;
        self.save(table)
    }

    fn save(&mut self, table: Table) -> Result<(), StoreError> {
        if table != self.table {
            write_atomically(&self.disk, &self.dir.join(STATE_FILE), &serialise(&table))?;
            self.table = table;
        }
        Ok(())
    }

    fn adopt_images(&mut self) {
        for slot in [Slot::A, Slot::B] {
            let path = self.dir.join(slot.file_name());
            if let Ok(Some(image)) = self.disk.read(&path, self.limits.image) {
                self.table.entries[slot.index()] =
                    Entry { state: SlotState::Pending { tries: 1 }, sha256: sha256(&[&image]) };
            }
        }
    }
}

// State file: magic 4, format 1, preferred 1, per slot {state 1, tries 1, SHA-256 32}, SHA-256
// over all before it. The hash is against bit rot, not against attackers.

fn serialise(table: &Table) -> Vec<u8> {
    let mut out = Vec::with_capacity(STATE_LEN);
    out.extend_from_slice(b"PSLT\x01");
    out.push(table.preferred as u8);
    for entry in &table.entries {
        let (state, tries) = match entry.state {
            SlotState::Empty => (0, 0),
            SlotState::Pending { tries } => (1, tries),
            SlotState::Good => (2, 0),
        };
        out.extend_from_slice(&[state, tries]);
        out.extend_from_slice(&entry.sha256);
    }
    let digest = sha256(&[&out]);
    out.extend_from_slice(&digest);
    out
}

fn parse(bytes: &[u8]) -> Option<Table> {
    let (body, digest) = bytes.split_at_checked(STATE_LEN - 32)?;
    if sha256(&[body]).as_slice() != digest {
        return None;
    }
    let body = body.strip_prefix(b"PSLT\x01")?;
    let (preferred, body) = body.split_first()?;
    let preferred = match preferred {
        0 => Slot::A,
        1 => Slot::B,
        _ => return None,
    };
    let (a, b) = body.split_at_checked(ENTRY_LEN)?;
    Some(Table { preferred, entries: [parse_entry(a)?, parse_entry(b)?] })
}

fn parse_entry(bytes: &[u8]) -> Option<Entry> {
    let (head, digest) = bytes.split_at_checked(2)?;
    let state = match head {
        [0, _] => SlotState::Empty,
        [1, tries] => SlotState::Pending { tries: *tries },
        [2, _] => SlotState::Good,
        _ => return None,
    };
    Some(Entry { state, sha256: digest.try_into().ok()? })
}

const STATE_FILE: &str = "state";
const ENTRY_LEN: usize = 34;
const STATE_LEN: usize = 6 + 2 * ENTRY_LEN + 32;

#[cfg(test)]
#[path = "slots_tests.rs"]
mod tests;
