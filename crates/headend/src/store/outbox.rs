//! Events that wait for their EMMs. Written with the change, marked when the MUX took the EMMs.

use portcullis_types::{CaSystemId, ProductId};
use rusqlite::{Connection, params};

use super::{OutboxEvent, OutboxKind, StoreError};

pub(super) fn pending(
    db: &Connection,
    ca_system: CaSystemId,
    limit: usize,
) -> Result<Vec<OutboxEvent>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT id, kind, terminal, product FROM outbox
         WHERE id > (SELECT sent_through FROM ca_systems WHERE ca_system_id = ?1)
         ORDER BY id LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = query.query(params![ca_system.0, limit])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(OutboxEvent {
            id: row.get(0)?,
            kind: OutboxKind::from_code(row.get(1)?)
                .ok_or(StoreError::Corrupt("kind of an outbox event"))?,
            terminal_id: row.get(2)?,
            product: row.get::<_, Option<u32>>(3)?.map(ProductId),
        });
    }
    Ok(events)
}

pub(super) fn mark_sent_through(
    db: &Connection,
    ca_system: CaSystemId,
    event: i64,
) -> Result<(), StoreError> {
    db.execute(
        "UPDATE ca_systems SET sent_through = MAX(sent_through, ?2) WHERE ca_system_id = ?1",
        params![ca_system.0, event],
    )?;
    Ok(())
}

impl OutboxKind {
    pub(super) const fn code(self) -> i64 {
        match self {
            Self::Entitled => 1,
            Self::Unentitled => 2,
            Self::TerminalAdded => 3,
            Self::TerminalRevoked => 4,
        }
    }

    const fn from_code(code: i64) -> Option<Self> {
        match code {
            1 => Some(Self::Entitled),
            2 => Some(Self::Unentitled),
            3 => Some(Self::TerminalAdded),
            4 => Some(Self::TerminalRevoked),
            _ => None,
        }
    }
}
