//! The repository on SQLite: each change is one immediate transaction.

use std::collections::BTreeMap;

use portcullis_types::{CaSystemId, ChipId, ProductId, Seconds, ServiceId, UnixSeconds};
use rusqlite::{Transaction, TransactionBehavior};

use super::{
    Change, EntitlementRow, GroupMember, Membership, Operator, OutboxEvent, Product, Repository,
    Service, StoreError, Terminal, ViolationReport, entitlements, outbox, terminals, violations,
};

impl Repository for Operator {
    fn services(&self) -> Result<Vec<Service>, StoreError> {
        let mut query = self.db.prepare_cached("SELECT id, name FROM services ORDER BY id")?;
        let rows = query
            .query_map([], |row| Ok(Service { id: ServiceId(row.get(0)?), name: row.get(1)? }))?
            .collect::<Result<_, _>>()?;
        Ok(rows)
    }

    fn products(&self) -> Result<Vec<Product>, StoreError> {
        let services = self.pairs("SELECT product, service FROM product_services ORDER BY 1, 2")?;
        let members = self.pairs("SELECT product, member FROM product_members ORDER BY 1, 2")?;
        let mut query = self.db.prepare_cached("SELECT id, name FROM products ORDER BY id")?;
        let mut rows = query.query([])?;
        let mut products = Vec::new();
        while let Some(row) = rows.next()? {
            let id: u32 = row.get(0)?;
            let of = |map: &BTreeMap<u32, Vec<u32>>| map.get(&id).cloned().unwrap_or_default();
            products.push(Product {
                id: ProductId(id),
                name: row.get(1)?,
                services: of(&services).into_iter().map(|s| ServiceId(s as u16)).collect(),
                members: of(&members).into_iter().map(ProductId).collect(),
            });
        }
        Ok(products)
    }

    fn product(&self, name: &str) -> Result<Product, StoreError> {
        let products = self.products()?;
        let known = products.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
        products
            .into_iter()
            .find(|p| p.name == name)
            .ok_or_else(|| StoreError::UnknownProduct { name: name.to_owned(), known })
    }

    fn add_terminal(
        &mut self,
        name: &str,
        chip_id: ChipId,
        preferred_ca_system: CaSystemId,
    ) -> Result<Terminal, StoreError> {
        self.change(|tx| terminals::add(tx, name, chip_id, preferred_ca_system))
    }

    fn revoke_terminal(&mut self, name: &str) -> Result<Change, StoreError> {
        self.change(|tx| terminals::revoke(tx, &known(terminals::by_name(tx, name)?, name)?))
    }

    fn terminals(&self) -> Result<Vec<Terminal>, StoreError> {
        terminals::all(&self.db)
    }

    fn terminal(&self, name: &str) -> Result<Terminal, StoreError> {
        known(terminals::by_name(&self.db, name)?, name)
    }

    fn terminal_by_chip(&self, chip_id: ChipId) -> Result<Terminal, StoreError> {
        terminals::by_chip(&self.db, chip_id)?.ok_or(StoreError::UnknownChip(chip_id))
    }

    fn membership(
        &self,
        terminal: &Terminal,
        ca_system: CaSystemId,
    ) -> Result<Option<Membership>, StoreError> {
        terminals::membership(&self.db, terminal, ca_system)
    }

    fn members(&self, ca_system: CaSystemId) -> Result<Vec<GroupMember>, StoreError> {
        terminals::members(&self.db, ca_system)
    }

    fn entitle(
        &mut self,
        terminal: &str,
        product: &str,
        from: UnixSeconds,
        until: UnixSeconds,
    ) -> Result<Change, StoreError> {
        let product = self.product(product)?.id;
        self.change(|tx| {
            let terminal = known(terminals::by_name(tx, terminal)?, terminal)?;
            entitlements::entitle(tx, &terminal, EntitlementRow { product, from, until })
        })
    }

    fn unentitle(&mut self, terminal: &str, product: &str) -> Result<Change, StoreError> {
        let product = self.product(product)?.id;
        self.change(|tx| {
            let terminal = known(terminals::by_name(tx, terminal)?, terminal)?;
            entitlements::unentitle(tx, &terminal, product)
        })
    }

    fn entitlements(&self, terminal: &Terminal) -> Result<Vec<EntitlementRow>, StoreError> {
        entitlements::sold(&self.db, terminal)
    }

    fn effective_entitlements(
        &self,
        terminal: &Terminal,
    ) -> Result<Vec<EntitlementRow>, StoreError> {
        entitlements::effective(&self.db, terminal)
    }

    fn pending_events(
        &self,
        ca_system: CaSystemId,
        limit: usize,
    ) -> Result<Vec<OutboxEvent>, StoreError> {
        outbox::pending(&self.db, ca_system, limit)
    }

    fn mark_sent_through(&mut self, ca_system: CaSystemId, event: i64) -> Result<(), StoreError> {
        outbox::mark_sent_through(&self.db, ca_system, event)
    }

    fn keep_violations(
        &mut self,
        chip_id: ChipId,
        reports: &[ViolationReport],
    ) -> Result<(), StoreError> {
        self.change(|tx| {
            let terminal =
                terminals::by_chip(tx, chip_id)?.ok_or(StoreError::UnknownChip(chip_id))?;
            violations::keep(tx, &terminal, reports)
        })
    }

    fn violations(&self, terminal: &Terminal) -> Result<Vec<ViolationReport>, StoreError> {
        violations::of(&self.db, terminal)
    }

    fn data_version(&self) -> Result<i64, StoreError> {
        Ok(self.db.pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    fn epoch_length(&self) -> Result<Seconds, StoreError> {
        let seconds: i64 = self.db.query_row(
            "SELECT value FROM settings WHERE name = 'epoch_seconds'",
            [],
            |row| row.get(0),
        )?;
        match u64::try_from(seconds) {
            Ok(seconds) if seconds > 0 => Ok(Seconds(seconds)),
            _ => Err(StoreError::Corrupt("epoch_seconds")),
        }
    }

    fn product_exists(&self, product: ProductId) -> Result<bool, StoreError> {
        let mut query = self.db.prepare_cached("SELECT 1 FROM products WHERE id = ?1")?;
        Ok(query.exists([product.0])?)
    }
}

impl Operator {
    /// Runs a change; nothing of it stays unless all of it does.
    fn change<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&tx)?;
        tx.commit()?;
        Ok(done)
    }

    fn pairs(&self, sql: &str) -> Result<BTreeMap<u32, Vec<u32>>, StoreError> {
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([])?;
        let mut pairs: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            pairs.entry(row.get(0)?).or_default().push(row.get(1)?);
        }
        Ok(pairs)
    }
}

fn known(terminal: Option<Terminal>, name: &str) -> Result<Terminal, StoreError> {
    terminal.ok_or_else(|| StoreError::UnknownTerminal(name.to_owned()))
}
