//! Snapshot and clone of a loaded client: one load and one scan for any number of machines.
//!
//! Clauses: X.1198 7.1, 7.2. What never changes (decoded text, permit table, scan report) is
//! shared; of the memory, pages that are not zero are kept and copied, the rest is zero again. A
//! clone is a client of its own: nothing it does is seen by another.
//!
//! What must never happen: octets of one clone in the memory of the next; a clone that takes over
//! half an event.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use crate::client::Client;
use crate::event::State;
use crate::memory::GuestMemory;

/// Why there is no snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Only a client between events has one: Loaded or Idle, and no event waiting.
    #[error("a client in state {0} with {1} waiting events has no snapshot")]
    Busy(State, usize),
    /// A provider's function cannot be copied.
    #[error("a client with functions of a provider has no snapshot")]
    Providers,
}

/// A client as it was between two events.
#[derive(Debug)]
pub struct Snapshot {
    /// The client without its memory.
    parts: Client,
    memory: FrozenMemory,
}

impl Client {
    /// Keeps what this client is now.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn snapshot(&self) -> Result<Snapshot, SnapshotError> {
        let waiting = self.queue.len();
        if !matches!(self.state, State::Loaded | State::Idle) || waiting > 0 {
            return Err(SnapshotError::Busy(self.state, waiting));
        }
        if self.calls.providers.iter().next().is_some() {
            return Err(SnapshotError::Providers);
        }
        let memory = FrozenMemory::of(&self.machine.memory);
        Ok(Snapshot { parts: self.without_memory(), memory })
    }

    /// Ends the client and leaves its overwritten memory for the next clone.
    // spec: X-S12
    pub fn give_back(mut self, spare: &mut Spare) {
        self.machine.memory.clear_into(spare);
    }
}

impl Snapshot {
    /// A client that goes on from here.
    #[must_use]
    pub fn instantiate(&self) -> Client {
        self.instantiate_with(&mut Spare::default())
    }

    /// The same, in memory that another client left behind.
    #[must_use]
    pub fn instantiate_with(&self, spare: &mut Spare) -> Client {
        let mut client = self.parts.without_memory();
        client.machine.memory = self.memory.thaw(spare);
        client
    }

    /// Pages of memory that each clone gets copied, of 4096 octets.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.memory.pages()
    }

    /// How many clients share the decoded text now, this snapshot included.
    #[must_use]
    pub fn sharers(&self) -> usize {
        Arc::strong_count(&self.parts.text)
    }
}

/// Octets of a page of a snapshot.
const PAGE: usize = 4096;
/// Regions that a [`Spare`] keeps.
const SPARE_MAX: usize = 64;

/// Memory as it was once.
#[derive(Debug)]
struct FrozenMemory {
    regions: Vec<FrozenRegion>,
}

#[derive(Debug)]
struct FrozenRegion {
    base: u32,
    writable: bool,
    len: usize,
    /// Offset and octets of each page that is not all zero.
    pages: Vec<(usize, Vec<u8>)>,
}

fn touched(bytes: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let pages = bytes.chunks(PAGE).enumerate();
    let used = pages.filter(|(_, page)| page.iter().any(|octet| *octet != 0));
    used.map(|(at, page)| (at * PAGE, page.to_vec())).collect()
}

impl Drop for FrozenMemory {
    fn drop(&mut self) {
        for (_, page) in self.regions.iter_mut().flat_map(|region| &mut region.pages) {
            page.fill(0);
            core::hint::black_box(&page);
        }
    }
}

impl FrozenMemory {
    fn of(memory: &GuestMemory) -> Self {
        let regions = memory.in_order().map(|(base, writable, bytes)| FrozenRegion {
            base,
            writable,
            len: bytes.len(),
            pages: touched(bytes),
        });
        Self { regions: regions.collect() }
    }

    /// The same memory again, in spare octets where there are some.
    fn thaw(&self, spare: &mut Spare) -> GuestMemory {
        let mut memory = GuestMemory::default();
        for region in &self.regions {
            let mut bytes = spare.take(region.len);
            for (at, page) in &region.pages {
                if let Some(place) = bytes.get_mut(*at..at + page.len()) {
                    place.copy_from_slice(page);
                }
            }
            memory.put(region.base, bytes, region.writable);
        }
        memory
    }

    fn pages(&self) -> usize {
        self.regions.iter().map(|region| region.pages.len()).sum()
    }
}

/// Overwritten memory of clients that ended, for the next ones.
#[derive(Debug, Default)]
pub struct Spare {
    /// All zero.
    regions: Vec<Vec<u8>>,
}

impl Spare {
    /// Takes octets that were overwritten.
    pub(crate) fn keep(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() && self.regions.len() < SPARE_MAX {
            self.regions.push(bytes);
        }
    }

    /// So many zeros.
    fn take(&mut self, len: usize) -> Vec<u8> {
        match self.regions.iter().rposition(|bytes| bytes.len() == len) {
            Some(at) => self.regions.swap_remove(at),
            None => vec![0; len],
        }
    }
}
