//! The calls of the smart card: reset, and one command with its answer (ISO 7816-4).
//!
//! What is in the slot stands behind a trait: a reader of the platform, or nothing. What must
//! never happen: a command to a card that was not reset by this client.

use portcullis_store::Disk;
use portcullis_svm::abi::status;
use portcullis_svm::{GuestMemory, GuestSlice, HostFault, Reply, Syscall};

use super::Host;
use crate::chip::SecurityChip;

/// Octets of a command header: CLA, INS, P1, P2.
const HEADER: usize = 4;
/// Octets of the status words at the end of an answer.
const STATUS_WORDS: usize = 2;
/// Octets of an answer to reset (ISO 7816-3: TS and at most 32 more).
const ATR_MAX: usize = 33;

/// Why a card does not answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CardError {
    /// No card, or no reader.
    #[error("no card is in the slot")]
    NoCard,
    /// The card is mute or broke its protocol.
    #[error("the card does not answer")]
    Mute,
}

/// A smart card in its reader.
pub trait SmartCard: Send {
    /// Resets the card and gives its answer to reset.
    ///
    /// # Errors
    /// [`CardError`].
    fn reset(&mut self) -> Result<Vec<u8>, CardError>;

    /// Sends one command APDU and gives the answer: data, then the status words SW1 and SW2.
    ///
    /// # Errors
    /// [`CardError`].
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, CardError>;
}

/// An empty slot.
#[derive(Clone, Copy, Debug)]
pub struct NoCard;

impl SmartCard for NoCard {
    fn reset(&mut self) -> Result<Vec<u8>, CardError> {
        Err(CardError::NoCard)
    }

    fn transmit(&mut self, _: &[u8]) -> Result<Vec<u8>, CardError> {
        Err(CardError::NoCard)
    }
}

impl<C: SecurityChip, D: Disk> Host<C, D> {
    pub(super) fn card(
        &mut self,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        let (slot, command, out, cap) = match (call, args) {
            (Syscall::CardReset, &[slot, out, cap]) => (slot, None, out, cap),
            (Syscall::CardApdu, &[slot, ptr, len, out, cap]) => {
                (slot, Some(memory.read(ptr, len)?), out, cap)
            }
            _ => return Err(HostFault::NoSuchCall),
        };
        GuestSlice::writable(memory, out, cap)?;
        if slot != 0 {
            return Ok(Reply::error(status::NOT_FOUND));
        }
        if self.used.card_commands >= self.limits.card_commands {
            return Ok(Reply::error(status::QUOTA));
        }
        self.used.card_commands += 1;
        let answer = match command {
            None => {
                let answer = self.card.reset();
                self.card_is_reset = answer.is_ok();
                answer.and_then(|atr| {
                    (1..=ATR_MAX).contains(&atr.len()).then_some(atr).ok_or(CardError::Mute)
                })
            }
            Some(command) if command.len() < HEADER || !self.card_is_reset => {
                return Ok(Reply::error(status::BAD_ARGUMENT));
            }
            Some(command) => self.card.transmit(&command).and_then(|answer| {
                (answer.len() >= STATUS_WORDS).then_some(answer).ok_or(CardError::Mute)
            }),
        };
        Ok(match answer {
            Ok(octets) => memory.reply_with(out, cap, &octets)?,
            Err(error) => {
                self.card_is_reset = false;
                Reply::error(match error {
                    CardError::NoCard => status::NO_CARD,
                    CardError::Mute => status::DEVICE,
                })
            }
        })
    }
}
