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
const OCTETS_PER_INSTRUCTION: u64 = 4;

/// What the machine has to know of a call before it makes it.
#[derive(Clone, Copy)]
pub(crate) struct Signature {
    pub(crate) call: Syscall,
    pub(crate) arguments: u8,
    /// The machine answers it itself.
    internal: bool,
    /// Somebody else than the host answers it, even without a provider.
    pub(crate) is_special: bool,
    /// The charge before the octets.
    base: u16,
    /// Which parameter is the length of the data worked on.
    length: Option<u8>,
}

impl Signature {
    pub(super) const fn of(call: Syscall) -> Self {
        Self {
            call,
            arguments: call.arguments() as u8,
            internal: call.is_internal(),
            is_special: call.is_internal() || matches!(call, Syscall::CLib),
            base: call.base_charge() as u16,
            length: match call.length_argument() {
                Some(at) => Some(at as u8),
                None => None,
            },
        }
    }

    #[inline]
    pub(crate) fn of_id(id: u16) -> Option<&'static Self> {
        BY_ID.get(usize::from(id))?.as_ref()
    }

    /// See [`Syscall::charge`].
    #[inline]
    pub(crate) fn charge(&self, args: &[u32]) -> u64 {
        if self.internal {
            return 0;
        }
        let octets = self.length.and_then(|at| args.get(usize::from(at))).copied().unwrap_or(0);
        u64::from(self.base) + u64::from(octets.min(abi::CALL_BYTES_MAX)) / OCTETS_PER_INSTRUCTION
    }
}

/// The published table by number, and the calls of providers behind it.
static BY_ID: [Option<Signature>; abi::SYSCALL_IDS] = {
    let mut signatures = [None; abi::SYSCALL_IDS];
    let mut id = 0;
    while (id as usize) < signatures.len() {
        signatures[id as usize] = match Syscall::of_table(id) {
            None if id >= abi::PROVIDER_PRIVATE => {
                Some(Signature::of(Syscall::ProviderPrivate(id)))
            }
            None => None,
            Some(call) => Some(Signature::of(call)),
        };
        id += 1;
    }
    signatures
};
