//! What stands in the store.

use portcullis_types::{
    CaSystemId, ChipId, GroupId, MemberIndex, ProductId, Seconds, ServiceId, UnixSeconds,
};
use serde::Serialize;

/// A service (programme) that the operator broadcasts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Service {
    /// service_id.
    pub id: ServiceId,
    /// For people.
    pub name: String,
}

/// What the operator sells: its services, and the products that a package entitles to as well.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Product {
    /// K1 belongs to it.
    pub id: ProductId,
    /// For people and the command line.
    pub name: String,
    /// What one may watch with it.
    pub services: Vec<ServiceId>,
    /// Products that it contains; empty for all but packages.
    pub members: Vec<ProductId>,
}

/// What `init` puts into a new store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OperatorData {
    /// Services.
    pub services: Vec<Service>,
    /// Products.
    pub products: Vec<Product>,
    /// CA systems that boxes are grouped for.
    pub ca_systems: Vec<CaSystemId>,
    /// Length of an epoch.
    pub epoch_length: Seconds,
}

impl OperatorData {
    /// Two services, a product for each and a package of both; epochs of a day.
    #[must_use]
    pub fn defaults(ca_systems: Vec<CaSystemId>) -> Self {
        let service = |id, name: &str| Service { id: ServiceId(id), name: name.to_owned() };
        let product = |id, name: &str, services: &[u16], members: &[u32]| Product {
            id: ProductId(id),
            name: name.to_owned(),
            services: services.iter().copied().map(ServiceId).collect(),
            members: members.iter().copied().map(ProductId).collect(),
        };
        Self {
            services: vec![service(1, "Gate One"), service(2, "Gate Two")],
            products: vec![
                product(1, "one", &[1], &[]),
                product(2, "two", &[2], &[]),
                product(3, "all", &[1, 2], &[1, 2]),
            ],
            ca_systems,
            epoch_length: DEFAULT_EPOCH_LENGTH,
        }
    }
}

/// A registered box.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Terminal {
    /// Row id, stable for the life of the box.
    pub id: i64,
    /// The name on the command line.
    pub name: String,
    /// Its chip.
    pub chip_id: ChipId,
    /// The CA system whose client it gets first.
    pub preferred_ca_system: CaSystemId,
    /// Taken out of all groups.
    pub revoked: bool,
    /// Counter of its unique EMM; rises with every change of its rights.
    pub emm_counter: u32,
}

/// The place of one box in a CA system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Membership {
    /// Its group.
    pub group_id: GroupId,
    /// Its bit in the group's bitmap.
    pub member_index: MemberIndex,
    /// Which K2 the group has; rises when a member is expelled.
    pub generation: u32,
    /// Counter of the group's EMMs.
    pub emm_counter: u32,
}

/// A member of a group together with the group's state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupMember {
    /// Row id of the box.
    pub terminal_id: i64,
    /// Where it stands.
    pub membership: Membership,
}

/// A right of a box for a period.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct EntitlementRow {
    /// What.
    pub product: ProductId,
    /// From when (inclusive).
    pub from: UnixSeconds,
    /// Until when (exclusive).
    pub until: UnixSeconds,
}

/// Whether an operation changed anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// It did, durably, and EMMs follow.
    Made,
    /// It was so already.
    None,
}

/// Why an EMM has to go out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutboxKind {
    /// A right was sold or changed.
    Entitled,
    /// A right was cancelled.
    Unentitled,
    /// A box was added.
    TerminalAdded,
    /// A box was expelled; its groups have a new K2.
    TerminalRevoked,
}

/// An event that waits for its EMMs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutboxEvent {
    /// Number of the event; rises.
    pub id: i64,
    /// What happened.
    pub kind: OutboxKind,
    /// To which box.
    pub terminal_id: i64,
    /// About which product, if about one.
    pub product: Option<ProductId>,
}

/// A day.
pub const DEFAULT_EPOCH_LENGTH: Seconds = Seconds(86_400);

/// What a box told of a client that was stopped, or not let in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ViolationReport {
    /// The box's own count.
    pub number: u32,
    /// When, by the box's clock.
    pub at: UnixSeconds,
    /// One JSON object, as the box has it in its log.
    pub record: String,
}
