//! What boxes told of clients that were stopped, a bounded number for each box.

use portcullis_types::UnixSeconds;
use rusqlite::{Connection, Transaction, params};

use super::{StoreError, Terminal, ViolationReport};

/// Records kept of one box; the oldest give way.
const KEPT: u32 = 1024;

/// Keeps records; those that are here already change nothing.
pub(super) fn keep(
    tx: &Transaction<'_>,
    terminal: &Terminal,
    reports: &[ViolationReport],
) -> Result<(), StoreError> {
    let mut insert = tx.prepare(
        "INSERT OR IGNORE INTO violations (terminal, number, at, record) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for report in reports {
        let at = i64::try_from(report.at.0).map_err(|_| StoreError::TimeOutOfRange(report.at.0))?;
        insert.execute(params![terminal.id, report.number, at, report.record])?;
    }
    tx.execute(
        "DELETE FROM violations WHERE terminal = ?1 AND (at, number) NOT IN
             (SELECT at, number FROM violations WHERE terminal = ?1
              ORDER BY at DESC, number DESC LIMIT ?2)",
        params![terminal.id, KEPT],
    )?;
    Ok(())
}

/// The records of a box, the oldest first.
pub(super) fn of(db: &Connection, terminal: &Terminal) -> Result<Vec<ViolationReport>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT number, at, record FROM violations WHERE terminal = ?1 ORDER BY at, number",
    )?;
    let rows = query.query_map([terminal.id], |row| {
        let at: i64 = row.get(1)?;
        let at = UnixSeconds(at.unsigned_abs());
        Ok(ViolationReport { number: row.get(0)?, at, record: row.get(2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
