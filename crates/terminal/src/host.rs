//! The native system call library: what the SVM's host does for a client.
//!
//! Clauses: X.1198 7.6 (system calls), 6.2.2 (pointers, tokens are read-only, no key leaves).
//! Every pointer goes through the machine's checked copy; tokens are kept here and given as
//! copies (T-29, T-33). Storage belongs to the client that the verified package names, and its
//! changes become durable when the event ends.
//!
//! What must never happen: an answer with a key or a control word (the chip gives none), storage
//! or a ladder of another client, a call without a `CallPermitted`.

use portcullis_chipset::{ChipError, ChipHandleError, SessionId};
use portcullis_crypto::{Ed25519VerifyingKey, sha256};
use portcullis_store::{Disk, SealedStore, StoreError};
use portcullis_svm::abi::{key, status, token};
use portcullis_svm::{CallPermitted, GuestMemory, HostFault, Reply, Syscall, SystemCalls};
use portcullis_types::{Parity, VendorSysId};
use serde_json::{Value, json};

use crate::chip::{ChipSealer, SecurityChip};
use crate::report::Reporter;

/// The session number a client sees. One service at a time, so one number.
pub(crate) const GUEST_SESSION: u32 = 1;

/// Limits of one event of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HostLimits {
    /// Log lines (default 32).
    pub log_lines: u32,
    /// Octets of a log line, message or status (default 4096).
    pub text: usize,
    /// Status reports (default 8).
    pub statuses: u32,
    /// Random octets (default 4096).
    pub random: usize,
}

impl Default for HostLimits {
    fn default() -> Self {
        Self { log_lines: 32, text: 4096, statuses: 8, random: 4096 }
    }
}

/// The host of one running client.
pub struct Host<C: SecurityChip, D: Disk> {
    pub(crate) chip: C,
    store: SealedStore<D>,
    session: SessionId,
    vendor_sys_id: VendorSysId,
    emm_signer: [u8; 32],
    emm: Option<Vec<u8>>,
    ecm: Option<Vec<u8>>,
    limits: HostLimits,
    used: Used,
    reporter: Reporter,
    status: Option<Value>,
    usage_rights: Vec<u8>,
    chip_gone: bool,
    loaded: bool,
}

/// What an event has used of its limits.
#[derive(Clone, Copy, Default)]
struct Used {
    log_lines: u32,
    statuses: u32,
}

impl<C: SecurityChip, D: Disk> Host<C, D> {
    /// The host of a client whose package and chains were verified: `vendor_sys_id` and
    /// `emm_signer` come from there, `session` was opened for that vendor.
    pub fn new(
        chip: C,
        store: SealedStore<D>,
        session: SessionId,
        vendor_sys_id: VendorSysId,
        emm_signer: [u8; 32],
        reporter: Reporter,
    ) -> Self {
        Self {
            chip,
            store,
            session,
            vendor_sys_id,
            emm_signer,
            emm: None,
            ecm: None,
            limits: HostLimits::default(),
            used: Used::default(),
            reporter,
            status: None,
            usage_rights: Vec::new(),
            chip_gone: false,
            loaded: false,
        }
    }

    /// The chip session.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// The last status the client gave for the user.
    #[must_use]
    pub const fn status(&self) -> Option<&Value> {
        self.status.as_ref()
    }

    /// Whether the chip went away during a call.
    pub(crate) const fn chip_is_gone(&self) -> bool {
        self.chip_gone
    }

    /// Whether a control word was loaded since the event began.
    pub(crate) const fn loaded_control_word(&self) -> bool {
        self.loaded
    }

    /// Gives the event its access token and fresh limits.
    pub(crate) fn begin_event(&mut self, emm: Option<&[u8]>, ecm: Option<&[u8]>) {
        self.used = Used::default();
        self.loaded = false;
        self.emm = emm.map(<[u8]>::to_vec);
        self.ecm = ecm.map(<[u8]>::to_vec);
    }

    /// Makes the event's changes of the storage durable, or forgets them.
    pub(crate) fn end_event(&mut self, keep: bool) -> Result<(), StoreError> {
        self.emm = None;
        self.ecm = None;
        if keep {
            self.store.commit(&mut ChipSealer(&mut self.chip))
        } else {
            self.store.discard();
            Ok(())
        }
    }

    /// Gives the chip back.
    pub(crate) fn into_chip(self) -> C {
        self.chip
    }

    fn token(&self, kind: u32) -> Option<Vec<u8>> {
        match kind {
            token::EMM => self.emm.clone(),
            token::ECM => self.ecm.clone(),
            token::SIGNER => Some(sha256(&[&self.emm_signer]).to_vec()),
            _ => None,
        }
    }

    fn ladder(
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
                portcullis_svm::GuestSlice::writable(memory, out, 16)?;
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
                portcullis_svm::GuestSlice::writable(memory, out, cap)?;
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

    fn storage(
        &mut self,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        match (call, args) {
            (Syscall::NvRead, &[key, key_len, ptr, cap]) => {
                let key = memory.read(key, key_len)?;
                portcullis_svm::GuestSlice::writable(memory, ptr, cap)?;
                if let Some(number) = floor(&key) {
                    return Ok(match self.store.floor(number) {
                        0 => Reply::error(status::NOT_FOUND),
                        value => memory.reply_with(ptr, cap, &value.to_be_bytes())?,
                    });
                }
                let key = record(&key);
                match self.store.get(&key) {
                    Some(value) => Ok(memory.reply_with(ptr, cap, value)?),
                    None => Ok(Reply::error(status::NOT_FOUND)),
                }
            }
            (Syscall::NvWrite, &[key, key_len, ptr, len]) => {
                let key = memory.read(key, key_len)?;
                let value = memory.read(ptr, len)?;
                if let Some(number) = floor(&key) {
                    let Ok(value) = <[u8; 8]>::try_from(value.as_slice()) else {
                        return Ok(Reply::error(status::BAD_ARGUMENT));
                    };
                    let done = self.store.raise_floor(number, u64::from_be_bytes(value));
                    return Ok(done.map_or_else(store_refusal, |()| Reply::ok(len)));
                }
                let key = record(&key);
                Ok(self.store.set(&key, &value).map_or_else(store_refusal, |()| Reply::ok(len)))
            }
            (Syscall::NvMonotonicInc, &[id]) => {
                let mut key = vec![COUNTER];
                key.extend_from_slice(&id.to_be_bytes());
                let value = self.store.get(&key).and_then(|value| value.try_into().ok());
                let Some(next) = value.map_or(0, u32::from_be_bytes).checked_add(1) else {
                    return Ok(Reply::error(status::QUOTA));
                };
                let done = self.store.set(&key, &next.to_be_bytes());
                Ok(done.map_or_else(store_refusal, |()| Reply::ok(next)))
            }
            _ => Err(HostFault::NoSuchCall),
        }
    }

    fn text(
        &mut self,
        call: Syscall,
        args: &[u32],
        memory: &GuestMemory,
    ) -> Result<Reply, HostFault> {
        let (ptr, len) = match (call, args) {
            (Syscall::Log, &[_, ptr, len]) | (_, &[ptr, len]) => (ptr, len),
            _ => return Err(HostFault::NoSuchCall),
        };
        let bytes = memory.read(ptr, len)?;
        if bytes.len() > self.limits.text {
            return Ok(Reply::error(status::QUOTA));
        }
        if call == Syscall::ClientStatus {
            return Ok(self.client_status(&bytes));
        }
        if self.used.log_lines >= self.limits.log_lines {
            return Ok(Reply::error(status::QUOTA));
        }
        self.used.log_lines += 1;
        // Control characters of a client do not reach a console.
        let line: String = String::from_utf8_lossy(&bytes)
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        // Whatever level the client claims: its words are not errors of the terminal.
        tracing::info!("client: {line}");
        Ok(Reply::ok(len))
    }

    // spec: X-48
    fn client_status(&mut self, bytes: &[u8]) -> Reply {
        if self.used.statuses >= self.limits.statuses {
            return Reply::error(status::QUOTA);
        }
        self.used.statuses += 1;
        let Ok(Value::Object(mut said)) = serde_json::from_slice(bytes) else {
            return Reply::error(status::MALFORMED);
        };
        said.insert("event".into(), "entitlement".into());
        let said = Value::Object(said);
        self.reporter.emit(said.clone());
        self.status = Some(said);
        Reply::ok(0)
    }

    fn crypto(
        &self,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        match (call, args) {
            (Syscall::Sha256, &[ptr, len, out]) => {
                let data = memory.read(ptr, len)?;
                memory.write(out, &sha256(&[&data]))?;
                Ok(Reply::ok(32))
            }
            (Syscall::VerifySig, &[handle, ptr, len, signature]) => {
                let data = memory.read(ptr, len)?;
                let signature = memory.read_array(signature)?;
                if handle != key::OPERATOR_EMM {
                    return Ok(Reply::error(status::NOT_FOUND));
                }
                let verified = Ed25519VerifyingKey::from_bytes(&self.emm_signer)
                    .is_ok_and(|key| key.verify(&data, &signature).is_ok());
                Ok(if verified { Reply::ok(0) } else { Reply::error(status::BAD_SIGNATURE) })
            }
            (Syscall::Random, &[ptr, len]) => {
                portcullis_svm::GuestSlice::writable(memory, ptr, len)?;
                let mut octets = vec![0; len as usize];
                if octets.len() > self.limits.random {
                    return Ok(Reply::error(status::QUOTA));
                }
                getrandom::fill(&mut octets).map_err(|_| HostFault::Host("no randomness"))?;
                memory.write(ptr, &octets)?;
                Ok(Reply::ok(len))
            }
            _ => Err(HostFault::NoSuchCall),
        }
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

impl<C: SecurityChip, D: Disk> SystemCalls for Host<C, D> {
    // spec: X-29 X-32
    // defends: T-28 T-29 T-33
    fn call(
        &mut self,
        _permitted: CallPermitted,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        match (call, args) {
            (Syscall::GetToken, &[kind, ptr, cap]) => match self.token(kind) {
                Some(token) => Ok(memory.reply_with(ptr, cap, &token)?),
                None => Ok(Reply::error(status::NOT_FOUND)),
            },
            (Syscall::TokenInfo, &[kind]) => Ok(self
                .token(kind)
                .map_or(Reply::error(status::NOT_FOUND), |token| Reply::ok(token.len() as u32))),
            (Syscall::PutMsg | Syscall::Log | Syscall::ClientStatus, _) => {
                self.text(call, args, memory)
            }
            (Syscall::Sha256 | Syscall::VerifySig | Syscall::Random, _) => {
                self.crypto(call, args, memory)
            }
            (Syscall::NvRead | Syscall::NvWrite | Syscall::NvMonotonicInc, _) => {
                self.storage(call, args, memory)
            }
            _ => self.ladder(call, args, memory),
        }
    }
}

/// The number of a floor, if that is what a key names: `floor/0` to `floor/3`, 8 octets each,
/// big-endian. Floors only rise and outlive the storage.
// defends: T-10 T-12
fn floor(key: &[u8]) -> Option<usize> {
    let [digit @ b'0'..=b'9'] = key.strip_prefix(b"floor/")? else { return Some(usize::MAX) };
    Some(usize::from(digit - b'0'))
}

/// A client's own key, apart from the counters.
fn record(key: &[u8]) -> Vec<u8> {
    [&[RECORD], key].concat()
}

fn store_refusal(error: StoreError) -> Reply {
    Reply::error(match error {
        StoreError::Quota { .. } => status::QUOTA,
        StoreError::Key(_) => status::BAD_ARGUMENT,
        _ => status::DEVICE,
    })
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

const RECORD: u8 = b'r';
const COUNTER: u8 = b'c';

#[cfg(test)]
#[path = "host_tests.rs"]
mod tests;
