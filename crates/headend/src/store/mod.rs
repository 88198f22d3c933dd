//! The operator's store: services, products, terminals, entitlements and the outbox of events.
//!
//! Trust domain: the operator. Nothing secret stands in it: no key, no control word.
//! An acknowledged entitlement is on disk (synchronous=FULL) together with the event that makes
//! the EMM generator act on it; the two are one transaction, so neither exists without the other.
// spec: D-01 D-H2

mod entitlements;
mod error;
mod open;
mod outbox;
mod records;
mod schema;
mod sqlite;
mod terminals;
#[cfg(test)]
mod tests;
mod violations;

use portcullis_types::{CaSystemId, ChipId, ProductId, Seconds, UnixSeconds};

pub use error::StoreError;
pub use open::Operator;
pub use records::{
    Change, DEFAULT_EPOCH_LENGTH, EntitlementRow, GroupMember, Membership, OperatorData,
    OutboxEvent, OutboxKind, Product, Service, Terminal, ViolationReport,
};

/// What the headend asks of a store. SQLite is one ([`Operator`]); a distributed one may follow.
pub trait Repository {
    /// All services, by id.
    ///
    /// # Errors
    /// [`StoreError`] from the database; so with every method here.
    fn services(&self) -> Result<Vec<Service>, StoreError>;

    /// All products, by id.
    ///
    /// # Errors
    /// As above.
    fn products(&self) -> Result<Vec<Product>, StoreError>;

    /// One product by name.
    ///
    /// # Errors
    /// [`StoreError::UnknownProduct`].
    fn product(&self, name: &str) -> Result<Product, StoreError>;

    /// Registers a box and gives it a place in a group of every CA system. Idempotent for the
    /// same name and chip.
    ///
    /// # Errors
    /// [`StoreError::TerminalExists`] when name or chip are taken by another.
    fn add_terminal(
        &mut self,
        name: &str,
        chip_id: ChipId,
        preferred_ca_system: CaSystemId,
    ) -> Result<Terminal, StoreError>;

    /// Takes a box out of its groups; the groups get a new key generation. Idempotent.
    ///
    /// # Errors
    /// [`StoreError::UnknownTerminal`].
    fn revoke_terminal(&mut self, name: &str) -> Result<Change, StoreError>;

    /// All boxes, by name.
    ///
    /// # Errors
    /// As above.
    fn terminals(&self) -> Result<Vec<Terminal>, StoreError>;

    /// One box by name.
    ///
    /// # Errors
    /// [`StoreError::UnknownTerminal`].
    fn terminal(&self, name: &str) -> Result<Terminal, StoreError>;

    /// One box by its chip.
    ///
    /// # Errors
    /// [`StoreError::UnknownChip`].
    fn terminal_by_chip(&self, chip_id: ChipId) -> Result<Terminal, StoreError>;

    /// Where a box stands in a CA system; `None` when it was revoked.
    ///
    /// # Errors
    /// As above.
    fn membership(
        &self,
        terminal: &Terminal,
        ca_system: CaSystemId,
    ) -> Result<Option<Membership>, StoreError>;

    /// All members of all groups of a CA system with the key generation and counter of the group.
    ///
    /// # Errors
    /// As above.
    fn members(&self, ca_system: CaSystemId) -> Result<Vec<GroupMember>, StoreError>;

    /// Sells a product to a box. Row, counters and outbox event are one transaction.
    ///
    /// # Errors
    /// [`StoreError::UnknownTerminal`], [`StoreError::UnknownProduct`], [`StoreError::Revoked`],
    /// [`StoreError::EmptyPeriod`], [`StoreError::TooManyEntitlements`].
    fn entitle(
        &mut self,
        terminal: &str,
        product: &str,
        from: UnixSeconds,
        until: UnixSeconds,
    ) -> Result<Change, StoreError>;

    /// Cancels a product of a box. Row, counters and outbox event are one transaction.
    ///
    /// # Errors
    /// [`StoreError::UnknownTerminal`], [`StoreError::UnknownProduct`].
    fn unentitle(&mut self, terminal: &str, product: &str) -> Result<Change, StoreError>;

    /// What was sold to a box, as sold (packages not taken apart).
    ///
    /// # Errors
    /// As above.
    fn entitlements(&self, terminal: &Terminal) -> Result<Vec<EntitlementRow>, StoreError>;

    /// The products that a box may watch, packages taken apart and periods joined.
    ///
    /// # Errors
    /// As above.
    fn effective_entitlements(
        &self,
        terminal: &Terminal,
    ) -> Result<Vec<EntitlementRow>, StoreError>;

    /// Events that a CA system's EMM generator has not sent yet, oldest first.
    ///
    /// # Errors
    /// As above.
    fn pending_events(
        &self,
        ca_system: CaSystemId,
        limit: usize,
    ) -> Result<Vec<OutboxEvent>, StoreError>;

    /// Marks all events up to and including this one as taken by the MUX of this CA system.
    ///
    /// # Errors
    /// As above.
    fn mark_sent_through(&mut self, ca_system: CaSystemId, event: i64) -> Result<(), StoreError>;

    /// Keeps what a box told of clients that were stopped: at most 1024 records of each box, and
    /// each once however often it is told. One transaction.
    ///
    /// # Errors
    /// [`StoreError::UnknownChip`], [`StoreError::TimeOutOfRange`].
    fn keep_violations(
        &mut self,
        chip_id: ChipId,
        reports: &[ViolationReport],
    ) -> Result<(), StoreError>;

    /// What a box told of clients that were stopped, the oldest first.
    ///
    /// # Errors
    /// As above.
    fn violations(&self, terminal: &Terminal) -> Result<Vec<ViolationReport>, StoreError>;

    /// Rises whenever another connection has changed the database.
    ///
    /// # Errors
    /// As above.
    fn data_version(&self) -> Result<i64, StoreError>;

    /// Length of an epoch, after which every product gets a new K1.
    ///
    /// # Errors
    /// As above.
    fn epoch_length(&self) -> Result<Seconds, StoreError>;

    /// The product of an access criterion, for checks by id.
    ///
    /// # Errors
    /// As above.
    fn product_exists(&self, product: ProductId) -> Result<bool, StoreError>;
}

/// Rights of one box after packages are taken apart: what one unique EMM holds.
pub const MAX_EFFECTIVE_ENTITLEMENTS: usize = portcullis_messages::MAX_ENTITLEMENTS;

/// Members of one group: the bitmap of a group EMM has this many bits.
pub const MAX_GROUP_MEMBERS: u32 = 256;
