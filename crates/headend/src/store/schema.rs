//! Tables and migrations. `user_version` says how many migrations have run.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};

use super::{OperatorData, StoreError};

/// Runs the migrations that have not run yet, each in a transaction of its own.
pub(super) fn migrate(db: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let known = MIGRATIONS.len() as i64;
    loop {
        // Immediate: of two processes that start at once, one migrates and the other then sees it.
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: i64 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found > known {
            return Err(StoreError::NewerSchema { path: path.to_owned(), found, known });
        }
        let next = usize::try_from(found).map_err(|_| StoreError::Corrupt("user_version"))?;
        let Some(migration) = MIGRATIONS.get(next) else {
            return Ok(());
        };
        tx.execute_batch(migration)?;
        tx.pragma_update(None, "user_version", found + 1)?;
        tx.commit()?;
    }
}

/// Fills a new store.
pub(super) fn fill(db: &mut Connection, data: &OperatorData) -> Result<(), StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let epoch = i64::try_from(data.epoch_length.0.max(1))
        .map_err(|_| StoreError::TimeOutOfRange(data.epoch_length.0))?;
    tx.execute("INSERT INTO settings (name, value) VALUES ('epoch_seconds', ?1)", [epoch])?;
    for ca_system in &data.ca_systems {
        tx.execute("INSERT INTO ca_systems (ca_system_id) VALUES (?1)", [ca_system.0])?;
    }
    for service in &data.services {
        tx.execute(
            "INSERT INTO services (id, name) VALUES (?1, ?2)",
            params![service.id.0, service.name],
        )?;
    }
    for product in &data.products {
        tx.execute(
            "INSERT INTO products (id, name) VALUES (?1, ?2)",
            params![product.id.0, product.name],
        )?;
    }
    for product in &data.products {
        for service in &product.services {
            tx.execute(
                "INSERT INTO product_services (product, service) VALUES (?1, ?2)",
                params![product.id.0, service.0],
            )?;
        }
        for member in &product.members {
            tx.execute(
                "INSERT INTO product_members (product, member) VALUES (?1, ?2)",
                params![product.id.0, member.0],
            )?;
        }
    }
    Ok(tx.commit()?)
}

const MIGRATIONS: [&str; 2] = [include_str!("schema_1.sql"), include_str!("schema_2.sql")];
