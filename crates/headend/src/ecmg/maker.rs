//! Makes ECMs: access criteria to product and rights, K1 bound to them, control words to ECW.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use portcullis_keyladder::envelope::{HeaderFields, Sealer, ToSeal, seal_many};
use portcullis_keyladder::{
    AssociatedData, ControlWord, ControlWordClass, LadderKey, Level1, WordWrapper,
};
use portcullis_messages::{AccessCriteria, EcmBody, Layout, TableId, section};
use portcullis_simulcrypt::ecmg::{CwProvision, EachEcm, EcmgStatus, Refusal, parameter};
use portcullis_types::{CpNumber, EpochId, Parity, ProductId, Seconds, SuperCasId, UnixSeconds};
use portcullis_vault::Passphrase;

use super::EcmgError;
use crate::keys::{CaKeys, epoch_at};
use crate::layout::DataDir;
use crate::store::{Operator, Repository};

/// The CA systems that an ECM generator serves, with their keys.
pub struct EcmgSystems {
    systems: Vec<EcmgSystem>,
}

impl EcmgSystems {
    /// Opens the keys of all CA systems of a data directory.
    ///
    /// # Errors
    /// [`EcmgError`] when the directory, a key or the store does not open.
    pub fn open(data: &DataDir, passphrase: Option<&Passphrase>) -> Result<Self, EcmgError> {
        let store = Operator::open(&data.operator_db())?;
        let epoch_length = store.epoch_length()?;
        let products: BTreeSet<_> = store.products()?.into_iter().map(|p| p.id).collect();
        let mut systems = Vec::new();
        for ca in data.ca_systems()? {
            let keys = CaKeys::open(data, &ca, passphrase)?;
            systems.push(EcmgSystem::new(keys, epoch_length, products.clone()));
        }
        Ok(Self { systems })
    }

    /// Systems made by hand, for tests.
    #[must_use]
    pub fn of(systems: Vec<EcmgSystem>) -> Self {
        Self { systems }
    }

    /// Which Super_CAS_ids are served.
    pub fn super_cas_ids(&self) -> impl Iterator<Item = SuperCasId> + '_ {
        self.systems.iter().map(EcmgSystem::super_cas_id)
    }

    pub(super) fn get(&self, id: SuperCasId) -> Option<&EcmgSystem> {
        self.systems.iter().find(|system| system.super_cas_id() == id)
    }
}

/// One CA system.
pub struct EcmgSystem {
    keys: CaKeys,
    layout: Layout,
    epoch_length: Seconds,
    products: BTreeSet<ProductId>,
    /// What access criteria come to in an epoch; found again for each ECM of a service.
    prepared: Mutex<Cache>,
}

/// By access criteria and control-word class.
type Cache = HashMap<(Vec<u8>, u8), Arc<Prepared>>;

/// Everything about an ECM that stays the same from one crypto-period to the next.
struct Prepared {
    product: ProductId,
    epoch: EpochId,
    usage_rights: Vec<u8>,
    sealer: Sealer<LadderKey<Level1>>,
    wrapper: WordWrapper,
}

/// An ECM that is not sealed yet. It has no octets that could go anywhere.
pub(super) struct Draft {
    prepared: Arc<Prepared>,
    cp_number: CpNumber,
    client: Vec<u8>,
}

impl Draft {
    fn to_seal(&self) -> ToSeal<'_, LadderKey<Level1>> {
        let Self { prepared, cp_number, client } = self;
        let fields = HeaderFields {
            salt: cp_number.0,
            key_ref: prepared.product.0,
            sequence: prepared.epoch.0,
        };
        ToSeal { sealer: &prepared.sealer, fields, ladder: &[], client }
    }
}

/// Seals ECMs, many at once where the processor can, and tells the section of each, in order.
pub(super) fn make_all(drafts: &[Draft], each: &mut EachEcm<'_>) {
    let refused = || invalid(parameter::ACCESS_CRITERIA);
    let mut one = |draft: &Draft, message: Result<&[u8], Refusal>| {
        let table_id = TableId::ecm(draft.cp_number.parity());
        let wrapped = |message| section::wrap(table_id, message).map_err(|_| refused());
        each(message.and_then(wrapped).as_deref().map_err(|refusal| *refusal));
    };
    if let Ok(sealed) = seal_many(drafts.iter().map(Draft::to_seal)) {
        drafts.iter().zip(sealed.iter()).for_each(|(draft, message)| one(draft, Ok(message)));
        return;
    }
    // One of them does not fit: it alone is refused.
    for draft in drafts {
        let ToSeal { sealer, fields, ladder, client } = draft.to_seal();
        let sealed = sealer.seal(fields, ladder, client);
        one(draft, sealed.as_deref().map_err(|_| refused()));
    }
}

fn invalid(parameter: u16) -> Refusal {
    Refusal::parameter(EcmgStatus::InvalidValue, parameter)
}

impl EcmgSystem {
    /// A system that guards these products.
    #[must_use]
    pub fn new(keys: CaKeys, epoch_length: Seconds, products: BTreeSet<ProductId>) -> Self {
        let layout = Layout::from_vendor(&keys.ca().vendor).unwrap_or(Layout::VendorA);
        Self { keys, layout, epoch_length, products, prepared: Mutex::default() }
    }

    /// Its Super_CAS_id.
    #[must_use]
    pub fn super_cas_id(&self) -> SuperCasId {
        self.keys.ca().description.super_cas_id
    }

    /// Works out what the ECM for a request at this time says; [`make_all`] seals it.
    ///
    /// # Errors
    /// [`Refusal`] with the parameter in question.
    // spec: D-H1 S-38
    pub(super) fn draft(
        &self,
        request: &CwProvision<'_>,
        now: UnixSeconds,
    ) -> Result<Draft, Refusal> {
        let few =
            Refusal::parameter(EcmgStatus::NotEnoughControlWords, parameter::CP_CW_COMBINATION);
        let (even, odd) = words_by_parity(request).ok_or(few)?;
        let word =
            |octets| ControlWord::new(octets).map_err(|_| invalid(parameter::CP_CW_COMBINATION));
        let (even, odd) = (word(even)?, word(odd)?);
        if even.class() != odd.class() {
            return Err(invalid(parameter::CP_CW_COMBINATION));
        }
        let prepared = self
            .prepare(request.access_criteria, even.class(), now)
            .ok_or_else(|| invalid(parameter::ACCESS_CRITERIA))?;
        let [ecw_even, ecw_odd] = prepared.wrapper.wrap_cws([&even, &odd]);
        let body = EcmBody {
            product: prepared.product,
            epoch: prepared.epoch,
            cp_number: request.cp_number,
            time: now,
            ecw_even,
            ecw_odd,
            usage_rights: prepared.usage_rights.clone(),
        };
        // Usage rights were held to their limit when they were read, so the rest always fits.
        let client =
            self.layout.encode_ecm(&body).map_err(|_| invalid(parameter::ACCESS_CRITERIA))?;
        Ok(Draft { prepared, cp_number: request.cp_number, client })
    }

    fn prepare(
        &self,
        criteria: &[u8],
        class: ControlWordClass,
        now: UnixSeconds,
    ) -> Option<Arc<Prepared>> {
        let epoch = epoch_at(now, self.epoch_length);
        let key = (criteria.to_vec(), class.octet());
        let mut cache = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = cache.get(&key).filter(|found| found.epoch == epoch) {
            return Some(Arc::clone(found));
        }
        let AccessCriteria { product, usage_rights } = AccessCriteria::decode(criteria).ok()?;
        if !self.products.contains(&product) {
            return None;
        }
        let usage_rights = usage_rights.encode();
        let k1 = self.keys.k1(product, epoch);
        let bound = k1.bind(&AssociatedData::new(&usage_rights, class).ok()?);
        let sealer = Sealer::new(&k1);
        let wrapper = WordWrapper::new(&bound);
        let made = Arc::new(Prepared { product, epoch, usage_rights, sealer, wrapper });
        if cache.len() >= MAX_PREPARED {
            cache.clear();
        }
        cache.insert(key, Arc::clone(&made));
        Some(made)
    }
}

/// The last even and the last odd control word of a request.
fn words_by_parity<'a>(request: &CwProvision<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let of = |parity| {
        let mut words = request.control_words.as_slice().iter().rev();
        words.find(|(number, _)| number.parity() == parity).map(|(_, word)| *word)
    };
    Some((of(Parity::Even)?, of(Parity::Odd)?))
}

/// Access criteria in use at once; beyond it they are worked out again.
const MAX_PREPARED: usize = 4096;
