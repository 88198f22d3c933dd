//! The data manager: keeps EMM and ECM as access tokens and says which are new.
//!
//! Clause: X.1198 7 (data manager receives EMM and ECM, watches content for new data). A section
//! is an event once, however often the carousel brings it: ECM by comparison with the last one,
//! EMM by a bounded memory of hashes. Unique EMMs of other chips are dropped by their address
//! before they cost an event.
//!
//! What must never happen: an EMM that could not be used yet forgotten as done (a group EMM may
//! come before the unique EMM that makes it readable), memory that grows with the stream.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_crypto::sha256;
use portcullis_keyladder::envelope::{Header, Kind};
use portcullis_svm::abi::reason;
use portcullis_types::ProductId;

/// EMM sections that are remembered.
const EMM_MEMORY: usize = 1024;
/// Octets of a CA section before its message.
const SECTION_HEAD: usize = 3;
/// table_id of a unique EMM.
const UNIQUE_EMM: u8 = 0x82;

/// The data manager of one client.
pub struct DataManager {
    /// First octets of a unique EMM's `key_ref` for this chip and vendor.
    address: u32,
    ecm: Option<Vec<u8>>,
    /// Whether the last ECM was answered with success.
    ecm_done: bool,
    seen: BTreeMap<[u8; 32], u64>,
    order: BTreeSet<(u64, [u8; 32])>,
    clock: u64,
}

impl DataManager {
    /// A data manager for the unique address of this chip in this CA system.
    #[must_use]
    pub const fn new(address: u32) -> Self {
        Self {
            address,
            ecm: None,
            ecm_done: true,
            seen: BTreeMap::new(),
            order: BTreeSet::new(),
            clock: 0,
        }
    }

    /// Whether an ECM section is new; it is the current one from now on.
    // spec: X-50 X-57
    pub fn is_new_ecm(&mut self, section: &[u8]) -> bool {
        if self.ecm.as_deref() == Some(section) {
            return false;
        }
        self.ecm = Some(section.to_vec());
        self.ecm_done = false;
        true
    }

    /// How the client answered the current ECM.
    pub const fn ecm_answered(&mut self, code: u32) {
        self.ecm_done = code == reason::OK;
    }

    /// The current ECM, when the client could not use it: worth another try after a new EMM.
    #[must_use]
    pub fn ecm_to_retry(&self) -> Option<&[u8]> {
        self.ecm.as_deref().filter(|_| !self.ecm_done)
    }

    /// Whether an EMM section is for this terminal and was not done before.
    // spec: X-50 X-57 D-T7
    pub fn is_new_emm(&mut self, section: &[u8]) -> bool {
        let message = section.get(SECTION_HEAD..).unwrap_or_default();
        if section.first() == Some(&UNIQUE_EMM)
            && let Ok(header) = Header::parse(message)
            && header.kind == Kind::UniqueEmm
            && header.key_ref != self.address
        {
            return false;
        }
        let hash = sha256(&[section]);
        match self.seen.contains_key(&hash) {
            true => {
                self.touch(hash);
                false
            }
            false => true,
        }
    }

    /// How the client answered an EMM. What may succeed later is not remembered, and a unique
    /// EMM that was taken makes everything worth another try.
    pub fn emm_answered(&mut self, section: &[u8], code: u32) {
        if section.first() == Some(&UNIQUE_EMM) && code == reason::OK {
            self.seen.clear();
            self.order.clear();
        }
        if code != reason::NO_KEY {
            self.touch(sha256(&[section]));
        }
    }

    /// The product that an ECM section names in its clear header.
    #[must_use]
    pub fn product(section: &[u8]) -> Option<ProductId> {
        let header = Header::parse(section.get(SECTION_HEAD..)?).ok()?;
        (header.kind == Kind::Ecm).then_some(ProductId(header.key_ref))
    }

    /// Remembers a hash as the most recent one and forgets the least recent one beyond the limit.
    fn touch(&mut self, hash: [u8; 32]) {
        self.clock += 1;
        if let Some(before) = self.seen.insert(hash, self.clock) {
            self.order.remove(&(before, hash));
        }
        self.order.insert((self.clock, hash));
        if self.seen.len() > EMM_MEMORY
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.seen.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: u32 = 0x0102_0304;

    fn emm(table_id: u8, key_ref: u32, salt: u16) -> Vec<u8> {
        let (kind, ladder): (u8, u8) = if table_id == UNIQUE_EMM { (1, 21) } else { (2, 52) };
        let mut message = vec![1, kind];
        message.extend_from_slice(&salt.to_be_bytes());
        message.extend_from_slice(&key_ref.to_be_bytes());
        message.extend_from_slice(&[0, 0, 0, 1, 0, ladder, 0, 60]);
        message.resize(16 + 64 + 16, 0);
        let mut section = vec![table_id, 0x70, message.len() as u8];
        section.extend_from_slice(&message);
        section
    }

    // spec-test: X-50 D-T7
    #[test]
    fn a_repeated_section_is_an_event_once() {
        let mut data = DataManager::new(ADDRESS);
        let group = emm(0x84, 9, 0);
        assert!(data.is_new_emm(&group));
        data.emm_answered(&group, reason::OK);
        for _ in 0..5 {
            assert!(!data.is_new_emm(&group));
        }
        assert!(data.is_new_emm(&emm(0x84, 9, 1)));

        assert!(data.is_new_ecm(b"ecm one"));
        assert!(!data.is_new_ecm(b"ecm one"));
        assert!(data.is_new_ecm(b"ecm two"));
        assert!(data.is_new_ecm(b"ecm one"));
    }

    #[test]
    fn a_group_emm_that_came_too_early_gets_another_chance() {
        let mut data = DataManager::new(ADDRESS);
        let (group, unique) = (emm(0x84, 9, 0), emm(UNIQUE_EMM, ADDRESS, 0));
        assert!(data.is_new_emm(&group));
        data.emm_answered(&group, reason::NO_KEY);
        assert!(data.is_new_emm(&group), "no key yet: not done");
        data.emm_answered(&group, reason::NOT_FOR_US);
        assert!(!data.is_new_emm(&group));
        assert!(data.is_new_emm(&unique));
        data.emm_answered(&unique, reason::OK);
        assert!(data.is_new_emm(&group), "the unique EMM changed the group");
        assert!(!data.is_new_emm(&unique));
    }

    #[test]
    fn unique_emms_of_others_are_dropped_and_odd_ones_are_not() {
        let mut data = DataManager::new(ADDRESS);
        assert!(!data.is_new_emm(&emm(UNIQUE_EMM, ADDRESS + 1, 0)));
        assert!(data.is_new_emm(&emm(UNIQUE_EMM, ADDRESS, 0)));
        // What is no envelope is the client's to judge.
        assert!(data.is_new_emm(&[UNIQUE_EMM, 0x70, 1, 0]));
        assert!(data.is_new_emm(&[0x88, 0x70, 0]));
    }

    #[test]
    fn an_ecm_is_retried_until_the_client_can_use_it() {
        let mut data = DataManager::new(ADDRESS);
        assert_eq!(data.ecm_to_retry(), None);
        data.is_new_ecm(b"ecm");
        data.ecm_answered(reason::NO_KEY);
        assert_eq!(data.ecm_to_retry(), Some(&b"ecm"[..]));
        data.ecm_answered(reason::OK);
        assert_eq!(data.ecm_to_retry(), None);
    }

    #[test]
    fn the_memory_is_bounded_and_forgets_the_least_recent() {
        let mut data = DataManager::new(ADDRESS);
        let first = emm(0x84, 0, 0);
        data.emm_answered(&first, reason::OK);
        for key_ref in 1..=EMM_MEMORY as u32 + 10 {
            assert!(!data.is_new_emm(&first));
            data.emm_answered(&emm(0x84, key_ref, 0), reason::OK);
        }
        assert!(data.seen.len() <= EMM_MEMORY && data.order.len() == data.seen.len());
        assert!(!data.is_new_emm(&first), "it was seen all the time");
        assert!(data.is_new_emm(&emm(0x84, 1, 0)), "this one was not");
    }
}
