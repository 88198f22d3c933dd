//! Makes ECMs: access criteria to product and rights, K1 bound to them, control words to ECW.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use portcullis_keyladder::envelope::{HeaderFields, Sealer};
use portcullis_keyladder::{
    AssociatedData, Bound, ControlWord, ControlWordClass, LadderAlgorithm, LadderKey, Level1,
};
use portcullis_messages::{AccessCriteria, EcmBody, Layout, TableId, section};
use portcullis_simulcrypt::ecmg::{CwProvision, EcmgStatus, Refusal, parameter};
use portcullis_types::{EpochId, Parity, ProductId, Seconds, SuperCasId, UnixSeconds};
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
    bound: LadderKey<Bound>,
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

    /// Makes the ECM section for a request at this time.
    ///
    /// # Errors
    /// [`Refusal`] with the parameter in question.
    // spec: D-H1 S-38
    pub fn ecm(
        &self,
        request: &CwProvision<'_>,
        now: UnixSeconds,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let invalid = |p| Refusal::parameter(EcmgStatus::InvalidValue, p);
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
        let body = EcmBody {
            product: prepared.product,
            epoch: prepared.epoch,
            cp_number: request.cp_number,
            time: now,
            ecw_even: prepared.bound.wrap_cw(LadderAlgorithm::Aes, &even),
            ecw_odd: prepared.bound.wrap_cw(LadderAlgorithm::Aes, &odd),
            usage_rights: prepared.usage_rights.clone(),
        };
        // Usage rights were held to their limit when they were read, so the rest always fits.
        let impossible = |_| invalid(parameter::ACCESS_CRITERIA);
        let client = self.layout.encode_ecm(&body).map_err(impossible)?;
        let fields = HeaderFields {
            salt: request.cp_number.0,
            key_ref: prepared.product.0,
            sequence: prepared.epoch.0,
        };
        let message = prepared
            .sealer
            .seal(fields, &[], &client)
            .map_err(|_| invalid(parameter::ACCESS_CRITERIA))?;
        let table_id = TableId::ecm(request.cp_number.parity());
        let section =
            section::wrap(table_id, &message).map_err(|_| invalid(parameter::ACCESS_CRITERIA))?;
        *out = section;
        Ok(())
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
        let made = Arc::new(Prepared { product, epoch, usage_rights, sealer, bound });
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
