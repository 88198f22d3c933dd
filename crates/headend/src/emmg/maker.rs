//! Makes single EMMs from what the store says.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use portcullis_crypto::Ed25519SigningKey;
use portcullis_keyladder::envelope::{
    GroupLadder, HeaderFields, MemberBitmap, MessageKey, Sealer, ToSeal, UniqueLadder, seal_many,
    unique_address,
};
use portcullis_keyladder::{LadderAlgorithm, LadderKey, Level2, RootKey};
use portcullis_messages::{
    Entitlement, GlobalEmm, GroupEmmBody, Layout, TableId, UniqueEmmBody, section,
};
use portcullis_types::{ChipId, EpochId, GroupId, ProductId, Seconds, UnixSeconds};
use portcullis_vault::{Party, Passphrase, ed25519_seed_from_pem};

use super::EmmgError;
use crate::keys::{CaKeys, KeyError, epoch_at, epoch_bounds};
use crate::layout::{CaSystem, DataDir};
use crate::store::{GroupMember, Membership, Operator, Repository, Terminal};

/// Makes the EMMs of one CA system.
pub(super) struct EmmMaker {
    keys: CaKeys,
    layout: Layout,
    epoch_length: Seconds,
    signer: Ed25519SigningKey,
    /// Root keys by chip: each costs two files to open.
    roots: HashMap<ChipId, Arc<RootKey>>,
}

impl EmmMaker {
    pub(super) fn open(
        data: &DataDir,
        ca: &CaSystem,
        passphrase: Option<&Passphrase>,
        epoch_length: Seconds,
    ) -> Result<Self, EmmgError> {
        let keys = CaKeys::open(data, ca, passphrase)?;
        let operator = Party::open(&data.operator(), passphrase).map_err(KeyError::from)?;
        let pem = operator.open_file(EMM_SIGN_KEY).map_err(KeyError::from)?;
        let seed = ed25519_seed_from_pem(&pem).map_err(KeyError::from)?;
        Ok(Self {
            layout: Layout::from_vendor(&ca.vendor).unwrap_or(Layout::VendorA),
            keys,
            epoch_length,
            signer: Ed25519SigningKey::from_seed(&seed),
            roots: HashMap::new(),
        })
    }

    pub(super) fn epoch(&self, now: UnixSeconds) -> EpochId {
        epoch_at(now, self.epoch_length)
    }

    /// Everything: global, then unique, then group EMMs, so that a box that reads from the
    /// first on has its K2 before the first K1 under it.
    pub(super) fn all(
        &mut self,
        store: &Operator,
        now: UnixSeconds,
    ) -> Result<Vec<Vec<u8>>, EmmgError> {
        let mut sections = vec![self.global(now)?];
        sections.extend(self.uniques(store, now)?.into_values());
        let groups = self.groups(store, now, None, &BTreeSet::new())?;
        sections.extend(groups.into_values().flatten());
        Ok(sections)
    }

    /// Signed time. The sequence is the time itself, so that generators agree without talking.
    // spec: D-01
    pub(super) fn global(&self, now: UnixSeconds) -> Result<Vec<u8>, EmmgError> {
        let sequence = u32::try_from(now.0).unwrap_or(u32::MAX);
        let emm = GlobalEmm { time: now, sequence };
        let signature = self.signer.sign(&emm.signed_bytes());
        section::wrap(TableId::GlobalEmm, &emm.encode(&signature)).map_err(too_long)
    }

    /// The unique EMMs of all members, by terminal. A box whose key does not open is left out,
    /// and said so: one bad file must not silence the others.
    pub(super) fn uniques(
        &mut self,
        store: &Operator,
        now: UnixSeconds,
    ) -> Result<BTreeMap<i64, Vec<u8>>, EmmgError> {
        let places: HashMap<i64, Membership> = store
            .members(self.keys.ca().description.ca_system_id)?
            .into_iter()
            .map(|GroupMember { terminal_id, membership }| (terminal_id, membership))
            .collect();
        let mut made = BTreeMap::new();
        for terminals in store.terminals()?.chunks(SEALED_AT_ONCE) {
            let mut ids = Vec::with_capacity(terminals.len());
            let mut unsealed = Vec::with_capacity(terminals.len());
            for terminal in terminals {
                let Some(place) = places.get(&terminal.id) else { continue };
                match self.unsealed_unique(store, terminal, place, now) {
                    Ok(message) => {
                        ids.push(terminal.id);
                        unsealed.push(message);
                    }
                    Err(EmmgError::Keys(error)) => {
                        tracing::warn!("no unique EMM for box {}: {error}", terminal.name);
                    }
                    Err(error) => return Err(error),
                }
            }
            made.extend(ids.into_iter().zip(sections(TableId::UniqueEmm, &unsealed)?));
        }
        Ok(made)
    }

    /// K2 and the whole list of rights for one box, under its K3.
    pub(super) fn unique(
        &mut self,
        store: &Operator,
        terminal: &Terminal,
        place: &Membership,
        now: UnixSeconds,
    ) -> Result<Vec<u8>, EmmgError> {
        let message = self.unsealed_unique(store, terminal, place, now)?;
        let sealed = message.sealer.seal(message.fields, &message.ladder, &message.client);
        section::wrap(TableId::UniqueEmm, &sealed.map_err(too_long)?).map_err(too_long)
    }

    fn unsealed_unique(
        &mut self,
        store: &Operator,
        terminal: &Terminal,
        place: &Membership,
        now: UnixSeconds,
    ) -> Result<Unsealed<RootKey>, EmmgError> {
        let entitlements = store
            .effective_entitlements(terminal)?
            .into_iter()
            .filter(|right| right.until > now)
            .map(|right| Entitlement {
                product: right.product,
                from: right.from,
                until: right.until,
            })
            .collect();
        let body = UniqueEmmBody { counter: terminal.emm_counter, time: now, entitlements };
        let client = self.layout.encode_unique_emm(&body).map_err(too_long)?;
        let vendor = self.keys.ca().description.vendor_sys_id;
        let root = self.root(terminal.chip_id)?;
        let k2 = self.keys.k2(place.group_id, place.generation);
        let ladder = UniqueLadder {
            group_id: place.group_id,
            member_index: place.member_index,
            ek2: root.wrap_k2(LadderAlgorithm::Aes, &k2),
        };
        let fields = HeaderFields {
            salt: salt()?,
            key_ref: unique_address(terminal.chip_id, vendor),
            sequence: terminal.emm_counter,
        };
        Ok(Unsealed {
            sealer: Arc::new(Sealer::new(&*root)),
            fields,
            ladder: ladder.encode(),
            client,
        })
    }

    /// K1 of every product in this epoch and the next, by group, with the bitmap of its
    /// entitled members. A product that nobody in a group may watch gives no EMM, unless it is
    /// in `cancelled`: then one with an empty place for whoever has lost it.
    pub(super) fn groups(
        &mut self,
        store: &Operator,
        now: UnixSeconds,
        only: Option<GroupId>,
        cancelled: &BTreeSet<(GroupId, ProductId)>,
    ) -> Result<BTreeMap<GroupId, Vec<Vec<u8>>>, EmmgError> {
        let ca_system = self.keys.ca().description.ca_system_id;
        let terminals: HashMap<i64, Terminal> =
            store.terminals()?.into_iter().map(|t| (t.id, t)).collect();
        let current = self.epoch(now);
        let epochs = [current, EpochId(current.0.saturating_add(1))];
        let mut places = BTreeMap::new();
        let mut bitmaps: BTreeMap<(GroupId, ProductId, EpochId), MemberBitmap> = BTreeMap::new();
        for (group, product) in cancelled {
            for epoch in epochs {
                bitmaps.insert((*group, *product, epoch), MemberBitmap([0; 32]));
            }
        }
        for GroupMember { terminal_id, membership } in store.members(ca_system)? {
            if only.is_some_and(|only| only != membership.group_id) {
                continue;
            }
            let Some(terminal) = terminals.get(&terminal_id) else { continue };
            places.insert(membership.group_id, membership);
            for right in store.effective_entitlements(terminal)? {
                for epoch in epochs {
                    let (from, until) = epoch_bounds(epoch, self.epoch_length);
                    if right.until > now && right.from < until && right.until > from {
                        let key = (membership.group_id, right.product, epoch);
                        let bitmap = bitmaps.entry(key).or_insert(MemberBitmap([0; 32]));
                        bitmap.insert(membership.member_index);
                    }
                }
            }
        }
        let (mut groups, mut unsealed) = (Vec::new(), Vec::new());
        let mut key: Option<(GroupId, GroupKey)> = None;
        for ((group, product, epoch), bitmap) in bitmaps {
            let Some(place) = places.get(&group) else { continue };
            // The messages of a group stand beside each other.
            let key = match &mut key {
                Some((of, key)) if *of == group => key,
                key => &mut key.insert((group, self.group_key(place))).1,
            };
            groups.push(group);
            unsealed.push(self.unsealed_group(place, key, product, epoch, bitmap)?);
        }
        let mut made: BTreeMap<GroupId, Vec<Vec<u8>>> = BTreeMap::new();
        for (groups, unsealed) in groups.chunks(SEALED_AT_ONCE).zip(unsealed.chunks(SEALED_AT_ONCE))
        {
            for (group, section) in groups.iter().zip(sections(TableId::GroupEmm, unsealed)?) {
                made.entry(*group).or_default().push(section);
            }
        }
        Ok(made)
    }

    fn group_key(&self, group: &Membership) -> GroupKey {
        let k2 = self.keys.k2(group.group_id, group.generation);
        GroupKey { sealer: Arc::new(Sealer::new(&k2)), k2 }
    }

    fn unsealed_group(
        &self,
        group: &Membership,
        key: &GroupKey,
        product: ProductId,
        epoch: EpochId,
        bitmap: MemberBitmap,
    ) -> Result<Unsealed<LadderKey<Level2>>, EmmgError> {
        let (valid_from, valid_until) = epoch_bounds(epoch, self.epoch_length);
        let counter = group.emm_counter;
        let body = GroupEmmBody { counter, product, epoch, valid_from, valid_until };
        let k1 = self.keys.k1(product, epoch);
        let ladder = GroupLadder {
            product_id: product,
            members: bitmap,
            ek1: key.k2.wrap_k1(LadderAlgorithm::Aes, &k1),
        };
        let fields = HeaderFields { salt: salt()?, key_ref: group.group_id.0, sequence: epoch.0 };
        let (ladder, client) = (ladder.encode(), self.layout.encode_group_emm(&body));
        Ok(Unsealed { sealer: Arc::clone(&key.sealer), fields, ladder, client })
    }

    fn root(&mut self, chip: ChipId) -> Result<Arc<RootKey>, KeyError> {
        if let Some(root) = self.roots.get(&chip) {
            return Ok(Arc::clone(root));
        }
        let root = Arc::new(self.keys.k3(chip)?);
        if self.roots.len() < MAX_ROOTS {
            self.roots.insert(chip, Arc::clone(&root));
        }
        Ok(root)
    }
}

/// The key of a group, ready to wrap and to seal.
struct GroupKey {
    k2: LadderKey<Level2>,
    sealer: Arc<Sealer<LadderKey<Level2>>>,
}

/// An EMM that waits for others, to be sealed with them.
struct Unsealed<K> {
    sealer: Arc<Sealer<K>>,
    fields: HeaderFields,
    ladder: Vec<u8>,
    client: Vec<u8>,
}

/// Seals EMMs of one kind; the sections come in the order of the messages.
fn sections<K: MessageKey>(
    table_id: TableId,
    unsealed: &[Unsealed<K>],
) -> Result<Vec<Vec<u8>>, EmmgError> {
    let sealed = seal_many(unsealed.iter().map(|Unsealed { sealer, fields, ladder, client }| {
        ToSeal { sealer, fields: *fields, ladder, client }
    }));
    let sealed = sealed.map_err(too_long)?;
    sealed.iter().map(|message| section::wrap(table_id, message).map_err(too_long)).collect()
}

/// Two EMMs with one header would show which blocks they share; a random salt tells them apart.
fn salt() -> Result<u16, EmmgError> {
    let mut salt = [0; 2];
    getrandom::fill(&mut salt).map_err(|_| EmmgError::Randomness)?;
    Ok(u16::from_be_bytes(salt))
}

fn too_long(error: impl std::fmt::Display) -> EmmgError {
    EmmgError::TooLong(error.to_string())
}

/// The EMM signing key's file in the operator's directory.
const EMM_SIGN_KEY: &str = "emm-sign.key.age";

/// Messages that wait to be sealed together at most; each holds an expanded key.
const SEALED_AT_ONCE: usize = 256;

/// Root keys kept in memory; 16 octets each.
const MAX_ROOTS: usize = 2_000_000;
