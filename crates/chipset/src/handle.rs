//! The terminal's side of the chip.
//!
//! Trust domain: the terminal. It moves ciphertext and scrambled packets in, and clear packets
//! out; keys never pass here. One request waits for one reply.

use std::os::fd::{AsFd, OwnedFd};

use portcullis_types::{
    EpochId, GroupId, MemberIndex, Parity, Pid, ProductId, ScramblingMode, VendorSysId,
};

use crate::memory::{PACKET_CAPACITY, PacketMemory};
use crate::socket::{Received, buffer, receive, send};
use crate::wire::{
    BootFloors, BootLink, BootOperation, BootOutcome, ChipError, ChipInfo, Descrambled, Ladder,
    Operation, Outcome, PlatformReport, Reply, Request, SessionId, decode, encode,
};

/// Why a request to the chip failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChipHandleError {
    /// The chip looked at the request and refused it.
    #[error(transparent)]
    Refused(#[from] ChipError),
    /// The chip process ended; all its keys are gone. A terminal has to boot again.
    #[error("the security chip is gone")]
    ChipGone,
    /// Standard input is not the chip's socket: not started by the bootloader.
    #[error("standard input is not the security chip (start this through portcullis-chipd)")]
    NotAChip,
    /// The chip answered something else than asked.
    #[error("the security chip answered out of turn")]
    OutOfTurn,
    /// The system's fault.
    #[error("security chip: {0}")]
    Io(#[from] std::io::Error),
}

type Result<T> = std::result::Result<T, ChipHandleError>;

/// The chip as the terminal holds it.
pub struct ChipHandle {
    socket: OwnedFd,
    memory: PacketMemory,
    buffer: Vec<u8>,
}

impl ChipHandle {
    /// The chip on standard input, as the bootloader hands it over.
    ///
    /// # Errors
    /// [`ChipHandleError::NotAChip`] when standard input is anything else.
    pub fn from_stdin() -> Result<Self> {
        let socket = std::io::stdin().as_fd().try_clone_to_owned()?;
        Self::connect(socket)
    }

    /// The chip behind one end of a socket pair.
    ///
    /// # Errors
    /// [`ChipHandleError::NotAChip`] when the descriptor is no such socket.
    pub fn connect(socket: OwnedFd) -> Result<Self> {
        use rustix::net::{SocketType, sockopt};
        if sockopt::socket_type(&socket) != Ok(SocketType::SEQPACKET) {
            return Err(ChipHandleError::NotAChip);
        }
        let mut buffer = buffer();
        send(&socket, &encode(&Request::Attach)?, None).map_err(gone)?;
        let Received::Datagram(length, Some(fd)) = receive(&socket, &mut buffer).map_err(gone)?
        else {
            return Err(ChipHandleError::ChipGone);
        };
        match decode(buffer.get(..length).unwrap_or_default())? {
            Reply::Attached { packets } if packets as usize == PACKET_CAPACITY => {}
            _ => return Err(ChipHandleError::OutOfTurn),
        }
        Ok(Self { socket, memory: PacketMemory::attach(fd)?, buffer })
    }

    /// Who the chip is.
    ///
    /// # Errors
    /// [`ChipHandleError`], as for every request below.
    pub fn info(&mut self) -> Result<ChipInfo> {
        match self.one(Operation::Info)? {
            Outcome::Info(info) => Ok(info),
            _ => Err(ChipHandleError::OutOfTurn),
        }
    }

    /// Opens a session with the AES ladder. The Vendor_SysID must come from the verified package.
    ///
    /// # Errors
    /// See [`Self::info`].
    pub fn open_session(
        &mut self,
        vendor_sys_id: VendorSysId,
        mode: ScramblingMode,
    ) -> Result<SessionId> {
        self.open_session_with(vendor_sys_id, mode, Ladder::Aes)
    }

    /// Opens a session with a chosen ladder cipher.
    ///
    /// # Errors
    /// See [`Self::info`].
    pub fn open_session_with(
        &mut self,
        vendor_sys_id: VendorSysId,
        mode: ScramblingMode,
        ladder: Ladder,
    ) -> Result<SessionId> {
        match self.one(Operation::OpenSession { vendor_sys_id, mode, ladder })? {
            Outcome::Session(session) => Ok(session),
            _ => Err(ChipHandleError::OutOfTurn),
        }
    }

    /// Sets the elementary streams of a session.
    ///
    /// # Errors
    /// See [`Self::info`].
    pub fn set_pids(&mut self, session: SessionId, pids: &[Pid]) -> Result<()> {
        let pids = pids.iter().map(|pid| pid.get()).collect();
        self.done(Operation::SetPids { session, pids })
    }

    /// Loads K2 from a whole sealed unique EMM.
    ///
    /// # Errors
    /// See [`Self::info`].
    pub fn set_ek2(
        &mut self,
        session: SessionId,
        message: &[u8],
    ) -> Result<(GroupId, MemberIndex)> {
        match self.one(Operation::SetEk2 { session, message: message.to_vec() })? {
            Outcome::Group { group_id, member_index } => Ok((group_id, member_index)),
            _ => Err(ChipHandleError::OutOfTurn),
        }
    }

    /// Loads K1 from a whole sealed group EMM.
    ///
    /// # Errors
    /// See [`Self::info`]; [`ChipError::NotAMember`] when this chip's bit is clear.
    pub fn set_ek1(&mut self, session: SessionId, message: &[u8]) -> Result<(ProductId, EpochId)> {
        match self.one(Operation::SetEk1 { session, message: message.to_vec() })? {
            Outcome::Product { product_id, epoch } => Ok((product_id, epoch)),
            _ => Err(ChipHandleError::OutOfTurn),
        }
    }

    /// Opens a message: ladder part, then client part. An ECM selects its K1 for [`Self::load_cw`].
    ///
    /// # Errors
    /// See [`Self::info`].
    pub fn open_message(&mut self, session: SessionId, message: &[u8]) -> Result<Vec<u8>> {
        match self.one(Operation::OpenMessage { session, message: message.to_vec() })? {
            Outcome::Body(body) => Ok(body),
            _ => Err(ChipHandleError::OutOfTurn),
        }
    }

    /// Loads a control word under the usage rights it was made for.
    ///
    /// # Errors
    /// See [`Self::info`].
    pub fn load_cw(
        &mut self,
        session: SessionId,
        parity: Parity,
        ecw: &[u8; 16],
        usage_rights: &[u8],
    ) -> Result<()> {
        let usage_rights = usage_rights.to_vec();
        self.done(Operation::LoadCw { session, parity, ecw: *ecw, usage_rights })
    }

    /// Clears the descrambler keys of a session.
    ///
    /// # Errors
    /// See [`Self::info`].
    pub fn release(&mut self, session: SessionId) -> Result<()> {
        self.done(Operation::Release { session })
    }

    /// Closes a session.
    ///
    /// # Errors
    /// See [`Self::info`].
    pub fn close_session(&mut self, session: SessionId) -> Result<()> {
        self.done(Operation::CloseSession { session })
    }

    /// Answers a nonce of the headend.
    ///
    /// # Errors
    /// See [`Self::info`].
    pub fn challenge(&mut self, session: SessionId, nonce: &[u8; 16]) -> Result<[u8; 16]> {
        match self.one(Operation::Challenge { session, nonce: *nonce })? {
            Outcome::Dnonce(dnonce) => Ok(dnonce),
            _ => Err(ChipHandleError::OutOfTurn),
        }
    }

    /// Descrambles the session's packets among `packets`, in place and in order, whatever their
    /// number. Others stay as they are.
    ///
    /// # Errors
    /// See [`Self::info`].
    pub fn descramble(
        &mut self,
        session: SessionId,
        packets: &mut [[u8; 188]],
    ) -> Result<Descrambled> {
        let mut total = Descrambled::default();
        for part in packets.chunks_mut(PACKET_CAPACITY) {
            let count = part.len() as u32;
            let range = ChipError::PacketRange { first: 0, count };
            if !self.memory.write(0, part) {
                return Err(range.into());
            }
            match self.one(Operation::Descramble { session, first: 0, count })? {
                Outcome::Descrambled(counts) => total += counts,
                _ => return Err(ChipHandleError::OutOfTurn),
            }
            if !self.memory.read(0, part) {
                return Err(range.into());
            }
        }
        Ok(total)
    }

    /// Encrypts data so that only this chip opens it, under the same label.
    ///
    /// # Errors
    /// See [`Self::info`].
    pub fn seal(&mut self, label: &str, data: &[u8]) -> Result<Vec<u8>> {
        match self.one(Operation::Seal { label: label.to_owned(), data: data.to_vec() })? {
            Outcome::Data(data) => Ok(data),
            _ => Err(ChipHandleError::OutOfTurn),
        }
    }

    /// Opens sealed data.
    ///
    /// # Errors
    /// See [`Self::info`].
    pub fn unseal(&mut self, label: &str, data: &[u8]) -> Result<Vec<u8>> {
        match self.one(Operation::Unseal { label: label.to_owned(), data: data.to_vec() })? {
            Outcome::Data(data) => Ok(data),
            _ => Err(ChipHandleError::OutOfTurn),
        }
    }

    /// Reads a monotonic counter; one that was never raised is 0.
    ///
    /// # Errors
    /// See [`Self::info`].
    pub fn counter_read(&mut self, name: &str) -> Result<u64> {
        match self.one(Operation::CounterRead { name: name.to_owned() })? {
            Outcome::Counter(value) => Ok(value),
            _ => Err(ChipHandleError::OutOfTurn),
        }
    }

    /// Raises a monotonic counter; on return the value is on disk.
    ///
    /// # Errors
    /// See [`Self::info`]; [`ChipError::Rollback`] when it would fall.
    pub fn counter_raise(&mut self, name: &str, value: u64) -> Result<()> {
        self.done(Operation::CounterRaise { name: name.to_owned(), value })
    }

    /// The links of the boot chain, in order.
    ///
    /// # Errors
    /// See [`Self::info`].
    pub fn boot_report(&mut self) -> Result<Vec<BootLink>> {
        match self.one(Operation::BootReport)? {
            Outcome::BootReport(links) => Ok(links),
            _ => Err(ChipHandleError::OutOfTurn),
        }
    }

    /// The trust anchor (DER) that the verified platform image carried.
    ///
    /// # Errors
    /// See [`Self::info`].
    pub fn trust_anchor(&mut self) -> Result<Vec<u8>> {
        match self.one(Operation::TrustAnchor)? {
            Outcome::TrustAnchor(der) => Ok(der),
            _ => Err(ChipHandleError::OutOfTurn),
        }
    }

    /// Several operations in one round trip; stops at the first that fails, whose error is then
    /// the last entry.
    ///
    /// # Errors
    /// See [`Self::info`].
    pub fn batch(
        &mut self,
        operations: Vec<Operation>,
    ) -> Result<Vec<std::result::Result<Outcome, ChipError>>> {
        match self.exchange(&Request::Batch(operations))? {
            Reply::Batch(outcomes) => Ok(outcomes),
            _ => Err(ChipHandleError::OutOfTurn),
        }
    }

    /// BL_KEY1 and the floors of the platform link. For the bootloader only.
    ///
    /// # Errors
    /// See [`Self::info`].
    pub fn boot_keys(&mut self) -> Result<([u8; 32], BootFloors)> {
        match self.boot(BootOperation::Keys)? {
            BootOutcome::Keys { bl_key1, floors } => Ok((bl_key1, floors)),
            BootOutcome::Noted => Err(ChipHandleError::OutOfTurn),
        }
    }

    /// Reports the platform link. For the bootloader only.
    ///
    /// # Errors
    /// See [`Self::info`].
    pub fn report_platform(&mut self, report: PlatformReport) -> Result<()> {
        match self.boot(BootOperation::Report(report))? {
            BootOutcome::Noted => Ok(()),
            BootOutcome::Keys { .. } => Err(ChipHandleError::OutOfTurn),
        }
    }

    fn done(&mut self, operation: Operation) -> Result<()> {
        match self.one(operation)? {
            Outcome::Done => Ok(()),
            _ => Err(ChipHandleError::OutOfTurn),
        }
    }

    fn one(&mut self, operation: Operation) -> Result<Outcome> {
        match self.exchange(&Request::One(operation))? {
            Reply::One(outcome) => Ok(outcome?),
            _ => Err(ChipHandleError::OutOfTurn),
        }
    }

    fn boot(&mut self, operation: BootOperation) -> Result<BootOutcome> {
        match self.exchange(&Request::Boot(operation))? {
            Reply::Boot(outcome) => Ok(outcome?),
            _ => Err(ChipHandleError::OutOfTurn),
        }
    }

    fn exchange(&mut self, request: &Request) -> Result<Reply> {
        send(&self.socket, &encode(request)?, None).map_err(gone)?;
        match receive(&self.socket, &mut self.buffer).map_err(gone)? {
            Received::Datagram(length, _) => {
                match decode(self.buffer.get(..length).unwrap_or_default())? {
                    Reply::Refused(error) => Err(error.into()),
                    reply => Ok(reply),
                }
            }
            Received::TooLong => Err(ChipHandleError::OutOfTurn),
            Received::Closed => Err(ChipHandleError::ChipGone),
        }
    }
}

/// A broken socket means that the chip process ended.
fn gone(error: std::io::Error) -> ChipHandleError {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::NotConnected => {
            ChipHandleError::ChipGone
        }
        _ => ChipHandleError::Io(error),
    }
}
