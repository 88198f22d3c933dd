//! Boxes and their places in groups.

use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_types::{CaSystemId, ChipId, GroupId, MemberIndex};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{Change, GroupMember, MAX_GROUP_MEMBERS, Membership, OutboxKind, StoreError, Terminal};

pub(super) fn add(
    tx: &Transaction<'_>,
    name: &str,
    chip_id: ChipId,
    preferred: CaSystemId,
) -> Result<Terminal, StoreError> {
    check_name(name)?;
    if let Some(there) = by_name(tx, name)? {
        if there.chip_id == chip_id {
            return Ok(there);
        }
        return Err(StoreError::TerminalExists { name: name.to_owned(), chip_id });
    }
    if by_chip(tx, chip_id)?.is_some() {
        return Err(StoreError::TerminalExists { name: name.to_owned(), chip_id });
    }
    tx.execute(
        "INSERT INTO terminals (name, chip_id, preferred_ca_system) VALUES (?1, ?2, ?3)",
        params![name, chip_id.0.cast_signed(), preferred.0],
    )?;
    let id = tx.last_insert_rowid();
    let mut systems = tx.prepare("SELECT ca_system_id FROM ca_systems ORDER BY ca_system_id")?;
    let systems: Vec<u16> = systems.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for ca_system in systems {
        join_group(tx, CaSystemId(ca_system), id)?;
    }
    event(tx, OutboxKind::TerminalAdded, id, None)?;
    by_name(tx, name)?.ok_or(StoreError::Corrupt("terminal after insert"))
}

pub(super) fn revoke(tx: &Transaction<'_>, terminal: &Terminal) -> Result<Change, StoreError> {
    if terminal.revoked {
        return Ok(Change::None);
    }
    // The expelled chip still holds the old K2, so its groups get a new one.
    tx.execute(
        "UPDATE groups SET generation = generation + 1, emm_counter = emm_counter + 1
         WHERE (ca_system_id, group_id) IN
               (SELECT ca_system_id, group_id FROM memberships WHERE terminal = ?1)",
        [terminal.id],
    )?;
    tx.execute(
        "UPDATE terminals SET emm_counter = emm_counter + 1
         WHERE id IN (SELECT m.terminal FROM memberships m JOIN memberships mine
                      ON m.ca_system_id = mine.ca_system_id AND m.group_id = mine.group_id
                      WHERE mine.terminal = ?1)",
        [terminal.id],
    )?;
    tx.execute("DELETE FROM memberships WHERE terminal = ?1", [terminal.id])?;
    tx.execute("DELETE FROM entitlements WHERE terminal = ?1", [terminal.id])?;
    tx.execute("UPDATE terminals SET revoked = 1 WHERE id = ?1", [terminal.id])?;
    event(tx, OutboxKind::TerminalRevoked, terminal.id, None)?;
    Ok(Change::Made)
}

pub(super) fn all(db: &Connection) -> Result<Vec<Terminal>, StoreError> {
    let mut query = db.prepare_cached(&format!("{SELECT} ORDER BY name"))?;
    let rows = query.query_map([], read)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

pub(super) fn by_name(db: &Connection, name: &str) -> Result<Option<Terminal>, StoreError> {
    let mut query = db.prepare_cached(&format!("{SELECT} WHERE name = ?1"))?;
    Ok(query.query_row([name], read).optional()?)
}

pub(super) fn by_chip(db: &Connection, chip: ChipId) -> Result<Option<Terminal>, StoreError> {
    let mut query = db.prepare_cached(&format!("{SELECT} WHERE chip_id = ?1"))?;
    Ok(query.query_row([chip.0.cast_signed()], read).optional()?)
}

pub(super) fn membership(
    db: &Connection,
    terminal: &Terminal,
    ca_system: CaSystemId,
) -> Result<Option<Membership>, StoreError> {
    let mut query = db.prepare_cached(&format!("{MEMBERS} AND m.terminal = ?2"))?;
    let member = query.query_row(params![ca_system.0, terminal.id], read_member).optional()?;
    Ok(member.map(|m| m.membership))
}

pub(super) fn members(
    db: &Connection,
    ca_system: CaSystemId,
) -> Result<Vec<GroupMember>, StoreError> {
    let mut query = db.prepare_cached(&format!("{MEMBERS} ORDER BY m.group_id, m.member_index"))?;
    let rows = query.query_map([ca_system.0], read_member)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// Records that EMMs have to go out; always in the transaction of the change itself.
pub(super) fn event(
    tx: &Transaction<'_>,
    kind: OutboxKind,
    terminal: i64,
    product: Option<u32>,
) -> Result<(), StoreError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    tx.execute(
        "INSERT INTO outbox (kind, terminal, product, at) VALUES (?1, ?2, ?3, ?4)",
        params![kind.code(), terminal, product, now.cast_signed()],
    )?;
    Ok(())
}

/// Names become directory names, so that nothing but plain characters may stand in them.
// defends: T-27
fn check_name(name: &str) -> Result<(), StoreError> {
    let plain = name.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(&c));
    if plain && (1..=64).contains(&name.len()) && !name.starts_with('.') {
        Ok(())
    } else {
        Err(StoreError::BadName(name.to_owned()))
    }
}

/// The first group with a free place; groups fill up one after the other.
fn join_group(tx: &Transaction<'_>, ca: CaSystemId, terminal: i64) -> Result<(), StoreError> {
    let open: Option<(u32, u8)> = tx
        .query_row(
            "SELECT group_id, next_member FROM groups
             WHERE ca_system_id = ?1 AND next_member < ?2 ORDER BY group_id LIMIT 1",
            params![ca.0, MAX_GROUP_MEMBERS],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let (group, index) = match open {
        Some(place) => place,
        None => {
            let group: u32 = tx.query_row(
                "SELECT COALESCE(MAX(group_id), 0) + 1 FROM groups WHERE ca_system_id = ?1",
                [ca.0],
                |row| row.get(0),
            )?;
            tx.execute(
                "INSERT INTO groups (ca_system_id, group_id) VALUES (?1, ?2)",
                params![ca.0, group],
            )?;
            (group, 0)
        }
    };
    tx.execute(
        "UPDATE groups SET next_member = next_member + 1
         WHERE ca_system_id = ?1 AND group_id = ?2",
        params![ca.0, group],
    )?;
    tx.execute(
        "INSERT INTO memberships (ca_system_id, group_id, member_index, terminal)
         VALUES (?1, ?2, ?3, ?4)",
        params![ca.0, group, index, terminal],
    )?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Terminal> {
    Ok(Terminal {
        id: row.get(0)?,
        name: row.get(1)?,
        chip_id: ChipId(row.get::<_, i64>(2)?.cast_unsigned()),
        preferred_ca_system: CaSystemId(row.get(3)?),
        revoked: row.get(4)?,
        emm_counter: row.get(5)?,
    })
}

fn read_member(row: &Row<'_>) -> rusqlite::Result<GroupMember> {
    Ok(GroupMember {
        terminal_id: row.get(0)?,
        membership: Membership {
            group_id: GroupId(row.get(1)?),
            member_index: MemberIndex(row.get(2)?),
            generation: row.get(3)?,
            emm_counter: row.get(4)?,
        },
    })
}

const SELECT: &str =
    "SELECT id, name, chip_id, preferred_ca_system, revoked, emm_counter FROM terminals";

const MEMBERS: &str = "SELECT m.terminal, m.group_id, m.member_index, g.generation, g.emm_counter
    FROM memberships m JOIN groups g USING (ca_system_id, group_id) WHERE m.ca_system_id = ?1";
