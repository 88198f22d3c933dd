//! The calls of the key ladder: the chip answers, nothing of it is kept here.
//!
//! What must never happen: a vendor other than the verified package's; a key in an answer.

use portcullis_chipset::{ChipError, ChipHandleError};
use portcullis_store::Disk;
use portcullis_svm::abi::status;
use portcullis_svm::{GuestMemory, GuestSlice, HostFault, Reply, Syscall};
use portcullis_types::Parity;
use serde_json::{Value, json};

use super::{GUEST_SESSION, Host};
use crate::chip::SecurityChip;

impl<C: SecurityChip, D: Disk> Host<C, D> {
    pub(super) fn ladder(
        &mut self,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        let session = self.session;
        match (call, args) {
            // defends: T-03
            (Syscall::KlSetVendor, &[vendor]) => Ok(if vendor == u32::from(self.vendor_sys_id.0) {
                Reply::ok(0)
            } else {
                Reply::error(status::WRONG_VENDOR)
            }),
            (Syscall::KlSetEk2, &[ptr, len]) => {
                let message = memory.read(ptr, len)?;
                let done = self.chip.set_ek2(session, &message);
                self.answer(done)
            }
            (Syscall::KlSetEk1, &[ptr, len]) => {
                let message = memory.read(ptr, len)?;
                let done = self.chip.set_ek1(session, &message);
                self.answer(done)
            }
            (Syscall::KlLoadCw, &[number, parity, ecw, rights, rights_len]) => {
                let ecw = memory.read_array(ecw)?;
                let rights = memory.read(rights, rights_len)?;
                self.load_cw(number, parity, &ecw, &rights)
            }
            (Syscall::KlChallenge, &[nonce, out]) => {
                let nonce = memory.read_array(nonce)?;
                GuestSlice::writable(memory, out, 16)?;
                match self.chip.challenge(session, &nonce) {
                    Ok(dnonce) => {
                        memory.write(out, &dnonce)?;
                        Ok(Reply::ok(16))
                    }
                    Err(error) => self.refusal(error),
                }
            }
            (Syscall::KlOpenMessage, &[ptr, len, out, cap]) => {
                let message = memory.read(ptr, len)?;
                GuestSlice::writable(memory, out, cap)?;
                match self.chip.open_message(session, &message) {
                    Ok(body) => Ok(memory.reply_with(out, cap, &body)?),
                    Err(error) => self.refusal(error),
                }
            }
            (Syscall::KlRelease, &[number]) => {
                if number != GUEST_SESSION {
                    return Ok(Reply::error(status::NOT_FOUND));
                }
                let done = self.chip.release(session);
                self.answer(done)
            }
            _ => Err(HostFault::NoSuchCall),
        }
    }

    fn load_cw(
        &mut self,
        number: u32,
        parity: u32,
        ecw: &[u8; 16],
        rights: &[u8],
    ) -> Result<Reply, HostFault> {
        let parity = match parity {
            0 => Parity::Even,
            1 => Parity::Odd,
            _ => return Ok(Reply::error(status::BAD_ARGUMENT)),
        };
        if number != GUEST_SESSION {
            return Ok(Reply::error(status::NOT_FOUND));
        }
        let done = self.chip.load_cw(self.session, parity, ecw, rights);
        if done.is_ok() {
            self.loaded = true;
            if self.usage_rights != rights {
                rights.clone_into(&mut self.usage_rights);
                self.reporter.emit(usage_rights(rights));
            }
        }
        self.answer(done)
    }

    fn answer(&mut self, done: Result<(), ChipHandleError>) -> Result<Reply, HostFault> {
        match done {
            Ok(()) => Ok(Reply::ok(0)),
            Err(error) => self.refusal(error),
        }
    }

    /// A refusal of the chip as a status; a chip that is gone stops the client.
    fn refusal(&mut self, error: ChipHandleError) -> Result<Reply, HostFault> {
        match error {
            ChipHandleError::Refused(error) => {
                tracing::debug!("chip: {error}");
                Ok(Reply::error(chip_status(&error)))
            }
            ChipHandleError::ChipGone => {
                self.chip_gone = true;
                Err(HostFault::Host("the security chip is gone"))
            }
            _ => Err(HostFault::Host("the security chip does not answer")),
        }
    }
}

const fn chip_status(error: &ChipError) -> i32 {
    match error {
        ChipError::NoGroupKey | ChipError::NoProductKey { .. } | ChipError::NoEcmOpened => {
            status::NO_KEY
        }
        ChipError::Message(_) | ChipError::WrongControlWord => status::BAD_MAC,
        ChipError::WrongKind | ChipError::Malformed | ChipError::TooLong { .. } => {
            status::MALFORMED
        }
        ChipError::NotForThisChip | ChipError::NotAMember => status::NOT_MEMBER,
        ChipError::RateLimited => status::QUOTA,
        ChipError::Storage(_) => status::DEVICE,
        _ => status::BAD_ARGUMENT,
    }
}

/// Usage rights as an event: the 64-bit core taken apart, the rest in hexadecimal.
fn usage_rights(rights: &[u8]) -> Value {
    let hex = hex::encode(rights);
    match rights {
        [0x01, 0x08, version, flags, limit, ..] => json!({
            "event": "usage_rights",
            "hex": hex,
            "version": version,
            "aps": flags >> 6,
            "emi": flags >> 4 & 3,
            "ict": flags >> 3 & 1,
            "rct": flags >> 2 & 1,
            "rl": limit,
        }),
        _ => json!({ "event": "usage_rights", "hex": hex }),
    }
}
