//! Rights: sold, cancelled, and taken apart for EMMs.

use std::collections::BTreeMap;

use portcullis_types::{ProductId, UnixSeconds};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::terminals::event;
use super::{Change, EntitlementRow, MAX_EFFECTIVE_ENTITLEMENTS, OutboxKind, StoreError, Terminal};

pub(super) fn entitle(
    tx: &Transaction<'_>,
    terminal: &Terminal,
    right: EntitlementRow,
) -> Result<Change, StoreError> {
    let EntitlementRow { product, from, until } = right;
    if terminal.revoked {
        return Err(StoreError::Revoked(terminal.name.clone()));
    }
    if from >= until {
        return Err(StoreError::EmptyPeriod { from: from.0, until: until.0 });
    }
    let (from, until) = (stored(from)?, stored(until)?);
    let before: Option<(i64, i64)> = tx
        .query_row(
            "SELECT valid_from, valid_until FROM entitlements WHERE terminal = ?1 AND product = ?2",
            params![terminal.id, product.0],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    if before == Some((from, until)) {
        return Ok(Change::None);
    }
    tx.execute(
        "INSERT INTO entitlements (terminal, product, valid_from, valid_until)
         VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET valid_from = excluded.valid_from,
                                   valid_until = excluded.valid_until",
        params![terminal.id, product.0, from, until],
    )?;
    let count = effective(tx, terminal)?.len();
    if count > MAX_EFFECTIVE_ENTITLEMENTS {
        return Err(StoreError::TooManyEntitlements {
            name: terminal.name.clone(),
            count,
            limit: MAX_EFFECTIVE_ENTITLEMENTS,
        });
    }
    raise_counters(tx, terminal)?;
    event(tx, OutboxKind::Entitled, terminal.id, Some(product.0))?;
    Ok(Change::Made)
}

pub(super) fn unentitle(
    tx: &Transaction<'_>,
    terminal: &Terminal,
    product: ProductId,
) -> Result<Change, StoreError> {
    let gone = tx.execute(
        "DELETE FROM entitlements WHERE terminal = ?1 AND product = ?2",
        params![terminal.id, product.0],
    )?;
    if gone == 0 {
        return Ok(Change::None);
    }
    raise_counters(tx, terminal)?;
    event(tx, OutboxKind::Unentitled, terminal.id, Some(product.0))?;
    Ok(Change::Made)
}

pub(super) fn sold(
    db: &Connection,
    terminal: &Terminal,
) -> Result<Vec<EntitlementRow>, StoreError> {
    rows(
        db,
        "SELECT product, valid_from, valid_until FROM entitlements
         WHERE terminal = ?1 ORDER BY product",
        terminal,
    )
}

/// Packages taken apart; overlapping or touching periods of one product joined.
///
/// Two periods with a gap cannot be told in one entry, so the client gets both. It is the same
/// list, in the same order, whatever the order of sales was.
pub(super) fn effective(
    db: &Connection,
    terminal: &Terminal,
) -> Result<Vec<EntitlementRow>, StoreError> {
    let each = rows(
        db,
        "SELECT product, valid_from, valid_until FROM entitlements WHERE terminal = ?1
         UNION ALL
         SELECT m.member, e.valid_from, e.valid_until
         FROM entitlements e JOIN product_members m ON m.product = e.product
         WHERE e.terminal = ?1
         ORDER BY 1, 2, 3",
        terminal,
    )?;
    let mut joined: BTreeMap<ProductId, Vec<EntitlementRow>> = BTreeMap::new();
    for right in each {
        let periods = joined.entry(right.product).or_default();
        match periods.last_mut() {
            Some(last) if right.from <= last.until => last.until = last.until.max(right.until),
            _ => periods.push(right),
        }
    }
    Ok(joined.into_values().flatten().collect())
}

/// A client refuses EMMs below the counter that it has seen: a cancelled right stays cancelled.
// defends: T-10
fn raise_counters(tx: &Transaction<'_>, terminal: &Terminal) -> Result<(), StoreError> {
    tx.execute("UPDATE terminals SET emm_counter = emm_counter + 1 WHERE id = ?1", [terminal.id])?;
    tx.execute(
        "UPDATE groups SET emm_counter = emm_counter + 1
         WHERE (ca_system_id, group_id) IN
               (SELECT ca_system_id, group_id FROM memberships WHERE terminal = ?1)",
        [terminal.id],
    )?;
    Ok(())
}

fn rows(
    db: &Connection,
    sql: &str,
    terminal: &Terminal,
) -> Result<Vec<EntitlementRow>, StoreError> {
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query([terminal.id])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(EntitlementRow {
            product: ProductId(row.get(0)?),
            from: UnixSeconds(row.get::<_, i64>(1)?.max(0).cast_unsigned()),
            until: UnixSeconds(row.get::<_, i64>(2)?.max(0).cast_unsigned()),
        });
    }
    Ok(out)
}

fn stored(time: UnixSeconds) -> Result<i64, StoreError> {
    i64::try_from(time.0).map_err(|_| StoreError::TimeOutOfRange(time.0))
}
