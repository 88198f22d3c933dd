//! Sets of PIDs.

use portcullis_types::Pid;

const WORDS: usize = 0x2000 / 64;
/// The first PID that is given to a new stream.
const FIRST_FREE: u16 = 0x1000;

/// A set of PIDs.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PidSet {
    words: [u64; WORDS],
}

impl Default for PidSet {
    fn default() -> Self {
        Self { words: [0; WORDS] }
    }
}

impl PidSet {
    pub(super) fn insert(&mut self, pid: Pid) {
        if let Some(word) = self.words.get_mut(usize::from(pid.get()) / 64) {
            *word |= 1 << (pid.get() % 64);
        }
    }

    pub(super) fn remove(&mut self, pid: Pid) {
        if let Some(word) = self.words.get_mut(usize::from(pid.get()) / 64) {
            *word &= !(1 << (pid.get() % 64));
        }
    }

    pub(super) fn retain(&mut self, keep: impl Fn(Pid) -> bool) {
        for pid in (0..Pid::NULL.get()).filter_map(Pid::new) {
            if self.contains(pid) && !keep(pid) {
                self.remove(pid);
            }
        }
    }

    pub(super) fn contains(&self, pid: Pid) -> bool {
        self.words
            .get(usize::from(pid.get()) / 64)
            .is_some_and(|word| word >> (pid.get() % 64) & 1 != 0)
    }

    /// Takes a PID that is not in the set, from the upper half of the range first.
    pub(super) fn take_unused(&mut self) -> Option<Pid> {
        let pid = (FIRST_FREE..Pid::NULL.get())
            .chain(0x20..FIRST_FREE)
            .filter_map(Pid::new)
            .find(|pid| !self.contains(*pid))?;
        self.insert(pid);
        Some(pid)
    }
}
