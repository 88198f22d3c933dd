//! What the chip holds per CA vendor (ladder keys) and per session (descrambler keys).
//!
//! Trust domain: the chip. None of these types leaves this crate.
//! What must never happen: K1 for a chip whose member bit is clear; a next control word that
//! replaces the one in use.

use std::collections::VecDeque;

use portcullis_crypto::ct_eq;
use portcullis_keyladder::envelope::{
    GroupLadder, Kind, Opened, UniqueLadder, open, unique_address,
};
use portcullis_keyladder::{
    AssociatedData, ControlWord, ControlWordClass, LadderAlgorithm, LadderKey, Level1, Level2,
    RootKey, envelope,
};
use portcullis_scramble::{Cipher, DescrambledCount, KeySlots, Mark, Scheduler};
use portcullis_ts::RawPacket;
use portcullis_types::{
    ChipId, CpNumber, EpochId, GroupId, MemberIndex, Parity, Pid, ProductId, ScramblingMode,
    VendorSysId,
};

use crate::wire::{ChipError, Descrambled, Ladder};

/// K1 held per vendor; the one taken longest ago gives way.
pub(crate) const MAX_PRODUCT_KEYS: usize = 64;

/// The ladder of one CA vendor on this chip.
pub(crate) struct VendorKeys {
    pub(crate) vendor: VendorSysId,
    pub(crate) ladder: Ladder,
    address: u32,
    k3: RootKey,
    group: Option<Group>,
    products: VecDeque<ProductKey>,
}

struct Group {
    id: GroupId,
    member: MemberIndex,
    /// Counter of the unique EMM it came with.
    sequence: u32,
    k2: LadderKey<Level2>,
}

struct ProductKey {
    product: ProductId,
    epoch: EpochId,
    k1: LadderKey<Level1>,
}

impl VendorKeys {
    pub(crate) fn new(chip_id: ChipId, vendor: VendorSysId, ladder: Ladder, k3: RootKey) -> Self {
        let address = unique_address(chip_id, vendor);
        Self { vendor, ladder, address, k3, group: None, products: VecDeque::new() }
    }

    /// Takes K2 out of a unique EMM to this chip.
    // defends: T-10
    pub(crate) fn set_ek2(&mut self, message: &[u8]) -> Result<(GroupId, MemberIndex), ChipError> {
        let opened = self.open_unique(message)?;
        let part = UniqueLadder::decode(opened.ladder()).ok_or(ChipError::Malformed)?;
        let sequence = opened.header().sequence;
        if let Some(group) = &self.group
            && sequence < group.sequence
        {
            return Err(ChipError::Replayed { floor: group.sequence, offered: sequence });
        }
        let k2 = self.k3.unwrap_k2(self.algorithm(), &part.ek2);
        let (id, member) = (part.group_id, part.member_index);
        self.group = Some(Group { id, member, sequence, k2 });
        Ok((id, member))
    }

    /// Takes K1 out of a group EMM, if this chip is among its members. A clear bit also takes
    /// away a K1 of that product and epoch that is held already.
    pub(crate) fn set_ek1(&mut self, message: &[u8]) -> Result<(ProductId, EpochId), ChipError> {
        let algorithm = self.algorithm();
        let (opened, group) = self.open_group(message)?;
        let part = GroupLadder::decode(opened.ladder()).ok_or(ChipError::Malformed)?;
        let (product, epoch) = (part.product_id, opened.header().epoch());
        let k1 =
            part.members.contains(group.member).then(|| group.k2.unwrap_k1(algorithm, &part.ek1));
        self.products.retain(|held| (held.product, held.epoch) != (product, epoch));
        let k1 = k1.ok_or(ChipError::NotAMember)?;
        if self.products.len() >= MAX_PRODUCT_KEYS {
            self.products.pop_front();
        }
        self.products.push_back(ProductKey { product, epoch, k1 });
        Ok((product, epoch))
    }

    /// Opens a message with the key of its kind. For an ECM also says which K1 it took.
    pub(crate) fn open(&self, message: &[u8]) -> Result<Opened, ChipError> {
        match envelope::Header::parse(message).map_err(refused)?.kind {
            Kind::UniqueEmm => self.open_unique(message),
            Kind::GroupEmm => Ok(self.open_group(message)?.0),
            Kind::Ecm => {
                let header = envelope::Header::parse(message).map_err(refused)?;
                let k1 = self.product_key(ProductId(header.key_ref), header.epoch())?;
                open(k1, message).map_err(refused)
            }
        }
    }

    /// CW = D(K1', ECW), K1' bound to the usage rights and the class of the scrambling mode.
    // defends: T-05
    pub(crate) fn unwrap_cw(
        &self,
        selected: &Selected,
        mode: ScramblingMode,
        ecw: &[u8; 16],
        usage_rights: &[u8],
    ) -> Result<ControlWord, ChipError> {
        let class = ControlWordClass::of(mode);
        let k1 = self.product_key(selected.product, selected.epoch)?;
        let ad = AssociatedData::new(usage_rights, class).map_err(|error| ChipError::TooLong {
            what: "usage rights".to_owned(),
            length: u32::try_from(error.length).unwrap_or(u32::MAX),
            limit: portcullis_keyladder::MAX_USAGE_RIGHTS as u32,
        })?;
        k1.bind(&ad)
            .unwrap_cw(self.algorithm(), ecw, class)
            .map_err(|_| ChipError::WrongControlWord)
    }

    pub(crate) fn challenge(&self, nonce: &[u8; 16]) -> Result<[u8; 16], ChipError> {
        let group = self.group.as_ref().ok_or(ChipError::NoGroupKey)?;
        Ok(group.k2.challenge_response(self.algorithm(), nonce))
    }

    fn open_unique(&self, message: &[u8]) -> Result<Opened, ChipError> {
        let header = envelope::Header::parse(message).map_err(refused)?;
        if header.kind != Kind::UniqueEmm {
            return Err(ChipError::WrongKind);
        }
        if header.key_ref != self.address {
            return Err(ChipError::NotForThisChip);
        }
        open(&self.k3, message).map_err(refused)
    }

    fn open_group(&self, message: &[u8]) -> Result<(Opened, &Group), ChipError> {
        let header = envelope::Header::parse(message).map_err(refused)?;
        if header.kind != Kind::GroupEmm {
            return Err(ChipError::WrongKind);
        }
        let group = self.group.as_ref().ok_or(ChipError::NoGroupKey)?;
        if header.key_ref != group.id.0 {
            return Err(ChipError::NotForThisChip);
        }
        Ok((open(&group.k2, message).map_err(refused)?, group))
    }

    fn product_key(
        &self,
        product_id: ProductId,
        epoch: EpochId,
    ) -> Result<&LadderKey<Level1>, ChipError> {
        self.products
            .iter()
            .find(|held| held.product == product_id && held.epoch == epoch)
            .map(|held| &held.k1)
            .ok_or(ChipError::NoProductKey { product_id, epoch })
    }

    fn algorithm(&self) -> LadderAlgorithm {
        self.ladder.into()
    }
}

/// The K1 that the session's ECM names, and the crypto-period it is for.
#[derive(Clone, Copy)]
pub(crate) struct Selected {
    product: ProductId,
    epoch: EpochId,
    cp_number: CpNumber,
}

impl Selected {
    /// Of an opened ECM.
    pub(crate) fn of(header: &envelope::Header) -> Self {
        Self {
            product: ProductId(header.key_ref),
            epoch: header.epoch(),
            cp_number: CpNumber(header.salt),
        }
    }
}

/// A descrambling session: its streams and its two key slots.
pub(crate) struct Session {
    /// Index into the chip's vendors.
    pub(crate) vendor: VendorSysId,
    pub(crate) ladder: Ladder,
    pub(crate) mode: ScramblingMode,
    pub(crate) selected: Option<Selected>,
    pids: Vec<Pid>,
    slots: KeySlots,
    loaded: [Option<ControlWord>; 2],
    /// A next control word that waits for its parity to be free.
    held: Option<(Parity, ControlWord, Cipher)>,
    /// Parity of the last scrambled packet seen.
    in_use: Option<Parity>,
}

impl Session {
    pub(crate) const fn new(vendor: VendorSysId, ladder: Ladder, mode: ScramblingMode) -> Self {
        Self {
            vendor,
            ladder,
            mode,
            selected: None,
            pids: Vec::new(),
            slots: KeySlots::new(),
            loaded: [None, None],
            held: None,
            in_use: None,
        }
    }

    pub(crate) fn set_pids(&mut self, pids: Vec<Pid>) {
        self.pids = pids;
    }

    /// Loads a control word, or holds it back: the next crypto-period's word must not replace
    /// the one that packets still arrive under (an ECM may come before its crypto-period).
    pub(crate) fn load(
        &mut self,
        selected: &Selected,
        parity: Parity,
        cw: ControlWord,
    ) -> Result<(), ChipError> {
        if self.is_loaded(parity, &cw) {
            return Ok(());
        }
        let cipher =
            Cipher::new(self.mode, cw.expose_secret()).map_err(|_| ChipError::WrongControlWord)?;
        let next = selected.cp_number.parity() != parity;
        if next && self.in_use == Some(parity) && self.slots.get(parity).is_some() {
            self.held = Some((parity, cw, cipher));
        } else {
            self.held.take_if(|held| held.0 == parity);
            self.set(parity, cw, cipher);
        }
        Ok(())
    }

    /// Clears everything that descrambles.
    pub(crate) fn release(&mut self) {
        self.slots.clear();
        self.loaded = [None, None];
        self.held = None;
        self.in_use = None;
        self.selected = None;
    }

    /// Descrambles this session's packets, both parities in one batch.
    pub(crate) fn descramble(
        &mut self,
        scheduler: &mut Scheduler,
        packets: &mut [RawPacket],
    ) -> Descrambled {
        let mut count = DescrambledCount::default();
        scheduler.work(packets, |packet, keys| {
            let parity = packet.tsc().parity();
            if parity.is_none() || !self.pids.contains(&packet.pid()) {
                return Mark::PASS;
            }
            if parity != self.in_use {
                self.change_parity(parity);
            }
            self.slots.mark(packet, keys, &mut count)
        });
        Descrambled {
            descrambled: count.descrambled as u32,
            left_scrambled: count.left_scrambled as u32,
        }
    }

    /// A packet of another parity came: from here on the held word may be loaded. Packets before
    /// it keep the key that they were marked with.
    fn change_parity(&mut self, parity: Option<Parity>) {
        self.in_use = parity;
        if let Some((parity, cw, cipher)) =
            self.held.take_if(|(parity, ..)| Some(*parity) != self.in_use)
        {
            self.set(parity, cw, cipher);
        }
    }

    fn is_loaded(&self, parity: Parity, cw: &ControlWord) -> bool {
        self.loaded
            .get(parity.index())
            .and_then(Option::as_ref)
            .is_some_and(|loaded| ct_eq(loaded.expose_secret(), cw.expose_secret()))
    }

    fn set(&mut self, parity: Parity, cw: ControlWord, cipher: Cipher) {
        self.slots.set(parity, cipher);
        if let Some(loaded) = self.loaded.get_mut(parity.index()) {
            *loaded = Some(cw);
        }
    }
}

fn refused(error: envelope::OpenError) -> ChipError {
    ChipError::Message(error.to_string())
}
