//! Where the parameters of a call and its answer lie while the host works.
//!
//! Clause: X.1198 7.6. Not on the stack of whoever makes the call: a handler of the threaded engine
//! goes on by a tail call, and has no place there.

use super::signature::{MAX_ARGUMENTS, Signature};
use super::{HostFault, Reply, Syscall};
use crate::memory::GuestMemory;

/// One call, its parameters and its answer.
#[derive(Debug)]
pub struct Exchange {
    signature: &'static Signature,
    /// Parameters: so many as the signature says, or as a provider does.
    count: u8,
    args: [u32; MAX_ARGUMENTS],
    pub(crate) answer: Result<Reply, HostFault>,
}

impl Exchange {
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        let answer = Err(HostFault::NoSuchCall);
        Self { signature: &Signature::NONE, count: 0, args: [0; MAX_ARGUMENTS], answer }
    }

    pub(crate) const fn call(&self) -> Syscall {
        self.signature.call
    }

    /// The parameters, first pushed first; `None` when they are more than any call has.
    #[inline(always)]
    pub(crate) fn args(&self) -> Option<&[u32]> {
        self.args.get(..usize::from(self.count))
    }

    /// What the call is charged with beside its TRAP, in instructions.
    #[inline(always)]
    pub(crate) fn charge(&self, signature: &Signature) -> u64 {
        signature.charge(|at| self.args.get(usize::from(at)).copied())
    }

    /// Of a call with so many parameters.
    #[inline(always)]
    pub(crate) const fn begin(&mut self, signature: &'static Signature, count: u8) {
        (self.signature, self.count) = (signature, count);
    }

    /// Reads the parameters from a stack: the last pushed lies lowest. `false` when they are not in
    /// memory that the client may write, as a stack must be.
    // defends: T-28
    #[inline(always)]
    pub(crate) fn pop(&mut self, memory: &GuestMemory, stack: u32) -> bool {
        self.few(|| memory.load_lent_stack(stack), || memory.load_lent_stack(stack))
            || self.pop_any(memory, stack)
    }

    /// The same where they are few and the stack is memory of the machine's own. `false` says
    /// nothing.
    // defends: T-28
    #[cfg(all(portcullis_threaded, not(portcullis_trampoline)))]
    #[inline(always)]
    pub(crate) fn pop_near(&mut self, memory: &GuestMemory, stack: u32) -> bool {
        self.few(|| memory.load_stack(stack), || memory.load_stack(stack))
    }

    /// None, one or two parameters, by one look at the stack.
    #[inline(always)]
    fn few(
        &mut self,
        one: impl FnOnce() -> Option<[u8; 4]>,
        two: impl FnOnce() -> Option<[u8; 8]>,
    ) -> bool {
        let [first, second, ..] = &mut self.args;
        match self.count {
            0 => true,
            1 => one().map(|word| *first = u32::from_le_bytes(word)).is_some(),
            2 => match two().map(u64::from_le_bytes) {
                Some(words) => {
                    (*first, *second) = ((words >> 32) as u32, words as u32);
                    true
                }
                None => false,
            },
            _ => false,
        }
    }

    /// The same, so many as there may be and wherever they lie.
    #[inline(never)]
    fn pop_any(&mut self, memory: &GuestMemory, stack: u32) -> bool {
        let Some(args) = self.args.get_mut(..usize::from(self.count)) else { return false };
        let Some(words) = memory.stack_words(stack, args.len()) else { return false };
        for (argument, word) in args.iter_mut().zip(words.iter().rev()) {
            *argument = u32::from_le_bytes(*word);
        }
        true
    }
}
