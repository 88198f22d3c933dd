//! What the machine has to know of a call before it makes it, by the number in the TRAP word.
//!
//! Clause: X.1198 7.6.

use super::Syscall;
use crate::abi;

/// Most parameters any call has.
pub(crate) const MAX_ARGUMENTS: usize = 8;
/// What a call of a provider's own costs beside its TRAP instruction, in instructions.
pub(super) const CALL_COST: u64 = 50;
/// How many octets of work cost one instruction.
const OCTETS_PER_INSTRUCTION: u32 = 4;

/// What the machine has to know of a call before it makes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signature {
    pub(crate) call: Syscall,
    /// The charge before the octets.
    base: u16,
    pub(crate) arguments: u8,
    /// Which parameter is the length of the data worked on; `u8::MAX` when none is.
    length: u8,
}

impl Signature {
    /// Of no call.
    pub(super) const NONE: Self = Self::of(Syscall::ProviderPrivate(0));

    pub(super) const fn of(call: Syscall) -> Self {
        Self {
            call,
            base: call.base_charge() as u16,
            arguments: call.arguments() as u8,
            length: match call.length_argument() {
                Some(at) => at as u8,
                None => u8::MAX,
            },
        }
    }

    /// Of a call that is known to exist.
    #[inline(always)]
    pub(crate) fn at(id: u16) -> Option<&'static Self> {
        BY_ID.get(usize::from(id))
    }

    pub(crate) fn of_id(id: u16) -> Option<&'static Self> {
        Self::at(id).filter(|signature| signature.exists())
    }

    /// A private call outside of the private range stands for none.
    const fn exists(&self) -> bool {
        !matches!(self.call, Syscall::ProviderPrivate(..abi::PROVIDER_PRIVATE))
    }

    /// See [`Syscall::charge`]. `arg` gives the parameter of a number.
    #[inline(always)]
    pub(crate) fn charge(&self, arg: impl FnOnce(u8) -> Option<u32>) -> u64 {
        let octets = arg(self.length).unwrap_or(0);
        u64::from(self.base) + u64::from(octets.min(abi::CALL_BYTES_MAX) / OCTETS_PER_INSTRUCTION)
    }
}

/// The published table by number, and the calls of providers behind it.
static BY_ID: [Signature; abi::SYSCALL_IDS] = {
    let mut signatures = [Signature::NONE; abi::SYSCALL_IDS];
    let mut id = 0;
    while (id as usize) < signatures.len() {
        signatures[id as usize] = Signature::of(match Syscall::of_table(id) {
            Some(call) => call,
            None => Syscall::ProviderPrivate(id),
        });
        id += 1;
    }
    signatures
};

/// All bits set for each call id that the host answers when no provider does.
pub(crate) static HOSTS: [u8; abi::SYSCALL_IDS] = {
    let mut hosts = [0; abi::SYSCALL_IDS];
    let mut id = 0;
    while id < hosts.len() {
        let signature = BY_ID[id];
        let is_machines = signature.call.is_internal() || matches!(signature.call, Syscall::CLib);
        if signature.exists() && !is_machines {
            hosts[id] = u8::MAX;
        }
        id += 1;
    }
    hosts
};
