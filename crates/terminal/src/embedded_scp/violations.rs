//! What is kept for the operator of clients that were stopped.
//!
//! Clause: X.1198 7.5 (a violation is reported). The records lie in the flash, sealed by the chip
//! under a counter like a client's storage (T-38): they outlive a restart, and a set that was
//! changed or put back is noticed and said so in a record.
//!
//! What must never happen: a record of one client in the name of another; a log that grows.

use std::path::Path;

use portcullis_store::{
    ClientName, Disk, RealDisk, SealedStore, Sealer, StoreError, StoreLimits, write_atomically,
};
use portcullis_svm::{Event, Outcome, StopKind};
use portcullis_types::{ScpClientId, SuperScpId, UnixSeconds};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::ClientError;

/// Records that are kept; a new one takes the place of the oldest.
pub const RECORDS: u32 = 64;
/// Characters of what happened, in words.
const WHAT: usize = 256;
/// Octets of all records: 64 of the longest fit.
const QUOTA: usize = 128 << 10;
/// The name the log has in the store. No client has it: the SCP manager refuses one.
pub(crate) const LOG_NAME: ClientName =
    ClientName { super_scp_id: SuperScpId(u32::MAX), client_id: ScpClientId(u32::MAX) };
/// Key of the number of the next record.
const NEXT: &[u8] = b"next";

/// One client that was stopped, or was not let in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ViolationRecord {
    /// Counts all records of this terminal, those that are gone included.
    pub number: u32,
    /// When, by the terminal's clock.
    pub time: UnixSeconds,
    /// The client's supplier.
    pub super_scp_id: u32,
    /// The client.
    pub client_id: u32,
    /// [`StopKind::name`].
    pub kind: String,
    /// The return code the media client got.
    pub code: i32,
    /// The event it happened in.
    pub event: Option<String>,
    /// The system call it happened in.
    pub call: Option<u16>,
    /// Where the client was.
    pub pc: Option<u32>,
    /// In words.
    pub what: String,
}

impl ViolationRecord {
    /// A record without a number: it gets one when it is kept.
    #[must_use]
    pub fn new(time: UnixSeconds, client: ClientName, kind: StopKind, what: &str) -> Self {
        Self {
            number: 0,
            time,
            super_scp_id: client.super_scp_id.0,
            client_id: client.client_id.0,
            kind: kind.name().to_owned(),
            code: kind.code(),
            event: None,
            call: None,
            pc: None,
            what: what.chars().take(WHAT).collect(),
        }
    }

    /// With what the machine knows.
    #[must_use]
    pub fn during(mut self, event: Event, outcome: Option<&Outcome>) -> Self {
        self.event = Some(event.name().to_owned());
        self.call = outcome.and_then(Outcome::call);
        self.pc = outcome.and_then(Outcome::pc);
        self
    }
}

impl ViolationRecord {
    /// The error event for the media client.
    #[must_use]
    pub fn to_event(&self) -> Value {
        json!({
            "event": "error",
            "kind": self.kind,
            "code": self.code,
            "super_scp_id": self.super_scp_id,
            "client_id": self.client_id,
            "during": self.event,
            "call": self.call,
            "pc": self.pc,
            "reason": self.what,
        })
    }
}

/// Keeps a record and gives its number.
///
/// # Errors
/// [`StoreError`] when flash or chip fail.
// spec: X-01 X-26 X-Y03
// defends: T-38
pub fn keep<D: Disk + Clone>(
    disk: D,
    flash: &Path,
    sealer: &mut impl Sealer,
    mut record: ViolationRecord,
) -> Result<u32, StoreError> {
    let mut log = open(disk, flash, sealer, record.time)?;
    record.number = next_number(&log);
    put(&mut log, &record)?;
    log.commit(sealer)?;
    Ok(record.number)
}

/// The records, the oldest first.
///
/// # Errors
/// [`StoreError`] when flash or chip fail.
pub fn read<D: Disk + Clone>(
    disk: D,
    flash: &Path,
    sealer: &mut impl Sealer,
    now: UnixSeconds,
) -> Result<Vec<ViolationRecord>, StoreError> {
    let log = open(disk, flash, sealer, now)?;
    let next = next_number(&log);
    Ok((next.saturating_sub(RECORDS)..next)
        .filter_map(|number| serde_json::from_slice(log.get(&key(number))?).ok())
        .collect())
}

/// Tells the operator what was not told yet. A link that fails is no harm: the next start tells
/// it, and what is told twice stands once.
pub(crate) fn tell(
    flash: &Path,
    sealer: &mut impl Sealer,
    now: UnixSeconds,
    send: impl FnOnce(&[ViolationRecord]) -> Result<(), ClientError>,
) {
    let marker = flash.join("violations-told");
    let Ok(records) = read(RealDisk, flash, sealer, now) else { return };
    let next = records.last().map_or(0, |record| record.number.saturating_add(1));
    let told = std::fs::read(&marker).ok().and_then(|octets| octets.try_into().ok());
    // A log that was lost counts from the beginning.
    let told = told.map(u32::from_be_bytes).filter(|told| *told <= next).unwrap_or(0);
    let new: Vec<_> = records.into_iter().filter(|record| record.number >= told).collect();
    if new.is_empty() {
        return;
    }
    let done = send(&new).map_err(|error| error.to_string()).and_then(|()| {
        let marked = write_atomically(&RealDisk, &marker, &next.to_be_bytes());
        marked.map_err(|error| error.to_string())
    });
    if let Err(error) = done {
        tracing::info!("records of stopped clients: {error}");
    }
}

fn open<D: Disk + Clone>(
    disk: D,
    flash: &Path,
    sealer: &mut impl Sealer,
    now: UnixSeconds,
) -> Result<SealedStore<D>, StoreError> {
    let dir = flash.join("violations");
    let limits = StoreLimits { quota: QUOTA, ..StoreLimits::default() };
    let (mut log, refused) = SealedStore::open_or_begin_anew(disk, &dir, LOG_NAME, limits, sealer)?;
    if let Some(refused) = refused {
        // The gap is itself something the operator must see.
        let what = format!("earlier records are lost: {refused}");
        put(&mut log, &ViolationRecord::new(now, LOG_NAME, StopKind::Storage, &what))?;
        log.commit(sealer)?;
    }
    Ok(log)
}

fn put<D: Disk>(log: &mut SealedStore<D>, record: &ViolationRecord) -> Result<(), StoreError> {
    let octets = serde_json::to_vec(record).unwrap_or_default();
    log.set(&key(record.number), &octets)?;
    log.set(NEXT, &record.number.saturating_add(1).to_be_bytes())
}

fn next_number<D: Disk>(log: &SealedStore<D>) -> u32 {
    log.get(NEXT).and_then(|octets| octets.try_into().ok()).map_or(0, u32::from_be_bytes)
}

fn key(number: u32) -> [u8; 2] {
    [b'v', (number % RECORDS) as u8]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::chip::ChipSealer;
    use crate::testing::FakeChip;
    use portcullis_store::RealDisk;

    fn record(what: &str) -> ViolationRecord {
        let client = ClientName { super_scp_id: SuperScpId(0xA001), client_id: ScpClientId(1) };
        let outcome = Outcome::OutOfBudget { event: Event::Timer };
        ViolationRecord::new(UnixSeconds(1_800_000_000), client, StopKind::OutOfBudget, what)
            .during(Event::Timer, Some(&outcome))
    }

    // spec-test: X-Y03 X-26
    // attack-test: T-38
    #[test]
    fn records_outlive_a_restart_are_bounded_and_a_lost_log_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let mut chip = FakeChip::new(1);
        let now = UnixSeconds(1_800_000_001);
        let mut sealer = ChipSealer(&mut chip);
        assert_eq!(read(RealDisk, dir.path(), &mut sealer, now).unwrap(), []);
        for number in 0..RECORDS + 3 {
            let what = format!("{number} {}", "x".repeat(1000));
            let kept = keep(RealDisk, dir.path(), &mut sealer, record(&what)).unwrap();
            assert_eq!(kept, number);
        }
        let records = read(RealDisk, dir.path(), &mut sealer, now).unwrap();
        assert_eq!(records.len(), RECORDS as usize);
        assert_eq!((records[0].number, records[63].number), (3, 66));
        assert!(records[63].what.starts_with("66 xx") && records[63].what.len() == WHAT);
        assert_eq!((records[63].code, records[63].event.as_deref()), (-102, Some("Timer")));

        let of_log = std::fs::read_dir(dir.path().join("violations")).unwrap();
        for file in of_log {
            std::fs::remove_file(file.unwrap().path()).unwrap();
        }
        let records = read(RealDisk, dir.path(), &mut sealer, now).unwrap();
        assert_eq!(records.len(), 1);
        assert!(records[0].what.starts_with("earlier records are lost"), "{records:?}");
    }
}
