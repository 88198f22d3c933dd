//! What both reference CA clients do. A vendor adds the layout of its messages and its numbers.
//!
//! Trust domain: a CA vendor's client in the virtual machine. It reads opened message bodies and
//! decides about rights; keys and control words never leave the chip. Clauses: X.1198 7.2
//! (events), J.1032 ladder by system calls. What must never happen: a control word is asked for
//! without a right in force; a counter or the time goes back; a fault lengthens a right.
#![no_std]

extern crate alloc;

mod envelope;
mod keys;
mod rights;
mod status;

use core::marker::PhantomData;

use portcullis_messages::{
    CaSection, DecodeError, EcmBody, GlobalEmm, GroupEmmBody, TableId, UniqueEmmBody,
};
use portcullis_sdk::abi::{key, reason, status as code, token};
use portcullis_sdk::{Client, Status, sys};
use portcullis_types::{GroupId, Parity, ProductId, UnixSeconds};

use crate::envelope::{Envelope, Kind};
use crate::keys::{GroupKeys, KeyName, Known};
use crate::rights::{Rights, TimeFloor, Verdict};
use crate::status::{Shown, StatusBoard};

/// What one CA vendor adds.
pub trait Vendor {
    /// The Vendor_SysID of the vendor's packages.
    const VENDOR_SYS_ID: u16;

    /// Reads the client part of an ECM.
    ///
    /// # Errors
    /// [`DecodeError`] for anything but a body of this vendor.
    fn decode_ecm(part: &[u8]) -> Result<EcmBody, DecodeError>;

    /// Reads the client part of a unique EMM.
    ///
    /// # Errors
    /// [`DecodeError`] for anything but a body of this vendor.
    fn decode_unique_emm(part: &[u8]) -> Result<UniqueEmmBody, DecodeError>;

    /// Reads the client part of a group EMM.
    ///
    /// # Errors
    /// [`DecodeError`] for anything but a body of this vendor.
    fn decode_group_emm(part: &[u8]) -> Result<GroupEmmBody, DecodeError>;
}

/// The CA client of a vendor.
pub struct CasClient<V> {
    rights: Rights,
    groups: GroupKeys,
    floor: TimeFloor,
    board: StatusBoard,
    vendor: PhantomData<V>,
}

/// Why an event was not done: a return value of the client handler.
type Refused = u32;

impl<V: Vendor> Client for CasClient<V> {
    fn initialize() -> Self {
        if sys::kl_set_vendor(V::VENDOR_SYS_ID).is_err() {
            sys::log(1, "this package is not for this vendor's ladder");
            sys::exit(1);
        }
        let mut client = Self {
            rights: Rights::none(),
            groups: GroupKeys::load(),
            floor: TimeFloor::load(),
            board: StatusBoard::new(),
            vendor: PhantomData,
        };
        if let Some(envelope) = Rights::stored() {
            client.restore(&envelope);
        }
        client.groups.give_to_chip();
        client
    }

    fn select_content(&mut self, session: u32, _service_id: u32) -> u32 {
        self.board.forget(session);
        reason::OK
    }

    fn entitlement(&mut self, _token_len: u32) -> u32 {
        answer(self.take_emm())
    }

    fn change_key(&mut self, session: u32, _token_len: u32) -> u32 {
        answer(self.take_ecm(session))
    }

    fn terminate(&mut self) {
        for session in self.board.sessions() {
            let _ = sys::kl_release(session);
        }
    }
}

impl<V: Vendor> CasClient<V> {
    /// Takes up the rights that were stored: opened and decoded again, never trusted as data.
    fn restore(&mut self, sealed: &[u8]) {
        let unique = Envelope::parse(sealed, Kind::UniqueEmm).and_then(|envelope| {
            let opened = envelope.open().map_err(|_| reason::BAD_MESSAGE)?;
            V::decode_unique_emm(envelope.client_part(&opened)?).map_err(|_| reason::BAD_MESSAGE)
        });
        match unique {
            Ok(body) if sys::kl_set_ek2(sealed).is_ok() => {
                self.floor.raise(body.time, false);
                self.rights.replace(body);
            }
            _ => sys::log(2, "the stored unique EMM does not open; waiting for a new one"),
        }
    }

    fn take_emm(&mut self) -> Result<(), Refused> {
        let section = sys::get_token(token::EMM).map_err(|_| reason::BAD_MESSAGE)?;
        let section = CaSection::parse(&section).map_err(|_| reason::BAD_MESSAGE)?;
        match section.table_id {
            TableId::UniqueEmm => self.take_unique_emm(section.payload),
            TableId::GroupEmm => self.take_group_emm(section.payload),
            TableId::GlobalEmm => self.take_global_emm(section.payload),
            TableId::EcmEven | TableId::EcmOdd => Err(reason::BAD_MESSAGE),
        }
    }

    // spec: X-S08
    // defends: T-10
    fn take_unique_emm(&mut self, sealed: &[u8]) -> Result<(), Refused> {
        let envelope = Envelope::parse(sealed, Kind::UniqueEmm)?;
        // Under another chip's K3 the MAC is wrong: the message is for that one.
        let opened = envelope.open().map_err(not_for_us)?;
        let body = V::decode_unique_emm(envelope.client_part(&opened)?)
            .map_err(|_| reason::BAD_MESSAGE)?;
        if body.counter != envelope.sequence {
            return Err(reason::BAD_MESSAGE);
        }
        if u64::from(body.counter) < Rights::counter_floor() {
            return Err(reason::REPLAYED);
        }
        match self.rights.counter() {
            Some(stored) if body.counter < stored => return Err(reason::REPLAYED),
            Some(stored) if body.counter == stored => return Ok(()),
            _ => {}
        }
        sys::kl_set_ek2(sealed).map_err(refusal)?;
        Rights::store(sealed, body.counter).map_err(|_| reason::BAD_MESSAGE)?;
        self.floor.raise(body.time, false);
        self.rights.replace(body);
        // A new group key may have come with it.
        self.groups.give_to_chip();
        self.stop_what_has_no_right();
        Ok(())
    }

    /// A right that was taken away ends at once, not with the next ECM.
    fn stop_what_has_no_right(&mut self) {
        for (session, product) in self.board.entitled() {
            match self.rights.verdict(product, self.floor.now()) {
                Verdict::Entitled { .. } => {}
                other => {
                    self.refuse(session, product, other);
                }
            }
        }
    }

    fn take_group_emm(&mut self, sealed: &[u8]) -> Result<(), Refused> {
        let envelope = Envelope::parse(sealed, Kind::GroupEmm)?;
        let opened = envelope.open().map_err(not_for_us)?;
        let body =
            V::decode_group_emm(envelope.client_part(&opened)?).map_err(|_| reason::BAD_MESSAGE)?;
        let product = envelope.ladder_product(&opened)?;
        if body.product != product || body.epoch.0 != envelope.sequence {
            return Err(reason::BAD_MESSAGE);
        }
        if body.valid_until <= self.floor.now() {
            return Err(reason::EXPIRED);
        }
        let name =
            KeyName { group: GroupId(envelope.key_ref), product: body.product, epoch: body.epoch };
        match self.groups.compare(name, body.counter) {
            Known::Newer => return Err(reason::REPLAYED),
            Known::Same => return Ok(()),
            Known::Older => {}
        }
        match sys::kl_set_ek1(sealed) {
            Ok(()) => self.groups.insert(name, &body, Some(sealed), self.floor.now()),
            Err(Status(code::NOT_MEMBER)) => {
                // Remembered by counter, so that an older message with the bit set is a replay.
                self.groups.insert(name, &body, None, self.floor.now())?;
                Err(reason::NOT_ENTITLED)
            }
            Err(other) => Err(refusal(other)),
        }
    }

    // defends: T-12
    fn take_global_emm(&mut self, payload: &[u8]) -> Result<(), Refused> {
        let signed = GlobalEmm::decode(payload).map_err(|_| reason::BAD_MESSAGE)?;
        let message = signed.unverified;
        sys::verify_signature(key::OPERATOR_EMM, &message.signed_bytes(), &signed.signature)
            .map_err(|_| reason::BAD_MESSAGE)?;
        self.floor.raise(message.time, true);
        Ok(())
    }

    // spec: X-S06 X-44 X-45
    fn take_ecm(&mut self, session: u32) -> Result<(), Refused> {
        let section = sys::get_token(token::ECM).map_err(|_| reason::BAD_MESSAGE)?;
        let section = CaSection::parse(&section).map_err(|_| reason::BAD_MESSAGE)?;
        if !section.table_id.is_ecm() {
            return Err(reason::BAD_MESSAGE);
        }
        let envelope = Envelope::parse(section.payload, Kind::Ecm)?;
        let product = ProductId(envelope.key_ref);
        let opened = match envelope.open() {
            Ok(opened) => opened,
            Err(Status(code::NO_KEY)) => {
                let verdict = self.rights.verdict(product, self.floor.now());
                return Err(self.refuse(session, product, verdict));
            }
            Err(_) => return Err(reason::BAD_MESSAGE),
        };
        let body =
            V::decode_ecm(envelope.client_part(&opened)?).map_err(|_| reason::BAD_MESSAGE)?;
        if body.product != product || body.epoch.0 != envelope.sequence {
            return Err(reason::BAD_MESSAGE);
        }
        self.floor.raise(body.time, false);
        match self.rights.verdict(product, self.floor.now()) {
            Verdict::Entitled { until } => self.load_control_words(session, &body, until),
            other => Err(self.refuse(session, product, other)),
        }
    }

    fn load_control_words(
        &mut self,
        session: u32,
        body: &EcmBody,
        until: UnixSeconds,
    ) -> Result<(), Refused> {
        let even = (0, &body.ecw_even);
        let odd = (1, &body.ecw_odd);
        // The parity of this crypto-period first: it is the one in use.
        let order = if body.cp_number.parity() == Parity::Even { [even, odd] } else { [odd, even] };
        for (parity, ecw) in order {
            sys::kl_load_cw(session, parity, ecw, &body.usage_rights).map_err(refusal)?;
        }
        self.board.show(session, Shown::Entitled { product: body.product, until });
        Ok(())
    }

    /// No right, or no key: the session's keys are cleared and the user is told why.
    fn refuse(&mut self, session: u32, product: ProductId, verdict: Verdict) -> Refused {
        let _ = sys::kl_release(session);
        let (shown, reason) = match verdict {
            Verdict::Entitled { until } => (Shown::NoKey { product, until }, reason::NO_KEY),
            Verdict::NotYet => (Shown::NotYet { product }, reason::NOT_ENTITLED),
            Verdict::Expired { until } => (Shown::Expired { product, until }, reason::EXPIRED),
            Verdict::None => (Shown::NotEntitled { product }, reason::NOT_ENTITLED),
        };
        self.board.show(session, shown);
        reason
    }
}

fn answer(done: Result<(), Refused>) -> u32 {
    done.err().unwrap_or(reason::OK)
}

/// A sealed EMM that does not open: addressed to another chip or group, or under another's key.
fn not_for_us(status: Status) -> Refused {
    match status.0 {
        code::BAD_MAC | code::NOT_MEMBER => reason::NOT_FOR_US,
        _ => refusal(status),
    }
}

fn refusal(status: Status) -> Refused {
    match status.0 {
        code::NO_KEY => reason::NO_KEY,
        code::NOT_MEMBER => reason::NOT_ENTITLED,
        _ => reason::BAD_MESSAGE,
    }
}
